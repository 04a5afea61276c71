//! Folds as the manifest names them, and the input and output of folding.

use arrow_array::RecordBatch;

use super::{Part, Table};
use crate::domain::types::Year;
use crate::home::Publication;
use crate::home::durable::Stored;

/// A fold of a whole part of a year and later changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The table.
    pub table: Table,
    /// The year.
    pub year: Year,
    /// The publication of the whole part.
    pub first: Publication,
    /// The publication up to which parts were folded.
    pub last: Publication,
    /// The rows of that publication; `None` if they are no longer needed.
    pub rows: Option<FoldedRows>,
}

/// All rows of a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedRows {
    /// The number of rows.
    pub n_rows: u64,
    /// The file of the rows.
    pub file: Stored,
}

/// The rows that lead back from a fold to earlier publications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoPart {
    /// The table.
    pub table: Table,
    /// The year.
    pub year: Year,
    /// The publication of the whole part of the fold.
    pub first: Publication,
    /// The newest undone publication.
    pub newest: Publication,
    /// The publications that can be restored, in order.
    pub states: Vec<Publication>,
    /// Number of rows.
    pub n_rows: u64,
    /// The file of the rows.
    pub file: Stored,
}

/// The parts to fold.
pub(in crate::home) struct Folding<'a> {
    pub(in crate::home) table: Table,
    pub(in crate::home) year: Year,
    /// The publication of the whole part.
    pub(in crate::home) first: Publication,
    /// All rows, and the publication that left them.
    pub(in crate::home) base: (&'a Stored, Publication),
    /// The changes after them, in order.
    pub(in crate::home) changes: &'a [Part],
    /// The undo parts of the base, the newest last; the fold writes them into one file with the new
    /// ones.
    pub(in crate::home) undo: &'a [UndoPart],
    /// True if the rows of a publication are wanted. True for the last changes and for the start of
    /// each file that stays.
    pub(in crate::home) is_wanted: &'a dyn Fn(Publication) -> bool,
    /// The prefix of the file names, unique to this fold.
    pub(in crate::home) name: String,
}

/// The files that a fold wrote; they do not count before the manifest names them.
pub(in crate::home) struct Folded {
    /// The rows; `None` without changes: the rows of the base stay.
    pub(in crate::home) rows: Option<FoldedRows>,
    /// The undo part; `None` if no earlier publication is wanted.
    pub(in crate::home) undo: Option<UndoPart>,
}

/// The undo rows from a publication to the last wanted one before it.
pub(super) struct Step {
    pub(super) undoes: Publication,
    pub(super) state: Publication,
    pub(super) rows: RecordBatch,
}

/// The path of a file of the fold.
pub(super) fn path_of(folding: &Folding<'_>, what: &str) -> String {
    let Folding { table, year, name, .. } = folding;
    format!("published/{}/{year}/{name}{what}.parquet", table.name())
}

/// The number of a row, as Arrow counts it.
pub(super) fn position(row: usize) -> u32 {
    u32::try_from(row).expect("a year of a table has fewer than 2^32 rows and changes")
}
