//! Reads files ahead on several threads and passes them on in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use rustc_hash::FxHashMap;

use super::budget::Budget;
use super::sums::Sums;
use crate::domain::dictionary::TextList;
use crate::domain::record::{Coverage, Intake};
use crate::domain::types::City;
use crate::feed::decode::fingerprint;
use crate::feed::places::Places;
use crate::feed::profile::Profile;
use crate::feed::read::{ReadLimits, Room, read_in};
use crate::feed::refused::Refused;
use crate::feed::source::FeedFile;
use crate::feed::successions::Successions;
use crate::home::runs;
use crate::home::segment::{Encoded, encode, sort};
use crate::home::{HomeError, Seen, Summary};

/// The result of reading a file.
#[derive(Debug)]
pub enum Read {
    /// The bytes were accepted before under the same name; the file was not parsed.
    Known {
        /// The hash of the bytes.
        hash: String,
        /// The earlier outcome of the bytes.
        seen: Seen,
    },
    /// The file was read completely.
    Whole(Box<Taken>),
    /// The file is refused.
    Refused(Box<Refused>),
    /// The records of the file could not be encoded.
    Failed(HomeError),
}

impl Read {
    /// The hash of the file's bytes, if they were read to their end.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        match self {
            Self::Known { hash, .. } => Some(hash),
            Self::Whole(taken) => Some(&taken.summary.hash),
            Self::Refused(_) | Self::Failed(_) => None,
        }
    }
}

/// A completely read file: the data to store and to compute with, without its records.
#[derive(Debug)]
pub struct Taken {
    /// The summary for the manifest.
    pub summary: Summary,
    /// The sums of shipments.
    pub sums: Sums,
    /// The records in archived form.
    pub segment: Encoded,
    /// The month sums in stored form.
    pub run: runs::Encoded,
    /// The coverage, if the file is not simply one month.
    pub coverage: Option<Coverage>,
    /// The regions of its records.
    pub regions: TextList,
}

/// The known files: by name and hash of their bytes, their earlier outcome.
///
/// The name is part of the key because months without trade have the same bytes: under another name
/// they are a new file.
pub type Known = FxHashMap<String, FxHashMap<String, Seen>>;

/// The parameters of reading a feed.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The layout.
    pub profile: &'a Profile,
    /// The reference tables.
    pub places: &'a Places,
    /// Renumbered firms.
    pub successions: &'a Successions,
    /// The limits of a file.
    pub limits: ReadLimits,
    /// The files accepted before.
    pub known: &'a Known,
}

impl Reader<'_> {
    /// Reads one file; the buffers in `room` are used again for the next.
    #[must_use]
    pub fn read(&self, room: &mut Room, file: &FeedFile) -> Read {
        match self.intake(room, file) {
            Ok(Ok(intake)) => self.taken(room, file, intake),
            Ok(Err((hash, seen))) => Read::Known { hash, seen },
            Err(refused) => Read::Refused(Box::new(refused)),
        }
    }

    /// The records of a file, or the hash and the earlier outcome of known bytes.
    fn intake(
        &self,
        room: &mut Room,
        file: &FeedFile,
    ) -> Result<Result<Intake, (String, Seen)>, Refused> {
        let Self { profile, places, limits, known, .. } = self;
        if let Some(hashes) = known.get(&file.name) {
            let hash = fingerprint(file, &profile.file, limits.max_bytes)?.hash;
            let hash = file.hash_with_name(profile, hash);
            if let Some(seen) = hashes.get(&hash) {
                return Ok(Err((hash, seen.clone())));
            }
        }
        read_in(room, file, profile, places, limits).map(Ok)
    }

    /// Sorts, encodes and adds up the records of a file.
    fn taken(&self, room: &mut Room, file: &FeedFile, mut intake: Intake) -> Read {
        sort(&mut intake.records, intake.texts.firms.len());
        let summary = Summary::of(&intake);
        let Intake { mut texts, mut records, coverage, .. } = intake;
        let carried = self.successions.carried(&mut texts.firms);
        let sums = Sums::carried(&texts, &records, &carried);
        // A run has the identifiers of its file, as the segment has.
        let of_file = (!carried.is_empty()).then(|| Sums::of(&texts, &records));
        let run = of_file.as_ref().unwrap_or(&sums).run(self.places, &file.path);
        let regions = texts.regions.list().clone();
        let code = |city: City| self.places.code(city);
        let segment = encode(room.n_threads, &texts, &mut records, &code)
            .map_err(|source| HomeError::encode(&file.path, source));
        (room.records, room.texts) = (records, texts);
        match segment.and_then(|segment| Ok((segment, run?))) {
            Ok((segment, run)) => {
                Read::Whole(Box::new(Taken { summary, sums, segment, run, coverage, regions }))
            }
            Err(error) => Read::Failed(error),
        }
    }
}

