//! The manifest: a database (`SQLite`) of accepted files and published parts, with their paths.
//!
//! ```text
//! segments, parts (durable) ──▶ commit: one transaction ──▶ manifest.sqlite
//!                                   queries, also while a writer is open ◀──┘
//! ```
//! Invariants: a file without a row does not exist for readers. Nothing is served from a table with
//! changed rows, or from a database without acknowledged commits. `schema.sql` documents the
//! tables.

mod acknowledged;
mod commit;
mod covered;
mod folds;
mod found;
mod layout_2;
mod layout_9;
mod queries;
mod refused;
mod results;
mod revise;
mod rows;
mod runs;
mod schema;
mod seal;
mod statements;
mod values;

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

pub(super) use acknowledged::n_acknowledged;
pub use queries::Sizes;
pub use results::{PanelPart, StoredEstimate, StoredModel, StoredState};
pub use rows::{
    AcceptedFile, Commit, Covered, FileEntry, Found, Rebuilt, Reclassified, RefusedFile, Replaced,
    Summary, Withdrawn,
};

use schema::{
    FACTS, FOLDS, INTAKE, LAYOUT, LAYOUT_MIN, LAYOUT_OF_COLUMNS, LAYOUT_OF_FACTS, LAYOUT_OF_MONTHS,
    LAYOUT_OF_NOTES, LAYOUT_OF_REFUSED, LAYOUT_OF_RUNS, LAYOUT_OF_TIMES, RESULTS, REVISIONS, RUNS,
    SCHEMA, TIMES,
};

use super::durable::Identity;
use super::error::{HomeError, Result, is_without_shared_file, says};
use crate::files::{self, check_regular, private};

const NAME: &str = "manifest.sqlite";
/// The longest wait for the database's own short locks, which a reader can meet while a writer
/// checkpoints.
const BUSY_MAX: Duration = Duration::from_secs(10);
/// The longest wait of a commit for readers, before it empties the log.
const EMPTYING_MAX: Duration = Duration::from_millis(200);
/// The number of attempts to read a changing database as a whole.
const WHOLE_TRIES: u32 = 50;
/// The tables that may be large. They are checked before they are read, not at every opening.
const LARGE: [&str; 2] = [REJECTS, REFUSED_REJECTS];
const REJECTS: &str = "rejects";
const REFUSED_REJECTS: &str = "refused_rejects";

/// An open manifest.
#[derive(Debug)]
pub(super) struct Manifest {
    connection: Connection,
    path: PathBuf,
    /// The large tables that were checked.
    large_checked: RefCell<Vec<&'static str>>,
    /// True if the database is read from its file, not from a copy in memory.
    is_on_disk: bool,
    /// The identity of the file at opening.
    file: Option<Identity>,
}

impl Manifest {
    /// Opens the manifest of a home for writing; creates it if there is none.
    ///
    /// # Errors
    /// - [`HomeError::OpenManifest`] if it cannot be opened or created.
    /// - [`HomeError::Layout`] if another version wrote it.
    /// - [`HomeError::ManifestDamaged`], [`HomeError::ManifestLost`] if it differs from what
    ///   was written.
    pub(super) fn open(home: &Path) -> Result<Self> {
        let path = home.join(NAME);
        let acknowledged = acknowledged::n_acknowledged(home)?;
        // The database creates its log and index with the mode of its own file.
        private::create_if_missing(&path)
            .map_err(|source| HomeError::Write { path: path.clone(), source })?;
        let connection = connect(&path).map_err(|source| not_opened(&path, source))?;
        let mut manifest = Self::new(connection, path);
        match manifest.layout()? {
            0 if acknowledged > 0 || has_records(home)? => {
                return Err(HomeError::ManifestLost {
                    path: manifest.path,
                    acknowledged,
                    found: 0,
                });
            }
            0 => {}
            _ => manifest.check_whole(acknowledged)?,
        }
        let prepared = prepare(&mut manifest.connection);
        prepared.map_err(|source| not_opened(&manifest.path, source))?;
        manifest.acknowledge(acknowledged)?;
        Ok(manifest)
    }

