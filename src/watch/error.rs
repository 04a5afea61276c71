//! Errors that end a watcher.

use std::io;
use std::path::PathBuf;

use crate::clock::ClockError;
use crate::engine::EngineError;
use crate::feed::source::FeedError;
use crate::files::trouble::advice;
use crate::regressions::{EstimationFailure, NoTable};

/// The reason why a watcher ended without a stop request.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The engine failed, and waiting does not help.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The option `estimate` names an unknown table.
    #[error(transparent)]
    Estimate(#[from] NoTable),
    /// The disk failed or was full while a year was estimated.
    #[error(transparent)]
    Estimation(Box<EstimationFailure>),
    /// The disk is full, in a run that does not wait for space (`--once`).
    #[error("no room is left for {}; make room on its disk", home.display())]
    NoRoom {
        /// The home.
        home: PathBuf,
        /// The error of the file or folder that needs space.
        source: Box<Self>,
    },
    /// The feed is missing, in a run that does not wait for it (`--once`).
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// A folder of the feed had files and is now empty.
    #[error("{} has no file of the feed; is it mounted?", dir.display())]
    Emptied {
        /// The folder.
        dir: PathBuf,
    },
    /// Another watcher runs on the home.
    #[error("another watcher runs on {}; `status` shows it", home.display())]
    Watched {
        /// The home.
        home: PathBuf,
    },
    /// The system clock is wrong.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The ledger of an earlier run cannot be read.
    #[error(
        "cannot read {}; {}",
        path.display(),
        advice(path, source, "remove it; the next run then reads the feed again")
    )]
    Ledger {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The lock file of the watcher cannot be locked.
    #[error(
        "cannot lock {}; {}",
        path.display(),
        advice(path, source, "make the home a writable folder")
    )]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl WatchError {
    /// True if the disk or the quota had no room. The watcher then waits for room.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_no_room(),
            Self::Estimation(failure) => failure.is_no_room(),
            _ => false,
        }
    }
}
