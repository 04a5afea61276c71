//! A table at a publication: all rows of a year, with later changes or undo parts as layers.
//!
//! ```text
//! base ─▶ layer ─▶ layer    read from the top down: a row counts if no layer above has its key and
//!   │ keys seen ◀────┘      it is not a removal; `removed` is left out of the result
//! ```

use std::path::{Path, PathBuf};

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use rustc_hash::FxHashSet;

use super::chain::{Chain, Layer};
use super::keys::{Key, Keys};
use super::undo::by_step;
use super::{PartRows, REMOVED, Table, read_part, removed};
use crate::home::Publication;
use crate::home::error::{HomeError, Result};

/// The rows of one year of a table, in batches: by part, and in the order of each part.
///
/// Memory is bounded by the layers, their keys, and a row group of the base.
#[derive(Debug)]
pub struct YearStream {
    base: PartRows,
    path: PathBuf,
    overlay: Overlay,
    above: std::vec::IntoIter<RecordBatch>,
}

impl YearStream {
    /// Opens the files of a year after a check of their hashes, and reads its layers.
    ///
    /// # Errors
    /// Those of [`read_part`], and [`HomeError::Overlay`] if the files do not fit together.
    pub fn open(home: &Path, table: Table, chain: &Chain) -> Result<Self> {
        let mut overlay = Overlay::of(table);
        let mut above = Vec::new();
        for layer in chain.layers.iter().rev() {
            let (file, undone_to) = match layer {
                Layer::Changes(file) => (file, None),
                Layer::Undo { file, to } => (file, Some(*to)),
            };
            let batches = read_part(home, file)?;
            let rows = match undone_to {
                None => overlay.below(&batches),
                Some(to) => overlay.below_undone(&batches, to),
            };
            let misfit = |source| HomeError::Overlay { path: home.join(&file.path), source };
            above.push(rows.map_err(misfit)?);
        }
        let above: Vec<RecordBatch> = above.into_iter().rev().flatten().collect();
        let base = PartRows::open(home, &chain.base)?;
        let path = home.join(&chain.base.path);
        Ok(Self { base, path, overlay, above: above.into_iter() })
    }

    fn next_of_base(&mut self) -> Option<Result<RecordBatch>> {
        let batch = match self.base.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        let rows = self.overlay.left_of(&batch);
        Some(rows.map_err(|source| HomeError::Overlay { path: self.path.clone(), source }))
    }
}

impl Iterator for YearStream {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let batch = self.next_of_base().or_else(|| self.above.next().map(Ok))?;
            if !batch.as_ref().is_ok_and(|batch| batch.num_rows() == 0) {
                return Some(batch);
            }
        }
    }
}

/// The keys of the layers above the current one.
#[derive(Debug)]
struct Overlay {
    keys: Keys,
    seen: FxHashSet<Key>,
}

impl Overlay {
    fn of(table: Table) -> Self {
        Self { keys: Keys::of(table), seen: FxHashSet::default() }
    }

    /// The rows of a layer that no higher layer hides; adds the layer's keys for the lower ones.
    fn below(
        &mut self,
        batches: &[RecordBatch],
    ) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
        let mut keys_of_layer = Vec::new();
        let mut rows = Vec::with_capacity(batches.len());
        for batch in batches {
            let keys = self.keys.of_rows(batch)?;
            rows.push(visible(batch, |row| self.sees(Some(keys[row])))?);
            keys_of_layer.extend(keys);
        }
        self.seen.extend(keys_of_layer);
        Ok(rows)
    }

    /// Does the work of [`Overlay::below`] for the undo rows of publications after `to`.
    fn below_undone(
        &mut self,
        batches: &[RecordBatch],
        to: Publication,
    ) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
        let mut steps: Vec<(Publication, RecordBatch)> = Vec::new();
        for batch in batches {
            steps.extend(by_step(batch)?);
        }
        let mut rows = Vec::new();
        // The newest step comes first. A step may continue in the next batch and has each key once.
        steps.retain(|(undoes, _)| *undoes > to);
        for (_, step) in steps.iter().rev() {
            rows.extend(self.below(std::slice::from_ref(step))?);
        }
        Ok(rows)
    }

    /// The rows of a batch of the base that no layer hides.
    fn left_of(&self, batch: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
        let keys = if self.seen.is_empty() { Vec::new() } else { self.keys.known(batch)? };
        let is_seen = |row: usize| keys.get(row).is_some_and(|key| self.sees(*key));
        visible(batch, is_seen)
    }

    fn sees(&self, key: Option<Key>) -> bool {
        key.is_some_and(|key| self.seen.contains(&key))
    }
}

/// The rows of a batch that are not removed and that no higher layer has.
fn visible(
    batch: &RecordBatch,
    is_seen: impl Fn(usize) -> bool,
) -> std::result::Result<RecordBatch, ArrowError> {
    let removed = removed(batch)?;
    let stays: Vec<bool> =
        (0..batch.num_rows()).map(|row| !removed.value(row) && !is_seen(row)).collect();
    let mut rows = batch.clone();
    rows.remove_column(batch.schema().index_of(REMOVED)?);
    if stays.iter().all(|&stays| stays) {
        return Ok(rows);
    }
    filter_record_batch(&rows, &BooleanArray::from(stays))
}

#[cfg(test)]
mod tests;
