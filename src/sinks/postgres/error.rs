//! The outcome of a sync, and the reasons why it fails.

use super::copy::Unstorable;
use super::schema::quoted;
use super::target::ConnectError;
use crate::reader::ReaderError;

/// A publication that a database has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// The publication.
    pub publication: u32,
    /// Its newest vintage.
    pub vintage: u32,
    /// The state of the home.
    pub n_commits: u64,
    /// What the sync changed; `None` if the database had the state.
    pub changed: Option<Changed>,
}

/// The number of rows that a sync changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The rows that came.
    pub n_new: u64,
    /// The rows with other values.
    pub n_changed: u64,
    /// The rows that went.
    pub n_gone: u64,
}

/// A sync that failed. The database has the publication from before.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// An error of the home.
    #[error(transparent)]
    Reader(Box<ReaderError>),
    /// The home has no publication.
    #[error("the home has no publication yet; ingest files first")]
    Empty,
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server ended the transaction or the connection.
    #[error("cannot write {target}, which keeps its publication; {}", advice(source))]
    Write {
        /// The address.
        target: String,
        /// The cause.
        source: postgres::Error,
    },
    /// The connection ended while rows were sent.
    #[error("cannot send rows to {target}, which keeps its publication; run the sync again")]
    Send {
        /// The address.
        target: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A value that the database cannot store.
    #[error(transparent)]
    Unstorable(#[from] Unstorable),
    /// Another process writes the schema.
    #[error("another sync is writing the schema {schema} of {target}; wait until it ends")]
    Locked {
        /// The address.
        target: String,
        /// The schema.
        schema: String,
    },
    /// The schema has tables of something else.
    #[error(
        "the schema {schema} of {target} has tables that no sync made; name another schema with \
         --schema"
    )]
    Foreign {
        /// The address.
        target: String,
        /// The schema.
        schema: String,
    },
    /// Another version of the program, or options with other columns, made the tables.
    #[error(
        "the tables in the schema {schema} of {target} have layout {found}, and this program \
         writes {expected}; name another schema with --schema, or drop this one: \
         DROP SCHEMA {} CASCADE",
        quoted(schema)
    )]
    Layout {
        /// The address.
        target: String,
        /// The schema.
        schema: String,
        /// Its layout.
        found: String,
        /// The layout of the program.
        expected: String,
    },
    /// The rows come from another home.
    #[error(
        "the schema {schema} of {target} has publication {publication} of another home; name \
         another schema with --schema, or the right home with --data"
    )]
    OtherHome {
        /// The address.
        target: String,
        /// The schema.
        schema: String,
        /// Its publication.
        publication: i64,
    },
    /// The database is ahead of the home.
    #[error(
        "the schema {schema} of {target} has vintage {found}, and the home has vintage {newest} \
         as its newest: this is an older copy of the home, or another home; name the right one \
         with --data, or another schema with --schema"
    )]
    Newer {
        /// The address.
        target: String,
        /// The schema.
        schema: String,
        /// The vintage of the database.
        found: i64,
        /// The vintage of the home.
        newest: i64,
    },
    /// The process was asked to stop.
    #[error("stopped before the publication was whole; {target} keeps the one from before")]
    Stopped {
        /// The address.
        target: String,
    },
}

impl From<ReaderError> for SyncError {
    fn from(error: ReaderError) -> Self {
        Self::Reader(Box::new(error))
    }
}

/// A result of a sync.
pub type Result<T> = std::result::Result<T, SyncError>;

/// What to do about a transaction that failed.
fn advice(error: &postgres::Error) -> &'static str {
    use postgres::error::SqlState;
    match error.code() {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "let the user create the schema: GRANT CREATE ON DATABASE, or make it the owner of \
             the schema"
        }
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => {
            "end the other session that locks a table, then run the sync again"
        }
        Some(code) if *code == SqlState::DISK_FULL => {
            "make room on its disk, then run the sync \
                                                       again"
        }
        _ => "run the sync again",
    }
}
