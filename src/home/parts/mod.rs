//! Parts: the stored form of the published tables, a year as a whole or its later changes.
//!
//! ```text
//! published/plant/2010/000012.parquet   whole   │ firm … removed = false
//!                      000013.parquet   changes │ firm … removed = true: gone
//!                          │                             removed = false: new or replaced
//!                          └─▶ overlay: the newest row of each key, as of a publication
//!
//! folded: 12, 13, 14 ─▶ 000014-000061.parquet  the rows of 14, as a whole
//!                       000014-000061-undo.parquet  what 14 and 13 took the place of
//! ```
//! Invariants: a part never changes. To keep earlier publications, a fold (`fold.rs`) has the rows
//! of its newest part, and for each of its parts the way back to the previous one.

mod chain;
mod fold;
mod overlay;
mod undo;
mod write;

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

pub use chain::{Chain, Layer};
pub(in crate::home) use chain::{Folds, chains, not_stored};
pub(in crate::home) use fold::{Fold, FoldedRows, Folding, UndoPart, fold};
pub use overlay::{KEYS_MAX, YearStream};
pub use write::PartWriter;

use super::Publication;
use super::durable::Stored;
use super::error::{ArchiveError, Result};
use crate::domain::types::Year;

/// The column that says whether a row is gone; the first of every part, and of no table.
pub const REMOVED: &str = "removed";

/// Rows of a row group and of a batch: some megabytes each.
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
    /// Its name in the manifest, in paths and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Plant => "plant",
        }
    }

    /// Both of them.
    pub const ALL: [Self; 2] = [Self::City, Self::Plant];

    /// The columns that tell the rows of a year apart.
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
    /// All its figures, as published: homes up to layout 3 of the manifest.
    Figures,
    /// What its figures are made from, by the formulas of `indicators` and `publish` as they are.
    ///
    /// Formulas that give other figures need another layout: rows of this one then keep the
    /// formulas that they name, or are refused. Published figures stay the same.
    Facts,
}

impl Layout {
    /// Both of them.
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

/// What the rows of a part are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// All rows of the year.
    Whole,
    /// Rows that are new, replaced or removed since the part before.
    Changes,
}

impl PartKind {
    /// Both of them.
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

/// Rows of one year of a table, as one publication wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The table.
    pub table: Table,
    /// The year of the rows.
    pub year: Year,
    /// The publication that wrote them.
    pub publication: Publication,
    /// The kind of the rows.
    pub kind: PartKind,
    /// The stored form of the rows.
    pub layout: Layout,
    /// How many months of the year the figures stand for.
    pub months: u8,
    /// Number of rows, removals included.
    pub n_rows: u64,
    /// Where they are, or were before they were folded.
    pub file: Stored,
    /// Of a whole part that was written for its layout alone: the hashes of the parts before, which
    /// held the same figures; of a table that these needed nothing of, none.
    pub stands_for: Option<Vec<String>>,
}

impl Part {
    /// What tells the figures of a year from others, part by part: the hashes of the parts as they
    /// were published.
    pub fn hashes(&self) -> impl Iterator<Item = &str> {
        let own = self.stands_for.as_deref().unwrap_or(std::slice::from_ref(&self.file.hash));
        own.iter().map(String::as_str)
    }
}

/// Of the parts of a table, in order of year and publication, those that it is read from: of each
/// year the newest whole one, and the changes after it.
#[must_use]
pub fn in_use(parts: &[Part]) -> Vec<Part> {
    let mut in_use = Vec::with_capacity(parts.len());
    for of_year in parts.chunk_by(|a, b| a.year == b.year) {
        let whole = of_year.iter().rposition(|part| part.kind == PartKind::Whole);
        in_use.extend_from_slice(&of_year[whole.unwrap_or(0)..]);
    }
    in_use
}

/// The rows of a file of a table with the column [`REMOVED`], after checking its hash.
///
/// # Errors
/// - [`ArchiveError::Read`] if the file is missing or unreadable.
/// - [`ArchiveError::Corrupt`] if its bytes are not those that were written.
/// - [`ArchiveError::Decode`] if they are, and this version cannot read them.
pub fn read_part(home: &Path, file: &Stored) -> Result<Vec<RecordBatch>> {
    PartRows::open(home, file)?.collect()
}

/// The rows of a file of a table, a batch at a time.
///
/// Bounded memory: a row group.
#[derive(Debug)]
pub(in crate::home) struct PartRows {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
}

impl PartRows {
    /// Opens a file after checking its hash.
    ///
    /// # Errors
    /// Those of [`read_part`].
    pub(in crate::home) fn open(home: &Path, file: &Stored) -> Result<Self> {
        let open = file.open(home)?;
        let path = home.join(&file.path);
        let reader = ParquetRecordBatchReaderBuilder::try_new(open)
            .and_then(|builder| builder.with_batch_size(ROWS_MAX).build());
        let reader = reader.map_err(|source| ArchiveError::decode(&path, source))?;
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
        Some(batch.map_err(|source| ArchiveError::decode(&self.path, source)))
    }
}
