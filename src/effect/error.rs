//! The reasons why there is no effect.

use super::component::Component;
use crate::domain::types::{Period, Vintage, Year};
use crate::home::HomeError;
use crate::spans::SpanError;

/// The reason why an effect cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// The spans of the home.
    #[error(transparent)]
    Span(#[from] SpanError),
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Columns that do not fit together.
    #[error("rows of effects do not fit their columns: a defect, please report it")]
    Rows(#[from] arrow_schema::ArrowError),
    /// No month is closed.
    #[error("no month is closed yet, so there is no effect; ingest a file that closes a month")]
    NoMonth,
    /// The model is not a column of the tables.
    #[error("there is no model \"{name}\"; name a column of tables 3 to 6, such as 3.4")]
    NoModel {
        /// The requested name.
        name: String,
    },
    /// The coefficients of the model do not apply to rows of `plant`.
    #[error("model {name} gives no effect: {why}; name another --model, such as 3.4")]
    Refused {
        /// The model.
        name: String,
        /// The reason.
        why: &'static str,
    },
    /// The model has no terms of the component.
    #[error(
        "model {model} has no terms of the component {}; name another --component or --model",
        component.name()
    )]
    NoComponent {
        /// The model.
        model: String,
        /// The component.
        component: Component,
    },
    /// An amount among the terms is smaller for fewer months.
    #[error(
        "model {model} has {variable}, which grows with the months of a span, so it needs twelve \
         months; use --span 12m, a --month of December, or another --model"
    )]
    GrowsWithSpan {
        /// The model.
        model: String,
        /// The amount.
        variable: String,
    },
    /// There is no estimate for the year before.
    #[error(
        "no estimate of model {model} with samples through {through} is stored up to vintage \
         {vintage}; run `estimate --table {model} --through {through}`, or name a later --vintage"
    )]
    NoEstimate {
        /// The model.
        model: String,
        /// The last year of the sample.
        through: Year,
        /// The vintage.
        vintage: Vintage,
    },
    /// The estimate has no covariance.
    #[error(
        "the estimate of model {model} through {through} has no covariance, because an earlier \
         version stored it; run `estimate --table {model} --through {through} --again`, then use \
         --estimate newest"
    )]
    NoCovariance {
        /// The model.
        model: String,
        /// The last year of the sample.
        through: Year,
    },
    /// The estimate has dropped a term.
    #[error(
        "the estimate of model {model} through {through} has dropped {term}, so this component \
         has no effect; name another --component or --model"
    )]
    Dropped {
        /// The model.
        model: String,
        /// The last year of the sample.
        through: Year,
        /// The regressor.
        term: String,
    },
    /// A contrast has no national total.
    #[error(
        "the baseline {baseline} compares plants with each other, so it has no national total; \
         name another --by, or --baseline zero"
    )]
    NoTotal {
        /// The baseline.
        baseline: &'static str,
    },
    /// The component density exists as a change only.
    #[error(
        "the component density exists with --baseline last_year only, because the other baselines \
         cancel its level; name that baseline, or another --component"
    )]
    DensityLevel,
    /// The sources of another component or baseline.
    #[error(
        "sources exist for --component affiliate and --baseline zero only; leave out other values"
    )]
    NoSources,
    /// The back-test of another span or baseline.
    #[error("the back-test exists for --span ytd and --baseline zero only; leave out other values")]
    NoBacktest,
    /// Definitions differ between two vintages.
    #[error(
        "the definition of the figures differs between vintages {before} and {after}, so their \
         difference is not news; compare two vintages after the change"
    )]
    OtherDefinition {
        /// The earlier vintage.
        before: Vintage,
        /// The later vintage.
        after: Vintage,
    },
    /// The vintages are not in order.
    #[error("vintage {before} is not before vintage {after}; name the earlier vintage first")]
    NotLater {
        /// The first vintage.
        before: Vintage,
        /// The second vintage.
        after: Vintage,
    },
    /// No closed year has an estimate of the year before.
    #[error(
        "no closed year has an estimate of model {model} through the year before, so there is no \
         back-test; run `estimate --table {model} --path`"
    )]
    NoYears {
        /// The model.
        model: String,
    },
    /// No month was published when it closed.
    #[error(
        "the vintages do not show what was known when months closed, because one file closed \
         several months; use --mode pseudo"
    )]
    NoRealTime,
    /// The month is not closed at the earlier vintage.
    #[error("{month} is not closed at vintage {vintage}; name an earlier --month")]
    NotClosedThen {
        /// The month.
        month: Period,
        /// The vintage.
        vintage: Vintage,
    },
}

impl EffectError {
    /// True if the month, or its span, does not exist in the home.
    #[must_use]
    pub fn is_no_span(&self) -> bool {
        match self {
            Self::Span(error) => error.is_no_span(),
            Self::NoMonth => true,
            _ => false,
        }
    }

    /// True if the home has no such effect: a month or an estimate is missing, or the estimate
    /// gives none. The other errors say that the request is wrong, or that the home cannot be read.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Span(error) => error.is_no_span() || error.is_before_rebuild(),
            Self::NoMonth
            | Self::NoEstimate { .. }
            | Self::NoCovariance { .. }
            | Self::Dropped { .. }
            | Self::GrowsWithSpan { .. }
            | Self::OtherDefinition { .. }
            | Self::NotClosedThen { .. }
            | Self::NoYears { .. }
            | Self::NoRealTime => true,
            Self::Home(_)
            | Self::Rows(_)
            | Self::NoModel { .. }
            | Self::Refused { .. }
            | Self::NoComponent { .. }
            | Self::NoTotal { .. }
            | Self::DensityLevel
            | Self::NoSources
            | Self::NoBacktest
            | Self::NotLater { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineError;

    #[test]
    fn a_missing_estimate_is_an_absence_and_damage_is_none() {
        let (model, through) = ("3.4".to_owned(), Year(2010));
        let none = EffectError::NoEstimate { model, through, vintage: Vintage(3) };
        assert!(none.is_absence() && !none.is_no_span());
        let no_span = EffectError::Span(SpanError::Engine(EngineError::Empty));
        assert!(no_span.is_absence() && no_span.is_no_span());
        for error in [
            EffectError::Span(SpanError::Engine(EngineError::Stopped)),
            EffectError::Rows(arrow_schema::ArrowError::ComputeError(String::new())),
            EffectError::NoSources,
        ] {
            assert!(!error.is_absence() && !error.is_no_span(), "{error}");
        }
    }
}
