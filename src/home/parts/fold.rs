//! Folding: a whole part of a year and the changes after it, put together as the rows that they
//! come to and what leads back from these.
//!
//! ```text
//! 12 whole ─ 13 changes ─ 14 changes   ─▶   rows of 14 ─ undo 14 ─ undo 13
//! ```
//! What undoes a publication are the rows that it took the place of, and removals for those that it
//! added. It holds as many rows as the changes did: nothing grows by folding, and the newest rows
//! are read from one file. Publications that are not wanted any more are passed over: what undoes
//! the next one leads back past them.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use rustc_hash::FxHashMap;

use super::overlay::{Key, Keys, UNDOES, removed, undone};
use super::write::RowsWriter;
use super::{Part, REMOVED, ROWS_MAX, Table, read_part};
use crate::domain::types::Year;
use crate::home::Publication;
use crate::home::durable::Stored;
use crate::home::error::{ArchiveError, Result};

/// A whole part of a year and changes after it, folded.
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
    /// The rows as that publication left them; none: nothing of them is wanted any more.
    pub rows: Option<FoldedRows>,
}

/// All rows of a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedRows {
    /// How many there are.
    pub n_rows: u64,
    /// Where they are.
    pub file: Stored,
}

/// What leads back from the rows of a fold to earlier publications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoPart {
    /// The table.
    pub table: Table,
    /// The year.
    pub year: Year,
    /// The publication of the whole part of the fold.
    pub first: Publication,
    /// The newest publication that is undone.
    pub newest: Publication,
    /// The publications that it leads back to, in order.
    pub states: Vec<Publication>,
    /// Number of rows.
    pub n_rows: u64,
    /// Where they are.
    pub file: Stored,
}

/// What is to be folded.
pub(in crate::home) struct Folding<'a> {
    pub(in crate::home) table: Table,
    pub(in crate::home) year: Year,
    /// The publication of the whole part.
    pub(in crate::home) first: Publication,
    /// All rows, and the publication that left them so.
    pub(in crate::home) base: (&'a Stored, Publication),
    /// The changes after them, in order.
    pub(in crate::home) changes: &'a [Part],
    /// What leads back from the base to earlier publications, the newest last; it is put into one
    /// file with what is new.
    pub(in crate::home) undo: &'a [UndoPart],
    /// Whether a publication's rows are wanted: those of the last changes are, and those that a
    /// file begins from that is left as it is.
    pub(in crate::home) is_wanted: &'a dyn Fn(Publication) -> bool,
    /// What the names of files begin with, which no other fold has.
    pub(in crate::home) name: String,
}

/// The files that folding wrote; nothing of them counts before the manifest names them.
pub(in crate::home) struct Folded {
    /// The rows; none if there were no changes: those of the base stay.
    pub(in crate::home) rows: Option<FoldedRows>,
    /// What leads back; none if nothing before is wanted.
    pub(in crate::home) undo: Option<UndoPart>,
}

/// Rows of several files one after another, and where those stand that count.
struct Pool {
    rows: RecordBatch,
    removed: BooleanArray,
    /// Where the base ends.
    n_base: usize,
    /// Of each key that a change is about: the row that counts, if there is one.
    current: FxHashMap<Key, Option<usize>>,
    /// Of each row of the base that a change is about: its key.
    touched: FxHashMap<usize, Key>,
}

/// What leads back from a publication to the last one before it that is wanted.
struct Step {
    undoes: Publication,
    state: Publication,
    rows: RecordBatch,
}

