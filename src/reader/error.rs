//! Errors of reading a home.

use crate::engine::EngineError;
use crate::home::HomeError;
use crate::home::options::SettingsError;
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
    /// The row cannot be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// The recorded options cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}
