//! Parquet and Arrow: arrays to cells.

use std::fs::File;
use std::io::BufReader;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatchReader};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::number;
use super::problem::TableProblem;
use super::rows::Rows;
use crate::files::arrow_sizes;

/// The number of rows per batch.
const BATCH_ROWS: usize = 1024;

/// Produces the rows of a Parquet file.
pub(super) fn parquet(file: File, rows: &mut Rows<'_>) -> Result<(), TableProblem> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(TableProblem::damaged)?;
    put(builder.with_batch_size(BATCH_ROWS).build().map_err(TableProblem::damaged)?, rows)
}

/// Produces the rows of an Arrow file.
pub(super) fn arrow_file(mut file: File, rows: &mut Rows<'_>) -> Result<(), TableProblem> {
    arrow_sizes::check_file(&mut file).map_err(TableProblem::damaged)?;
    let reader = FileReader::try_new(BufReader::new(file), None);
    put(reader.map_err(TableProblem::damaged)?, rows)
}

/// Produces the rows of an Arrow stream.
pub(super) fn arrow_stream(mut file: File, rows: &mut Rows<'_>) -> Result<(), TableProblem> {
    arrow_sizes::check_stream(&mut file).map_err(TableProblem::damaged)?;
    let reader = StreamReader::try_new(BufReader::new(file), None);
    put(reader.map_err(TableProblem::damaged)?, rows)
}

fn put(batches: impl RecordBatchReader, rows: &mut Rows<'_>) -> Result<(), TableProblem> {
    let schema = batches.schema();
    rows.header(schema.fields().iter().map(|field| field.name().as_str()))?;
    for batch in batches {
        let batch = batch.map_err(TableProblem::damaged)?;
        let columns = batch.columns().iter().map(plain).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            for (at, column) in columns.iter().enumerate() {
                put_cell(rows, column, row).map_err(|problem| match problem {
                    TableProblem::Type { data_type, .. } => {
                        let column = schema.field(at).name().clone();
                        TableProblem::Type { column, data_type }
                    }
                    problem => problem,
                })?;
            }
            rows.end_row()?;
        }
    }
    Ok(())
}

/// An array with its dictionary resolved.
fn plain(array: &ArrayRef) -> Result<ArrayRef, TableProblem> {
    let DataType::Dictionary(..) = array.data_type() else { return Ok(array.clone()) };
    let dictionary = array.as_any_dictionary();
    let taken = arrow_select::take::take(dictionary.values(), dictionary.keys(), None);
    taken.map_err(TableProblem::damaged)
}

fn put_cell(rows: &mut Rows<'_>, array: &ArrayRef, row: usize) -> Result<(), TableProblem> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        rows.empty();
        return Ok(());
    }
    match array.data_type() {
        DataType::Boolean => rows.plain(array.as_boolean().value(row)),
        DataType::Utf8 => rows.text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => rows.text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => rows.text(array.as_string_view().value(row)),
        DataType::Binary => put_bytes(rows, array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => put_bytes(rows, array.as_binary::<i64>().value(row)),
        DataType::BinaryView => put_bytes(rows, array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => put_bytes(rows, array.as_fixed_size_binary().value(row)),
        DataType::Float16 => rows.real(value::<Float16Type>(array, row).to_f32())?,
        DataType::Float32 => rows.real(value::<Float32Type>(array, row))?,
        DataType::Float64 => rows.real(value::<Float64Type>(array, row))?,
        _ => return put_integer(rows, array, row),
    }
    Ok(())
}

/// Produces a cell of a type that is stored as whole numbers: numbers, decimals, dates and times.
fn put_integer(rows: &mut Rows<'_>, array: &ArrayRef, row: usize) -> Result<(), TableProblem> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match array.data_type() {
        DataType::Int8 => rows.plain(value::<Int8Type>(array, row)),
        DataType::Int16 => rows.plain(value::<Int16Type>(array, row)),
        DataType::Int32 => rows.plain(value::<Int32Type>(array, row)),
        DataType::Int64 => rows.plain(value::<Int64Type>(array, row)),
        DataType::UInt8 => rows.plain(value::<UInt8Type>(array, row)),
        DataType::UInt16 => rows.plain(value::<UInt16Type>(array, row)),
        DataType::UInt32 => rows.plain(value::<UInt32Type>(array, row)),
        DataType::UInt64 => rows.plain(value::<UInt64Type>(array, row)),
        DataType::Decimal32(..) => {
            rows.text(&array.as_primitive::<Decimal32Type>().value_as_string(row));
        }
        DataType::Decimal64(..) => {
            rows.text(&array.as_primitive::<Decimal64Type>().value_as_string(row));
        }
        DataType::Decimal128(..) => {
            rows.text(&array.as_primitive::<Decimal128Type>().value_as_string(row));
        }
        DataType::Decimal256(..) => {
            rows.text(&array.as_primitive::<Decimal256Type>().value_as_string(row));
        }
        DataType::Date32 => {
            put_time(rows, number::date(value::<Date32Type>(array, row).into()).as_ref());
        }
        DataType::Date64 => {
            let milliseconds = value::<Date64Type>(array, row);
            put_time(rows, number::moment(milliseconds, Millisecond, false).as_ref());
        }
        DataType::Timestamp(unit, zone) => {
            let count = match unit {
                Second => value::<TimestampSecondType>(array, row),
                Millisecond => value::<TimestampMillisecondType>(array, row),
                Microsecond => value::<TimestampMicrosecondType>(array, row),
                Nanosecond => value::<TimestampNanosecondType>(array, row),
            };
            put_time(rows, number::moment(count, *unit, zone.is_some()).as_ref());
        }
        DataType::Duration(unit) => rows.plain(match unit {
            Second => value::<DurationSecondType>(array, row),
            Millisecond => value::<DurationMillisecondType>(array, row),
            Microsecond => value::<DurationMicrosecondType>(array, row),
            Nanosecond => value::<DurationNanosecondType>(array, row),
        }),
        other => {
            let (column, data_type) = (String::new(), other.to_string());
            return Err(TableProblem::Type { column, data_type });
        }
    }
    Ok(())
}

fn value<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn put_bytes(rows: &mut Rows<'_>, bytes: &[u8]) {
    rows.text_or_bad(std::str::from_utf8(bytes).ok(), &String::from_utf8_lossy(bytes));
}

fn put_time(rows: &mut Rows<'_>, text: Option<&String>) {
    rows.text_or_bad(text.map(String::as_str), "");
}
