//! Errors of reading a home.

use jiff::civil::Date;

use crate::domain::types::Vintage;
use crate::effect::EffectError;
use crate::engine::EngineError;
use crate::home::HomeError;
use crate::home::options::SettingsError;
use crate::reader::chosen::NoColumn;
use crate::reader::conditions::ConditionError;
use crate::reader::explain::ExplainError;
use crate::regressions::RegressionError;
use crate::spans::SpanError;
use crate::tables::export::ExportError;

/// The reason why a query fails.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The home cannot be read.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The recorded definition cannot be used, or a vintage cannot be recomputed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The published tables cannot be read.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The spans cannot be computed.
    #[error(transparent)]
    Span(#[from] SpanError),
    /// The estimates or panels cannot be read.
    #[error(transparent)]
    Regression(#[from] RegressionError),
    /// There is no such effect.
    #[error(transparent)]
    Effect(#[from] EffectError),
    /// The row cannot be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// Only a replay can give the tables of the vintage.
    #[error(transparent)]
    InsideBatch(#[from] InsideBatch),
    /// The table does not have a column of codes.
    #[error(transparent)]
    NoColumn(#[from] NoColumn),
    /// The table cannot have a condition.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// No vintage is known by a date.
    #[error(transparent)]
    NoVintageThen(#[from] NoVintageThen),
    /// The recorded options cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl ReaderError {
    /// True if the month, or its span, does not exist in the home.
    #[must_use]
    pub fn is_no_span(&self) -> bool {
        match self {
            Self::Span(error) => error.is_no_span(),
            Self::Effect(error) => error.is_no_span(),
            _ => false,
        }
    }

    /// True if the home does not have the figure. The other errors say that the request is wrong,
    /// or that the home cannot be read, and must not be shown as a missing figure.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Span(error) => error.is_no_span() || error.is_before_rebuild(),
            Self::Effect(error) => error.is_absence(),
            _ => false,
        }
    }
}

/// A vintage that is not published by itself: its figures would have to be recomputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the tables of vintage {vintage} are not stored, only a replay can give them; {}",
    neighbours(*before, *after)
)]
pub struct InsideBatch {
    /// The requested vintage.
    pub vintage: Vintage,
    /// The nearest stored vintage before it.
    pub before: Option<Vintage>,
    /// The nearest stored vintage after it.
    pub after: Option<Vintage>,
}

fn neighbours(before: Option<Vintage>, after: Option<Vintage>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => format!("ask for vintage {before} or {after}"),
        (Some(one), None) | (None, Some(one)) => format!("ask for vintage {one}"),
        (None, None) => "no vintage is stored".to_owned(),
    }
}

/// A date before the first commit with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no vintage is known to be published by the end of {date}; {}", first_date(*first))]
pub struct NoVintageThen {
    /// The requested date.
    pub date: Date,
    /// The first date with a known vintage.
    pub first: Option<Date>,
}

fn first_date(first: Option<Date>) -> String {
    match first {
        Some(first) => format!("the first date with one is {first}"),
        None => "the home has no times of publications; ask for a vintage".to_owned(),
    }
}