/// Folds changes.
///
/// # Errors
/// - [`ArchiveError::Read`], [`ArchiveError::Corrupt`], [`ArchiveError::Decode`],
///   [`ArchiveError::Overlay`] if a part is missing, damaged or foreign.
/// - [`ArchiveError::Write`], [`ArchiveError::Encode`], [`ArchiveError::Sync`] if a file cannot be
///   written.
pub(in crate::home) fn fold(home: &Path, folding: &Folding<'_>) -> Result<Folded> {
    let path = home.join(&folding.base.0.path);
    let misfit = |source| ArchiveError::Overlay { path: path.clone(), source };
    let mut rows = None;
    let mut steps = Vec::new();
    if !folding.changes.is_empty() {
        let base = read_part(home, folding.base.0)?;
        let changes = folding.changes.iter().map(|part| read_part(home, &part.file));
        let changes: Vec<Vec<RecordBatch>> = changes.collect::<Result<_>>()?;
        let keys = Keys::of(folding.table);
        let (mut pool, layers) = Pool::of(&base, &changes, keys).map_err(misfit)?;
        steps = pool.fold(folding, &layers).map_err(misfit)?;
        steps.reverse();
        let standing = pool.standing().map_err(misfit)?;
        let file = write(home, folding, "", std::slice::from_ref(&standing))?;
        rows = Some(FoldedRows { n_rows: standing.num_rows() as u64, file });
    }
    for undo in folding.undo.iter().rev() {
        let batches = read_part(home, &undo.file)?;
        steps.extend(steps_of(&batches, undo).map_err(misfit)?);
    }
    let steps = merged(folding.table, steps, folding.is_wanted).map_err(misfit)?;
    Ok(Folded { rows, undo: write_undo(home, folding, &steps)? })
}

/// The rows of a change, each with its key.
type KeyedRows = Vec<(usize, Key)>;

impl Pool {
    /// Rows of a base and of changes, with the keys of each change's rows.
    fn of(
        base: &[RecordBatch],
        changes: &[Vec<RecordBatch>],
        mut keys: Keys,
    ) -> std::result::Result<(Self, Vec<KeyedRows>), ArrowError> {
        let all = || base.iter().chain(changes.iter().flatten());
        let Some(first) = all().next() else {
            return Err(ArrowError::InvalidArgumentError("a part without rows".to_owned()));
        };
        let rows = concat_batches(&first.schema(), all())?;
        let n_base = base.iter().map(RecordBatch::num_rows).sum();
        let (mut current, mut touched) = (FxHashMap::default(), FxHashMap::default());
        let mut layers = Vec::with_capacity(changes.len());
        let mut at = n_base;
        for batches in changes {
            let mut layer = Vec::new();
            for batch in batches {
                let keys = keys.of_rows(batch)?;
                layer.extend((at..).zip(keys));
                at += batch.num_rows();
            }
            current.extend(layer.iter().map(|(_, key)| (*key, None)));
            layers.push(layer);
        }
        for (row, key) in keys.of_rows(&rows.slice(0, n_base))?.into_iter().enumerate() {
            if let Some(known) = current.get_mut(&key) {
                *known = Some(row);
                touched.insert(row, key);
            }
        }
        let removed = removed(&rows)?.clone();
        Ok((Self { rows, removed, n_base, current, touched }, layers))
    }

