//! One publication of a home, open for answers.
//!
//! A request holds the edition until its answer ends, so it sees one vintage. Several readers of
//! the same commit answer at once; each has its own connection.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arrow_array::RecordBatch;
use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::cache::Cache;
use super::problem::Problem;
use super::turns::{Turn, Turns};
use crate::domain::span::Joint;
use crate::domain::types::{Vintage, Year};
use crate::home::options::Config;
use crate::reader::names::Names;
use crate::reader::{Reader, ReaderError};

/// The number of readers, and so of requests that read at once.
const N_READERS: usize = 8;
/// The number of readers that answers in chunks leave to others, however slow their clients are.
const N_SPARED: usize = 2;
/// The number of readers that only the state of the home needs, however long other answers take.
const N_OF_STATE: usize = 1;
/// The longest wait of a request for a reader.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// The size of the held answers.
const ANSWER_BYTES: usize = 64 << 20;
/// The size of the held series.
const SERIES_BYTES: usize = 256 << 20;
/// The number of attempts to open all readers at one commit.
const N_TRIES: usize = 5;
/// The digits of a hash that identify a state.
const HASH_DIGITS: usize = 16;

/// An answer that is held whole.
#[derive(Clone, Debug)]
pub struct Held {
    /// The media type.
    pub kind: &'static str,
    /// The name of the file, for a download.
    pub file: Option<String>,
    /// The vintage that the answer is about.
    pub vintage: u32,
    /// The content.
    pub bytes: Bytes,
}

/// Rows of `series` of one year and level, at a vintage.
type SeriesKey = (Vintage, Year, String);

/// One publication of a home, open for answers.
pub struct Edition {
    /// The publication; 0 for an empty home.
    pub publication: u32,
    /// The newest vintage; 0 for an empty home.
    pub vintage: u32,
    /// The time of its commit, in UTC; `None` for homes of earlier layouts.
    pub committed_at: Option<String>,
    /// The number of commits, which identifies the state.
    pub n_commits: u64,
    /// The identity of the state for `ETag`.
    pub tag: String,
    /// The months that the span `month` shows together.
    pub joint: Joint,
    /// The time until which a newer publication is held back.
    held_until: Mutex<Option<String>>,
    /// The names of cities and countries.
    pub names: Arc<Names>,
    /// The same names with those of firms, once they are needed.
    firm_names: OnceLock<Arc<Names>>,
    readers: Mutex<Vec<Reader>>,
    free: Arc<Semaphore>,
    /// Places for answers about figures.
    short: Arc<Semaphore>,
    /// Places for answers that may be sent in chunks.
    long: Arc<Semaphore>,
    /// Answers by the request.
    pub answers: Arc<Cache<String, Held>>,
    /// Rows of series.
    pub series: Arc<Cache<SeriesKey, Arc<RecordBatch>>>,
    /// The turns of requests and of series.
    turns: Arc<Turns>,
}

impl fmt::Debug for Edition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Edition").field("publication", &self.publication).finish_non_exhaustive()
    }
}

/// A reader of an edition, for one request.
#[derive(Debug)]
pub struct Lease {
    edition: Arc<Edition>,
    reader: Option<Reader>,
    _permits: [Option<OwnedSemaphorePermit>; 3],
}

/// The expected length of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// The state of the home, read at once.
    State,
    /// A page of JSON.
    Short,
    /// A whole table, sent as fast as its client reads.
    Long,
}

impl Lease {
    /// The reader.
    ///
    /// # Panics
    /// Never: a lease has its reader until it ends.
    pub fn reader(&mut self) -> &mut Reader {
        self.reader.as_mut().expect("a lease has its reader")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut readers = self.edition.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.extend(self.reader.take());
    }
}

impl Edition {
    /// Opens the newest commit of a home.
    ///
    /// # Errors
    /// [`ReaderError`] if the home or its options cannot be read.
    pub fn open(home: &Path, config: Option<&Path>, n_workers: usize) -> Result<Self, ReaderError> {
        let joint = Config::find(config, home)?.joint_months()?;
        let (mut readers, mut n_commits) = (Vec::new(), 0);
        for _ in 0..N_TRIES {
            while readers.len() < N_READERS {
                let reader = Reader::open(home)?.with_workers(n_workers);
                let sees = reader.n_commits()?;
                if sees != n_commits {
                    // A commit came in between: the earlier readers see another state.
                    readers.clear();
                    n_commits = sees;
                }
                readers.push(reader);
            }
            if !readers[0].is_behind()? {
                break;
            }
            readers.clear();
        }
        // Commits that follow each other closely: the state of one reader is as good.
        if readers.is_empty() {
            let reader = Reader::open(home)?.with_workers(n_workers);
            n_commits = reader.n_commits()?;
            readers.push(reader);
        }
        let (publication, vintage) = readers[0].publication()?;
        let committed_at = readers[0].committed_at()?.map(|at| at.to_string());
        let names = Arc::new(readers[0].names()?);
        let tag = tag(&mut readers[0], joint)?;
        let free = Arc::new(Semaphore::new(readers.len()));
        let without = |n: usize| Arc::new(Semaphore::new(readers.len().saturating_sub(n).max(1)));
        let (short, long) = (without(N_OF_STATE), without(N_SPARED));
        Ok(Self {
            publication: publication.0,
            vintage: vintage.0,
            committed_at,
            n_commits,
            tag,
            joint,
            held_until: Mutex::new(None),
            names,
            firm_names: OnceLock::new(),
            readers: Mutex::new(readers),
            free,
            short,
            long,
            answers: Arc::new(Cache::new(ANSWER_BYTES)),
            series: Arc::new(Cache::new(SERIES_BYTES)),
            turns: Arc::default(),
        })
    }

