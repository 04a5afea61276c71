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

/// The name of the heartbeat file in the home.
pub const HEARTBEAT: &str = "heartbeat.json";
/// The size of the file is a multiple of this number of bytes. The padding lets a longer text
/// replace the file in place.
const PADDED_BYTES: usize = 4096;

/// The state of the watcher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The watcher opens the home.
    #[default]
    Starting,
    /// The watcher waits for the next look.
    Idle,
    /// The watcher ingests files.
    Ingesting,
    /// The watcher publishes a step.
    Publishing,
    /// The watcher estimates after the close of a year or a month.
    Estimating,
    /// The watcher waits until a user repairs a problem; `reason` names the problem.
    Paused,
    /// The watcher has a stop request and finishes the current step.
    Stopping,
    /// The watcher has stopped on request, or `--once` is done.
    Stopped,
    /// The watcher ended with `error`.
    Failed,
}

/// The heartbeat file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The state of the watcher.
    pub state: State,
    /// The reason for a pause.
    pub reason: Option<String>,
    /// The last error; cleared by an ingested file or a successful look.
    pub error: Option<String>,
    /// The process number of the watcher.
    pub pid: u32,
    /// The version of the program.
    pub version: String,
    /// The feed's paths.
    pub feeds: Vec<String>,
    /// The start time of the watcher.
    pub started: Timestamp,
    /// The time at which the watcher entered the state.
    pub since: Timestamp,
    /// The time of the last write of this file.
    pub updated: Timestamp,
    /// The running time, in seconds.
    pub uptime_s: u64,
    /// The wait between two looks, in seconds.
    pub interval_s: f64,
    /// The number of looks at the feed.
    pub looks: u64,
    /// The newest vintage.
    pub vintage: u32,
    /// The newest publication.
    pub publication: u32,
    /// The month that closes next.
    pub next_month: Option<String>,
    /// The last file that the watcher judged.
    pub last_file: Option<String>,
    /// The time of the last commit with files.
    pub last_success: Option<Timestamp>,
    /// The time of the last look that found the feed.
    pub last_look: Option<Timestamp>,
    /// The number of files accepted since the start.
    pub files_accepted: u64,
    /// The number of files skipped since the start; their bytes were accepted before.
    pub files_skipped: u64,
    /// The number of files in the feed that are refused.
    pub files_refused: usize,
    /// The number of unreadable files in the feed; the watcher tries them again.
    pub files_unreadable: usize,
    /// The number of files in the feed that may still be growing.
    pub files_growing: usize,
    /// The number of files in the feed that wait for an earlier month.
    pub files_waiting: usize,
    /// The number of lines rejected since the start.
    pub lines_rejected: u64,
    /// The number of closed months whose series are not stored yet; 0 in files of earlier versions.
    #[serde(default)]
    pub series_months_to_fill: usize,
}

impl Heartbeat {
    /// The first heartbeat of this process.
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
            series_months_to_fill: 0,
        }
    }

    /// The time of the system clock. If the clock is wrong, the last valid time; the next look then
    /// ends the watcher.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        clock::now().unwrap_or(self.updated)
    }

    /// Enters a state, with the reason of a pause.
    pub fn enter(&mut self, state: State, reason: Option<String>) {
        if (self.state, &self.reason) != (state, &reason) {
            self.since = self.now();
        }
        (self.state, self.reason) = (state, reason);
    }

    /// Writes the heartbeat into a home.
    ///
    /// # Errors
    /// The system's error if the file can be neither replaced nor overwritten.
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

    /// Reads the heartbeat of a home; `None` if no watcher ever ran there.
    ///
    /// # Errors
    /// The system's error if the file cannot be read, or an error if it is not a heartbeat.
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

    /// Records that the watcher owns the home that now exists.
    pub fn begin(&mut self) {
        self.folder = Identity::of(&self.home);
    }

    /// True if the path of the home still leads to the same folder.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        Identity::of(&self.home) == self.folder
    }

    /// Writes the heartbeat with a new state.
    pub fn beat(&mut self, state: State) {
        self.heartbeat.enter(state, None);
        self.write();
    }

    /// Writes the heartbeat as paused, with the reason.
    pub fn pause(&mut self, reason: String) {
        self.heartbeat.error = Some(reason.clone());
        self.heartbeat.enter(State::Paused, Some(reason));
        self.write();
    }

    /// Writes the current state. The watcher reports a failure once and continues.
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

/// Replaces the content of a file as a whole; on a full disk, overwrites the file in place.
///
/// # Errors
/// The system's error if both ways fail.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let draft = beside(path, "partial");
    let written = private::create(&draft)
        .and_then(|mut file| file.write_all(text))
        .and_then(|()| fs::rename(&draft, path));
    let Err(error) = written else { return Ok(()) };
    // A partial draft takes space that other files need.
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
        // A folder at the draft's path simulates a disk without space for another file.
        fs::create_dir(home.path().join("a.json.partial")).expect("a folder");
        replace(&path, b"second").expect("it can be written in place");
        assert_eq!(fs::read(&path).expect("it can be read"), b"second");
    }
}
