//! The watcher: ingests a growing feed for years.
//!
//! ```text
//! look ─▶ ledger: files that are new, complete, next   ─▶ Engine::ingest ─▶ ledger, heartbeat
//!   ▲                                                          │
//!   └── wait: the interval, or longer while paused ◀───────────┘
//! ```
//! Invariants: the watcher ingests files as `ingest` does, so the home is the same to the bit. No
//! record of a failed step counts, and the watcher opens the engine again from the home. It waits
//! for a full disk and for a lost feed; any other failure of the home ends the process.

mod error;
pub mod heartbeat;
pub mod ledger;
mod lock;
pub mod look;
mod plan;
mod preparation;
mod progress;
pub mod room;
mod stop;
mod watcher;

use std::io;
use std::path::Path;

use crate::files;

pub use error::WatchError;
pub use lock::is_watched;
pub use plan::{Plan, Watched};
pub use stop::Stop;

use heartbeat::{HEARTBEAT, Heartbeat};
use ledger::{LEDGER, Ledger};
use watcher::Watcher;

/// Watches until a stop request, or with `once` until all present files are ingested.
///
/// # Errors
/// - [`WatchError::Watched`] if another watcher runs on the home, [`WatchError::Lock`] if the file
///   cannot be locked.
/// - [`WatchError::Engine`] for a failure that waiting does not repair. The home is damaged or has
///   another definition, another process writes it, or its disk fails.
/// - [`WatchError::Estimate`] if the options name an unknown table.
/// - With `once` also [`WatchError::NoRoom`] and [`WatchError::Feed`]; without it, the watcher
///   waits.
pub fn watch(plan: Plan, stop: &Stop) -> Result<Watched, WatchError> {
    Watcher::new(plan)?.run(stop)
}

/// The problems of the files that watchers keep in a home. No figure depends on these files.
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
