//! Errors that stop the engine. Bad input is not among them (it is an [`super::Outcome`]).

use std::path::PathBuf;

use crate::dataflow::WorkerFailed;
use crate::domain::calendar::OutOfOrder;
use crate::domain::types::{Period, Vintage, Year};
use crate::feed::profile::ProfileError;
use crate::feed::reference::PlacesError;
use crate::feed::refused::Refused;
use crate::feed::source::FeedError;
use crate::feed::supply::SupplyError;
use crate::files::trouble::{advice, remark};
use crate::home::HomeError;
use crate::home::definition::DefinitionError;
use crate::home::options::SettingsError;
use crate::tables::export::ExportError;

/// The text of an error with its causes.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// An operation of the engine that failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The records of a file are damaged, and the engine needs them.
    #[error(
        "the records of {name} (vintage {vintage}) are damaged; `ingest` that file again to \
         restore them, or `withdraw {name}`"
    )]
    Records {
        /// The file.
        name: String,
        /// The vintage of the file.
        vintage: Vintage,
        /// The problem of its segment.
        source: Box<HomeError>,
    },
    /// The records of a file are damaged, and the file that may restore them cannot be read.
    #[error(
        "the records of {name} (vintage {vintage}) are damaged, and the file of its month cannot \
         be read to restore them"
    )]
    NotMended {
        /// The file.
        name: String,
        /// The vintage of the file.
        vintage: Vintage,
        /// The cause.
        source: Box<Refused>,
    },
    /// A stop request arrived while the engine opened the home.
    #[error("asked to stop while the home was being opened")]
    Stopped,
    /// The definition of the figures.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The options.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The feed's layout.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The reference tables.
    #[error(transparent)]
    Places(#[from] PlacesError),
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The dataflow.
    #[error(transparent)]
    Worker(#[from] WorkerFailed),
    /// A month that cannot close.
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
    /// The firm-year file.
    #[error("{} cannot be used", path.display())]
    Supply {
        /// The file.
        path: PathBuf,
        /// The line and the problem.
        source: SupplyError,
    },
    /// The firm-year file cannot be read.
    #[error("cannot read the firm-year file {}{}", path.display(), remark(path, source))]
    ReadSupply {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A reference table differs from the table behind the home's figures.
    #[error(
        "{table} in the feed's folder differs from the table that defines the home's figures; \
         restore the earlier table, `rebuild` the home, or name another home with --data; rows \
         can be added, but {difference}"
    )]
    ReferenceDiffers {
        /// The table.
        table: String,
        /// The first difference.
        difference: String,
    },
    /// A row of the table of renumbered firms gives lines that were read to another firm.
    #[error(
        "firms.csv gives the lines of firm {firm} from {from} on to another firm, and {file} of \
         the home has such lines; `rebuild` the home with --tables, restore the earlier table, or \
         name another home with --data"
    )]
    Renumbered {
        /// The identifier.
        firm: String,
        /// The first such month.
        from: Period,
        /// A file with such lines.
        file: String,
    },
    /// A reference table is present that the home's figures were computed without.
    #[error(
        "{table} is in the feed's folder, but the home's figures were made without it; move it \
         away, or ingest the feed into another home with --data"
    )]
    ReferenceNew {
        /// The table.
        table: String,
    },
    /// A reference table has other codes than the table that lines were read with.
    #[error(
        "{table} lacks codes that the table of the home has, or gives them another meaning: \
         {difference}; codes can be added, but a rebuild cannot read accepted lines again: ingest \
         the feed into another home with --data"
    )]
    OtherCodes {
        /// The table.
        table: String,
        /// The first difference.
        difference: String,
    },
    /// A new row of the reference tables that gives another meaning to what lines were read by.
    #[error(
        "the reference tables give {what} another meaning, by which lines were read; take the new \
         row out, or ingest the feed into another home with --data"
    )]
    OtherMeaning {
        /// The code with another meaning.
        what: String,
    },
    /// No counted file has the name.
    #[error(
        "no file that counts is called {name}; give a name that `export files` lists, without a \
         folder"
    )]
    NoSuchFile {
        /// The requested name.
        name: String,
    },
    /// Several counted files have the name.
    #[error(
        "{} files that count are called {name}: vintages {}; choose one with --vintage",
        vintages.len(),
        listed(vintages)
    )]
    SeveralFiles {
        /// The requested name.
        name: String,
        /// Their vintages.
        vintages: Vec<Vintage>,
    },
    /// The sum of records that would count under other options exceeds the range.
    #[error(
        "under these options the amounts of all records exceed 2^62 cents, the range of exact \
         sums; nothing was changed"
    )]
    PastRange,
    /// A vintage that can no longer be computed.
    #[error(
        "vintage {vintage} was published only together with later files, and the home was rebuilt \
         with other exclusions, so it cannot be recomputed; ask for vintage {before}"
    )]
    BeforeRebuild {
        /// The requested vintage.
        vintage: Vintage,
        /// The newest published vintage before it.
        before: Vintage,
    },
    /// A published vintage is no longer stored and cannot be replayed.
    #[error(
        "the tables of vintage {vintage} are no longer stored (option retention) and cannot be \
         recomputed; choose a stored vintage: {}",
        neighbours(*before, *after)
    )]
    NotStored {
        /// The requested vintage.
        vintage: Vintage,
        /// The newest stored vintage before it.
        before: Option<Vintage>,
        /// The first stored vintage after it.
        after: Option<Vintage>,
        /// The reason why it cannot be replayed.
        source: Box<EngineError>,
    },
    /// The published figures of an earlier version differ from the records.
    #[error(
        "the figures of {table} {year} from an earlier version differ from those of the records; \
         nothing was changed: run `verify`"
    )]
    OtherFigures {
        /// The table.
        table: &'static str,
        /// The year.
        year: Year,
    },
    /// A published table cannot be read.
    #[error(transparent)]
    Table(#[from] ExportError),
    /// No temporary folder can be created.
    #[error(
        "cannot make a temporary folder; {}",
        advice(&std::env::temp_dir(), _0, "set TMPDIR to a folder that can be written")
    )]
    Temporary(#[source] std::io::Error),
    /// The home has no file, so no month can close.
    #[error("the home has no file yet; ingest a feed first")]
    Empty,
    /// Published rows do not fit their schema.
    #[error("published rows do not fit their columns: a defect, please report it")]
    Columns(#[from] arrow_schema::ArrowError),
}

impl EngineError {
    /// True if the disk or a quota is full; free space is then the only remedy needed.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        matches!(self, Self::Home(error) if error.is_no_room())
    }
}

fn neighbours(before: Option<Vintage>, after: Option<Vintage>) -> String {
    let found = before.into_iter().chain(after).map(|vintage| vintage.to_string());
    found.collect::<Vec<_>>().join(" and ")
}

fn listed(vintages: &[Vintage]) -> String {
    vintages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
