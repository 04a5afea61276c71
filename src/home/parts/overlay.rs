//! A table as of a publication: all rows of a year with later changes, or what is undone, on top.
//!
//! ```text
//! base ─▶ layer ─▶ layer    read from the top down: a row counts if no layer above has its key and
//!   │ keys seen ◀────┘      it is not a removal; `removed` is left out of the result
//! ```

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use rustc_hash::{FxHashMap, FxHashSet};

use super::chain::{Chain, Layer};
use super::{REMOVED, Table, read_part};
use crate::domain::types::Year;
use crate::home::Publication;
use crate::home::durable::Stored;
use crate::home::error::{ArchiveError, Result};

/// The column that says which publication a row undoes.
pub(super) const UNDOES: &str = "undoes";

/// How many columns a key may have.
pub const KEYS_MAX: usize = 4;

pub(super) type Key = [u64; KEYS_MAX];

/// The rows of one year of a table.
#[derive(Clone, Debug)]
pub struct YearRows {
    /// The year.
    pub year: Year,
    /// How many months of it the figures stand for.
    pub months: u8,
    /// The rows: by part, and within a part as it was written.
    pub batches: Vec<RecordBatch>,
}

/// The years of a table in order, each read when asked for.
#[derive(Clone, Debug)]
pub struct TableYears {
    home: PathBuf,
    table: Table,
    chains: std::vec::IntoIter<Chain>,
}

impl TableYears {
    /// The years of some chains of a table.
    #[must_use]
    pub fn new(home: &Path, table: Table, chains: Vec<Chain>) -> Self {
        Self { home: home.to_owned(), table, chains: chains.into_iter() }
    }

    /// Bounded memory: one year, and the keys of its layers.
    fn resolve(&self, chain: &Chain) -> Result<Vec<RecordBatch>> {
        let mut overlay = Overlay::of(self.table);
        let mut rows = Vec::new();
        for layer in chain.layers.iter().rev() {
            match layer {
                Layer::Changes(file) => rows.push(self.below(&mut overlay, file, None)?),
                Layer::Undo { file, to } => rows.push(self.below(&mut overlay, file, Some(*to))?),
            }
        }
        rows.push(self.base(&mut overlay, &chain.base)?);
        Ok(rows.into_iter().rev().flatten().filter(|batch| batch.num_rows() > 0).collect())
    }

    /// The rows of a file that the layers above leave.
    fn below(
        &self,
        overlay: &mut Overlay,
        file: &Stored,
        undone_to: Option<Publication>,
    ) -> Result<Vec<RecordBatch>> {
        let batches = read_part(&self.home, file)?;
        let rows = match undone_to {
            None => overlay.below(&batches),
            Some(to) => undone(&batches, to).and_then(|steps| {
                let steps = steps.iter().rev();
                let rows = steps.map(|step| overlay.below(std::slice::from_ref(step)));
                let rows: std::result::Result<Vec<_>, _> = rows.collect();
                Ok(rows?.into_iter().flatten().collect())
            }),
        };
        rows.map_err(|source| self.misfit(file, source))
    }

    /// The rows of the lowest file that the layers leave.
    fn base(&self, overlay: &mut Overlay, file: &Stored) -> Result<Vec<RecordBatch>> {
        let batches = read_part(&self.home, file)?;
        let rows = batches.iter().map(|batch| overlay.left_of(batch));
        let rows: std::result::Result<Vec<_>, _> = rows.collect();
        rows.map_err(|source| self.misfit(file, source))
    }

    fn misfit(&self, file: &Stored, source: ArrowError) -> ArchiveError {
        ArchiveError::Overlay { path: self.home.join(&file.path), source }
    }
}

/// What is undone after a publication, the newest first, without the column that says of which.
pub(super) fn undone(
    batches: &[RecordBatch],
    to: Publication,
) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let mut rows = concat_batches(&first.schema(), batches)?;
    let at = rows.schema().index_of(UNDOES)?;
    let undoes = rows.remove_column(at);
    let undoes = undoes.as_primitive_opt::<UInt32Type>();
    let none = || ArrowError::SchemaError(format!("no column of numbers {UNDOES}"));
    let undoes = undoes.ok_or_else(none)?.values();
    let mut steps = Vec::new();
    let mut start = 0;
    for same in undoes.chunk_by(|a, b| a == b) {
        if same[0] > to.0 {
            steps.push(rows.slice(start, same.len()));
        }
        start += same.len();
    }
    Ok(steps)
}

