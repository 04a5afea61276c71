//! The heartbeat: a small JSON file in the home with the state of the watcher.
//!
//! The watcher replaces it as a whole, so readers see one state. On a full disk without room for a
//! new file, the watcher overwrites it in place.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::look::beside;
use crate::clock;
use crate::files::{self, private};
use crate::home::durable::Identity;

/// Its name in the home.
pub const HEARTBEAT: &str = "heartbeat.json";
/// The file is padded to a multiple of this, so that a longer text has room to replace it in place.
const PADDED_BYTES: usize = 4096;

/// The state of the watcher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It opens the home.
    #[default]
    Starting,
    /// It waits for the next look.
    Idle,
    /// It ingests files.
    Ingesting,
    /// It publishes a step.
    Publishing,
    /// It estimates, since a year closed.
    Estimating,
    /// It waits for something to be put right: `reason` says what.
    Paused,
    /// It has a stop request and finishes the current step.
    Stopping,
    /// It has stopped as asked, or `--once` is done.
    Stopped,
    /// It ended with `error`.
    Failed,
}

/// The heartbeat file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The state of the watcher.
    pub state: State,
    /// Why it is paused.
    pub reason: Option<String>,
    /// The last error, until a file is ingested or a look succeeds.
    pub error: Option<String>,
    /// Its process number.
    pub pid: u32,
    /// The version of the program.
    pub version: String,
    /// The feed's paths.
    pub feeds: Vec<String>,
    /// When it started.
    pub started: Timestamp,
    /// When the state was entered.
    pub since: Timestamp,
    /// When this was written.
    pub updated: Timestamp,
    /// For how long it has run.
    pub uptime_s: u64,
    /// How long it waits between looks.
    pub interval_s: f64,
    /// How often it looked.
    pub looks: u64,
    /// The newest vintage.
    pub vintage: u32,
    /// The newest publication.
    pub publication: u32,
    /// The month that closes next.
    pub next_month: Option<String>,
    /// The last file dealt with.
    pub last_file: Option<String>,
    /// When files were last committed.
    pub last_success: Option<Timestamp>,
    /// When the feed was last looked at and found.
    pub last_look: Option<Timestamp>,
    /// Files accepted since the start.
    pub files_accepted: u64,
    /// Files skipped since the start: their bytes were accepted before.
    pub files_skipped: u64,
    /// Files in the feed that are refused as they are.
    pub files_refused: usize,
    /// Files in the feed that could not be read, to be tried again.
    pub files_unreadable: usize,
    /// Files in the feed that are not known to be whole yet.
    pub files_growing: usize,
    /// Files in the feed that wait for an earlier month.
    pub files_waiting: usize,
    /// Lines rejected since the start.
    pub lines_rejected: u64,
}

