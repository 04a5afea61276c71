//! What can stop the engine; bad input is not among it (that is an [`super::Outcome`]).

use std::path::PathBuf;

use crate::archive::ArchiveError;
use crate::calendar::OutOfOrder;
use crate::dataflow::WorkerFailed;
use crate::feed::profile::ProfileError;
use crate::feed::reference::PlacesError;
use crate::feed::source::FeedError;
use crate::publish::supply::SupplyError;
use crate::settings::SettingsError;

/// An operation of the engine that failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The home.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The options.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The feed's layout.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The reference tables.
    #[error(transparent)]
    Places(#[from] PlacesError),
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The dataflow.
    #[error(transparent)]
    Worker(#[from] WorkerFailed),
    /// A month that cannot close.
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
    /// The firm-year file.
    #[error("{} cannot be used", path.display())]
    Supply {
        /// The file.
        path: PathBuf,
        /// The line and why.
        source: SupplyError,
    },
    /// The firm-year file cannot be read.
    #[error("cannot read the firm-year file {}", path.display())]
    ReadSupply {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A reference table that differs from the one the home's figures were made with.
    #[error(
        "{table} beside the feed differs from the one the home's figures were made with; put the \
         old one back, or give another home with --data"
    )]
    ReferenceDiffers {
        /// The table.
        table: String,
    },
    /// There is nothing to close months of.
    #[error("the home has no file yet; ingest a feed first")]
    Empty,
    /// Published rows that do not fit their schema.
    #[error("published rows do not fit their columns: a defect, please report it")]
    Columns(#[from] arrow_schema::ArrowError),
}

impl EngineError {
    /// Whether there was no room for it, on the disk or in a quota: then making room is all that is
    /// needed.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        matches!(self, Self::Archive(error) if error.is_no_room())
    }
}