    /// Opens the manifest of a home for reading, even while another process writes it. All queries
    /// see the state of one commit.
    ///
    /// # Errors
    /// - [`HomeError::NoHome`] if the home does not exist, or a writer is still creating it.
    /// - [`HomeError::OpenManifest`] if it cannot be opened.
    /// - [`HomeError::Layout`] if another version wrote it.
    /// - [`HomeError::ManifestDamaged`], [`HomeError::ManifestLost`] if it differs from what
    ///   was written.
    pub(super) fn read(home: &Path) -> Result<Self> {
        let manifest = Self::follow(home)?;
        let begun = manifest.connection.execute_batch("BEGIN; SELECT * FROM publications LIMIT 0");
        begun.map_err(|source| not_opened(&manifest.path, source))?;
        Ok(manifest)
    }

    /// Opens the manifest like [`Manifest::read`], but each query sees the newest commit at its
    /// time.
    ///
    /// # Errors
    /// Those of [`Manifest::read`].
    pub(super) fn follow(home: &Path) -> Result<Self> {
        let path = home.join(NAME);
        // Read before the database: a writer increases it after a commit.
        let acknowledged = acknowledged::n_acknowledged(home)?;
        let lost = |path| Err(HomeError::ManifestLost { path, acknowledged, found: 0 });
        match std::fs::metadata(&path).and_then(|there| check_regular(there.file_type())) {
            Ok(()) => {}
            Err(error) if is_missing(&error) && acknowledged == 0 => {
                return Err(HomeError::NoHome { home: home.to_owned() });
            }
            Err(error) if is_missing(&error) => return lost(path),
            Err(source) => return Err(HomeError::Read { path, source }),
        }
        let connection = match connect_read_only(&path) {
            Err(error) if is_in_the_making(&error) && acknowledged == 0 => {
                return Err(HomeError::NoHome { home: home.to_owned() });
            }
            connection => connection.map_err(|source| not_opened(&path, source))?,
        };
        let manifest = Self::new(connection, path);
        match manifest.layout()? {
            0 if acknowledged > 0 => return lost(manifest.path),
            0 => return Err(HomeError::NoHome { home: home.to_owned() }),
            _ => manifest.check_whole(acknowledged)?,
        }
        Ok(manifest)
    }

    /// Ends the transaction of a reader and begins the next one; returns true if there was a commit
    /// in between. `None` if the database was read as a whole, or another file has its path.
    ///
    /// # Errors
    /// Those of [`Manifest::read`].
    pub(super) fn move_on(&mut self, home: &Path) -> Result<Option<bool>> {
        if !self.is_on_disk || !self.is_in_place() {
            return Ok(None);
        }
        let n_commits = || seal::n_commits(&self.connection);
        let before = n_commits().map_err(|source| not_opened(&self.path, source))?;
        // Read before the next transaction: a writer increases it after a commit.
        let acknowledged = acknowledged::n_acknowledged(home)?;
        let begun = self.connection.execute_batch("COMMIT; BEGIN").and_then(|()| n_commits());
        let now = begun.map_err(|source| not_opened(&self.path, source))?;
        if now == before && now >= acknowledged {
            return Ok(Some(false));
        }
        self.large_checked.take();
        self.check_whole(acknowledged)?;
        Ok(Some(true))
    }

    /// Copies the database as this reader sees it, and its number of transactions. The number is
    /// written last: a manifest without it cannot miss commits.
    ///
    /// # Errors
    /// [`HomeError::Write`], [`HomeError::Keep`] if the copy cannot be written.
    pub(super) fn copy(&self, to: &Path) -> Result<()> {
        let path = to.join(NAME);
        private::create_if_missing(&path)
            .map_err(|source| HomeError::Write { path: path.clone(), source })?;
        let copied = Connection::open(&path).and_then(|mut copy| {
            Backup::new(&self.connection, &mut copy)?.step(-1)?;
            seal::n_commits(&self.connection)
        });
        let what = "the copy";
        let n_commits = copied.map_err(|source| HomeError::Keep { path, what, source })?;
        acknowledged::write(to, n_commits)
    }