/// The number of files that may wait for the consumer in addition to those being read, however
/// small. The [`Budget`] bounds memory.
const N_AHEAD: usize = 1;

/// Files being read, in order.
pub struct ReadAhead<'env> {
    files: &'env [FeedFile],
    reader: Reader<'env>,
    room: Room,
    /// `None` if one thread reads each file on request.
    ahead: Option<Ahead>,
    next: usize,
}

/// Files that other threads read ahead.
struct Ahead {
    results: Receiver<(usize, Read)>,
    budget: Arc<Budget>,
    waiting: BTreeMap<usize, Read>,
}

impl<'env> ReadAhead<'env> {
    /// Starts reading on `n_threads` threads. Each thread reads its own files; with fewer files
    /// than threads, several threads read one file.
    pub fn start<'scope>(
        scope: &'scope Scope<'scope, 'env>,
        files: &'env [FeedFile],
        reader: Reader<'env>,
        n_threads: usize,
    ) -> Self {
        if n_threads < 2 {
            return Self { files, reader, room: Room::new(1), ahead: None, next: 0 };
        }
        let n_ahead = n_threads + N_AHEAD;
        let n_a_file = n_threads / files.len().clamp(1, n_threads);
        let budget = Arc::new(Budget::new(files, n_ahead));
        let (send, results) = sync_channel(n_ahead);
        for _ in 0..n_threads.min(files.len()) {
            let (budget, send) = (Arc::clone(&budget), send.clone());
            let mut room = Room::new(n_a_file);
            let read = move |file: &FeedFile| reader.read(&mut room, file);
            named(scope, "reading", move || {
                read_in_turn(files, read, &budget, &send);
            });
        }
        let ahead = Ahead { results, budget, waiting: BTreeMap::new() };
        Self { files, reader, room: Room::new(1), ahead: Some(ahead), next: 0 }
    }
}

/// Starts a thread with a name that profilers and the system show.
///
/// # Panics
/// If the system has no thread left, as [`Scope::spawn`].
pub fn named<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    run: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    let thread = Builder::new().name(name.to_owned()).spawn_scoped(scope, run);
    thread.expect("the system can start one more thread")
}

fn read_in_turn(
    files: &[FeedFile],
    mut read: impl FnMut(&FeedFile) -> Read,
    budget: &Budget,
    send: &SyncSender<(usize, Read)>,
) {
    while let Some(position) = budget.take() {
        // The receiver has gone if the consumer does not want further files.
        if send.send((position, read(&files[position]))).is_err() {
            return;
        }
    }
}

impl Iterator for ReadAhead<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        let (at, file) = (self.next, self.files.get(self.next)?);
        self.next += 1;
        match &mut self.ahead {
            None => Some(self.reader.read(&mut self.room, file)),
            Some(ahead) => ahead.take(at),
        }
    }
}

impl Ahead {
    fn take(&mut self, at: usize) -> Option<Read> {
        while !self.waiting.contains_key(&at) {
            let (position, read) = self.results.recv().ok()?;
            self.waiting.insert(position, read);
        }
        self.budget.give_back(at);
        self.waiting.remove(&at)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.budget.close();
    }
}
