//! Follows a home: each new state is written to the database, which delays nobody.
//!
//! A database that cannot be reached is reported once for each reason and tried again. The home is
//! read only, and no lock of the home is taken.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tracing::{info, warn};

use super::error::{Changed, Result, SyncError, Synced};
use super::session::Stopping;
use super::target::Target;
use super::write::sync;
use crate::domain::span::Joint;
use crate::engine::with_causes;
use crate::reader::Reader;
use crate::reader::state::n_commits_acknowledged;

/// The time between two looks at the home.
const LOOK: Duration = Duration::from_secs(1);
/// The first wait after a failure; each further one is twice as long, up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// The longest wait for a thread that has a stop request. A transaction without an end is rolled
/// back.
const STOP_MAX: Duration = Duration::from_secs(5);

/// A home, and the database that follows it.
#[derive(Clone, Debug)]
pub struct Follow {
    /// The home.
    pub home: PathBuf,
    /// The months that the span `month` shows together.
    pub joint: Joint,
    /// The number of threads for recomputed figures.
    pub n_workers: usize,
    /// The database.
    pub target: Target,
}

impl Follow {
    /// Writes the newest publication.
    ///
    /// # Errors
    /// [`SyncError`]; the database keeps the publication from before.
    pub fn sync(&self, stopping: Stopping<'_>) -> Result<Synced> {
        let mut reader = Reader::open(&self.home)?.with_workers(self.n_workers);
        sync(&mut reader, self.joint, &self.target, stopping)
    }

    /// Writes each new publication until `wait` is true: it waits for a time, or until a stop
    /// request.
    pub fn run(&self, wait: &dyn Fn(Duration) -> bool) {
        let stopping = || wait(Duration::ZERO);
        let (mut done, mut why, mut retry) = (None, None, RETRY_MIN);
        loop {
            let n_commits = n_commits_acknowledged(&self.home).ok();
            let is_new = n_commits.is_none_or(|n| n > done.unwrap_or_default());
            let pause = match is_new.then(|| self.sync(&stopping)) {
                None | Some(Err(SyncError::Empty)) => LOOK,
                Some(Ok(synced)) => {
                    (done, retry) = (Some(synced.n_commits), RETRY_MIN);
                    self.report(synced, why.take().is_some());
                    LOOK
                }
                Some(Err(SyncError::Stopped { .. })) => return,
                Some(Err(error)) => {
                    let text = with_causes(&error);
                    if why.as_ref() != Some(&text) {
                        warn!("{text}");
                    }
                    why = Some(text);
                    let pause = retry;
                    retry = RETRY_MAX.min(2 * retry);
                    pause
                }
            };
            if wait(pause) {
                return;
            }
        }
    }

    fn report(&self, synced: Synced, was_failing: bool) {
        let (database, publication) = (self.target.shown(), synced.publication);
        match synced.changed {
            Some(Changed { n_new, n_changed, n_gone }) => {
                info!(database, publication, n_new, n_changed, n_gone, "synced");
            }
            None if was_failing => info!(database, publication, "the database is up to date"),
            None => {}
        }
    }

    /// Starts to follow on a thread of its own.
    ///
    /// # Errors
    /// The system's error if it starts no thread.
    pub fn start(self) -> std::io::Result<Following> {
        let ((stop, stopped), (ended, end)) = (channel(), channel());
        let builder = thread::Builder::new().name("sync".to_owned());
        builder.spawn(move || {
            self.run(&|time| has_ended(&stopped, time));
            drop(ended);
        })?;
        Ok(Following { stop, end })
    }
}

/// Waits for a time or until the other side ends; returns true if it has.
fn has_ended(side: &Receiver<()>, time: Duration) -> bool {
    side.recv_timeout(time) == Err(RecvTimeoutError::Disconnected)
}

/// A thread that follows a home.
#[derive(Debug)]
pub struct Following {
    stop: Sender<()>,
    end: Receiver<()>,
}

impl Following {
    /// Ends the thread. A thread that waits for the database is left behind, and its transaction is
    /// rolled back.
    pub fn stop(self) {
        drop(self.stop);
        has_ended(&self.end, STOP_MAX);
    }
}
