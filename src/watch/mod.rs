//! The watcher: takes in a feed as it grows, for years.
//!
//! ```text
//! look ─▶ ledger: which files are new, whole, and next ─▶ Engine::ingest ─▶ ledger, heartbeat
//!   ▲                                                          │
//!   └── wait: the interval, or longer while paused ◀───────────┘
//! ```
//! Invariants: what it takes in, it takes in as `ingest` does, so that the home is the same to the
//! bit; of a step that failed nothing counts, and the engine is opened anew from the home; a full
//! disk and a feed that went are waited for, any other failure of the home ends the process.

mod error;
pub mod heartbeat;
pub mod ledger;
pub mod look;
mod progress;
pub mod room;
mod stop;
mod watcher;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::warn;

use crate::archive::own::prepare;
use crate::engine::EngineError;
use crate::files::{self, private};
use crate::settings::Config;

pub use error::WatchError;
pub use stop::Stop;

use heartbeat::{HEARTBEAT, Heartbeat};
use ledger::{LEDGER, Ledger};
use watcher::Watcher;

/// Locked while a watcher runs on a home, also where it waits and has no engine open.
const LOCK: &str = "watch.lock";
/// How often a new watcher tries to lock it, and how long it waits in between.
const LOCK_TRIES: u32 = 10;
const LOCK_WAIT: Duration = Duration::from_millis(50);

/// What to watch, and how.
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
    /// How many workers compute.
    pub n_workers: usize,
    /// How long to wait between looks.
    pub interval: Duration,
    /// Whether to end when what is there has been taken in.
    pub once: bool,
    /// Whether only a marker says that a file is whole.
    pub markers_only: bool,
}

/// What a watcher did before it was stopped.
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

/// Watches until it is asked to stop, or with `once` until all that is there has been taken in.
///
/// # Errors
/// - [`WatchError::Watched`], [`WatchError::Lock`] if another watcher runs on the home, or none
///   can.
/// - [`WatchError::Engine`] for what time does not mend: the home is another's, damaged, made under
///   other options, or its disk fails.
/// - [`WatchError::Estimate`] if the options ask for a table that is none.
/// - With `once` also [`WatchError::NoRoom`] and [`WatchError::Feed`], which are else waited for.
pub fn watch(plan: Plan, stop: &Stop) -> Result<Watched, WatchError> {
    Watcher::new(plan)?.run(stop)
}

/// Whether a watcher runs on a home now.
///
/// # Errors
/// What the system says if that cannot be found out.
pub fn is_watched(home: &Path) -> io::Result<bool> {
    match files::open(&home.join(LOCK)) {
        Ok(file) => Ok(matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// What is wrong with the files that watchers keep in a home: no figure depends on them.
#[must_use]
pub fn damage(home: &Path) -> Vec<String> {
    let heartbeat = Heartbeat::read(home).err().map(|error| (HEARTBEAT, error));
    let ledger = match files::read(&home.join(LEDGER)) {
        Ok(bytes) => Ledger::from_json(&bytes, |_, _| true).err().map(io::Error::other),
        Err(error) => Some(error).filter(|error| error.kind() != io::ErrorKind::NotFound),
    };
    let found = heartbeat.into_iter().chain(ledger.map(|error| (LEDGER, error)));
    let told = |(name, error)| format!("{name} cannot be read, remove it: {error}");
    found.map(told).collect()
}

fn lock(home: &Path) -> Result<File, WatchError> {
    let path = home.join(LOCK);
    let failed = |source| WatchError::Lock { path: path.clone(), source };
    if let Some(was_open) = prepare(home).map_err(EngineError::from)? {
        warn!("{was_open}");
    }
    let file = private::open_or_create(&path).map_err(failed)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // It may be `status`, which looks whether there is a watcher.
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    Err(WatchError::Watched { home: home.to_owned() })
}
