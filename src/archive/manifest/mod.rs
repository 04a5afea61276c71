//! The manifest: a database (`SQLite`) that says what was accepted, published, and where it is.
//!
//! ```text
//! segments, parts (durable) ──▶ commit: one transaction ──▶ manifest.sqlite
//!                                   queries, also while a writer is open ◀──┘
//! ```
//! Invariant: a file that no row names does not exist. The tables are documented in `schema.sql`.

mod commit;
mod queries;
mod results;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

pub use commit::{AcceptedFile, Commit, Definitions, Summary};
pub use queries::{FileEntry, Sizes};
pub use results::{PanelPart, StoredEstimate};

use super::error::{ArchiveError, Result};

const SCHEMA: &str = include_str!("schema.sql");
/// `user_version` of the database; another number is another layout.
const LAYOUT: i64 = 1;
const NAME: &str = "manifest.sqlite";
/// How long to wait for the database's own short locks, which a reader can meet while a writer
/// checkpoints.
const BUSY_MAX: Duration = Duration::from_secs(10);

/// An open manifest.
#[derive(Debug)]
pub(super) struct Manifest {
    connection: Connection,
    path: PathBuf,
}

impl Manifest {
    /// Opens the manifest of a home to write it, making it if there is none.
    ///
    /// # Errors
    /// - [`ArchiveError::OpenManifest`] if it cannot be opened or made.
    /// - [`ArchiveError::Layout`] if another version made it.
    pub(super) fn open(home: &Path) -> Result<Self> {
        let path = home.join(NAME);
        let opened = Connection::open(&path).and_then(|mut connection| {
            connection.busy_timeout(BUSY_MAX)?;
            connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            create_tables(&mut connection)?;
            connection.execute_batch(results::SCHEMA)?;
            Ok(connection)
        });
        let manifest = Self { connection: opened.map_err(|e| not_opened(&path, e))?, path };
        manifest.check_layout()?;
        Ok(manifest)
    }

    /// Opens the manifest of a home to read it, also while another process writes it.
    ///
    /// # Errors
    /// - [`ArchiveError::NoHome`] if there is none, or a writer is only just making it.
    /// - [`ArchiveError::OpenManifest`] if it cannot be opened.
    /// - [`ArchiveError::Layout`] if another version made it.
    pub(super) fn read(home: &Path) -> Result<Self> {
        let path = home.join(NAME);
        if !path.is_file() {
            return Err(ArchiveError::NoHome { home: home.to_owned() });
        }
        let connection = connect_read_only(&path).map_err(|e| not_opened(&path, e))?;
        let manifest = Self { connection, path };
        if manifest.layout()? == 0 {
            return Err(ArchiveError::NoHome { home: home.to_owned() });
        }
        manifest.check_layout()?;
        Ok(manifest)
    }

    fn layout(&self) -> Result<i64> {
        layout(&self.connection).map_err(|source| not_opened(&self.path, source))
    }

    fn check_layout(&self) -> Result<()> {
        match self.layout()? {
            LAYOUT => Ok(()),
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

fn create_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    if layout(connection)? != 0 {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    transaction.commit()
}

/// `SQLite` reads a WAL database through a shared-memory file, which it must be able to make. On a
/// medium that cannot be written there is no writer either, so that the database may be taken as
/// unchanging.
fn connect_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let connect = |target: &Path, flags| -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(target, flags)?;
        connection.busy_timeout(BUSY_MAX)?;
        layout(&connection)?;
        Ok(connection)
    };
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match connect(path, read_only) {
        Err(error)
            if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && !has_wal(path) =>
        {
            let uri = format!("file:{}?immutable=1", uri_path(path));
            connect(Path::new(&uri), read_only | OpenFlags::SQLITE_OPEN_URI)
        }
        connected => connected,
    }
}

/// Whether commits wait in the write-ahead log, which an immutable connection would not see.
fn has_wal(path: &Path) -> bool {
    path.with_extension("sqlite-wal").metadata().is_ok_and(|wal| wal.len() > 0)
}

fn uri_path(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
