//! Errors of the home on disk, one variant for each operation.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use rusqlite::ErrorCode;

use super::Publication;
use crate::domain::types::Vintage;
use crate::files::trouble::{advice, remedy_of_database};

/// The result of an operation of the home.
pub type Result<T> = std::result::Result<T, HomeError>;

/// A failed operation of the home, with the data that a user needs to act.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The path has no home.
    #[error(
        "there is no spillover home at {}; ingest a feed first, or name another with --data",
        home.display()
    )]
    NoHome {
        /// The requested path.
        home: PathBuf,
    },
    /// Another process holds the lock.
    #[error(
        "another spillover process is writing {}{}; wait for it or stop it",
        home.display(),
        pid_in_brackets(*pid)
    )]
    Locked {
        /// The home that it writes.
        home: PathBuf,
        /// Its process number, if the lock file already has it.
        pid: Option<u32>,
    },
    /// The lock file could not be opened, locked or written.
    #[error(
        "cannot lock {}; {}",
        path.display(),
        advice(path, source, "the home needs to be a writable folder on a file system with file \
            locks: make it one, or name another with --data")
    )]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A folder of the home could not be created.
    #[error(
        "cannot create the folder {}; {}",
        path.display(),
        advice(path, source, "make its parent writable, or name another home with --data")
    )]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file could not be written.
    #[error(
        "cannot write {}; {}",
        path.display(),
        advice(path, source, "make room or make the home writable, then run again")
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The system did not confirm that a file reached the disk; later writes are not reliable.
    #[error(
        "cannot make {} durable; {}",
        path.display(),
        advice(path, source, "the disk did not confirm the write: stop, check the disk, then run \
        again")
    )]
    Sync {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A leftover of an interrupted run could not be removed.
    #[error(
        "cannot remove the leftover {}; {}",
        path.display(),
        advice(path, source, "remove it by hand, then run again")
    )]
    Remove {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file of the home could not be read.
    #[error(
        "cannot read {}; {}",
        path.display(),
        advice(path, source, &format!("restore it from a copy of the home, or {}", again(path)))
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file changed after it was written.
    #[error(
        "{} is damaged: its BLAKE3 is {found}, the manifest says {expected}; restore it from a \
         copy of the home, or {}",
        path.display(),
        again(path)
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The hash in the manifest.
        expected: String,
        /// The hash of the current file.
        found: String,
    },
    /// A file with the right hash cannot be decoded: another version wrote it.
    #[error(
        "cannot decode {}; {}",
        path.display(),
        advice(path, source, "read it with the version of spillover that wrote it")
    )]
    Decode {
        /// The file.
        path: PathBuf,
        /// The decoder's error.
        source: ParquetError,
    },
    /// A column of a file has a value unknown to this version.
    #[error(
        "column {column} of {} holds \"{value}\", which this version does not know; read the home \
         with the version and the reference tables that made it",
        path.display()
    )]
    Value {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// Rows could not be encoded.
    #[error(
        "cannot encode {}; {}",
        path.display(),
        advice(path, source, "make room on the disk, then run again")
    )]
    Encode {
        /// The file.
        path: PathBuf,
        /// The encoder's error.
        source: ParquetError,
    },
    /// Rows of a published table could not be combined.
    #[error("cannot overlay the changes in {}; rebuild the home", path.display())]
    Overlay {
        /// The part whose rows do not fit.
        path: PathBuf,
        /// The cause of the misfit.
        source: ArrowError,
    },
    /// The manifest differs from what was written.
    #[error(
        "the manifest {} is damaged: {what}; restore a copy of it, or ingest the feed into a new \
         home",
        path.display()
    )]
    ManifestDamaged {
        /// The manifest.
        path: PathBuf,
        /// The problem.
        what: String,
    },
    /// The manifest has fewer commits than were acknowledged.
    #[error(
        "the manifest {} has lost commits: {acknowledged} transactions were acknowledged, and it \
         holds {found}; restore its newest copy with the -wal file, or ingest the feed into a new \
         home (nothing was removed from this one)",
        path.display()
    )]
    ManifestLost {
        /// The manifest.
        path: PathBuf,
        /// The number of acknowledged transactions.
        acknowledged: u64,
        /// The number of transactions found.
        found: u64,
    },
    /// The open home was moved, replaced or unmounted.
    #[error(
        "{} is no longer the home that was opened: it was moved, replaced or unmounted, and \
         nothing was committed; put it back, then run again",
        home.display()
    )]
    Moved {
        /// The home.
        home: PathBuf,
    },
    /// The database accepted a commit, and the disk did not confirm it.
    #[error(
        "the disk did not confirm a commit to {}; stop, check the disk, then run again",
        path.display()
    )]
    Unconfirmed {
        /// The manifest.
        path: PathBuf,
        /// The database's error.
        source: rusqlite::Error,
    },
    /// The file with the number of acknowledged transactions is damaged.
    #[error(
        "{} is damaged: it does not hold the number of commits; move it away, and restore a copy \
         of the home if `verify` then reports damage",
        path.display()
    )]
    Acknowledged {
        /// The file.
        path: PathBuf,
    },
    /// The manifest could not be opened.
    #[error(
        "cannot open the manifest {}; {}",
        path.display(),
        advice_of_database(path, source, "check it with sqlite3's integrity_check, or restore a \
        copy of it")
    )]
    OpenManifest {
        /// The manifest.
        path: PathBuf,
        /// The database's error.
        source: rusqlite::Error,
    },
    /// Another version wrote the manifest.
    #[error(
        "the manifest {} has layout {found}, this version reads {expected}; use the version that \
         made it, or rebuild into a new home",
        path.display()
    )]
    Layout {
        /// The manifest.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The layout of this version.
        expected: i64,
    },
    /// A query of the manifest failed.
    #[error(
        "cannot read {what} from the manifest {}; {}",
        path.display(),
        advice_of_database(path, source, "check it with sqlite3's integrity_check")
    )]
    Query {
        /// The manifest.
        path: PathBuf,
        /// The item to read.
        what: &'static str,
        /// The database's error.
        source: rusqlite::Error,
    },
    /// A commit failed: it counts completely or not at all, which the next run finds out.
    #[error(
        "publication {publication} was not committed to {}, and no part of it counts: {}",
        path.display(),
        advice_of_database(path, source, "correct the cause, then run again")
    )]
    Commit {
        /// The manifest.
        path: PathBuf,
        /// The publication.
        publication: Publication,
        /// The database's error.
        source: rusqlite::Error,
    },
    /// Panels or estimates were not stored.
    #[error(
        "{} did not store {what}; {}",
        path.display(),
        advice_of_database(path, source, "make room or make the home writable, then run again")
    )]
    Keep {
        /// The manifest.
        path: PathBuf,
        /// The data that it should have stored.
        what: &'static str,
        /// The database's error.
        source: rusqlite::Error,
    },
    /// A commit names a file that is missing or changed.
    #[error(
        "{} is missing or changed since it was written, and publication {publication} was not \
         committed; run again",
        path.display()
    )]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// The publication.
        publication: Publication,
    },
    /// A commit withdraws a file that was not accepted, or was withdrawn before.
    #[error(
        "file {vintage} cannot be superseded: it is not one of the accepted files; see \
         `export files`"
    )]
    NotLive {
        /// The file.
        vintage: Vintage,
    },
    /// A commit records settings a second time.
    #[error(
        "the settings of {} were recorded with its first file; rebuild to change them",
        path.display()
    )]
    Recorded {
        /// The manifest.
        path: PathBuf,
    },
    /// The path of a home's file or folder has something else.
    #[error(
        "{} is in the place of a file or folder of the home, and links are not followed; move it \
         away, then run again",
        path.display()
    )]
    Foreign {
        /// The path.
        path: PathBuf,
        /// Its actual kind.
        source: io::Error,
    },
    /// A new home would be inside another one.
    #[error(
        "{} is inside the home {}, which would remove its files as leftovers; name a folder \
         outside of it with --data",
        home.display(),
        outer.display()
    )]
    Inside {
        /// The intended path.
        home: PathBuf,
        /// The home around it.
        outer: PathBuf,
    },
    /// The target folder of a copy is not empty.
    #[error(
        "{} is not an empty folder; name one that does not exist yet, or is empty",
        path.display()
    )]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Other users can access the home, and it cannot be restricted.
    #[error(
        "cannot restrict {} to its owner; {}",
        home.display(),
        advice(home, source, "set its mode to 0700, then run again")
    )]
    Exposed {
        /// The home.
        home: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// No accepted file has the vintage.
    #[error("no file was accepted as {vintage}; see `export files`")]
    NoSuchVintage {
        /// The vintage.
        vintage: Vintage,
    },
}