impl Heartbeat {
    /// The first beat of this process.
    #[must_use]
    pub fn starting(feeds: &[PathBuf], interval: Duration) -> Self {
        let now = clock::now().unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            state: State::Starting,
            reason: None,
            error: None,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            feeds: feeds.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            started: now,
            since: now,
            updated: now,
            uptime_s: 0,
            interval_s: interval.as_secs_f64(),
            looks: 0,
            vintage: 0,
            publication: 0,
            next_month: None,
            last_file: None,
            last_success: None,
            last_look: None,
            files_accepted: 0,
            files_skipped: 0,
            files_refused: 0,
            files_unreadable: 0,
            files_growing: 0,
            files_waiting: 0,
            lines_rejected: 0,
        }
    }

    /// The time of the system's clock. If the clock is wrong, the last valid time; the next look
    /// then ends the watcher.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        clock::now().unwrap_or(self.updated)
    }

    /// Enters a state, with the reason if it is a pause.
    pub fn enter(&mut self, state: State, reason: Option<String>) {
        if (self.state, &self.reason) != (state, &reason) {
            self.since = self.now();
        }
        (self.state, self.reason) = (state, reason);
    }

    /// Writes it into a home.
    ///
    /// # Errors
    /// The system's error if it cannot be written, not even in place.
    pub fn write(&mut self, home: &Path) -> io::Result<()> {
        self.updated = self.now();
        let seconds = self.updated.duration_since(self.started).as_secs();
        self.uptime_s = u64::try_from(seconds).unwrap_or_default();
        let mut text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        let padded = (text.len() + 1).next_multiple_of(PADDED_BYTES);
        text.extend(std::iter::repeat_n(' ', padded - text.len() - 1));
        text.push('\n');
        replace(&home.join(HEARTBEAT), text.as_bytes())
    }

    /// Reads the one in a home; none if no watcher ever ran there.
    ///
    /// # Errors
    /// The system's error if it cannot be read, or that it is no heartbeat.
    pub fn read(home: &Path) -> io::Result<Option<Self>> {
        match files::read(&home.join(HEARTBEAT)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).map_err(io::Error::other)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The heartbeat of a home, written whenever it changes.
#[derive(Debug)]
pub struct Pulse {
    /// The content.
    pub heartbeat: Heartbeat,
    home: PathBuf,
    /// The folder of the home when the watcher began; the watcher writes no heartbeat into another
    /// one.
    folder: Option<Identity>,
    is_written: bool,
}

impl Pulse {
    /// The heartbeat of a watcher that starts.
    #[must_use]
    pub fn new(home: &Path, feeds: &[PathBuf], interval: Duration) -> Self {
        let heartbeat = Heartbeat::starting(feeds, interval);
        Self { heartbeat, home: home.to_owned(), folder: None, is_written: true }
    }

    /// The home is there, and the watcher's.
    pub fn begin(&mut self) {
        self.folder = Identity::of(&self.home);
    }

    /// Whether the home is the folder that it was.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        Identity::of(&self.home) == self.folder
    }

    /// Writes it in a state.
    pub fn beat(&mut self, state: State) {
        self.heartbeat.enter(state, None);
        self.write();
    }

    /// Writes it as paused, with the reason.
    pub fn pause(&mut self, reason: String) {
        self.heartbeat.error = Some(reason.clone());
        self.heartbeat.enter(State::Paused, Some(reason));
        self.write();
    }

    /// Writes the current state. A failure is reported once and ends nothing.
    pub fn write(&mut self) {
        let written = if self.is_in_place() {
            self.heartbeat.write(&self.home)
        } else {
            Err(io::Error::new(io::ErrorKind::NotFound, "the home was moved or replaced"))
        };
        if let Err(error) = &written
            && self.is_written
        {
            warn!("cannot write the heartbeat {}: {error}", self.home.join(HEARTBEAT).display());
        }
        self.is_written = written.is_ok();
    }
}

/// Puts a text in the place of a file: as a whole, or where there is no room for that, in place.
///
/// # Errors
/// The system's error if neither can be done.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let draft = beside(path, "partial");
    let written = private::create(&draft)
        .and_then(|mut file| file.write_all(text))
        .and_then(|()| fs::rename(&draft, path));
    let Err(error) = written else { return Ok(()) };
    // What is left of a draft takes room that others need.
    let _ = fs::remove_file(&draft);
    if fs::symlink_metadata(path).is_err() {
        return Err(error);
    }
    let mut file = private::open_or_create(path)?;
    file.write_all(text)?;
    file.set_len(text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_is_read_as_it_was_written() {
        let home = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(Heartbeat::read(home.path()).expect("none is no error"), None);
        let mut beat = Heartbeat::starting(&["feed".into()], Duration::from_millis(1500));
        beat.enter(State::Paused, Some("no room".to_owned()));
        beat.write(home.path()).expect("it can be written");
        assert_eq!(Heartbeat::read(home.path()).expect("it can be read"), Some(beat));
        let n_bytes = fs::metadata(home.path().join(HEARTBEAT)).expect("it is there").len();
        assert_eq!(n_bytes, 4096);
    }

    #[test]
    fn where_no_new_file_can_be_made_the_old_one_is_written_over() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let path = home.path().join("a.json");
        replace(&path, b"first, and long").expect("it can be written");
        // A folder in the draft's place stands for a disk without room for another file.
        fs::create_dir(home.path().join("a.json.partial")).expect("a folder");
        replace(&path, b"second").expect("it can be written in place");
        assert_eq!(fs::read(&path).expect("it can be read"), b"second");
    }
}
