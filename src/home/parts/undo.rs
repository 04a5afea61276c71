//! Writes the undo rows of a fold to a file, the newest step first.
//!
//! ```text
//! steps:  15 ◀ 14   14 ◀ 13   13 ◀ 12        wanted: 14, 12
//! file:   undoes 15 …│undoes 14 … (with 13: the oldest row of each key)
//! ```

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use rustc_hash::FxHashMap;

use super::PartRows;
use super::folded::{Folding, Step, UndoPart, path_of, position};
use super::keys::{Key, Keys};
use super::write::RowsWriter;
use crate::home::Publication;
use crate::home::error::{HomeError, Result};

/// The column with the publication that a row undoes.
const UNDOES: &str = "undoes";

/// Writes undo steps, the newest first, without unwanted publications. Steps around an unwanted
/// publication become one; steps that lead to no wanted publication are left out.
pub(super) struct UndoWriter<'a> {
    home: &'a Path,
    folding: &'a Folding<'a>,
    writer: Option<RowsWriter>,
    /// The publication of the oldest step that leads to a wanted one; `None` if there is no such
    /// step.
    last: Option<Publication>,
    /// The newest undone publication.
    newest: Option<Publication>,
    /// The publications that can be restored, the newest first.
    states: Vec<Publication>,
    current: Current,
}

/// The treatment of the current rows.
enum Current {
    /// Left out.
    Passed,
    /// Written in their order.
    Alone(Publication),
    /// Merged with other rows into one step; `state` is its oldest publication.
    Waiting { undoes: Publication, state: Publication, rows: Vec<RecordBatch> },
}

impl<'a> UndoWriter<'a> {
    /// A writer for new steps, followed by those of a fold's undo parts.
    pub(super) fn new(home: &'a Path, folding: &'a Folding<'a>, new: &[Step]) -> Self {
        let old = folding.undo.iter().flat_map(|undo| undo.states.iter().copied());
        let states = old.chain(new.iter().rev().map(|step| step.state));
        let last = states.into_iter().find(|state| (folding.is_wanted)(*state));
        let (newest, states) = (None, Vec::new());
        Self { home, folding, writer: None, last, newest, states, current: Current::Passed }
    }

    /// Starts a step.
    pub(super) fn step(&mut self, undoes: Publication, state: Publication) -> Result<()> {
        let is_wanted = (self.folding.is_wanted)(state);
        self.current = match std::mem::replace(&mut self.current, Current::Passed) {
            Current::Waiting { undoes, state: before, rows }
                if !(self.folding.is_wanted)(before) =>
            {
                Current::Waiting { undoes, state, rows }
            }
            ended => {
                self.end(ended)?;
                if self.last.is_none_or(|last| state < last) {
                    Current::Passed
                } else if is_wanted {
                    Current::Alone(undoes)
                } else {
                    Current::Waiting { undoes, state, rows: Vec::new() }
                }
            }
        };
        if let Current::Alone(undoes) = self.current {
            self.newest.get_or_insert(undoes);
            self.states.push(state);
        }
        Ok(())
    }

    /// Adds rows to the current step.
    pub(super) fn rows(&mut self, batch: RecordBatch) -> Result<()> {
        match &mut self.current {
            Current::Passed => {}
            Current::Alone(undoes) => {
                let undoes = *undoes;
                self.write(undoes, &batch)?;
            }
            Current::Waiting { rows, .. } => rows.push(batch),
        }
        Ok(())
    }

    /// Adds the steps of an earlier undo part.
    pub(super) fn part(&mut self, undo: &UndoPart) -> Result<()> {
        let path = self.home.join(&undo.file.path);
        let misfit = |source| HomeError::Overlay { path: path.clone(), source };
        // Each step undoes the publication that the previous step restores.
        let undoes = std::iter::once(undo.newest).chain(undo.states.iter().rev().copied());
        let mut steps = undoes.zip(undo.states.iter().rev().copied());
        let (mut current, mut n_steps) = (None, 0);
        for batch in PartRows::open(self.home, &undo.file)? {
            for (undone, rows) in by_step(&batch?).map_err(misfit)? {
                if current != Some(undone) {
                    current = Some(undone);
                    n_steps += 1;
                    if let Some((undoes, state)) = steps.next() {
                        self.step(undoes, state)?;
                    }
                }
                self.rows(rows)?;
            }
        }
        if n_steps != undo.states.len() {
            let what = format!("{n_steps} steps in place of {}", undo.states.len());
            return Err(misfit(ArrowError::InvalidArgumentError(what)));
        }
        Ok(())
    }

