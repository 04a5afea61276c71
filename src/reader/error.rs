//! Errors of reading a home.

use crate::engine::EngineError;
use crate::home::ArchiveError;
use crate::home::options::SettingsError;
use crate::reader::explain::ExplainError;
use crate::regressions::RegressionError;
use crate::tables::export::ExportError;

/// A question that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The home.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What the home has recorded, or a vintage that cannot be recomputed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The published tables.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The estimates and panels.
    #[error(transparent)]
    Regression(#[from] RegressionError),
    /// The row that is to be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// The recorded options.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}
