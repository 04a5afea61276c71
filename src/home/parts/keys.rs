//! The keys of rows, as numbers that are the same in every file of a table.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::ArrowError;
use rustc_hash::FxHashMap;

use super::Table;

/// The largest number of columns of a key.
pub const KEYS_MAX: usize = 4;

/// The numbers of the texts of a key; unused columns are 0.
pub(super) type Key = [u64; KEYS_MAX];

/// Assigns numbers to keys: a key has the same number in every file.
#[derive(Debug)]
pub(super) struct Keys {
    names: &'static [&'static str],
    texts: FxHashMap<Box<str>, u64>,
}

/// The number of an absent text.
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

    /// The keys of rows that can equal earlier numbered keys.
    pub(super) fn known(
        &self,
        batch: &RecordBatch,
    ) -> std::result::Result<Vec<Option<Key>>, ArrowError> {
        let mut keys = vec![Some(Key::default()); batch.num_rows()];
        for (at, name) in self.names.iter().enumerate() {
            let texts = texts(batch.column(batch.schema().index_of(name)?))?;
            for (key, text) in keys.iter_mut().zip(texts) {
                let code = text.map_or(Some(ABSENT), |text| self.texts.get(text).copied());
                match (key.as_mut(), code) {
                    (Some(key), Some(code)) => key[at] = code,
                    _ => *key = None,
                }
            }
        }
        Ok(keys)
    }

    /// A number for each row of a column; equal texts have equal numbers.
    fn codes(&mut self, column: &dyn Array) -> std::result::Result<Vec<u64>, ArrowError> {
        Ok(texts(column)?.map(|text| text.map_or(ABSENT, |text| self.text(text))).collect())
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

/// The texts of a key column.
fn texts(
    column: &dyn Array,
) -> std::result::Result<impl Iterator<Item = Option<&str>>, ArrowError> {
    let kind = column.data_type();
    let none = || ArrowError::InvalidArgumentError(format!("{kind} is no type of a key"));
    Ok(column.as_string_opt::<i32>().ok_or_else(none)?.iter())
}