    /// Lets the changes take effect; gives what leads back from each, in their order.
    fn fold(
        &mut self,
        folding: &Folding<'_>,
        layers: &[Vec<(usize, Key)>],
    ) -> std::result::Result<Vec<Step>, ArrowError> {
        let mut steps = Vec::new();
        let mut state = folding.base.1;
        // What the rows changed since that publication were then; and a row with the key.
        let mut before: FxHashMap<Key, (Option<usize>, usize)> = FxHashMap::default();
        for (part, layer) in folding.changes.iter().zip(layers) {
            for &(row, key) in layer {
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

    /// Rows that are put back, and removals of those that were not there.
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

    /// The rows that stand, in the order of the base, new ones behind.
    fn standing(&self) -> std::result::Result<RecordBatch, ArrowError> {
        let mut order = Vec::with_capacity(self.n_base);
        for row in 0..self.n_base {
            match self.touched.get(&row) {
                Some(key) => order.extend(self.current[key].map(position)),
                None => order.push(position(row)),
            }
        }
        let from_base = self.touched.values().copied();
        let mut from_base: Vec<Key> = from_base.collect();
        from_base.sort_unstable();
        let is_new = |key: &Key| from_base.binary_search(key).is_err();
        let new = self.current.iter().filter(|(key, _)| is_new(key));
        let mut new: Vec<u32> = new.filter_map(|(_, row)| row.map(position)).collect();
        new.sort_unstable();
        order.extend(new);
        take_record_batch(&self.rows, &UInt32Array::from(order))
    }
}

fn position(row: usize) -> u32 {
    u32::try_from(row).expect("a year of a table has fewer than 2^32 rows and changes")
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

/// What an earlier fold left, the newest first.
fn steps_of(
    batches: &[RecordBatch],
    undo: &UndoPart,
) -> std::result::Result<Vec<Step>, ArrowError> {
    let rows = undone(batches, Publication(0))?;
    if rows.len() != undo.states.len() {
        let what = format!("{} steps in place of {}", rows.len(), undo.states.len());
        return Err(ArrowError::InvalidArgumentError(what));
    }
    // Each step undoes the publication that the one before it leads back to.
    let undoes = std::iter::once(undo.newest).chain(undo.states.iter().rev().copied());
    let steps = undoes.zip(undo.states.iter().rev()).zip(rows);
    Ok(steps.map(|((undoes, &state), rows)| Step { undoes, state, rows }).collect())
}

/// Steps, the newest first, without the publications that are not wanted: what leads to one of
/// these and from it further back becomes one step, and what leads to none is left out.
fn merged(
    table: Table,
    steps: Vec<Step>,
    is_wanted: &dyn Fn(Publication) -> bool,
) -> std::result::Result<Vec<Step>, ArrowError> {
    let mut merged = Vec::new();
    let mut waiting: Vec<Step> = Vec::new();
    for step in steps {
        let ends = is_wanted(step.state);
        waiting.push(step);
        if ends {
            merged.push(one_step(table, std::mem::take(&mut waiting))?);
        }
    }
    Ok(merged)
}

/// Steps, the newest first, as one: of each key what the oldest says.
fn one_step(table: Table, mut steps: Vec<Step>) -> std::result::Result<Step, ArrowError> {
    let (undoes, state) = (steps[0].undoes, steps[steps.len() - 1].state);
    if steps.len() == 1 {
        return Ok(steps.swap_remove(0));
    }
    let batches: Vec<RecordBatch> = steps.into_iter().map(|step| step.rows).collect();
    let rows = concat_batches(&batches[0].schema(), &batches)?;
    let mut oldest: FxHashMap<Key, u32> = FxHashMap::default();
    for (row, key) in Keys::of(table).of_rows(&rows)?.into_iter().enumerate() {
        oldest.insert(key, position(row));
    }
    let mut order: Vec<u32> = oldest.into_values().collect();
    order.sort_unstable();
    Ok(Step { undoes, state, rows: take_record_batch(&rows, &UInt32Array::from(order))? })
}

/// Steps, the newest first, to a file; none if there are none.
fn write_undo(home: &Path, folding: &Folding<'_>, steps: &[Step]) -> Result<Option<UndoPart>> {
    let Some(newest) = steps.first() else { return Ok(None) };
    let path = home.join(&folding.name);
    let batches = steps.iter().map(marked);
    let batches: std::result::Result<Vec<RecordBatch>, ArrowError> = batches.collect();
    let batches = batches.map_err(|source| ArchiveError::Overlay { path, source })?;
    let file = write(home, folding, "-undo", &batches)?;
    let mut states: Vec<Publication> = steps.iter().map(|step| step.state).collect();
    states.reverse();
    Ok(Some(UndoPart {
        table: folding.table,
        year: folding.year,
        first: folding.first,
        newest: newest.undoes,
        states,
        n_rows: batches.iter().map(|rows| rows.num_rows() as u64).sum(),
        file,
    }))
}

/// The rows of a step, each with what it undoes.
fn marked(step: &Step) -> std::result::Result<RecordBatch, ArrowError> {
    let schema = step.rows.schema();
    let undoes = Arc::new(Field::new(UNDOES, DataType::UInt32, false));
    let fields = std::iter::once(undoes).chain(schema.fields().iter().cloned());
    let undoes: ArrayRef = Arc::new(UInt32Array::from(vec![step.undoes.0; step.rows.num_rows()]));
    let columns = std::iter::once(undoes).chain(step.rows.columns().iter().cloned());
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns.collect())
}

fn write(
    home: &Path,
    folding: &Folding<'_>,
    what: &str,
    batches: &[RecordBatch],
) -> Result<Stored> {
    let Folding { table, year, name, .. } = folding;
    let path = format!("published/{}/{year}/{name}{what}.parquet", table.name());
    let schema = batches[0].schema();
    let mut writer = RowsWriter::create(home, path, schema)?;
    for batch in batches {
        for start in (0..batch.num_rows()).step_by(ROWS_MAX) {
            writer.write(&batch.slice(start, ROWS_MAX.min(batch.num_rows() - start)))?;
        }
    }
    writer.finish()
}
