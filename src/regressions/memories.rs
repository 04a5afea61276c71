//! Stored states of earlier estimations for later ones, in the process and in the home.
//!
//! The content of a problem (sample, effects and variables) identifies a memory, for any
//! specification. Samples that end at a month have memories of their own: a solution of June starts
//! from that of June a year earlier. A memory decides no figure: a missing or damaged one costs
//! time, and `--cold` ignores solutions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt64Type};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};

use super::error::RegressionError;
use crate::estimate::memory::{Memory, MemoryColumn, MemoryTable};
use crate::home::{Home, HomeError};

/// The beginning of the keys of solutions, among all that a home stores for the next estimation. A
/// month follows it, as in `solution-06`, or nothing for whole years.
const SOLUTION: &str = "solution";
/// The number of solutions that a home stores for each month and for whole years: those of its
/// tables, and of some own specifications.
const SOLUTIONS_MAX: usize = 32;
/// The number of digits of a hash in a key.
const DIGITS: usize = 16;

/// The content that a memory belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Sample and effects: a memory with the same ones can start another iteration.
    class: String,
    /// Sample, effects and variables.
    exact: String,
}

impl Key {
    /// The key of a problem: the last month of its years, its sample and effects, and its
    /// variables.
    pub(super) fn new(month: u8, rules: &str, variables: &str) -> Self {
        let short = |text: &str| blake3::hash(text.as_bytes()).to_hex()[..DIGITS].to_owned();
        let month = if month == 12 { String::new() } else { format!("-{month:02}") };
        let class = format!("{SOLUTION}{month} {} ", short(rules));
        Self { exact: format!("{class}{}", short(variables)), class }
    }
}

/// Memories by key.
#[derive(Debug, Default)]
pub struct Memories {
    held: BTreeMap<String, Memory>,
    /// Keys of memories in the home that were not read yet, the oldest first.
    in_home: Vec<String>,
    /// Keys of memories that the home does not have yet.
    new: BTreeSet<String>,
    /// Errors of unreadable memories, until they are reported.
    unread: Vec<HomeError>,
}

impl Memories {
    /// The memories of a home, each read at its first use.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the manifest cannot be read.
    pub fn of(home: &Home) -> Result<Self, RegressionError> {
        let mut in_home = home.memories()?;
        in_home.retain(|key| is_solution(key));
        Ok(Self { in_home, ..Self::default() })
    }

    /// The unreadable memories, reported once.
    pub fn take_unread(&mut self) -> Vec<HomeError> {
        std::mem::take(&mut self.unread)
    }

    /// Reads a useful memory from the home: the one of the same key, else the newest with the same
    /// sample and effects. An unreadable memory is ignored.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the manifest cannot be read.
    pub(super) fn fetch(&mut self, home: &Home, key: &Key) -> Result<(), RegressionError> {
        let is_held = |begins: &str| self.held.keys().any(|known| known.starts_with(begins));
        let place = |begins: &str| self.in_home.iter().rposition(|k| k.starts_with(begins));
        let found = match (is_held(&key.exact), place(&key.exact)) {
            (true, _) => None,
            (false, None) if is_held(&key.class) => None,
            (false, exact) => exact.or_else(|| place(&key.class)),
        };
        let Some(found) = found else { return Ok(()) };
        let found = self.in_home.remove(found);
        match read(home, &found) {
            Ok(memory) => self.held.extend(memory.map(|memory| (found, memory))),
            Err(error @ HomeError::Query { .. }) => return Err(error.into()),
            Err(error) => self.unread.push(error),
        }
        Ok(())
    }

    /// Takes out the memory of a key; without it, copies one with the same sample and effects.
    pub(super) fn recall(&mut self, key: &Key) -> Option<Memory> {
        let other = |held: &BTreeMap<String, Memory>| {
            let mut others = held.iter().filter(|(known, _)| known.starts_with(&key.class));
            others.next().map(|(_, memory)| memory.clone())
        };
        self.held.remove(&key.exact).or_else(|| other(&self.held))
    }

    /// Holds a memory.
    pub(super) fn keep(&mut self, key: Key, memory: Memory) {
        self.new.insert(key.exact.clone());
        self.held.insert(key.exact, memory);
    }

    /// Writes new memories to the home if it can be written, and removes the oldest beyond the
    /// limit.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the home cannot be written.
    pub fn store(&mut self, home: &mut Home) -> Result<(), RegressionError> {
        for key in std::mem::take(&mut self.new) {
            let Some(memory) = self.held.get(&key).filter(|_| home.is_writable()) else {
                continue;
            };
            let tables = memory.clone().into_tables().into_iter();
            let batches: Vec<(&str, RecordBatch)> = tables
                .map(|table| Ok((table.name, batch(table)?)))
                .collect::<Result<_, RegressionError>>()?;
            home.replace_memory(&key, &batches)?;
        }
        let mut by_month: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for key in home.memories()?.into_iter().filter(|key| is_solution(key)) {
            by_month.entry(month_of(&key).to_owned()).or_default().push(key);
        }
        let old = |kept: &Vec<String>| kept[..kept.len().saturating_sub(SOLUTIONS_MAX)].to_vec();
        let old: Vec<String> = by_month.values().flat_map(old).collect();
        if !old.is_empty() && home.is_writable() {
            home.remove_memories(&old)?;
        }
        Ok(())
    }