impl HomeError {
    /// True if the disk itself is unreliable, so that the process has to end.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        let is_by_itself = matches!(
            self,
            Self::Sync { .. }
                | Self::Unconfirmed { .. }
                | Self::ManifestDamaged { .. }
                | Self::ManifestLost { .. }
        );
        (is_by_itself || self.chain().any(says_bad_disk)) && !self.is_no_room()
    }

    /// True if the disk or a quota is full; free space is then the only remedy needed.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        self.chain().any(says_no_room)
    }

    /// True if a file of the home is missing or changed. A disk that cannot be read is another
    /// case.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Corrupt { .. } => true,
            Self::Read { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn Error + 'static)> {
        std::iter::successors(Some(self as &(dyn Error + 'static)), |&error| error.source())
    }

    pub(super) fn decode(path: &Path, source: impl Into<ParquetError>) -> Self {
        Self::Decode { path: path.to_owned(), source: source.into() }
    }

    pub(crate) fn encode(path: &Path, source: impl Into<ParquetError>) -> Self {
        Self::Encode { path: path.to_owned(), source: source.into() }
    }
}

/// True for an input/output error, from the system or from the database. The database also reports
/// a log that it cannot read as a damaged one.
fn says_bad_disk(error: &(dyn Error + 'static)) -> bool {
    use ErrorCode::{DatabaseCorrupt, NotADatabase, SystemIoFailure};
    const EIO: i32 = 5;
    let of_system = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    let of_database =
        error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    (cfg!(unix) && of_system == Some(EIO))
        || matches!(of_database, Some(SystemIoFailure | DatabaseCorrupt | NotADatabase))
}

fn says_no_room(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    let of_system = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let of_database = error.downcast_ref::<rusqlite::Error>();
    matches!(of_system, Some(StorageFull | QuotaExceeded))
        || of_database.is_some_and(|error| {
            error.sqlite_error_code() == Some(ErrorCode::DiskFull) || is_without_shared_file(error)
        })
}

/// True if the disk has no room for the database's shared file. The database reports this as an
/// input/output error.
pub(super) fn is_without_shared_file(error: &rusqlite::Error) -> bool {
    says(error, rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// True if the database's error has this extended code.
pub(super) fn says(error: &rusqlite::Error, code: i32) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == code)
}

/// The advice for an error of the database: the obstacle to opening its files if there is one, else
/// the operation's own advice.
fn advice_of_database(path: &Path, error: &rusqlite::Error, otherwise: &str) -> String {
    use ErrorCode::{CannotOpen, PermissionDenied, ReadOnly, SystemIoFailure};
    let is_of_files = matches!(
        error.sqlite_error_code(),
        Some(CannotOpen | PermissionDenied | ReadOnly | SystemIoFailure)
    );
    let remedy = if is_of_files { remedy_of_database(path) } else { None };
    remedy.unwrap_or_else(|| otherwise.to_owned())
}

/// The command that writes the content of a file of the home again.
fn again(path: &Path) -> &'static str {
    // A part of a table: published/TABLE/YEAR/NAME.
    let folder = path.ancestors().nth(3).and_then(Path::file_name);
    if folder.is_some_and(|folder| folder == "published") {
        "run `rebuild`, which writes the newest figures again"
    } else {
        "rebuild from the feed"
    }
}

fn pid_in_brackets(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