    /// The edition with the answers of an earlier one, if no answer has changed since. A watcher
    /// that stores series commits often, and changes none.
    #[must_use]
    pub fn after(self, earlier: Option<&Self>) -> Self {
        let Some(earlier) = earlier.filter(|earlier| earlier.tag == self.tag) else { return self };
        Self {
            answers: Arc::clone(&earlier.answers),
            series: Arc::clone(&earlier.series),
            turns: Arc::clone(&earlier.turns),
            ..self
        }
    }

    /// Notes that a newer publication is held back until a time.
    pub fn hold(&self, until: Option<String>) {
        *self.held_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// The time until which a newer publication is held back.
    #[must_use]
    pub fn held_until(&self) -> Option<String> {
        self.held_until.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A reader, as soon as one is free.
    ///
    /// # Errors
    /// A [`Problem`] if none becomes free in time.
    pub async fn lease(self: &Arc<Self>, length: Length) -> Result<Lease, Problem> {
        let busy = || Problem::new("busy", "all readers of the home answer other requests");
        let permit = async |of: &Arc<Semaphore>| {
            let permit = timeout(WAIT_MAX, Arc::clone(of).acquire_owned()).await;
            permit.map_err(|_| busy())?.map_err(|_| busy())
        };
        let long = match length {
            Length::Long => Some(permit(&self.long).await?),
            Length::Short | Length::State => None,
        };
        let short = match length {
            Length::Long | Length::Short => Some(permit(&self.short).await?),
            Length::State => None,
        };
        let permits = [long, short, Some(permit(&self.free).await?)];
        let reader = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Lease {
            edition: Arc::clone(self),
            reader: Some(reader.ok_or_else(busy)?),
            _permits: permits,
        })
    }

    /// The turn of a request.
    ///
    /// # Errors
    /// A [`Problem`] if earlier requests for the same answer take too long.
    pub async fn turn(&self, key: &str) -> Result<Turn, Problem> {
        let turn = timeout(WAIT_MAX, self.turns.wait(key)).await;
        turn.map_err(|_| Problem::new("busy", "another request computes the same answer"))
    }

    /// The turn to compute the series of a year at a vintage.
    pub fn series_turn(&self, vintage: Vintage, year: Year) -> Turn {
        self.turns.wait_blocking(&format!("series of {year} at {vintage}"))
    }

    /// The names with those of firms. The first call reads all records.
    ///
    /// # Errors
    /// [`ReaderError`] if they cannot be read.
    pub fn names_with_firms(&self, reader: &Reader) -> Result<Arc<Names>, ReaderError> {
        if let Some(names) = self.firm_names.get() {
            return Ok(Arc::clone(names));
        }
        let names = Names::clone(&self.names).with_firms(reader.firm_names()?.clone());
        Ok(Arc::clone(self.firm_names.get_or_init(|| Arc::new(names))))
    }
}

/// The identity of all that answers depend on: the publication, its definition and program, the
/// vintages that can be read, the estimates, and the refused files.
fn tag(reader: &mut Reader, joint: Joint) -> Result<String, ReaderError> {
    let mut texts: Vec<String> =
        reader.about(None)?.into_iter().flat_map(|(name, value)| [name, value]).collect();
    texts.push(format!("{joint:?} {:?} {:?}", reader.publication()?, reader.committed_at()?));
    texts.extend(reader.vintages()?.into_iter().map(|of| format!("{of:?}")));
    texts.push(format!("{:?}", reader.refused()?));
    if reader.publication()?.1 != Vintage(0) {
        texts.push(format!("{:?}", reader.estimate_identities()?));
    }
    let mut hash = blake3::Hasher::new();
    for text in texts {
        hash.update(text.as_bytes()).update(&[0]);
    }
    Ok(hash.finalize().to_hex()[..HASH_DIGITS].to_owned())
}
