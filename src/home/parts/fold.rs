//! Folding: replaces a whole part of a year and its later changes by their resulting rows and by
//! parts that undo each publication.
//!
//! ```text
//! 12 whole ─ 13 changes ─ 14 changes   ─▶   rows of 14 ─ undo 14 ─ undo 13
//! ```
//! The undo part of a publication has the rows that it replaced, and removals of the rows that it
//! added. It has as many rows as the changes: folding does not grow a home, and the newest rows are
//! in one file. Publications that are no longer stored are skipped: the next undo leads back past
//! them.
//!
//! Memory is bounded by the changes, the rows that they change, and a row group. The base and
//! earlier undo parts are read and written batch by batch, except for steps that are merged.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::interleave::interleave_record_batch;
use arrow_select::take::take_record_batch;
use rustc_hash::FxHashMap;

use super::folded::{Folded, FoldedRows, Folding, Step, path_of, position};
use super::keys::{Key, Keys};
use super::undo::UndoWriter;
use super::write::RowsWriter;
use super::{PartRows, REMOVED, read_part, removed};
use crate::home::error::{HomeError, Result};

/// The changes of a fold, and the rows of the base that they change.
struct Pool {
    /// The rows of the base, followed by the changes.
    rows: RecordBatch,
    removed: BooleanArray,
    /// The current row of each changed key, if there is one.
    current: FxHashMap<Key, Option<usize>>,
}

/// Folds changes.
///
/// # Errors
/// - [`HomeError::Read`], [`HomeError::Corrupt`], [`HomeError::Decode`],
///   [`HomeError::Overlay`] if a part is missing, damaged or foreign.
/// - [`HomeError::Write`], [`HomeError::Encode`], [`HomeError::Sync`] if a file cannot be
///   written.
pub(in crate::home) fn fold(home: &Path, folding: &Folding<'_>) -> Result<Folded> {
    let path = home.join(&folding.base.0.path);
    let misfit = |source| HomeError::Overlay { path: path.clone(), source };
    let mut rows = None;
    let mut steps = Vec::new();
    if !folding.changes.is_empty() {
        let base = PartRows::open(home, folding.base.0)?;
        let changes = Changes::read(home, folding, &base.schema())?;
        let mut writer = RowsWriter::create(home, path_of(folding, ""), base.schema())?;
        let touched = changes.write_folded(base, &mut writer, &misfit)?;
        let n_rows = writer.n_rows();
        rows = Some(FoldedRows { n_rows, file: writer.finish()? });
        let mut pool = Pool::of(&changes, touched).map_err(misfit)?;
        steps = pool.fold(folding, &changes.layers).map_err(misfit)?;
        steps.reverse();
    }
    let mut undo = UndoWriter::new(home, folding, &steps);
    for step in steps {
        undo.step(step.undoes, step.state)?;
        undo.rows(step.rows)?;
    }
    for part in folding.undo.iter().rev() {
        undo.part(part)?;
    }
    Ok(Folded { rows, undo: undo.finish()? })
}

/// The changes, in order.
struct Changes {
    rows: RecordBatch,
    keys: Keys,
    /// For each change, its rows with their keys.
    layers: Vec<KeyedRows>,
    /// The last row of each key; `None` for a removal.
    last: FxHashMap<Key, Option<usize>>,
}

/// The rows of a change, each with its key.
type KeyedRows = Vec<(usize, Key)>;

/// Changed rows of the base, each with its key.
#[derive(Default)]
struct Touched {
    batches: Vec<RecordBatch>,
    keys: Vec<Key>,
}

impl Changes {
    fn read(home: &Path, folding: &Folding<'_>, schema: &SchemaRef) -> Result<Self> {
        let mut keys = Keys::of(folding.table);
        let (mut all, mut layers, mut at) = (Vec::new(), Vec::new(), 0);
        for part in folding.changes {
            let misfit = |source| HomeError::Overlay { path: home.join(&part.file.path), source };
            let mut layer = Vec::new();
            for batch in read_part(home, &part.file)? {
                layer.extend((at..).zip(keys.of_rows(&batch).map_err(misfit)?));
                at += batch.num_rows();
                all.push(batch);
            }
            layers.push(layer);
        }
        let misfit = |source| HomeError::Overlay { path: home.join(&folding.name), source };
        let rows = concat_batches(schema, &all).map_err(misfit)?;
        let removed = removed(&rows).map_err(misfit)?;
        let mut last = FxHashMap::default();
        for &(row, key) in layers.iter().flatten() {
            last.insert(key, (!removed.value(row)).then_some(row));
        }
        Ok(Self { rows, keys, layers, last })
    }