    /// True if the path still leads to the opened file.
    pub(super) fn is_in_place(&self) -> bool {
        Identity::of(&self.path) == self.file
    }

    fn new(connection: Connection, path: PathBuf) -> Self {
        let is_on_disk = connection.path().is_some_and(|path| !path.is_empty());
        let file = Identity::of(&path);
        Self { connection, path, large_checked: RefCell::default(), is_on_disk, file }
    }

    /// True if the manifest belongs to the home: the home has the files of its counted records, in
    /// their sizes. The manifest of another home must not decide which files are removed.
    ///
    /// # Errors
    /// [`HomeError::Query`] if it cannot be read.
    pub(super) fn is_of(&self, home: &Path) -> Result<bool> {
        let files = self.files()?;
        Ok(files.iter().filter(|file| file.counts_now()).all(|file| file.segment.is_there(home)))
    }

    /// Checks that the database has what was written, including all acknowledged transactions.
    fn check_whole(&self, acknowledged: u64) -> Result<()> {
        self.check_layout()?;
        let mut tables =
            seal::tables(&self.connection).map_err(|source| not_opened(&self.path, source))?;
        tables.retain(|table| !LARGE.contains(&table.as_str()));
        self.check_tables(&tables)?;
        let found =
            seal::n_commits(&self.connection).map_err(|source| not_opened(&self.path, source))?;
        if found < acknowledged {
            let path = self.path.clone();
            return Err(HomeError::ManifestLost { path, acknowledged, found });
        }
        Ok(())
    }

    fn check_tables(&self, tables: &[String]) -> Result<()> {
        let found = seal::check(&self.connection, tables);
        let found = found.map_err(|source| not_opened(&self.path, source))?;
        match found.into_iter().next() {
            Some(what) => Err(HomeError::ManifestDamaged { path: self.path.clone(), what }),
            None => Ok(()),
        }
    }

    /// Checks, once, a table that is not checked at every opening.
    fn check_large(&self, table: &'static str) -> Result<()> {
        let mut checked = self.large_checked.borrow_mut();
        if !checked.contains(&table) {
            self.check_tables(&[table.to_owned()])?;
            checked.push(table);
        }
        Ok(())
    }

    /// Empties the log, because a damaged bit would shorten it without an error, and increases the
    /// number of acknowledged transactions.
    fn acknowledge(&self, before: u64) -> Result<()> {
        let emptied = (|| {
            self.connection.busy_timeout(EMPTYING_MAX)?;
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            self.connection.busy_timeout(BUSY_MAX)?;
            seal::n_commits(&self.connection)
        })();
        let path = || self.path.clone();
        let n_commits = emptied.map_err(|source| HomeError::Keep {
            path: path(),
            what: "the commit",
            source,
        })?;
        if n_commits > before {
            acknowledged::write(self.path.parent().unwrap_or(Path::new(".")), n_commits)?;
        }
        Ok(())
    }

    fn layout(&self) -> Result<i64> {
        layout(&self.connection).map_err(|source| not_opened(&self.path, source))
    }

    /// True if parts can have facts and folds.
    fn has_facts(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_FACTS)
    }

    /// True if commits have times.
    fn has_times(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_TIMES)
    }

    /// True if files have notes in addition to the outcomes of their lines.
    fn has_notes(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_NOTES)
    }

    /// True if the columns of files are stored.
    fn has_columns(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_COLUMNS)
    }

    /// True if the rejected lines of refused files are kept.
    fn has_refused(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_REFUSED)
    }

    /// True if files can have runs.
    fn has_runs(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_RUNS)
    }

    fn check_layout(&self) -> Result<()> {
        match self.layout()? {
            LAYOUT_MIN..=LAYOUT => Ok(()),
            found => Err(HomeError::Layout { path: self.path.clone(), found, expected: LAYOUT }),
        }
    }
}

fn not_opened(path: &Path, source: rusqlite::Error) -> HomeError {
    HomeError::OpenManifest { path: path.to_owned(), source }
}

