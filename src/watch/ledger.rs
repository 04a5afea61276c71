//! The watcher's ledger of the feed's files. A known file costs a check of its size and time; a
//! refused file is reported once.
//!
//! ```text
//! seen ─▶ growing ─(same stamp at the next look, or a marker)─▶ ready ─▶ judged
//!            ▲                                                             │ another stamp
//!            └─────────────────────────────────────────────────────────────┘
//! ```
//! It grows with the files in the feed's folders (a path and two numbers each), not with time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::look::{Look, Stamp};
use crate::domain::types::Period;
use crate::feed::source::FeedFile;

/// Its name in the home; without it the feed's files are read once more.
pub const LEDGER: &str = "watched.json";

/// The verdict about a file in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Bytes with this hash are in the archive.
    Archived {
        /// The hash in the manifest.
        hash: String,
    },
    /// Nothing of it counts, until it changes.
    Refused,
    /// It could not be read, for a reason that may pass.
    Unreadable {
        /// How often that was so.
        n_times: u32,
        /// The look at which to try again.
        again_at: u64,
    },
}

/// When files are ready.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The month that closes next; none before the first file.
    pub next: Option<Period>,
    /// Whether files close their months, so that one past the next month has to wait.
    pub by_file: bool,
    /// Whether a file is ready as it lies, at the first look.
    pub at_once: bool,
    /// Whether only a marker makes a file ready.
    pub markers_only: bool,
}

/// The files that may be ingested after a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The files, in order, each as it was seen.
    pub files: Vec<(FeedFile, Stamp)>,
    /// How many are not known to be whole yet.
    pub n_growing: usize,
    /// How many wait for an earlier month.
    pub n_waiting: usize,
    /// The month that they wait for, if it is known.
    pub awaited: Option<Period>,
}

/// The known files of a feed.
#[derive(Debug, Default)]
pub struct Ledger {
    judged: BTreeMap<PathBuf, (Stamp, Verdict)>,
    growing: BTreeMap<PathBuf, Stamp>,
    /// Files that are called otherwise than the feed's.
    passed_over: BTreeSet<PathBuf>,
    n_looks: u64,
}

/// An archived file as it is kept between runs.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    path: PathBuf,
    stamp: Stamp,
    hash: String,
}

impl Ledger {
    /// The files that may be ingested in this state of the feed.
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

    /// Whether a file, as it looks, needs nothing more for now.
    #[must_use]
    pub fn is_settled(&self, path: &Path, stamp: Stamp) -> bool {
        match self.judged.get(path) {
            Some((_, Verdict::Unreadable { again_at, .. })) if self.n_looks >= *again_at => false,
            Some((judged, _)) => *judged == stamp,
            None => false,
        }
    }

    /// Those of files that are passed over of which this is the first that is heard.
    pub fn news(&mut self, passed_over: &[PathBuf]) -> Vec<PathBuf> {
        let news = passed_over.iter().filter(|path| self.passed_over.insert((*path).clone()));
        news.cloned().collect()
    }

    /// Keeps what became of a file that looked like this.
    pub fn judge(&mut self, path: PathBuf, stamp: Stamp, verdict: Verdict) {
        self.growing.remove(&path);
        self.judged.insert(path, (stamp, verdict));
    }

    /// Keeps that a file could not be read; whether that is news.
    pub fn could_not_read(&mut self, path: PathBuf, stamp: Stamp) -> bool {
        let n_times = match self.judged.get(&path) {
            Some((_, Verdict::Unreadable { n_times, .. })) => n_times.saturating_add(1),
            _ => 1,
        };
        let again_at = self.n_looks + (1 << n_times.min(6));
        self.judge(path, stamp, Verdict::Unreadable { n_times, again_at });
        n_times == 1
    }

    /// How many files that are there were refused as they are.
    #[must_use]
    pub fn n_refused(&self) -> usize {
        self.judged.values().filter(|(_, verdict)| *verdict == Verdict::Refused).count()
    }

    /// How many files in a folder were judged, the members of its archives among them.
    #[must_use]
    pub fn n_judged_in(&self, folder: &Path) -> usize {
        self.judged.keys().filter(|path| path.starts_with(folder)).count()
    }

    /// How many files that are there could not be read at the last try.
    #[must_use]
    pub fn n_unreadable(&self) -> usize {
        let is_unreadable = |verdict: &Verdict| matches!(verdict, Verdict::Unreadable { .. });
        self.judged.values().filter(|(_, verdict)| is_unreadable(verdict)).count()
    }

    /// What is worth keeping for the next run, as JSON: archived files. What was refused is tried
    /// again by the next run, since options may have changed. A name that is no text, or a time
    /// before 1970, JSON does not take: such a file the next run reads once more.
    ///
    /// # Panics
    /// Never: it is a list of JSON.
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

    /// What an earlier run kept, as far as the archive bears it out.
    ///
    /// # Errors
    /// The problem of a text that no run kept; without it the feed's files are read once more.
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

/// Takes out what has to wait for an earlier month.
///
/// The feed's first file begins the calendar, and nothing earlier can follow: it is not chosen
/// before every file that is there is whole, and not if the earliest was refused.
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