impl Iterator for TableYears {
    type Item = Result<YearRows>;

    fn next(&mut self) -> Option<Self::Item> {
        let chain = self.chains.next()?;
        let (year, months) = (chain.year, chain.months);
        Some(self.resolve(&chain).map(|batches| YearRows { year, months, batches }))
    }
}

/// The keys of the layers on top of the one that is looked at.
struct Overlay {
    keys: Keys,
    seen: FxHashSet<Key>,
}

impl Overlay {
    fn of(table: Table) -> Self {
        Self { keys: Keys::of(table), seen: FxHashSet::default() }
    }

    /// The rows of a layer that those above leave, and the layer's keys added for what is below.
    fn below(
        &mut self,
        batches: &[RecordBatch],
    ) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
        let mut keys_of_layer = Vec::new();
        let mut rows = Vec::with_capacity(batches.len());
        for batch in batches {
            let keys = self.keys.of_rows(batch)?;
            rows.push(self.visible(batch, &keys)?);
            keys_of_layer.extend(keys);
        }
        self.seen.extend(keys_of_layer);
        Ok(rows)
    }

    /// The rows of a batch at the bottom that the layers leave.
    fn left_of(&mut self, batch: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
        let keys = if self.seen.is_empty() { Vec::new() } else { self.keys.of_rows(batch)? };
        self.visible(batch, &keys)
    }

    fn visible(
        &self,
        batch: &RecordBatch,
        keys: &[Key],
    ) -> std::result::Result<RecordBatch, ArrowError> {
        let removed = removed(batch)?;
        let stays = |(row, key)| !removed.value(row) && !self.seen.contains(key);
        let stays: Vec<bool> = keys.iter().enumerate().map(stays).collect();
        let mut rows = batch.clone();
        rows.remove_column(batch.schema().index_of(REMOVED)?);
        if stays.iter().all(|&stays| stays) {
            return Ok(rows);
        }
        filter_record_batch(&rows, &BooleanArray::from(stays))
    }
}

/// Which rows are removals.
pub(super) fn removed(batch: &RecordBatch) -> std::result::Result<&BooleanArray, ArrowError> {
    let column = batch.column_by_name(REMOVED).and_then(|column| column.as_boolean_opt());
    column.ok_or_else(|| ArrowError::SchemaError(format!("no column of truths {REMOVED}")))
}

/// Gives keys numbers, the same for the same key in every file.
#[derive(Debug)]
pub(super) struct Keys {
    names: &'static [&'static str],
    texts: FxHashMap<Box<str>, u64>,
}

/// The number of a text that is absent.
const ABSENT: u64 = u64::MAX;

impl Keys {
    pub(super) fn of(table: Table) -> Self {
        Self { names: table.key(), texts: FxHashMap::default() }
    }

    pub(super) fn of_rows(
        &mut self,
        batch: &RecordBatch,
    ) -> std::result::Result<Vec<Key>, ArrowError> {
        let mut keys = vec![Key::default(); batch.num_rows()];
        for (at, name) in self.names.iter().enumerate() {
            let column = batch.column(batch.schema().index_of(name)?);
            for (key, code) in keys.iter_mut().zip(self.codes(column)?) {
                key[at] = code;
            }
        }
        Ok(keys)
    }

    /// A number for each row of a column, the same for the same text.
    fn codes(&mut self, column: &dyn Array) -> std::result::Result<Vec<u64>, ArrowError> {
        match column.data_type() {
            DataType::Utf8 => {
                let texts = column.as_string::<i32>().iter();
                Ok(texts.map(|text| text.map_or(ABSENT, |text| self.text(text))).collect())
            }
            other => Err(ArrowError::InvalidArgumentError(format!("{other} is no type of a key"))),
        }
    }

    fn text(&mut self, text: &str) -> u64 {
        if let Some(&code) = self.texts.get(text) {
            return code;
        }
        let code = self.texts.len() as u64;
        self.texts.insert(text.into(), code);
        code
    }
}

#[cfg(test)]
mod tests;