    /// Writes the remaining rows in the order of the base, with new ones at the end.
    fn write_folded(
        &self,
        base: PartRows,
        writer: &mut RowsWriter,
        misfit: &impl Fn(ArrowError) -> HomeError,
    ) -> Result<Touched> {
        let mut touched = Touched::default();
        let mut is_new: FxHashMap<Key, usize> = FxHashMap::default();
        is_new.extend(self.last.iter().filter_map(|(key, row)| Some((*key, (*row)?))));
        for batch in base {
            let batch = batch?;
            let keys = self.keys.known(&batch).map_err(misfit)?;
            let of_change = |key: Option<Key>| Some((key?, *self.last.get(&key?)?));
            let (mut order, mut changed) = (Vec::with_capacity(keys.len()), Vec::new());
            for (row, key) in keys.into_iter().enumerate() {
                let Some((key, now)) = of_change(key) else {
                    order.push((0, row));
                    continue;
                };
                order.extend(now.map(|now| (1, now)));
                is_new.remove(&key);
                changed.push(position(row));
                touched.keys.push(key);
            }
            if changed.is_empty() {
                writer.write(&batch)?;
                continue;
            }
            let rows = interleave_record_batch(&[&batch, &self.rows], &order).map_err(misfit)?;
            writer.write(&rows)?;
            let rows = take_record_batch(&batch, &UInt32Array::from(changed)).map_err(misfit)?;
            touched.batches.push(rows);
        }
        let mut new: Vec<u32> = is_new.into_values().map(position).collect();
        new.sort_unstable();
        let rows = take_record_batch(&self.rows, &UInt32Array::from(new)).map_err(misfit)?;
        writer.write(&rows)?;
        Ok(touched)
    }
}

impl Pool {
    /// The changes, with the rows that each changed key has before all of them.
    fn of(changes: &Changes, touched: Touched) -> std::result::Result<Self, ArrowError> {
        let all = touched.batches.iter().chain([&changes.rows]);
        let rows = concat_batches(&changes.rows.schema(), all)?;
        let removed = removed(&rows)?.clone();
        let mut current: FxHashMap<Key, Option<usize>> = FxHashMap::default();
        current.extend(changes.last.keys().map(|key| (*key, None)));
        current.extend(touched.keys.into_iter().enumerate().map(|(row, key)| (key, Some(row))));
        Ok(Self { rows, removed, current })
    }

    /// Applies the changes; returns the undo step of each, in order.
    fn fold(
        &mut self,
        folding: &Folding<'_>,
        layers: &[KeyedRows],
    ) -> std::result::Result<Vec<Step>, ArrowError> {
        let n_touched = self.rows.num_rows() - layers.iter().map(Vec::len).sum::<usize>();
        let mut steps = Vec::new();
        let mut state = folding.base.1;
        // The earlier row of each key changed since that publication, and one row with the key.
        let mut before: FxHashMap<Key, (Option<usize>, usize)> = FxHashMap::default();
        for (part, layer) in folding.changes.iter().zip(layers) {
            for &(row, key) in layer {
                let row = n_touched + row;
                let now = (!self.removed.value(row)).then_some(row);
                let was = self.current.insert(key, now).flatten();
                before.entry(key).or_insert((was, row));
            }
            let is_last = part.publication == folding.changes[layers.len() - 1].publication;
            if !is_last && !(folding.is_wanted)(part.publication) {
                continue;
            }
            let rows = self.step(std::mem::take(&mut before).into_values().collect())?;
            steps.push(Step { undoes: part.publication, state, rows });
            state = part.publication;
        }
        Ok(steps)
    }

    /// The rows to restore, and removals of rows that did not exist.
    fn step(
        &self,
        mut before: Vec<(Option<usize>, usize)>,
    ) -> std::result::Result<RecordBatch, ArrowError> {
        before.sort_unstable_by_key(|&(was, row)| was.unwrap_or(row));
        let at = before.iter().map(|&(was, row)| position(was.unwrap_or(row)));
        let rows = take_record_batch(&self.rows, &UInt32Array::from_iter_values(at))?;
        let removed = before.iter().map(|(was, _)| Some(was.is_none())).collect();
        with_removed(&rows, removed)
    }
}

fn with_removed(
    rows: &RecordBatch,
    removed: BooleanArray,
) -> std::result::Result<RecordBatch, ArrowError> {
    let schema = rows.schema();
    let at = schema.index_of(REMOVED)?;
    let mut columns = rows.columns().to_vec();
    columns[at] = Arc::new(removed);
    RecordBatch::try_new(schema, columns)
}
