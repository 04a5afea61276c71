//! Stored rows in order of key. Workers deliver parts in any order; readers need one order.

use arrow_array::cast::AsArray;
use arrow_array::{RecordBatch, StringArray, UInt32Array};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

/// The rows of one year as one batch, sorted by the texts of their key columns, bytewise.
///
/// # Errors
/// Arrow's error for batches that do not fit together, or for a key that is not a text: a damaged
/// or foreign part.
pub fn by_key(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    keys: &[&str],
) -> Result<RecordBatch, ArrowError> {
    let rows = concat_batches(schema, batches)?;
    let columns: Vec<&StringArray> = keys
        .iter()
        .map(|key| {
            rows.column_by_name(key)
                .and_then(|column| column.as_string_opt::<i32>())
                .ok_or_else(|| ArrowError::SchemaError(format!("no text column {key}")))
        })
        .collect::<Result<_, _>>()?;
    let n_rows = u32::try_from(rows.num_rows())
        .map_err(|_| ArrowError::ComputeError("more than 2^32 rows in a year".to_owned()))?;
    let mut order: Vec<u32> = (0..n_rows).collect();
    order.sort_unstable_by(|&a, &b| {
        let key = |row: u32| columns.iter().map(move |column| column.value(row as usize));
        key(a).cmp(key(b))
    });
    take_record_batch(&rows, &UInt32Array::from(order))
}
