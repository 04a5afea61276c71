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

impl SpanError {
    /// True if the span does not exist in the home: a later file or another month has it. Every
    /// other error says that the home cannot be read.
    #[must_use]
    pub fn is_no_span(&self) -> bool {
        matches!(
            self,
            Self::NotClosed { .. }
                | Self::Joint { .. }
                | Self::Annual { .. }
                | Self::BeforeFeed { .. }
                | Self::Engine(EngineError::Empty)
        )
    }

    /// True if other records counted at the vintage, before a rebuild.
    #[must_use]
    pub fn is_before_rebuild(&self) -> bool {
        matches!(self, Self::Engine(EngineError::BeforeRebuild { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::types::Vintage;

    #[test]
    fn a_span_that_does_not_exist_is_no_damage() {
        let month = Period::FIRST;
        assert!(SpanError::NotClosed { month, last: None }.is_no_span());
        assert!(SpanError::Engine(EngineError::Empty).is_no_span());
        let (vintage, before) = (Vintage(2), Vintage(1));
        let rebuilt = SpanError::Engine(EngineError::BeforeRebuild { vintage, before });
        assert!(rebuilt.is_before_rebuild() && !rebuilt.is_no_span());
        for damage in [
            SpanError::Engine(EngineError::Stopped),
            SpanError::Engine(EngineError::PastRange),
            SpanError::Rows(arrow_schema::ArrowError::ComputeError(String::new())),
        ] {
            assert!(!damage.is_no_span() && !damage.is_before_rebuild(), "{damage}");
        }
    }
}
