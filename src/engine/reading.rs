//! Reads files ahead on several threads and passes them on in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use rustc_hash::FxHashMap;

use super::budget::Budget;
use super::sums::Sums;
use crate::domain::record::{Coverage, Intake};
use crate::domain::types::City;
use crate::feed::decode::fingerprint;
use crate::feed::places::Places;
use crate::feed::profile::Profile;
use crate::feed::read::{ReadLimits, Room, read_in};
use crate::feed::refused::Refused;
use crate::feed::source::FeedFile;
use crate::home::segment::{Encoded, encode, sort};
use crate::home::{ArchiveError, Seen, Summary};

/// The result of reading a file.
#[derive(Debug)]
pub enum Read {
    /// Its bytes were accepted before under its name; it was not read as a table.
    Known {
        /// Their hash.
        hash: String,
        /// Their outcome.
        seen: Seen,
    },
    /// It was read whole.
    Whole(Box<Taken>),
    /// Nothing of it may count.
    Refused(Box<Refused>),
    /// Its records could not be encoded.
    Failed(ArchiveError),
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

/// A file that was read whole: what is kept of it and what is computed with, its records no more.
#[derive(Debug)]
pub struct Taken {
    /// The part for the manifest.
    pub summary: Summary,
    /// Its shipments.
    pub sums: Sums,
    /// Its records, as they are archived.
    pub segment: Encoded,
    /// What it covers, where it is not simply a month.
    pub coverage: Option<Coverage>,
}

/// The files whose bytes are known: by name and hash, what became of them.
///
/// By name, because months without trade look alike: such bytes are news under another name.
pub type Known = FxHashMap<String, FxHashMap<String, Seen>>;

/// How a feed is read.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The layout.
    pub profile: &'a Profile,
    /// The reference tables.
    pub places: &'a Places,
    /// The limits of a file.
    pub limits: ReadLimits,
    /// The files accepted before.
    pub known: &'a Known,
}

impl Reader<'_> {
    /// Reads one file, with a room that is used again for the next.
    #[must_use]
    pub fn read(&self, room: &mut Room, file: &FeedFile) -> Read {
        match self.intake(room, file) {
            Ok(Ok(intake)) => self.taken(room, file, intake),
            Ok(Err((hash, seen))) => Read::Known { hash, seen },
            Err(refused) => Read::Refused(Box::new(refused)),
        }
    }

    /// A file's records; the hash of its bytes and what became of them if they are known.
    fn intake(
        &self,
        room: &mut Room,
        file: &FeedFile,
    ) -> Result<Result<Intake, (String, Seen)>, Refused> {
        let Self { profile, places, limits, known } = self;
        if let Some(hashes) = known.get(&file.name) {
            let hash = fingerprint(file, &profile.file, limits.max_bytes)?.hash;
            let hash = file.hash_with_name(profile, hash);
            if let Some(seen) = hashes.get(&hash) {
                return Ok(Err((hash, seen.clone())));
            }
        }
        read_in(room, file, profile, places, limits).map(Ok)
    }

    /// Sorts, encodes and adds up a file's records.
    fn taken(&self, room: &mut Room, file: &FeedFile, mut intake: Intake) -> Read {
        sort(&mut intake.records, intake.texts.firms.len());
        let summary = Summary::of(&intake);
        let Intake { texts, mut records, coverage, .. } = intake;
        let sums = Sums::of(&texts, &records);
        let code = |city: City| self.places.code(city);
        let segment = encode(room.n_threads, &texts, &mut records, &code);
        (room.records, room.texts) = (records, texts);
        match segment {
            Ok(segment) => Read::Whole(Box::new(Taken { summary, sums, segment, coverage })),
            Err(source) => Read::Failed(ArchiveError::encode(&file.path, source)),
        }
    }
}

/// How many files may be read before they are asked for, beside those being read, however small
/// they are; what bounds memory is the [`Budget`].
const N_AHEAD: usize = 1;

/// Files being read, in order.
pub struct ReadAhead<'env> {
    files: &'env [FeedFile],
    reader: Reader<'env>,
    room: Room,
    /// None where one thread does all, each file when it is asked for.
    ahead: Option<Ahead>,
    next: usize,
}

/// Files that other threads read before they are asked for.
struct Ahead {
    results: Receiver<(usize, Read)>,
    budget: Arc<Budget>,
    waiting: BTreeMap<usize, Read>,
}

impl<'env> ReadAhead<'env> {
    /// Starts reading on `n_threads` threads: each its files, or where there are fewer files than
    /// threads, several a file.
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

/// Starts a thread with a name, by which a profile or the system tells what it does.
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
        // The other end is gone when nobody wants the rest any more.
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
