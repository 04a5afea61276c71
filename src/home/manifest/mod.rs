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
mod layout_2;
mod queries;
mod results;
mod revise;
mod seal;

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

pub use commit::{AcceptedFile, Commit, Summary};
pub use covered::{Covered, Replaced};
pub use queries::{FileEntry, Sizes};
pub use results::{PanelPart, StoredEstimate, StoredModel, StoredState};
pub use revise::{Rebuilt, Reclassified, Withdrawn};

use super::durable::Identity;
use super::error::{ArchiveError, Result, is_without_shared_file, says};
use crate::files::{self, check_regular, private};

const SCHEMA: &str = include_str!("schema.sql");
const REVISIONS: &str = include_str!("revisions.sql");
const FACTS: &str = include_str!("facts.sql");
const TIMES: &str = include_str!("times.sql");
const INTAKE: &str = include_str!("intake.sql");
/// `user_version` of the database; another number is another layout.
const LAYOUT: i64 = 6;
/// Since this one, estimates are known by their content.
const LAYOUT_OF_CONTENT: i64 = 3;
/// Since this one, parts of tables hold facts, and are folded.
const LAYOUT_OF_FACTS: i64 = 4;
/// Since this one, commits have a time.
const LAYOUT_OF_TIMES: i64 = 5;
/// Since this one, files can cover several months, and be replaced in part.
const LAYOUT_OF_NOTES: i64 = 6;
/// The oldest layout that can be read; who writes makes it the newest first.
const LAYOUT_MIN: i64 = 2;
const NAME: &str = "manifest.sqlite";
/// How long to wait for the database's own short locks, which a reader can meet while a writer
/// checkpoints.
const BUSY_MAX: Duration = Duration::from_secs(10);
/// How long a commit waits for readers to let go of the log, to empty it.
const EMPTYING_MAX: Duration = Duration::from_millis(200);
/// How often a database is read whole that changes meanwhile.
const WHOLE_TRIES: u32 = 50;
/// The one table that may be large: checked when it is read and not at every opening.
const LARGE: &str = "rejects";

/// An open manifest.
#[derive(Debug)]
pub(super) struct Manifest {
    connection: Connection,
    path: PathBuf,
    large_is_checked: Cell<bool>,
    /// Whether the database is read from its file, and not from a copy in memory.
    is_on_disk: bool,
    /// Which file it was when it was opened.
    file: Option<Identity>,
}

