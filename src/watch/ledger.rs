//! The watcher's ledger of the feed's files. A known file costs a check of its size and time; a
//! refused file is reported once.
//!
//! ```text
//! seen ─▶ growing ─(same stamp at the next look, or a marker)─▶ ready ─▶ judged
//!            ▲                                                             │ another stamp
//!            └─────────────────────────────────────────────────────────────┘
//! ```
//! The ledger grows with the number of files in the feed (a path and two numbers each), not with
//! time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::look::{Look, Stamp};
use crate::domain::types::Period;
use crate::feed::source::FeedFile;

/// The name of the ledger file in the home. Without it, the watcher reads the feed's files once
/// more.
pub const LEDGER: &str = "watched.json";

/// The verdict about a file in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Bytes with this hash are in the home.
    Archived {
        /// The hash in the manifest.
        hash: String,
    },
    /// No line of the file counts, until the file changes.
    Refused,
    /// The file could not be read, for a reason that may be temporary.
    Unreadable {
        /// The number of failed attempts.
        n_times: u32,
        /// The look at which the watcher tries again.
        again_at: u64,
    },
}

/// The rules that decide when a file is ready.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The month that closes next; `None` before the first file.
    pub next: Option<Period>,
    /// True if files close their months; a file past the next month then has to wait.
    pub by_file: bool,
    /// True if a file is ready at the first look.
    pub at_once: bool,
    /// True if only a marker makes a file ready.
    pub markers_only: bool,
}

/// The files that may be ingested after a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The files in order, each with its stamp at this look.
    pub files: Vec<(FeedFile, Stamp)>,
    /// The number of files that may still be growing.
    pub n_growing: usize,
    /// The number of files that wait for an earlier month.
    pub n_waiting: usize,
    /// The month that the waiting files need, if it is known.
    pub awaited: Option<Period>,
}

/// The known files of a feed.
#[derive(Debug, Default)]
pub struct Ledger {
    judged: BTreeMap<PathBuf, (Stamp, Verdict)>,
    growing: BTreeMap<PathBuf, Stamp>,
    /// Files whose names do not match the feed's names.
    passed_over: BTreeSet<PathBuf>,
    n_looks: u64,
}

/// The stored form of an archived file.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    path: PathBuf,
    stamp: Stamp,
    hash: String,
}

impl Ledger {
    /// Returns the files that may be ingested in this state of the feed.
    pub fn ready(
        &mut self,
        look: &Look,
        rules: Rules,
        is_marked: impl Fn(&FeedFile, Stamp) -> bool,
    ) -> Ready {
        self.n_looks += 1;
        let mut ready = Ready::default();
        let mut growing = BTreeMap::new();
        for (file, stamp) in &look.files {
            if self.is_settled(&file.path, *stamp) {
                continue;
            }
            let is_same = self.growing.get(&file.path) == Some(stamp);
            let is_stable = rules.at_once || is_same;
            if (is_stable && !rules.markers_only) || is_marked(file, *stamp) {
                ready.files.push((file.clone(), *stamp));
            } else {
                ready.n_growing += 1;
            }
            growing.insert(file.path.clone(), *stamp);
        }
        self.growing = growing;
        if !look.files.is_empty() && look.missing.is_empty() && look.empty.is_empty() {
            let unnamed = || look.unnamed.iter().map(|(path, ..)| path);
            let there: BTreeSet<&PathBuf> =
                look.files.keys().map(|file| &file.path).chain(unnamed()).collect();
            self.judged.retain(|path, _| there.contains(path));
        }
        hold_back(look, rules, &mut ready);
        ready
    }

    /// True if a file with this stamp needs no further work at this look.
    #[must_use]
    pub fn is_settled(&self, path: &Path, stamp: Stamp) -> bool {
        match self.judged.get(path) {
            Some((_, Verdict::Unreadable { again_at, .. })) if self.n_looks >= *again_at => false,
            Some((judged, _)) => *judged == stamp,
            None => false,
        }
    }

    /// Returns the passed-over files that were not reported before, and marks them as reported.
    pub fn news(&mut self, passed_over: &[PathBuf]) -> Vec<PathBuf> {
        let news = passed_over.iter().filter(|path| self.passed_over.insert((*path).clone()));
        news.cloned().collect()
    }

