//! Reads files ahead on several threads and hands them on in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use rustc_hash::FxHashMap;

use crate::archive::segment::sorted;
use crate::feed::decode::fingerprint;
use crate::feed::places::Places;
use crate::feed::profile::Profile;
use crate::feed::read::{ReadLimits, read};
use crate::feed::record::Intake;
use crate::feed::refused::Refused;
use crate::feed::source::FeedFile;

/// What reading a file comes to.
#[derive(Debug)]
pub enum Read {
    /// Its bytes were accepted before under its name; it was not read as a table.
    Known,
    /// It was read whole.
    Whole(Box<Intake>),
    /// Nothing of it may count.
    Refused(Box<Refused>),
}

/// The files accepted before, withdrawn ones included: the hashes of their bytes by name.
///
/// By name, because months without trade look alike: such bytes are news under another name.
pub type Known = FxHashMap<String, Vec<String>>;

/// How a feed is read.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The layout.
    pub profile: &'a Profile,
    /// The reference tables.
    pub places: &'a Places,
    /// What is allowed of a file.
    pub limits: ReadLimits,
    /// What was accepted before.
    pub known: &'a Known,
}

impl Reader<'_> {
    /// Reads one file; its records come sorted by plant and destination.
    #[must_use]
    pub fn read(&self, file: &FeedFile) -> Read {
        let read = || {
            if let Some(hashes) = self.known.get(&file.name) {
                let layout = &self.profile.file;
                let hash = fingerprint(&file.path, layout, self.limits.max_bytes)?.hash;
                if hashes.contains(&hash) {
                    return Ok(Read::Known);
                }
            }
            let mut intake = read(file, self.profile, self.places, &self.limits)?;
            intake.records = sorted(&intake.records, intake.texts.firms.len());
            Ok(Read::Whole(Box::new(intake)))
        };
        read().unwrap_or_else(|refused| Read::Refused(Box::new(refused)))
    }
}

/// How many files one thread may be ahead: memory is bounded by that, not by the number of files.
const AHEAD_PER_THREAD: usize = 2;

/// Files being read, in order.
pub struct ReadAhead {
    results: Receiver<(usize, Read)>,
    places_taken: Receiver<()>,
    waiting: BTreeMap<usize, Read>,
    next: usize,
    n_files: usize,
}

impl ReadAhead {
    /// Starts reading on `n_threads` threads.
    pub fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        files: &'env [FeedFile],
        reader: Reader<'env>,
        n_threads: usize,
    ) -> Self {
        let n_ahead = n_threads * AHEAD_PER_THREAD;
        let (take_place, places_taken) = sync_channel(n_ahead);
        let (send, results) = sync_channel(n_ahead);
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..n_threads.min(files.len()) {
            let (take_place, send, next) = (take_place.clone(), send.clone(), Arc::clone(&next));
            scope.spawn(move || read_in_turn(files, reader, &take_place, &send, &next));
        }
        Self { results, places_taken, waiting: BTreeMap::new(), next: 0, n_files: files.len() }
    }
}

fn read_in_turn(
    files: &[FeedFile],
    reader: Reader<'_>,
    take_place: &SyncSender<()>,
    send: &SyncSender<(usize, Read)>,
    next: &AtomicUsize,
) {
    // Either end of a channel is gone when nobody wants the rest any more.
    while take_place.send(()).is_ok() {
        let position = next.fetch_add(1, Ordering::Relaxed);
        let Some(file) = files.get(position) else { return };
        if send.send((position, reader.read(file))).is_err() {
            return;
        }
    }
}

impl Iterator for ReadAhead {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        if self.next == self.n_files {
            return None;
        }
        while !self.waiting.contains_key(&self.next) {
            let (position, read) = self.results.recv().ok()?;
            self.waiting.insert(position, read);
        }
        let read = self.waiting.remove(&self.next);
        self.next += 1;
        self.places_taken.recv().ok()?;
        read
    }
}
