//! The arguments of a watcher and its result.

use std::path::PathBuf;
use std::time::Duration;

use crate::home::options::Config;

/// The feed and the settings of a watcher.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The engine's home.
    pub home: PathBuf,
    /// Files or folders of monthly files.
    pub feeds: Vec<PathBuf>,
    /// The feed's layout, if a user named one.
    pub profile: Option<String>,
    /// The options.
    pub config: Config,
    /// The number of worker threads.
    pub n_workers: usize,
    /// The wait between two looks.
    pub interval: Duration,
    /// True if the watcher ends after it has ingested all present files.
    pub once: bool,
    /// True if only a marker makes a file ready.
    pub markers_only: bool,
}

/// The result of a watcher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// The number of accepted files.
    pub files_accepted: u64,
    /// The number of files in the feed that are refused.
    pub files_refused: usize,
    /// The number of unreadable files in the feed.
    pub files_unreadable: usize,
    /// The number of files in the feed that wait for an earlier month.
    pub files_waiting: usize,
    /// The number of rejected lines.
    pub lines_rejected: u64,
}
