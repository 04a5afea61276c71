//! Rules as `alerts.toml` has them: a rule that cannot be evaluated cannot be built.
//!
//! ```text
//! text ─▶ toml, with places ─▶ RuleText ─▶ checks ─▶ Rule
//! ```

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::rules::{Condition, Feed, Figure, Limits, Refused, Rule, Test, Watched};
use crate::domain::finding::FindingKind;
use crate::domain::series::Level;
use crate::domain::span::Span;
use crate::effect::{Component, Model};
use crate::tables::series;

/// A rule as text has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    name: String,
    table: Option<String>,
    by: Option<String>,
    figure: Option<String>,
    span: Option<String>,
    keys: Option<BTreeSet<String>>,
    model: Option<String>,
    component: Option<String>,
    months_min: Option<u8>,
    n_min: Option<u64>,
    firms_min: Option<u64>,
    fdr: Option<f64>,
    level: Option<BeyondText>,
    change: Option<BeyondText>,
    sign: Option<NothingText>,
    z: Option<ZText>,
    breadth: Option<BreadthText>,
    revision: Option<RevisionText>,
    feed: Option<FeedText>,
    stale: Option<StaleText>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BeyondText {
    beyond: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NothingText {}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ZText {
    raise: f64,
    clear: f64,
}

impl Default for ZText {
    fn default() -> Self {
        Self { raise: 2.0, clear: 1.0 }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BreadthText {
    below: Option<f64>,
    above: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevisionText {
    beyond: f64,
    #[serde(default = "twelve")]
    months: u8,
}

fn twelve() -> u8 {
    12
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedText {
    late_days: Option<u32>,
    #[serde(default)]
    refused: bool,
    #[serde(default)]
    findings: Vec<FindingKind>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StaleText {
    days: Option<u32>,
}

/// The names of the conditions.
const CONDITIONS: &str = "level, change, sign, z, breadth, revision, feed or stale";

/// A problem of a rule: the cause, and what to do.
pub type Cause = String;

impl RuleText {
    /// The rule, with the limits of its file for those that it does not give.
    ///
    /// # Errors
    /// The cause, and what to do.
    pub fn rule(self, limits: Limits) -> Result<Rule, Cause> {
        if self.name.is_empty() || self.name.chars().any(char::is_control) {
            return Err("the rule has no name; give one without control characters".to_owned());
        }
        let limits = Limits {
            months_min: self.months_min.unwrap_or(limits.months_min),
            n_min: self.n_min.unwrap_or(limits.n_min),
            firms_min: self.firms_min.unwrap_or(limits.firms_min),
            fdr: self.fdr.unwrap_or(limits.fdr),
        };
        check_limits(limits)?;
        let condition = self.condition()?;
        Ok(Rule { name: self.name, condition, limits })
    }

    fn condition(&self) -> Result<Condition, Cause> {
        let given = [
            self.level.is_some(),
            self.change.is_some(),
            self.sign.is_some(),
            self.z.is_some(),
            self.breadth.is_some(),
            self.revision.is_some(),
            self.feed.is_some(),
            self.stale.is_some(),
        ];
        let n_given = given.iter().filter(|is_given| **is_given).count();
        if n_given != 1 {
            return Err(format!("it has {n_given} conditions; give one of {CONDITIONS}"));
        }
        if let Some(feed) = &self.feed {
            self.refuse_figures("feed")?;
            return feed_condition(feed);
        }
        if let Some(stale) = self.stale {
            self.refuse_figures("stale")?;
            return Ok(Condition::Stale { days_max: stale.days });
        }
        let test = self.test()?;
        Ok(Condition::Figure(self.watched(test)?, test))
    }

    /// Checks that a condition without figures has no key for them.
    fn refuse_figures(&self, condition: &str) -> Result<(), Cause> {
        let given = [
            ("table", self.table.is_some()),
            ("by", self.by.is_some()),
            ("figure", self.figure.is_some()),
            ("span", self.span.is_some()),
            ("keys", self.keys.is_some()),
            ("model", self.model.is_some()),
            ("component", self.component.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((key, _)) => Err(format!("{condition} reads no figures; leave out {key}")),
            None => Ok(()),
        }
    }

    fn test(&self) -> Result<Test, Cause> {
        let beyond = |of: BeyondText| positive("beyond", of.beyond);
        if let Some(of) = self.level {
            return Ok(Test::Level { beyond: beyond(of)? });
        }
        if let Some(of) = self.change {
            return Ok(Test::Change { beyond: beyond(of)? });
        }
        if let Some(ZText { raise, clear }) = self.z {
            let (raise, clear) = (positive("raise", raise)?, positive("clear", clear)?);
            if clear > raise {
                return Err("clear is above raise; give a clear of at most raise".to_owned());
            }
            return Ok(Test::Z { raise, clear });
        }
        if let Some(BreadthText { below, above }) = self.breadth {
            let shares = [below, above];
            if shares.iter().all(Option::is_none) {
                return Err("breadth has no share; give below, above or both".to_owned());
            }
            if shares.iter().flatten().any(|share| !(0.0..=1.0).contains(share)) {
                return Err("below and above are shares; give numbers from 0 to 1".to_owned());
            }
            return Ok(Test::Breadth { below, above });
        }
        if let Some(RevisionText { beyond, months }) = self.revision {
            if !(1..=60).contains(&months) {
                return Err("months is out of range; give a number from 1 to 60".to_owned());
            }
            return Ok(Test::Revision { beyond: positive("beyond", beyond)?, n_months: months });
        }
        Ok(Test::Sign)
    }

    fn watched(&self, test: Test) -> Result<Watched, Cause> {
        let figure = self.figure_of(test)?;
        let is_effect = matches!(figure, Figure::Effect { .. });
        let level = match self.by.as_deref() {
            None if matches!(test, Test::Change { .. }) => Level::Country,
            None => Level::Nation,
            Some(name) => level(name)?,
        };
        if matches!(test, Test::Change { .. }) && level == Level::Nation {
            let what = "the contrast strict has no national total; give another level by `by`";
            return Err(what.to_owned());
        }
        let has_interval = matches!(test, Test::Level { .. } | Test::Sign) && !is_effect;
        if has_interval && level == Level::ProvinceCountry {
            let what =
                "growth has no standard error at province^country; give another level by `by`";
            return Err(what.to_owned());
        }
        let span = match &self.span {
            None => Span::YearToDate,
            Some(span) => span.parse().map_err(display)?,
        };
        let keys = self.keys.clone().unwrap_or_default();
        Ok(Watched { figure, level, span, keys })
    }

    fn figure_of(&self, test: Test) -> Result<Figure, Cause> {
        let is_change = matches!(test, Test::Change { .. });
        let table = self.table.as_deref().unwrap_or(if is_change { "effects" } else { "series" });
        let reads_both = matches!(test, Test::Level { .. } | Test::Sign | Test::Revision { .. });
        match table {
            "effects" if is_change || reads_both => self.effect(),
            "series" if !is_change => self.series(test),
            "effects" => Err("the condition reads the table series; leave out table".to_owned()),
            "series" => Err("change reads the table effects; leave out table".to_owned()),
            other => Err(format!("there is no table \"{other}\"; give series or effects")),
        }
    }

    fn effect(&self) -> Result<Figure, Cause> {
        if self.figure.as_deref().is_some_and(|name| name != "effect") {
            return Err("the table effects has one figure for rules; leave out figure".to_owned());
        }
        let model = self.model.clone().unwrap_or_else(|| "3.4".to_owned());
        let component = match &self.component {
            None => Component::default(),
            Some(text) => text.parse().map_err(display)?,
        };
        if component == Component::Density {
            let what = "density has no effect of its own; give affiliate, local or both";
            return Err(what.to_owned());
        }
        Model::named(&model).and_then(|of| of.terms(component).map(drop)).map_err(display)?;
        Ok(Figure::Effect { model, component })
    }

    fn series(&self, test: Test) -> Result<Figure, Cause> {
        for (key, value) in [("model", &self.model), ("component", &self.component)] {
            if value.is_some() {
                return Err(format!("{key} belongs to the table effects; leave it out"));
            }
        }
        let only = match test {
            Test::Level { .. } | Test::Sign => Some("growth"),
            Test::Breadth { .. } => Some("breadth"),
            _ => None,
        };
        let name = self.figure.as_deref().or(only).unwrap_or("growth");
        if let Some(only) = only.filter(|only| *only != name) {
            return Err(format!("the condition reads the figure {only}; leave out figure"));
        }
        match series::figure(name) {
            Some(((name, _), plants)) if name != "growth_se" => Ok(Figure::Series(name, plants)),
            _ => Err(format!(
                "there is no figure \"{name}\" for rules; give growth, value_growth, breadth or a \
                 mean over plants, such as affiliate_growth"
            )),
        }
    }
}

fn feed_condition(feed: &FeedText) -> Result<Condition, Cause> {
    let FeedText { late_days, refused, findings } = feed;
    if late_days.is_none() && !refused && findings.is_empty() {
        return Err("feed has no problem; give late_days, refused = true or findings".to_owned());
    }
    let refused = if *refused { Refused::Raise } else { Refused::Ignore };
    Ok(Condition::Feed(Feed { late_days: *late_days, refused, findings: findings.clone() }))
}

/// Checks limits.
///
/// # Errors
/// The cause, and what to do.
pub fn check_limits(of: Limits) -> Result<(), Cause> {
    if !(1..=12).contains(&of.months_min) {
        return Err("months_min is out of range; give a number from 1 to 12".to_owned());
    }
    if !(of.fdr > 0.0 && of.fdr <= 1.0) {
        return Err("fdr is out of range; give a number above 0 and up to 1".to_owned());
    }
    Ok(())
}

fn positive(key: &str, value: f64) -> Result<f64, Cause> {
    let is_positive = value.is_finite() && value > 0.0;
    is_positive.then_some(value).ok_or_else(|| format!("{key} is {value}; give a number above 0"))
}

fn level(name: &str) -> Result<Level, Cause> {
    let found = Level::ALL.into_iter().find(|level| level.name() == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = Level::ALL.iter().map(|level| level.name()).collect();
        format!("there is no level \"{name}\"; give one of {}", names.join(", "))
    })
}

fn display(error: impl fmt::Display) -> Cause {
    error.to_string()
}

/// The rules of texts with places, with unique names.
///
/// # Errors
/// The position of the rule in the text, and the cause.
pub fn rules(texts: Vec<Spanned<RuleText>>, limits: Limits) -> Result<Vec<Rule>, (usize, Cause)> {
    let mut rules: Vec<Rule> = Vec::new();
    for text in texts {
        let at = text.span().start;
        let text = text.into_inner();
        let name = text.name.clone();
        let rule = text.rule(limits).map_err(|cause| (at, format!("rule \"{name}\": {cause}")))?;
        if rules.iter().any(|other| other.name == rule.name) {
            return Err((at, format!("two rules have the name \"{name}\"; rename one of them")));
        }
        rules.push(rule);
    }
    Ok(rules)
}
