//! A table as of a vintage: each year's newest whole part with later changes on top.
//!
//! ```text
//! whole ─▶ changes ─▶ changes    read from the newest back: a row counts if no later part has its
//!   │ keys seen ◀──────┘         key and it is not a removal; `removed` is left out of the result
//! ```

use std::ops::RangeBounds;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt16Type, UInt32Type};
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Part, REMOVED, in_use, read_part};
use crate::archive::error::{ArchiveError, Result};
use crate::types::Year;

/// How many columns a key may have.
pub const KEYS_MAX: usize = 4;

type Key = [u64; KEYS_MAX];

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
    keys: Vec<String>,
    chains: std::vec::IntoIter<Vec<Part>>,
}

impl TableYears {
    /// The years among `parts`, which are in order of year and publication.
    ///
    /// # Panics
    /// If there is no key column, or more than [`KEYS_MAX`].
    #[must_use]
    pub fn new(home: &Path, parts: &[Part], years: &impl RangeBounds<Year>, keys: &[&str]) -> Self {
        assert!(!keys.is_empty() && keys.len() <= KEYS_MAX, "a key of {keys:?}");
        let mut parts = in_use(parts);
        parts.retain(|part| years.contains(&part.year));
        let chains: Vec<Vec<Part>> =
            parts.chunk_by(|a, b| a.year == b.year).map(<[Part]>::to_vec).collect();
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        Self { home: home.to_owned(), keys, chains: chains.into_iter() }
    }

    /// Bounded memory: one year, and the keys of its changes.
    fn resolve(&self, chain: &[Part]) -> Result<Vec<RecordBatch>> {
        let mut overlay = Overlay { keys: &self.keys, ..Overlay::default() };
        let mut parts = Vec::with_capacity(chain.len());
        for part in chain.iter().rev() {
            let batches = read_part(&self.home, part)?;
            let path = || self.home.join(&part.file.path);
            let rows = overlay
                .below(&batches)
                .map_err(|source| ArchiveError::Overlay { path: path(), source })?;
            parts.push(rows);
        }
        Ok(parts.into_iter().rev().flatten().filter(|batch| batch.num_rows() > 0).collect())
    }
}

impl Iterator for TableYears {
    type Item = Result<YearRows>;

    fn next(&mut self) -> Option<Self::Item> {
        let chain = self.chains.next()?;
        let newest = chain.last()?;
        let (year, months) = (newest.year, newest.months);
        Some(self.resolve(&chain).map(|batches| YearRows { year, months, batches }))
    }
}

/// The keys of the parts on top of the one that is looked at.
#[derive(Default)]
struct Overlay<'k> {
    keys: &'k [String],
    seen: FxHashSet<Key>,
    texts: FxHashMap<Box<str>, u64>,
}

