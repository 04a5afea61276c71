//! Parts: the stored form of the published tables, a year as a whole or its later changes.
//!
//! ```text
//! published/plant/2010/000012.parquet   whole   │ firm … removed = false
//!                      000013.parquet   changes │ firm … removed = true: gone
//!                          │                             removed = false: new or replaced
//!                          └─▶ overlay: the newest row of each key at a publication
//!
//! folded: 12, 13, 14 ─▶ 000014-000061.parquet  all rows of 14
//!                       000014-000061-undo.parquet  the rows that 14 and 13 replaced
//! ```
//! Invariants: a part never changes. To keep earlier publications, a fold (`fold.rs`) has the rows
//! of its newest part, and for each of its parts the undo rows of the previous one.

mod chain;
mod fold;
mod folded;
mod keys;
mod overlay;
mod undo;
mod write;

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

pub use chain::{Chain, Layer};
pub(in crate::home) use chain::{Folds, chains, not_stored};
pub(in crate::home) use fold::fold;
pub(in crate::home) use folded::{Fold, FoldedRows, Folding, UndoPart};
pub use keys::KEYS_MAX;
pub use overlay::YearStream;
pub use write::PartWriter;

use super::Publication;
use super::durable::Stored;
use super::error::{HomeError, Result};
use crate::domain::types::Year;

/// The column that marks removed rows: the first column of every part, and of no table.
pub const REMOVED: &str = "removed";

/// The number of rows of a row group and of a batch: some megabytes each.
const ROWS_MAX: usize = 1 << 15;

/// A published table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// City × destination × year.
    City,
    /// Plant × destination × year.
    Plant,
}

impl Table {
    /// The name in the manifest, in paths and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Plant => "plant",
        }
    }

    /// Both tables.
    pub const ALL: [Self; 2] = [Self::City, Self::Plant];

    /// The key columns of the rows of a year.
    #[must_use]
    pub fn key(self) -> &'static [&'static str] {
        match self {
            Self::City => &["city", "country"],
            Self::Plant => &["firm", "city", "country"],
        }
    }
}

/// The stored form of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// All figures of the row, as published: homes up to layout 3 of the manifest.
    Figures,
    /// The facts behind the row's figures, for the current formulas of `indicators` and `tables`.
    ///
    /// Formulas with other figures need another layout: rows of this layout then keep their
    /// formulas, or are refused. Published figures stay the same.
    Facts,
}

impl Layout {
    /// Both layouts.
    pub const ALL: [Self; 2] = [Self::Figures, Self::Facts];

    /// The name in the manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Figures => "figures",
            Self::Facts => "facts-1",
        }
    }
}

/// The kind of a part's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// All rows of the year.
    Whole,
    /// Rows that are new, replaced or removed since the previous part.
    Changes,
}

impl PartKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Whole, Self::Changes];

    /// The name in the manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Changes => "changes",
        }
    }
}

/// The rows of one year of a table, written by one publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The table.
    pub table: Table,
    /// The year of the rows.
    pub year: Year,
    /// The publication of the part.
    pub publication: Publication,
    /// The kind of the rows.
    pub kind: PartKind,
    /// The stored form of the rows.
    pub layout: Layout,
    /// The number of closed months behind the figures.
    pub months: u8,
    /// The number of rows, including removals.
    pub n_rows: u64,
    /// The file of the rows, before any fold.
    pub file: Stored,
    /// The hashes of the earlier parts with the same figures, for a whole part that was written
    /// only for its layout; empty for a table that needed none.
    pub stands_for: Option<Vec<String>>,
}

impl Part {
    /// The identity of the figures of a year, part by part: the hashes of the parts as published.
    pub fn hashes(&self) -> impl Iterator<Item = &str> {
        let own = self.stands_for.as_deref().unwrap_or(std::slice::from_ref(&self.file.hash));
        own.iter().map(String::as_str)
    }
}

/// The parts of a table that are read, in order of year and publication: each year's newest whole
/// part, and the changes after it.
#[must_use]
pub fn in_use(parts: &[Part]) -> Vec<Part> {
    let mut in_use = Vec::with_capacity(parts.len());
    for of_year in parts.chunk_by(|a, b| a.year == b.year) {
        let whole = of_year.iter().rposition(|part| part.kind == PartKind::Whole);
        in_use.extend_from_slice(&of_year[whole.unwrap_or(0)..]);
    }
    in_use
}

/// The rows of a file of a table with the column [`REMOVED`], after a check of its hash.
///
/// # Errors
/// - [`HomeError::Read`] if the file is missing or unreadable.
/// - [`HomeError::Corrupt`] if its hash differs.
/// - [`HomeError::Decode`] if the hash is right, and this version cannot read the file.
pub fn read_part(home: &Path, file: &Stored) -> Result<Vec<RecordBatch>> {
    PartRows::open(home, file)?.collect()
}

/// The rows of a file of a table, in batches.
///
/// Memory is bounded by a row group.
#[derive(Debug)]
pub(in crate::home) struct PartRows {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
}

impl PartRows {
    /// Opens a file after a check of its hash.
    ///
    /// # Errors
    /// Those of [`read_part`].
    pub(in crate::home) fn open(home: &Path, file: &Stored) -> Result<Self> {
        let open = file.open(home)?;
        let path = home.join(&file.path);
        let reader = ParquetRecordBatchReaderBuilder::try_new(open)
            .and_then(|builder| builder.with_batch_size(ROWS_MAX).build());
        let reader = reader.map_err(|source| HomeError::decode(&path, source))?;
        Ok(Self { path, reader })
    }

    pub(in crate::home) fn schema(&self) -> SchemaRef {
        use arrow_array::RecordBatchReader;
        self.reader.schema()
    }
}

impl Iterator for PartRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|source| HomeError::decode(&self.path, source)))
    }
}

/// The column that marks removals.
fn removed(batch: &RecordBatch) -> std::result::Result<&BooleanArray, ArrowError> {
    let column = batch.column_by_name(REMOVED).and_then(|column| column.as_boolean_opt());
    column.ok_or_else(|| ArrowError::SchemaError(format!("no column of truths {REMOVED}")))
}
