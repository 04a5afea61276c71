//! Columns of texts as codes.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, RecordBatch};

use crate::domain::dictionary::Dictionary;

/// Texts as codes.
pub fn dictionary<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<UInt32Type>::new();
    texts.for_each(|text| builder.append_option(text));
    Arc::new(builder.finish())
}

/// A column of codes, numbered in a common dictionary; `None` if the column does not hold codes.
pub fn numbered(batch: &RecordBatch, name: &str, texts: &mut Dictionary) -> Option<Vec<u32>> {
    let column = batch.column_by_name(name)?.as_dictionary_opt::<UInt32Type>()?;
    let values = column.values().as_string_opt::<i32>()?;
    let numbers: Vec<u32> =
        values.iter().map(|text| texts.intern(text.unwrap_or_default())).collect();
    Some(column.keys().values().iter().map(|&key| numbers[key as usize]).collect())
}
