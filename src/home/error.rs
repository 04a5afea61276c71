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

/// The result of an operation of the archive.
pub type Result<T> = std::result::Result<T, ArchiveError>;

/// An operation of the archive that failed, with what one needs to act.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no home to read at the path.
    #[error(
        "there is no spillover home at {}; ingest a feed first, or name another with --data",
        home.display()
    )]
    NoHome {
        /// The path asked for.
        home: PathBuf,
    },
    /// Another process holds the lock.
    #[error(
        "another spillover process is writing {}{}; wait for it or stop it",
        home.display(),
        pid_in_brackets(*pid)
    )]
    Locked {
        /// The home it writes.
        home: PathBuf,
        /// Its process number, if it has written it down yet.
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
    /// A folder of the home could not be made.
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
    /// The system did not confirm that a file reached the disk: nothing written since can be relied
    /// on.
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
    /// A file is not the one that was written.
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
        /// The hash of the file as it is.
        found: String,
    },
    /// A file with the right hash that cannot be decoded: written by another version.
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
    /// A column of a file holds what this version does not know.
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
    /// Rows of a published table could not be put on top of one another.
    #[error("cannot overlay the changes in {}; rebuild the home", path.display())]
    Overlay {
        /// The part whose rows do not fit.
        path: PathBuf,
        /// What does not fit.
        source: ArrowError,
    },
    /// A manifest that holds something else than what was written.
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
    /// A manifest that holds less than was acknowledged.
    #[error(
        "the manifest {} has lost commits: {acknowledged} transactions were acknowledged, and it \
         holds {found}; restore its newest copy with the -wal file, or ingest the feed into a new \
         home (nothing was removed from this one)",
        path.display()
    )]
    ManifestLost {
        /// The manifest.
        path: PathBuf,
        /// How many transactions were acknowledged.
        acknowledged: u64,
        /// How many there are.
        found: u64,
    },
    /// Another home, or none, is where the one was that is open.
    #[error(
        "{} is no longer the home that was opened: it was moved, replaced or unmounted, and \
         nothing was committed; put it back, then run again",
        home.display()
    )]
    Moved {
        /// The home.
        home: PathBuf,
    },
    /// A commit that the database took, and the disk did not confirm.
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
    /// The number of acknowledged transactions is damaged.
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
    /// The manifest was written by another version.
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
    /// The manifest could not be asked.
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
    /// A commit failed: it counts whole or not at all, whichever the next run finds.
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
    /// Panels or estimates were not kept.
    #[error(
        "{} did not store {what}; {}",
        path.display(),
        advice_of_database(path, source, "make room or make the home writable, then run again")
    )]
    Keep {
        /// The manifest.
        path: PathBuf,
        /// What it should have taken.
        what: &'static str,
        /// The database's error.
        source: rusqlite::Error,
    },
    /// A commit names a file that is not there as it was written.
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
    /// A commit withdraws a file that was not accepted, or is withdrawn already.
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
    /// Something that is no file or folder of a home is in the place of one.
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
    /// A home that would be begun inside another one.
    #[error(
        "{} is inside the home {}, which would remove its files as leftovers; name a folder \
         outside of it with --data",
        home.display(),
        outer.display()
    )]
    Inside {
        /// Its intended place.
        home: PathBuf,
        /// The home around it.
        outer: PathBuf,
    },
    /// A copy of a home would be written beside something else.
    #[error(
        "{} is not an empty folder; name one that does not exist yet, or is empty",
        path.display()
    )]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A home that other users can read or write, and that cannot be taken away from them.
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
    /// No file was accepted under the number.
    #[error("no file was accepted as {vintage}; see `export files`")]
    NoSuchVintage {
        /// The number.
        vintage: Vintage,
    },
}

impl ArchiveError {
    /// Whether the disk itself can no longer be relied on, so that the process has to end.
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

    /// Whether there was no room for it, on the disk or in a quota: then making room is all that is
    /// needed.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        self.chain().any(says_no_room)
    }

    /// Whether a file of the home is not there as it was written. A disk that does not read is
    /// another matter.
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

/// An input/output error by its number in Unix, or one that the database met; it also takes a log
/// that it cannot read for a damaged one.
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

/// Whether the database found no room for the file that its readers and its writer share; it has no
/// other word for that than an input/output error.
pub(super) fn is_without_shared_file(error: &rusqlite::Error) -> bool {
    says(error, rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// Whether it is this that the database says, by its extended code.
pub(super) fn says(error: &rusqlite::Error, code: i32) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == code)
}

/// What to do about an error of the database: where it could not open its files, what keeps it from
/// that, else what the operation advises.
fn advice_of_database(path: &Path, error: &rusqlite::Error, otherwise: &str) -> String {
    use ErrorCode::{CannotOpen, PermissionDenied, ReadOnly, SystemIoFailure};
    let is_of_files = matches!(
        error.sqlite_error_code(),
        Some(CannotOpen | PermissionDenied | ReadOnly | SystemIoFailure)
    );
    let remedy = if is_of_files { remedy_of_database(path) } else { None };
    remedy.unwrap_or_else(|| otherwise.to_owned())
}

/// What writes the content of a file of the home again.
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
