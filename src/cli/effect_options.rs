//! Options of effects, sources, news and back-tests.

use clap::Args;
use spillover::domain::span::{Joint, Span};
use spillover::domain::types::{Period, Vintage};
use spillover::effect::{
    Baseline, Component, DensitySpan, EffectLevel, EffectRequest, EstimateChoice, Mode, Results,
    Wanted,
};
use spillover::render::effect;

use super::ending::UsageError;

/// What an effect is computed from, and how it is added up.
#[derive(Debug, Args)]
pub struct EffectOptions {
    /// The column whose coefficients apply to the rows [default: 3.4].
    #[arg(long, value_name = "N.C")]
    model: Option<String>,
    /// Add rows up by plant, city, province, country, `income_group`, nation, `province^country`,
    /// `city_group` or `country_group` [default: nation].
    #[arg(long, value_name = "LEVEL")]
    by: Option<EffectLevel>,
    /// The part of the effect: affiliate, local, both, or density with --baseline `last_year`
    /// [default: affiliate].
    #[arg(long, value_name = "PART")]
    component: Option<Component>,
    /// Compare with zero, `last_year`, within (other rows of the plant and the destination) or
    /// strict (both) [default: zero].
    #[arg(long, value_name = "BASELINE")]
    baseline: Option<Baseline>,
    /// The months of the density: 12m, or span for those of --span [default: 12m].
    #[arg(long, value_name = "MONTHS")]
    density: Option<DensitySpan>,
    /// The estimate: pinned, the first one after the close of the year before, or newest
    /// [default: pinned].
    #[arg(long, value_name = "WHICH")]
    estimate: Option<EstimateChoice>,
    /// Show the effect in US dollars too.
    #[arg(long)]
    value: bool,
    /// Leave out the band from earlier years, which reads their months.
    #[arg(long)]
    no_band: bool,
}

/// The vintages of a back-test.
#[derive(Debug, Args)]
pub struct ModeOption {
    /// The revisions of a back-test: pseudo, by what is known now, or real-time, by what was known
    /// when each month closed [default: pseudo].
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,
}

impl ModeOption {
    /// The mode.
    pub fn mode(&self) -> Mode {
        self.mode.unwrap_or_default()
    }

    /// True if the option is given.
    pub fn is_given(&self) -> bool {
        self.mode.is_some()
    }
}

impl EffectOptions {
    /// The request at a month, for a span and a vintage.
    pub fn request(
        &self,
        (month, span): (Option<Period>, Option<Span>),
        vintage: Option<Vintage>,
        joint: Joint,
    ) -> EffectRequest {
        let default = EffectRequest::default();
        let wanted = |is_wanted| if is_wanted { Wanted::Yes } else { Wanted::No };
        EffectRequest {
            model: self.model.clone().unwrap_or(default.model),
            level: self.by.unwrap_or_default(),
            component: self.component.unwrap_or_default(),
            baseline: self.baseline.unwrap_or_default(),
            month,
            span: span.unwrap_or(default.span),
            joint,
            density: self.density.unwrap_or_default(),
            value: wanted(self.value),
            band: wanted(!self.no_band),
            vintage,
            estimate: self.estimate.unwrap_or_default(),
        }
    }

    /// Checks that no option is given, for a table without effects.
    ///
    /// # Errors
    /// [`UsageError`] for a given option.
    pub fn refuse(&self) -> Result<(), UsageError> {
        let given = [
            ("--model", self.model.is_some()),
            ("--by", self.by.is_some()),
            ("--component", self.component.is_some()),
            ("--baseline", self.baseline.is_some()),
            ("--density", self.density.is_some()),
            ("--estimate", self.estimate.is_some()),
            ("--value", self.value),
            ("--no-band", self.no_band),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(UsageError(format!(
                "{option} belongs to effects, sources, news and backtest; leave it out for this \
                 table"
            ))),
            None => Ok(()),
        }
    }
}

/// Prints what a table of figures may claim, for a format without notes.
pub fn say(results: &Results) {
    for (_, fact) in effect::facts(results) {
        eprintln!("{fact}");
    }
}