fn layout(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        // The database falls back to this without an error.
        return Err(failed("it is read-only".to_owned()));
    }
    connection.busy_timeout(BUSY_MAX)?;
    // Read to the end: the database answers before it commits the change.
    let modes = connection
        .prepare("PRAGMA journal_mode = WAL")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let mode = modes.concat();
    if mode != "wal" {
        // The database returns its current mode if the change failed, and reports no error.
        return Err(failed(format!("it stays in journal mode {mode} instead of WAL")));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The database deletes a replaced row first, which removes it from the seal.
    connection.pragma_update(None, "recursive_triggers", true)?;
    seal::register(&connection)?;
    Ok(connection)
}

/// An error that the database does not report itself.
fn failed(what: String) -> rusqlite::Error {
    let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR);
    rusqlite::Error::SqliteFailure(error, Some(what))
}

/// Creates missing tables, converts older layouts and seals the tables, in one transaction.
fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = layout(&transaction)?;
    match found {
        0 => {
            transaction.execute_batch(SCHEMA)?;
            transaction.execute_batch(REVISIONS)?;
        }
        2 => layout_2::upgrade(&transaction)?,
        _ => {}
    }
    if found < LAYOUT_OF_FACTS {
        seal::open(&transaction, "parts")?;
        transaction.execute_batch(FACTS)?;
    }
    if found < LAYOUT_OF_TIMES {
        transaction.execute_batch(TIMES)?;
    }
    transaction.execute_batch(FOLDS)?;
    transaction.execute_batch(INTAKE)?;
    transaction.execute_batch(RUNS)?;
    if found != 0 && found < LAYOUT_OF_MONTHS {
        layout_9::upgrade(&transaction)?;
    }
    transaction.execute_batch(RESULTS)?;
    if found != LAYOUT {
        transaction.pragma_update(None, "user_version", LAYOUT)?;
    }
    seal::install(&transaction)?;
    transaction.commit()
}

/// True if a home may have records of accepted files.
fn has_records(home: &Path) -> Result<bool> {
    let path = home.join("segments");
    match std::fs::read_dir(&path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if is_missing(&error) => Ok(false),
        Err(source) => Err(HomeError::Read { path, source }),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Connects for reading. `SQLite` reads a WAL database through a shared-memory file, which it
/// creates with the first query. On a read-only medium, or a full one without this file, the
/// database is read as a whole.
fn connect_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, read_only)?;
    connection.busy_timeout(BUSY_MAX)?;
    match layout(&connection) {
        Err(error) if is_alone(&error) && !has_wal(path) => {
            let bytes = whole(path).ok_or(error)?;
            let mut copy = Connection::open_in_memory()?;
            copy.deserialize_read_exact(rusqlite::MAIN_DB, &*bytes, bytes.len(), true)?;
            layout(&copy)?;
            Ok(copy)
        }
        asked => asked.map(|_| connection),
    }
}

/// The bytes of a database without a log, at one moment: a writer that the reader cannot notice may
/// run meanwhile.
fn whole(path: &Path) -> Option<Vec<u8>> {
    let stamp = || path.metadata().and_then(|file| Ok((file.len(), file.modified()?))).ok();
    for _ in 0..WHOLE_TRIES {
        let before = stamp()?;
        let mut bytes = files::read_all(path).ok()?;
        if stamp()? == before && !has_wal(path) {
            // A database in memory has no log, and these bytes would claim one.
            bytes.get_mut(18..20)?.fill(1);
            return Some(bytes);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

fn is_alone(error: &rusqlite::Error) -> bool {
    let is_refused =
        matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    (is_refused && !is_in_the_making(error)) || is_without_shared_file(error)
}

/// True if the first writer stopped before the database had its log. Only the next writer can undo
/// its work.
fn is_in_the_making(error: &rusqlite::Error) -> bool {
    says(error, rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

/// True if there are, or may be, commits in the write-ahead log that are not in the database's own
/// file.
fn has_wal(path: &Path) -> bool {
    let wal = path.with_extension("sqlite-wal").metadata();
    wal.map_or_else(|error| error.kind() != ErrorKind::NotFound, |wal| wal.len() > 0)
}