impl Overlay<'_> {
    /// The rows of a part that those above leave, and the part's keys added for the parts below.
    fn below(
        &mut self,
        batches: &[RecordBatch],
    ) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
        let mut keys_of_part = Vec::new();
        let mut rows = Vec::with_capacity(batches.len());
        for batch in batches {
            let keys = self.keys_of(batch)?;
            rows.push(self.visible(batch, &keys)?);
            keys_of_part.extend(keys);
        }
        self.seen.extend(keys_of_part);
        Ok(rows)
    }

    fn visible(
        &self,
        batch: &RecordBatch,
        keys: &[Key],
    ) -> std::result::Result<RecordBatch, ArrowError> {
        let at = batch.schema().index_of(REMOVED)?;
        let removed = batch.column(at).as_boolean();
        let stays = |(row, key)| !removed.value(row) && !self.seen.contains(key);
        let stays: Vec<bool> = keys.iter().enumerate().map(stays).collect();
        let mut rows = batch.clone();
        rows.remove_column(at);
        if stays.iter().all(|&stays| stays) {
            return Ok(rows);
        }
        filter_record_batch(&rows, &BooleanArray::from(stays))
    }

    fn keys_of(&mut self, batch: &RecordBatch) -> std::result::Result<Vec<Key>, ArrowError> {
        let mut keys = vec![Key::default(); batch.num_rows()];
        for (at, name) in self.keys.iter().enumerate() {
            let column = batch.column(batch.schema().index_of(name)?);
            for (key, code) in keys.iter_mut().zip(self.codes(column)?) {
                key[at] = code;
            }
        }
        Ok(keys)
    }

    /// A number for each row of a key column, the same for the same value in every part.
    fn codes(&mut self, column: &dyn Array) -> std::result::Result<Vec<u64>, ArrowError> {
        match column.data_type() {
            DataType::UInt16 => {
                Ok(numbers(column.as_primitive::<UInt16Type>().values(), u64::from))
            }
            DataType::UInt32 => {
                Ok(numbers(column.as_primitive::<UInt32Type>().values(), u64::from))
            }
            DataType::Int32 => {
                Ok(numbers(column.as_primitive::<Int32Type>().values(), |n: i32| {
                    i64::from(n).cast_unsigned()
                }))
            }
            DataType::Int64 => {
                Ok(numbers(column.as_primitive::<Int64Type>().values(), i64::cast_unsigned))
            }
            DataType::Utf8 => {
                let texts = column.as_string::<i32>().iter();
                Ok(texts.map(|text| self.text(text.unwrap_or_default())).collect())
            }
            DataType::Dictionary(..) if column.is_empty() => Ok(Vec::new()),
            DataType::Dictionary(..) => {
                let column = column.as_any_dictionary();
                let codes = self.codes(column.values())?;
                Ok(column.normalized_keys().into_iter().map(|key| codes[key]).collect())
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

fn numbers<T: Copy>(values: &[T], number: impl Fn(T) -> u64) -> Vec<u64> {
    values.iter().map(|&value| number(value)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, StringArray, UInt16Array};

    use super::*;
    use crate::archive::Publication;
    use crate::archive::parts::PartKind;
    use crate::archive::parts::{PartWriter, Table};

    type Line = (bool, &'static str, u16, f64);

    fn part(home: &Path, publication: u32, kind: PartKind, lines: &[Line]) -> Part {
        let columns: Vec<(&str, ArrayRef)> = vec![
            (REMOVED, Arc::new(lines.iter().map(|line| Some(line.0)).collect::<BooleanArray>())),
            ("city", Arc::new(StringArray::from_iter_values(lines.iter().map(|line| line.1)))),
            ("country", Arc::new(UInt16Array::from_iter_values(lines.iter().map(|l| l.2)))),
            ("growth", Arc::new(Float64Array::from_iter_values(lines.iter().map(|l| l.3)))),
        ];
        let rows = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let (year, publication) = (Year(2010), Publication(publication));
        let mut writer = PartWriter::create(home, Table::City, year, publication, rows.schema())
            .expect("created");
        writer.write(&rows).expect("written");
        writer.finish(kind, 12).expect("finished")
    }

    fn rows(home: &Path, parts: &[Part]) -> Vec<(String, u16, f64)> {
        let years = TableYears::new(home, parts, &.., &["city", "country"]);
        let batches = years.flat_map(|year| year.expect("a year").batches);
        let mut rows: Vec<_> = batches.flat_map(|batch| spelled(&batch)).collect();
        rows.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
        rows
    }

    fn spelled(batch: &RecordBatch) -> Vec<(String, u16, f64)> {
        assert_eq!(batch.num_columns(), 3, "removed is left out");
        let cities = batch.column(0).as_string::<i32>();
        let countries = batch.column(1).as_primitive::<UInt16Type>();
        let growth = batch.column(2).as_primitive::<arrow_array::types::Float64Type>();
        (0..batch.num_rows())
            .map(|row| (cities.value(row).to_owned(), countries.value(row), growth.value(row)))
            .collect()
    }

    fn line(city: &str, country: u16, growth: f64) -> (String, u16, f64) {
        (city.to_owned(), country, growth)
    }

    #[test]
    fn later_changes_replace_remove_and_bring_back_rows() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let home = home.path();
        let whole = [(false, "a", 1, 0.1), (false, "a", 2, 0.2), (false, "b", 1, 0.3)];
        let changes = [(false, "a", 1, 1.1), (true, "a", 2, 0.0), (false, "c", 1, 1.4)];
        let later = [(false, "a", 2, 2.2), (true, "c", 1, 0.0)];
        let parts = [
            part(home, 1, PartKind::Whole, &whole),
            part(home, 2, PartKind::Changes, &changes),
            part(home, 3, PartKind::Changes, &later),
        ];
        let first = vec![line("a", 1, 0.1), line("a", 2, 0.2), line("b", 1, 0.3)];
        assert_eq!(rows(home, &parts[..1]), first);
        let second = vec![line("a", 1, 1.1), line("b", 1, 0.3), line("c", 1, 1.4)];
        assert_eq!(rows(home, &parts[..2]), second);
        let third = vec![line("a", 1, 1.1), line("a", 2, 2.2), line("b", 1, 0.3)];
        assert_eq!(rows(home, &parts), third);
    }

    #[test]
    fn a_newer_whole_part_makes_earlier_ones_irrelevant() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let home = home.path();
        let parts = [
            part(home, 1, PartKind::Whole, &[(false, "a", 1, 0.1)]),
            part(home, 2, PartKind::Changes, &[(false, "b", 1, 0.2)]),
            part(home, 3, PartKind::Whole, &[(false, "c", 1, 0.3)]),
        ];
        std::fs::remove_file(home.join(&parts[0].file.path)).expect("not needed any more");
        assert_eq!(rows(home, &parts), vec![line("c", 1, 0.3)]);
    }

    #[test]
    fn a_damaged_part_is_named() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let part = part(home.path(), 1, PartKind::Whole, &[(false, "a", 1, 0.1)]);
        let path = home.path().join(&part.file.path);
        let mut bytes = std::fs::read(&path).expect("the part");
        bytes[20] ^= 1;
        std::fs::write(&path, bytes).expect("damaged");
        let error = read_part(home.path(), &part).expect_err("a damaged part");
        assert!(error.to_string().contains("published/city/2010/000001.parquet is damaged"));
    }
}
