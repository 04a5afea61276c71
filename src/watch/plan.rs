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
    /// The feed's layout, if one was named.
    pub profile: Option<String>,
    /// The options.
    pub config: Config,
    /// The number of worker threads.
    pub n_workers: usize,
    /// How long to wait between looks.
    pub interval: Duration,
    /// Whether to end after all present files are ingested.
    pub once: bool,
    /// Whether only a marker says that a file is whole.
    pub markers_only: bool,
}

/// The result of a watcher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Files accepted.
    pub files_accepted: u64,
    /// Files in the feed that are refused as they are.
    pub files_refused: usize,
    /// Files in the feed that could not be read.
    pub files_unreadable: usize,
    /// Files in the feed that wait for an earlier month.
    pub files_waiting: usize,
    /// Lines rejected.
    pub lines_rejected: u64,
}
