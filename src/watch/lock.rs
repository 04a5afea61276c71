//! The lock that allows one watcher for each home.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use tracing::warn;

use super::error::WatchError;
use crate::engine::EngineError;
use crate::files::{self, private};
use crate::home::own::prepare;

/// The lock file. A watcher holds the lock while it runs, even while it waits without an open
/// engine.
const LOCK: &str = "watch.lock";
/// The number of attempts of a new watcher to lock the file, and the wait between them.
const LOCK_TRIES: u32 = 10;
const LOCK_WAIT: Duration = Duration::from_millis(50);

/// True if a watcher runs on a home now.
///
/// # Errors
/// The system's error if the lock file cannot be tested.
pub fn is_watched(home: &Path) -> io::Result<bool> {
    match files::open(&home.join(LOCK)) {
        Ok(file) => Ok(matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Locks a home for a watcher.
///
/// # Errors
/// [`WatchError::Watched`] if another watcher runs on the home, [`WatchError::Lock`] if the file
/// cannot be locked.
pub fn lock(home: &Path) -> Result<File, WatchError> {
    let path = home.join(LOCK);
    let failed = |source| WatchError::Lock { path: path.clone(), source };
    if let Some(was_open) = prepare(home).map_err(EngineError::from)? {
        warn!("{was_open}");
    }
    let file = private::open_or_create(&path).map_err(failed)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // The holder may be `status`, which tests the lock for a moment.
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    Err(WatchError::Watched { home: home.to_owned() })
}