    /// Stores the verdict about a file with this stamp.
    pub fn judge(&mut self, path: PathBuf, stamp: Stamp, verdict: Verdict) {
        self.growing.remove(&path);
        self.judged.insert(path, (stamp, verdict));
    }

    /// Records that a file could not be read; returns true for the first failure in a row.
    pub fn could_not_read(&mut self, path: PathBuf, stamp: Stamp) -> bool {
        let n_times = match self.judged.get(&path) {
            Some((_, Verdict::Unreadable { n_times, .. })) => n_times.saturating_add(1),
            _ => 1,
        };
        let again_at = self.n_looks + (1 << n_times.min(6));
        self.judge(path, stamp, Verdict::Unreadable { n_times, again_at });
        n_times == 1
    }

    /// The number of present files that are refused.
    #[must_use]
    pub fn n_refused(&self) -> usize {
        self.judged.values().filter(|(_, verdict)| *verdict == Verdict::Refused).count()
    }

    /// The number of judged files in a folder, including the members of its archives.
    #[must_use]
    pub fn n_judged_in(&self, folder: &Path) -> usize {
        self.judged.keys().filter(|path| path.starts_with(folder)).count()
    }

    /// The number of present files that could not be read at the last attempt.
    #[must_use]
    pub fn n_unreadable(&self) -> usize {
        let is_unreadable = |verdict: &Verdict| matches!(verdict, Verdict::Unreadable { .. });
        self.judged.values().filter(|(_, verdict)| is_unreadable(verdict)).count()
    }

    /// The archived files as JSON, for the next run. The next run tries refused files again, since
    /// options may have changed. JSON cannot hold a name that is not UTF-8 or a time before 1970;
    /// the next run reads such a file again.
    ///
    /// # Panics
    /// Never: every value has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let archived = self.judged.iter().filter_map(|(path, (stamp, verdict))| match verdict {
            Verdict::Archived { hash } => {
                Some(Remembered { path: path.clone(), stamp: *stamp, hash: hash.clone() })
            }
            _ => None,
        });
        let files = archived.filter_map(|file| serde_json::to_value(file).ok());
        serde_json::to_string(&files.collect::<Vec<_>>()).expect("it is a list of JSON")
    }

    /// Reads the ledger of an earlier run, without files that the home does not hold.
    ///
    /// # Errors
    /// The error of a text that no run wrote. Without the ledger, the watcher reads the feed's
    /// files once more.
    pub fn from_json(
        text: &[u8],
        is_seen: impl Fn(&Path, &str) -> bool,
    ) -> Result<Self, serde_json::Error> {
        let remembered: Vec<Remembered> = serde_json::from_slice(text)?;
        let judged = remembered
            .into_iter()
            .filter(|file| is_seen(&file.path, &file.hash))
            .map(|file| (file.path, (file.stamp, Verdict::Archived { hash: file.hash })));
        Ok(Self { judged: judged.collect(), ..Self::default() })
    }
}

/// Removes the files that have to wait for an earlier month.
///
/// The feed's first file starts the calendar, and no earlier month can follow. It is chosen only
/// when no file may still be growing, and never if the earliest file was refused.
fn hold_back(look: &Look, rules: Rules, ready: &mut Ready) {
    let earliest = look.files.keys().next().map(|file| file.period);
    let is_first = rules.next.is_none();
    let chosen = ready.files.first().map(|(file, _)| file.period);
    if is_first && (ready.n_growing > 0 || chosen != earliest) {
        ready.n_waiting = ready.files.len();
        ready.files.clear();
        ready.awaited = earliest;
        return;
    }
    let Some(mut next) = rules.next.or(earliest).filter(|_| rules.by_file) else { return };
    let n_files = ready.files.len();
    ready.files.retain(|(file, _)| {
        let is_next = (file.first..=file.period).contains(&next);
        next = if is_next { file.period.next() } else { next };
        is_next || file.period < next
    });
    ready.n_waiting = n_files - ready.files.len();
    ready.awaited = (ready.n_waiting > 0).then_some(next);
}

#[cfg(test)]
mod tests;
