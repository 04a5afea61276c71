//! A budget for reading ahead: a number of bytes, independent of the number of files.
//!
//! Positions are handed out in order, and each one holds its bytes until the consumer takes it. The
//! next file of the consumer is therefore always among them, and at least one file is always handed
//! out.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::feed::pattern::FilePattern;
use crate::feed::source::FeedFile;

/// The number of bytes of text that may be in memory. A record takes about as much as its line.
const BYTES_MAX: u64 = 256 << 20;
/// The assumed ratio of the size of a text to its packed file.
const UNPACKED_BYTES_A_BYTE: u64 = 8;

/// The files that are read ahead, and their bytes.
pub struct Budget {
    costs: Vec<u64>,
    bytes_max: u64,
    /// The number of files that may be in memory, however small.
    files_max: usize,
    spent: Mutex<Spent>,
    changed: Condvar,
}

#[derive(Default)]
struct Spent {
    next: usize,
    n_files: usize,
    bytes: u64,
    is_closed: bool,
}

impl Budget {
    /// A budget for a list of files, with at most `files_max` in memory.
    pub fn new(files: &[FeedFile], files_max: usize) -> Self {
        Self::of(files.iter().map(cost).collect(), BYTES_MAX, files_max)
    }

    fn of(costs: Vec<u64>, bytes_max: u64, files_max: usize) -> Self {
        let (spent, changed) = (Mutex::default(), Condvar::new());
        Self { costs, bytes_max, files_max, spent, changed }
    }

    /// The position of the next file, once the budget allows it; `None` after the last file or
    /// after [`Budget::close`].
    pub fn take(&self) -> Option<usize> {
        let mut spent = self.spent();
        loop {
            let (at, cost) = (spent.next, *self.costs.get(spent.next)?);
            if spent.is_closed {
                return None;
            }
            let fits = spent.bytes + cost <= self.bytes_max && spent.n_files < self.files_max;
            if fits || spent.n_files == 0 {
                spent.next += 1;
                spent.n_files += 1;
                spent.bytes += cost;
                return Some(at);
            }
            spent = self.changed.wait(spent).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns the bytes of a file to the budget.
    pub fn give_back(&self, at: usize) {
        let mut spent = self.spent();
        spent.n_files -= 1;
        spent.bytes -= self.costs[at];
        self.changed.notify_all();
    }

    /// Ends the reading of further files.
    pub fn close(&self) {
        self.spent().is_closed = true;
        self.changed.notify_all();
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        // The sum is correct even if another thread has panicked.
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The approximate number of bytes of a file's text. Zero if the metadata cannot be read; such a
/// file is refused when it is read.
fn cost(file: &FeedFile) -> u64 {
    let n_bytes = file.on_disk().metadata().map_or(0, |file| file.len());
    let name = file.name.to_lowercase();
    let is_packed = FilePattern::SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    let is_packed = is_packed || file.archive.is_some();
    if is_packed { n_bytes.saturating_mul(UNPACKED_BYTES_A_BYTE) } else { n_bytes }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn what_is_in_flight_never_costs_more_than_the_budget_or_one_file() {
        let costs: Vec<u64> = (0..400).map(|at| [3, 40, 0, 170, 11][at % 5]).collect();
        let budget = Budget::of(costs.clone(), 100, 6);
        let (in_flight, n_taken) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(at) = budget.take() {
                        let others = in_flight.fetch_add(costs[at], Ordering::SeqCst);
                        assert!(others == 0 || others + costs[at] <= 100, "{others} and {at}");
                        n_taken.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                        in_flight.fetch_sub(costs[at], Ordering::SeqCst);
                        budget.give_back(at);
                    }
                });
            }
        });
        assert_eq!(n_taken.into_inner(), 400);
    }

    #[test]
    fn whoever_waits_for_room_is_sent_home_when_nobody_wants_the_rest() {
        let budget = Budget::of(vec![80, 80], 100, 6);
        assert_eq!(budget.take(), Some(0));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.take());
            budget.close();
            assert_eq!(waiting.join().expect("it does not panic"), None);
        });
    }
}
