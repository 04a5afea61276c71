//! What earlier estimations leave for later ones: held while the process runs, and kept in the home
//! for the next.
//!
//! Nothing here decides a figure: a memory that is missing or damaged costs time, and no solution
//! is asked for with `--cold`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt64Type};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};

use super::error::RegressionError;
use crate::archive::{Archive, ArchiveError};
use crate::estimate::memory::{Memory, MemoryColumn, MemoryTable};

/// Memories by what they are of.
#[derive(Debug, Default)]
pub struct Memories {
    held: BTreeMap<String, Memory>,
    /// Those that the home does not have yet.
    new: BTreeSet<String>,
    /// Why some of the home's were not read, until somebody asks.
    unread: Vec<ArchiveError>,
}

impl Memories {
    /// Those of a home, without the ones that cannot be read.
    ///
    /// # Errors
    /// [`RegressionError::Archive`] if the manifest cannot be read.
    pub fn of(archive: &Archive) -> Result<Self, RegressionError> {
        let mut memories = Self::default();
        for key in archive.memories()? {
            match read(archive, &key) {
                Ok(memory) => memories.held.extend(memory.map(|memory| (key, memory))),
                Err(error @ ArchiveError::Query { .. }) => return Err(error.into()),
                Err(error) => memories.unread.push(error),
            }
        }
        Ok(memories)
    }

    /// What could not be read, told once.
    pub fn take_unread(&mut self) -> Vec<ArchiveError> {
        std::mem::take(&mut self.unread)
    }

    /// The memory of something, gone from here until a newer one is kept; without it, a copy of
    /// one with the same effects on another sample, whose key ends as `of` says.
    pub(super) fn recall(&mut self, key: &str, of: &str) -> Option<Memory> {
        let other = |held: &BTreeMap<String, Memory>| {
            let mut others = held.iter().filter(|(known, _)| known.ends_with(of));
            others.next().map(|(_, memory)| memory.clone())
        };
        self.held.remove(key).or_else(|| other(&self.held))
    }

    /// Holds a memory.
    pub(super) fn keep(&mut self, key: String, memory: Memory) {
        self.new.insert(key.clone());
        self.held.insert(key, memory);
    }

    /// Writes new memories to the home, if it can be written.
    ///
    /// # Errors
    /// [`RegressionError::Archive`] if it does not take them.
    pub fn store(&mut self, archive: &mut Archive) -> Result<(), RegressionError> {
        for key in std::mem::take(&mut self.new) {
            let Some(memory) = self.held.get(&key).filter(|_| archive.is_writable()) else {
                continue;
            };
            let tables = memory.clone().into_tables().into_iter();
            let batches: Vec<(&str, RecordBatch)> = tables
                .map(|table| Ok((table.name, batch(table)?)))
                .collect::<Result<_, RegressionError>>()?;
            archive.replace_memory(&key, &batches)?;
        }
        Ok(())
    }
}

/// The memory of something; none if it is of another version.
fn read(archive: &Archive, key: &str) -> Result<Option<Memory>, ArchiveError> {
    let mut tables = Vec::new();
    for name in Memory::TABLES {
        let batch = archive.read_memory(key, name)?;
        let Some(table) = batch.and_then(|batch| table(name, &batch)) else { return Ok(None) };
        tables.push(table);
    }
    Ok(Memory::from_tables(tables).ok())
}

fn batch(table: MemoryTable) -> Result<RecordBatch, RegressionError> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
    for (name, column) in table.columns {
        let (kind, array): (DataType, ArrayRef) = match column {
            MemoryColumn::Texts(texts) => {
                (DataType::Utf8, Arc::new(StringArray::from_iter_values(texts)))
            }
            MemoryColumn::Integers(numbers) => {
                (DataType::UInt64, Arc::new(UInt64Array::from(numbers)))
            }
            MemoryColumn::Reals(numbers) => {
                (DataType::Float64, Arc::new(Float64Array::from(numbers)))
            }
        };
        fields.push(Field::new(name, kind, false));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    if arrays.is_empty() {
        return Ok(RecordBatch::new_empty(schema));
    }
    Ok(RecordBatch::try_new(schema, arrays)?)
}

/// A table as it was before it was written; none if it is of another version.
fn table(name: &'static str, batch: &RecordBatch) -> Option<MemoryTable> {
    let column = |(field, array): (&Arc<Field>, &ArrayRef)| {
        let values = match array.data_type() {
            DataType::Utf8 => {
                let texts = array.as_string::<i32>().iter();
                MemoryColumn::Texts(texts.map(|t| t.unwrap_or_default().to_owned()).collect())
            }
            DataType::UInt64 => {
                MemoryColumn::Integers(array.as_primitive::<UInt64Type>().values().to_vec())
            }
            DataType::Float64 => {
                MemoryColumn::Reals(array.as_primitive::<Float64Type>().values().to_vec())
            }
            _ => return None,
        };
        Some((field.name().clone(), values))
    };
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(column);
    Some(MemoryTable { name, columns: columns.collect::<Option<_>>()? })
}