impl Manifest {
    /// Opens the manifest of a home to write it, making it if there is none.
    ///
    /// # Errors
    /// - [`ArchiveError::OpenManifest`] if it cannot be opened or made.
    /// - [`ArchiveError::Layout`] if another version made it.
    /// - [`ArchiveError::ManifestDamaged`], [`ArchiveError::ManifestLost`] if it is not what was
    ///   written.
    pub(super) fn open(home: &Path) -> Result<Self> {
        let path = home.join(NAME);
        let acknowledged = acknowledged::read(home)?;
        // The database makes its log and index with the mode of its own file.
        private::create_if_missing(&path)
            .map_err(|source| ArchiveError::Write { path: path.clone(), source })?;
        let connection = connect(&path).map_err(|source| not_opened(&path, source))?;
        let mut manifest = Self::new(connection, path);
        match manifest.layout()? {
            0 if acknowledged > 0 || has_records(home)? => {
                return Err(ArchiveError::ManifestLost {
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

    /// Opens the manifest of a home to read it, also while another process writes it: all that is
    /// asked is answered as of one commit.
    ///
    /// # Errors
    /// - [`ArchiveError::NoHome`] if there is none, or a writer is only just making it.
    /// - [`ArchiveError::OpenManifest`] if it cannot be opened.
    /// - [`ArchiveError::Layout`] if another version made it.
    /// - [`ArchiveError::ManifestDamaged`], [`ArchiveError::ManifestLost`] if it is not what was
    ///   written.
    pub(super) fn read(home: &Path) -> Result<Self> {
        let manifest = Self::follow(home)?;
        let begun = manifest.connection.execute_batch("BEGIN; SELECT * FROM publications LIMIT 0");
        begun.map_err(|source| not_opened(&manifest.path, source))?;
        Ok(manifest)
    }

    /// As [`Manifest::read`], with each question answered as of the commit that is then the newest.
    ///
    /// # Errors
    /// As for [`Manifest::read`].
    pub(super) fn follow(home: &Path) -> Result<Self> {
        let path = home.join(NAME);
        // Before the database: a writer raises it after a commit.
        let acknowledged = acknowledged::read(home)?;
        let lost = |path| Err(ArchiveError::ManifestLost { path, acknowledged, found: 0 });
        match std::fs::metadata(&path).and_then(|there| check_regular(there.file_type())) {
            Ok(()) => {}
            Err(error) if is_missing(&error) && acknowledged == 0 => {
                return Err(ArchiveError::NoHome { home: home.to_owned() });
            }
            Err(error) if is_missing(&error) => return lost(path),
            Err(source) => return Err(ArchiveError::Read { path, source }),
        }
        let connection = match connect_read_only(&path) {
            Err(error) if is_in_the_making(&error) && acknowledged == 0 => {
                return Err(ArchiveError::NoHome { home: home.to_owned() });
            }
            connection => connection.map_err(|source| not_opened(&path, source))?,
        };
        let manifest = Self::new(connection, path);
        match manifest.layout()? {
            0 if acknowledged > 0 => return lost(manifest.path),
            0 => return Err(ArchiveError::NoHome { home: home.to_owned() }),
            _ => manifest.check_whole(acknowledged)?,
        }
        Ok(manifest)
    }

    /// Ends the transaction of a reader and begins the next one; whether there has been a commit
    /// in between. Nothing if the database was read whole, or another file is in its place.
    ///
    /// # Errors
    /// As for [`Manifest::read`].
    pub(super) fn move_on(&mut self, home: &Path) -> Result<Option<bool>> {
        if !self.is_on_disk || !self.is_in_place() {
            return Ok(None);
        }
        let n_commits = || seal::n_commits(&self.connection);
        let before = n_commits().map_err(|source| not_opened(&self.path, source))?;
        // Before the next transaction: a writer raises it after a commit.
        let acknowledged = acknowledged::read(home)?;
        let begun = self.connection.execute_batch("COMMIT; BEGIN").and_then(|()| n_commits());
        let now = begun.map_err(|source| not_opened(&self.path, source))?;
        if now == before && now >= acknowledged {
            return Ok(Some(false));
        }
        self.large_is_checked.set(false);
        self.check_whole(acknowledged)?;
        Ok(Some(true))
    }

    /// Copies the database as this reader sees it, and the number of transactions in it. The number
    /// is written last: a manifest without it has nothing to lose.
    ///
    /// # Errors
    /// [`ArchiveError::Write`], [`ArchiveError::Keep`] if the copy cannot be written.
    pub(super) fn copy(&self, to: &Path) -> Result<()> {
        let path = to.join(NAME);
        private::create_if_missing(&path)
            .map_err(|source| ArchiveError::Write { path: path.clone(), source })?;
        let copied = Connection::open(&path).and_then(|mut copy| {
            Backup::new(&self.connection, &mut copy)?.step(-1)?;
            seal::n_commits(&self.connection)
        });
        let what = "the copy";
        let n_commits = copied.map_err(|source| ArchiveError::Keep { path, what, source })?;
        acknowledged::write(to, n_commits)
    }

    /// Whether the file that was opened is still where it was.
    pub(super) fn is_in_place(&self) -> bool {
        Identity::of(&self.path) == self.file
    }

    fn new(connection: Connection, path: PathBuf) -> Self {
        let is_on_disk = connection.path().is_some_and(|path| !path.is_empty());
        let file = Identity::of(&path);
        Self { connection, path, large_is_checked: Cell::new(false), is_on_disk, file }
    }

    /// Whether it is a home's own: the records that count lie there, as long as it says. The
    /// manifest of another home does not tell what may be removed.
    ///
    /// # Errors
    /// [`ArchiveError::Query`] if it cannot be read.
    pub(super) fn is_of(&self, home: &Path) -> Result<bool> {
        let files = self.files()?;
        Ok(files.iter().filter(|file| file.counts_now()).all(|file| file.segment.is_there(home)))
    }

    /// Whether the database holds what was written, and all that was acknowledged.
    fn check_whole(&self, acknowledged: u64) -> Result<()> {
        self.check_layout()?;
        let mut tables =
            seal::tables(&self.connection).map_err(|source| not_opened(&self.path, source))?;
        tables.retain(|table| table != LARGE);
        self.check_tables(&tables)?;
        let found =
            seal::n_commits(&self.connection).map_err(|source| not_opened(&self.path, source))?;
        if found < acknowledged {
            let path = self.path.clone();
            return Err(ArchiveError::ManifestLost { path, acknowledged, found });
        }
        Ok(())
    }

    fn check_tables(&self, tables: &[String]) -> Result<()> {
        let found = seal::check(&self.connection, tables);
        let found = found.map_err(|source| not_opened(&self.path, source))?;
        match found.into_iter().next() {
            Some(what) => Err(ArchiveError::ManifestDamaged { path: self.path.clone(), what }),
            None => Ok(()),
        }
    }

    /// Checks the table that is not checked at every opening, once.
    fn check_large(&self) -> Result<()> {
        if !self.large_is_checked.get() {
            self.check_tables(&[LARGE.to_owned()])?;
            self.large_is_checked.set(true);
        }
        Ok(())
    }

    /// Empties the log, which a damaged bit would cut short in silence, and raises the number of
    /// acknowledged transactions from what it was.
    fn acknowledge(&self, before: u64) -> Result<()> {
        let emptied = (|| {
            self.connection.busy_timeout(EMPTYING_MAX)?;
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            self.connection.busy_timeout(BUSY_MAX)?;
            seal::n_commits(&self.connection)
        })();
        let path = || self.path.clone();
        let n_commits = emptied.map_err(|source| ArchiveError::Keep {
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

    /// Whether parts can hold facts, and be folded.
    fn has_facts(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_FACTS)
    }

    /// Whether commits have a time.
    fn has_times(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_TIMES)
    }

    /// Whether more is said of files than how their lines ended.
    fn has_notes(&self) -> Result<bool> {
        Ok(self.layout()? >= LAYOUT_OF_NOTES)
    }

    fn check_layout(&self) -> Result<()> {
        match self.layout()? {
            LAYOUT_MIN..=LAYOUT => Ok(()),
            found => Err(ArchiveError::Layout { path: self.path.clone(), found, expected: LAYOUT }),
        }
    }
}

fn not_opened(path: &Path, source: rusqlite::Error) -> ArchiveError {
    ArchiveError::OpenManifest { path: path.to_owned(), source }
}

fn layout(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        // What the database falls back on, without an error.
        return Err(failed("it is read-only".to_owned()));
    }
    connection.busy_timeout(BUSY_MAX)?;
    // To its end: it answers before it commits the change.
    let modes = connection
        .prepare("PRAGMA journal_mode = WAL")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let mode = modes.concat();
    if mode != "wal" {
        // The database says what it kept to when the change failed, and reports no error.
        return Err(failed(format!("it stays in journal mode {mode} instead of WAL")));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A row that is replaced is deleted first, and its seal taken off.
    connection.pragma_update(None, "recursive_triggers", true)?;
    seal::register(&connection)?;
    Ok(connection)
}

/// What the database does not report as an error.
fn failed(what: String) -> rusqlite::Error {
    let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR);
    rusqlite::Error::SqliteFailure(error, Some(what))
}

/// Makes the tables that are not there or are of an older layout, and seals them: all or nothing.
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
    transaction.execute_batch(folds::SCHEMA)?;
    transaction.execute_batch(INTAKE)?;
    transaction.execute_batch(results::SCHEMA)?;
    if found != LAYOUT {
        transaction.pragma_update(None, "user_version", LAYOUT)?;
    }
    seal::install(&transaction)?;
    transaction.commit()
}

/// Whether records of accepted files may lie in a home.
fn has_records(home: &Path) -> Result<bool> {
    let path = home.join("segments");
    match std::fs::read_dir(&path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if is_missing(&error) => Ok(false),
        Err(source) => Err(ArchiveError::Read { path, source }),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// `SQLite` reads a WAL database through a shared-memory file, which it must be able to make: with
/// the first question, after the database itself is open. On a medium that cannot be written, or is
/// full and has no such file, the database is read whole.
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

/// The bytes of a database that has no log, as of one moment: a writer may come meanwhile that this
/// reader cannot tell of itself.
fn whole(path: &Path) -> Option<Vec<u8>> {
    let stamp = || path.metadata().and_then(|file| Ok((file.len(), file.modified()?))).ok();
    for _ in 0..WHOLE_TRIES {
        let before = stamp()?;
        let mut bytes = files::read_all(path).ok()?;
        if stamp()? == before && !has_wal(path) {
            // In memory there is no log; these bytes say that there is one.
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

/// Whether the first writer was stopped before the database had its log: only the next writer can
/// undo what that one began.
fn is_in_the_making(error: &rusqlite::Error) -> bool {
    says(error, rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

/// Whether commits wait in the write-ahead log, which the database's own bytes do not have, or may.
fn has_wal(path: &Path) -> bool {
    let wal = path.with_extension("sqlite-wal").metadata();
    wal.map_or_else(|error| error.kind() != ErrorKind::NotFound, |wal| wal.len() > 0)
}
