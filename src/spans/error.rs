//! The reasons why a span cannot be computed.

use crate::domain::span::Span;
use crate::domain::types::Period;
use crate::engine::EngineError;
use crate::feed::reference::PlacesError;
use crate::home::HomeError;
use crate::tables::export::ExportError;

/// The reason why a table of spans cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SpanError {
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The state of the home at a vintage.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The requested years.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The home's reference tables.
    #[error(transparent)]
    Places(#[from] PlacesError),
    /// Columns that do not fit together.
    #[error("rows of a span do not fit their columns: a defect, please report it")]
    Rows(#[from] arrow_schema::ArrowError),
    /// The month is not closed.
    #[error(
        "{month} is not closed; {}",
        last.map_or_else(|| "no month is closed yet".to_owned(), |last| {
            format!("the last closed month is {last}")
        })
    )]
    NotClosed {
        /// The requested month.
        month: Period,
        /// The last closed month.
        last: Option<Period>,
    },
    /// The month is shown together with later ones.
    #[error(
        "the span month shows {month} together with later months; name the last of them, or set \
         joint = [] in spillover.toml"
    )]
    Joint {
        /// The requested month.
        month: Period,
    },
    /// The feed has no months.
    #[error(
        "the feed has years and no months, so there is no span {} at {month}; name a December, \
         with the span ytd or 12m",
        span.name()
    )]
    Annual {
        /// The requested span.
        span: Span,
        /// The requested month.
        month: Period,
    },
    /// The span begins before the feed.
    #[error(
        "the span {} at {month} needs months from {from} on, but the feed begins in {first}; name \
         a later month",
        span.name()
    )]
    BeforeFeed {
        /// The requested span.
        span: Span,
        /// The requested month.
        month: Period,
        /// The first month that the span needs.
        from: Period,
        /// The first month of the feed.
        first: Period,
    },
}
