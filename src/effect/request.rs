//! The choices of an effect: model, level, component, baseline, span, estimate.

use std::str::FromStr;

use super::coefficients::EstimateChoice;
use super::component::Component;
use super::rows::DensitySpan;
use crate::domain::series::Level;
use crate::domain::span::{Joint, Span};
use crate::domain::types::{Period, Vintage};

/// The level at which rows are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EffectLevel {
    /// A plant; its key is the firm and the city, joined by `^`.
    Plant,
    /// A level of the table `series`.
    Of(Level),
}

impl Default for EffectLevel {
    fn default() -> Self {
        Self::Of(Level::Nation)
    }
}

impl EffectLevel {
    /// The name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plant => "plant",
            Self::Of(level) => level.name(),
        }
    }
}

/// A text that names no choice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} \"{text}\"; write {there}")]
pub struct NoChoice {
    /// The kind of choice.
    pub what: &'static str,
    /// The text.
    pub text: String,
    /// The choices.
    pub there: String,
}

fn named<T: Copy>(
    what: &'static str,
    text: &str,
    (all, name): (&[T], fn(T) -> &'static str),
) -> Result<T, NoChoice> {
    let found = all.iter().copied().find(|one| name(*one) == text);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        let there = match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => names.concat(),
        };
        NoChoice { what, text: text.to_owned(), there }
    })
}

impl FromStr for EffectLevel {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        let of_markets = Level::ALL.map(Self::Of);
        let all: Vec<Self> = [Self::Plant].into_iter().chain(of_markets).collect();
        named("level", text, (&all, Self::name))
    }
}

impl FromStr for Component {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        named("component", text, (&Self::ALL, Self::name))
    }
}

/// The state with which rows are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Baseline {
    /// No growth.
    #[default]
    Zero,
    /// The same span a year before, for the rows in both years.
    LastYear,
    /// The other rows of the plant and of the destination.
    Within,
    /// Both: the change since the year before, compared with other rows.
    Strict,
}

impl Baseline {
    /// All baselines.
    pub const ALL: [Self; 4] = [Self::Zero, Self::LastYear, Self::Within, Self::Strict];

    /// The name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::LastYear => "last_year",
            Self::Within => "within",
            Self::Strict => "strict",
        }
    }

    /// The claim that a figure with this baseline may make.
    #[must_use]
    pub fn claim(self) -> &'static str {
        if self.is_contrast() { "contrast" } else { "accounting" }
    }

    /// True if rows are compared with each other.
    #[must_use]
    pub fn is_contrast(self) -> bool {
        matches!(self, Self::Within | Self::Strict)
    }

    /// True if rows are compared with the year before.
    #[must_use]
    pub fn is_change(self) -> bool {
        matches!(self, Self::LastYear | Self::Strict)
    }
}

impl FromStr for Baseline {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        named("baseline", text, (&Self::ALL, Self::name))
    }
}

/// The vintages from which the revisions of a back-test are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What is known now, cut at the month.
    #[default]
    Pseudo,
    /// What was known when the month closed.
    RealTime,
}

impl Mode {
    /// Both modes.
    pub const ALL: [Self; 2] = [Self::Pseudo, Self::RealTime];

    /// The name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pseudo => "pseudo",
            Self::RealTime => "real-time",
        }
    }
}

impl FromStr for Mode {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        named("mode", text, (&Self::ALL, Self::name))
    }
}

impl EstimateChoice {
    /// Both choices.
    pub const ALL: [Self; 2] = [Self::Pinned, Self::Newest];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Newest => "newest",
        }
    }
}

impl FromStr for EstimateChoice {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        named("choice of an estimate", text, (&Self::ALL, Self::name))
    }
}

impl DensitySpan {
    /// Both choices.
    pub const ALL: [Self; 2] = [Self::TwelveMonths, Self::Own];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwelveMonths => "12m",
            Self::Own => "span",
        }
    }
}

impl FromStr for DensitySpan {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        named("span of the density", text, (&Self::ALL, Self::name))
    }
}

/// A choice that is used or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// It is used.
    Yes,
    /// It is not.
    #[default]
    No,
}

/// A request for effects, sources, news or a back-test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectRequest {
    /// The column of the regressions, such as `3.4`.
    pub model: String,
    /// The level.
    pub level: EffectLevel,
    /// The part of the effect.
    pub component: Component,
    /// The state with which rows are compared.
    pub baseline: Baseline,
    /// The month; the newest one by default.
    pub month: Option<Period>,
    /// The span of the growth.
    pub span: Span,
    /// The joint months of the span `month`.
    pub joint: Joint,
    /// The span of the density.
    pub density: DensitySpan,
    /// Whether the effect is also an amount in dollars.
    pub value: Wanted,
    /// Whether the band of revisions is computed, where it exists.
    pub band: Wanted,
    /// The vintage; the newest one by default.
    pub vintage: Option<Vintage>,
    /// The estimate.
    pub estimate: EstimateChoice,
}

impl Default for EffectRequest {
    fn default() -> Self {
        Self {
            model: "3.4".to_owned(),
            level: EffectLevel::default(),
            component: Component::default(),
            baseline: Baseline::default(),
            month: None,
            span: Span::YearToDate,
            joint: Joint::default(),
            density: DensitySpan::default(),
            value: Wanted::No,
            band: Wanted::Yes,
            vintage: None,
            estimate: EstimateChoice::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_has_its_name_and_others_are_refused_with_the_choices() {
        for level in Level::ALL.map(EffectLevel::Of).into_iter().chain([EffectLevel::Plant]) {
            assert_eq!(level.name().parse(), Ok(level));
        }
        for baseline in Baseline::ALL {
            assert_eq!(baseline.name().parse(), Ok(baseline));
        }
        for mode in Mode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        let error = "annual".parse::<Baseline>().expect_err("no baseline").to_string();
        let there = "write zero, last_year, within or strict";
        assert_eq!(error, format!("there is no baseline \"annual\"; {there}"));
    }
}