    /// Ends the current step.
    fn end(&mut self, current: Current) -> Result<()> {
        let Current::Waiting { undoes, state, rows } = current else { return Ok(()) };
        let path = self.home.join(&self.folding.name);
        let misfit = |source| HomeError::Overlay { path, source };
        let rows = oldest_of_each(Keys::of(self.folding.table), &rows).map_err(misfit)?;
        self.newest.get_or_insert(undoes);
        self.states.push(state);
        self.write(undoes, &rows)
    }

    fn write(&mut self, undoes: Publication, rows: &RecordBatch) -> Result<()> {
        let path = path_of(self.folding, "-undo");
        let misfit =
            |source| HomeError::Overlay { path: self.home.join(&self.folding.name), source };
        let rows = marked(undoes, rows).map_err(misfit)?;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(RowsWriter::create(self.home, path, rows.schema())?),
        };
        writer.write(&rows)
    }

    /// The file; `None` if no step leads to a wanted publication.
    pub(super) fn finish(mut self) -> Result<Option<UndoPart>> {
        let current = std::mem::replace(&mut self.current, Current::Passed);
        self.end(current)?;
        let (Some(writer), Some(newest)) = (self.writer, self.newest) else { return Ok(None) };
        let Folding { table, year, first, .. } = *self.folding;
        let n_rows = writer.n_rows();
        let states = self.states.into_iter().rev().collect();
        Ok(Some(UndoPart { table, year, first, newest, states, n_rows, file: writer.finish()? }))
    }
}

/// The rows of an undo part by undone publication, without that column.
pub(super) fn by_step(
    batch: &RecordBatch,
) -> std::result::Result<Vec<(Publication, RecordBatch)>, ArrowError> {
    let mut rows = batch.clone();
    let undoes = rows.remove_column(rows.schema().index_of(UNDOES)?);
    let none = || ArrowError::SchemaError(format!("no column of numbers {UNDOES}"));
    let undoes = undoes.as_primitive_opt::<UInt32Type>().ok_or_else(none)?.values();
    let mut start = 0;
    let same = undoes.chunk_by(|a, b| a == b).map(|same| {
        start += same.len();
        (Publication(same[0]), rows.slice(start - same.len(), same.len()))
    });
    Ok(same.collect())
}

/// The last row of each key.
fn oldest_of_each(
    mut keys: Keys,
    batches: &[RecordBatch],
) -> std::result::Result<RecordBatch, ArrowError> {
    let Some(first) = batches.first() else {
        return Err(ArrowError::InvalidArgumentError("a step without rows".to_owned()));
    };
    let rows = concat_batches(&first.schema(), batches)?;
    let mut oldest: FxHashMap<Key, u32> = FxHashMap::default();
    for (row, key) in keys.of_rows(&rows)?.into_iter().enumerate() {
        oldest.insert(key, position(row));
    }
    let mut order: Vec<u32> = oldest.into_values().collect();
    order.sort_unstable();
    take_record_batch(&rows, &UInt32Array::from(order))
}

/// The rows of a step, each with the undone publication.
fn marked(undoes: Publication, rows: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    let schema = rows.schema();
    let field = Arc::new(Field::new(UNDOES, DataType::UInt32, false));
    let fields = std::iter::once(field).chain(schema.fields().iter().cloned());
    let undoes: ArrayRef = Arc::new(UInt32Array::from(vec![undoes.0; rows.num_rows()]));
    let columns = std::iter::once(undoes).chain(rows.columns().iter().cloned());
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns.collect())
}