    /// Writes new memories to the home, and frees those of months: the next estimation of a month
    /// is a year later.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the home cannot be written.
    pub fn store_months(&mut self, home: &mut Home) -> Result<(), RegressionError> {
        self.store(home)?;
        if home.is_writable() {
            let freed = self.held.extract_if(.., |key, _| month_of(key) != SOLUTION);
            self.in_home.extend(freed.map(|(key, _)| key));
        }
        Ok(())
    }
}

/// True if the key is that of a solution.
fn is_solution(key: &str) -> bool {
    key.starts_with(SOLUTION)
}

/// The part of a solution's key with its month.
fn month_of(key: &str) -> &str {
    key.split(' ').next().unwrap_or_default()
}

/// Reads the memory of a key; `None` if another version wrote it.
fn read(home: &Home, key: &str) -> Result<Option<Memory>, HomeError> {
    let mut tables = Vec::new();
    for name in Memory::TABLES {
        let batch = home.read_memory(key, name)?;
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

/// The table in a batch; `None` if another version wrote it.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::open(&folder.path().join("home")).expect("a new home");
        (folder, home)
    }

    fn keys(home: &Home) -> Vec<String> {
        home.memories().expect("asked")
    }

    #[test]
    fn a_home_keeps_the_newest_solutions_and_no_more() {
        let (_folder, mut home) = home();
        let one = RecordBatch::new_empty(Arc::new(Schema::empty()));
        home.replace_memory("goods 2001", &[("sums", one)]).expect("kept");
        let mut memories = Memories::default();
        let key = |at: usize| Key::new(12, "rules", &at.to_string());
        for at in 0..SOLUTIONS_MAX + 3 {
            memories.keep(key(at), Memory::default());
            memories.store(&mut home).expect("kept");
        }
        // Stored again, it is the newest.
        memories.keep(key(3), Memory::default());
        memories.keep(key(0), Memory::default());
        memories.store(&mut home).expect("kept");
        let kept = keys(&home);
        assert_eq!(kept.len(), SOLUTIONS_MAX + 1);
        assert!(kept.contains(&"goods 2001".to_owned()), "what is no solution stays");
        for (at, is_kept) in [(0, true), (1, false), (2, false), (3, true), (4, false), (5, true)] {
            assert_eq!(kept.contains(&key(at).exact), is_kept, "{at}");
        }
    }

    #[test]
    fn a_solution_is_found_by_its_content_else_one_of_the_same_sample_and_effects() {
        let (_folder, mut home) = home();
        let mut memories = Memories::default();
        for variables in ["x", "x z"] {
            memories.keep(Key::new(12, "keep plants >= 3", variables), Memory::default());
        }
        memories.keep(Key::new(12, "keep plants >= 2", "x"), Memory::default());
        memories.store(&mut home).expect("kept");
        let found = |rules: &str, variables: &str| {
            let mut memories = Memories::of(&home).expect("asked");
            memories.fetch(&home, &Key::new(12, rules, variables)).expect("read");
            assert!(memories.take_unread().is_empty());
            memories.held.into_keys().next()
        };
        let of = |rules: &str, variables: &str| Some(Key::new(12, rules, variables).exact);
        assert_eq!(found("keep plants >= 3", "x"), of("keep plants >= 3", "x"));
        assert_eq!(found("keep plants >= 2", "x"), of("keep plants >= 2", "x"));
        let other = found("keep plants >= 2", "x z");
        assert_eq!(other, of("keep plants >= 2", "x"), "the same sample, other variables");
        assert_eq!(found("keep plants >= 4", "x"), None, "another sample");
    }

    #[test]
    fn a_month_starts_from_its_own_solution_and_has_room_of_its_own() {
        let (_folder, mut home) = home();
        let mut memories = Memories::default();
        for month in [5, 6, 12] {
            for at in 0..SOLUTIONS_MAX {
                memories.keep(Key::new(month, "rules", &at.to_string()), Memory::default());
            }
        }
        memories.store_months(&mut home).expect("kept");
        assert_eq!(keys(&home).len(), 3 * SOLUTIONS_MAX, "none takes the room of another month");
        let held: BTreeSet<&str> = memories.held.keys().map(|key| month_of(key)).collect();
        assert_eq!(held, BTreeSet::from([SOLUTION]), "months are freed");
        let (june, other) = (Key::new(6, "rules", "0"), Key::new(7, "rules", "0"));
        memories.fetch(&home, &june).expect("read");
        assert!(memories.recall(&june).is_some(), "June starts from June");
        memories.fetch(&home, &other).expect("read");
        assert!(memories.recall(&other).is_none(), "July has no start yet");
    }
}
