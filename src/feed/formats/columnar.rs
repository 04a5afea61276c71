//! Parquet and Arrow: arrays to cells.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

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
use arrow_ipc::{root_as_footer, root_as_message};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::number;
use super::problem::TableProblem;
use super::rows::Rows;

/// The end of an Arrow file: the length of its footer, and `ARROW1`.
const TRAILER_BYTES: usize = 10;

/// The largest unpacked size of a buffer of a batch: 1 GiB.
const BUFFER_BYTES_MAX: i64 = 1 << 30;

/// The number of rows per batch.
const BATCH_ROWS: usize = 1024;

/// Produces the rows of a Parquet file.
pub(super) fn parquet(file: File, rows: &mut Rows<'_>) -> Result<(), TableProblem> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(TableProblem::damaged)?;
    put(builder.with_batch_size(BATCH_ROWS).build().map_err(TableProblem::damaged)?, rows)
}

/// Produces the rows of an Arrow file.
pub(super) fn arrow_file(mut file: File, rows: &mut Rows<'_>) -> Result<(), TableProblem> {
    check_blocks(&mut file)?;
    let reader = FileReader::try_new(BufReader::new(file), None);
    put(reader.map_err(TableProblem::damaged)?, rows)
}

/// Checks the sizes that an Arrow file claims: the reader reserves a block before it reads it.
///
/// # Errors
/// [`TableProblem::Damaged`] if the footer or a block reaches past the end of the file.
fn check_blocks(file: &mut File) -> Result<(), TableProblem> {
    let past = |what: &str, n: i64| {
        TableProblem::damaged(format!("{what} of {n} bytes reaches past the end of the file"))
    };
    let n_bytes = file.seek(SeekFrom::End(0)).map_err(TableProblem::damaged)?;
    let mut trailer = [0; TRAILER_BYTES];
    let end = n_bytes.checked_sub(TRAILER_BYTES as u64).ok_or_else(|| past("a trailer", 10))?;
    file.seek(SeekFrom::Start(end)).map_err(TableProblem::damaged)?;
    file.read_exact(&mut trailer).map_err(TableProblem::damaged)?;
    let n_footer = i32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]);
    let start = u64::try_from(n_footer).ok().and_then(|n| end.checked_sub(n));
    let start = start.ok_or_else(|| past("its footer", n_footer.into()))?;
    let mut footer = vec![0; usize::try_from(end - start).expect("below 2^31")];
    file.seek(SeekFrom::Start(start)).map_err(TableProblem::damaged)?;
    file.read_exact(&mut footer).map_err(TableProblem::damaged)?;
    let footer = root_as_footer(&footer).map_err(TableProblem::damaged)?;
    let blocks = footer.recordBatches().into_iter().chain(footer.dictionaries()).flatten();
    for block in blocks {
        let n_block = i64::from(block.metaDataLength()).checked_add(block.bodyLength());
        let reaches = n_block.and_then(|n| block.offset().checked_add(n));
        let sizes = [block.offset(), block.metaDataLength().into(), block.bodyLength()];
        let is_inside = reaches.is_some_and(|end| u64::try_from(end).is_ok_and(|end| end <= start));
        if !is_inside || sizes.iter().any(|size| *size < 0) {
            return Err(past("a block", n_block.unwrap_or(i64::MAX)));
        }
        let at = u64::try_from(block.offset()).expect("not below zero");
        check_message(file, (at, start))?;
    }
    file.seek(SeekFrom::Start(0)).map_err(TableProblem::damaged)?;
    Ok(())
}

/// Checks the sizes that a message claims for its compressed buffers: the reader reserves them
/// before it unpacks. Returns the end of the message; `None` at the end of a stream.
///
/// # Errors
/// [`TableProblem::Damaged`] if the message reaches past `end`, or a buffer claims too much.
fn check_message(file: &mut File, (at, end): (u64, u64)) -> Result<Option<u64>, TableProblem> {
    let cut = || TableProblem::damaged("a message reaches past the end of the file");
    let mut number = [0; 4];
    let mut body = at;
    let mut n_bytes = 0;
    // Older files have the length without the mark before it.
    for _ in 0..2 {
        if body + 4 > end {
            return if body == at { Ok(None) } else { Err(cut()) };
        }
        file.seek(SeekFrom::Start(body)).map_err(TableProblem::damaged)?;
        file.read_exact(&mut number).map_err(TableProblem::damaged)?;
        body += 4;
        n_bytes = u32::from_le_bytes(number);
        if n_bytes != u32::MAX {
            break;
        }
    }
    if n_bytes == 0 {
        return Ok(None);
    }
    let start = body;
    body += u64::from(n_bytes);
    if body > end {
        return Err(cut());
    }
    let mut message = vec![0; usize::try_from(body - start).expect("a length of 32 bits")];
    file.read_exact(&mut message).map_err(TableProblem::damaged)?;
    let message = root_as_message(&message).map_err(TableProblem::damaged)?;
    let n_body = u64::try_from(message.bodyLength()).map_err(|_| cut())?;
    let after = body.checked_add(n_body).filter(|after| *after <= end).ok_or_else(cut)?;
    let dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
    let batch = message.header_as_record_batch().or(dictionary);
    let buffers = batch.filter(|batch| batch.compression().is_some()).and_then(|of| of.buffers());
    for buffer in buffers.into_iter().flatten().filter(|buffer| buffer.length() >= 8) {
        let of_body = u64::try_from(buffer.offset()).ok().filter(|offset| offset + 8 <= n_body);
        let offset = of_body.ok_or_else(cut)?;
        let mut unpacked = [0; 8];
        file.seek(SeekFrom::Start(body + offset)).map_err(TableProblem::damaged)?;
        file.read_exact(&mut unpacked).map_err(TableProblem::damaged)?;
        let unpacked = i64::from_le_bytes(unpacked);
        if unpacked > BUFFER_BYTES_MAX {
            let what = format!("a buffer claims {unpacked} bytes unpacked");
            return Err(TableProblem::damaged(what));
        }
    }
    Ok(Some(after))
}

/// Produces the rows of an Arrow stream.
pub(super) fn arrow_stream(mut file: File, rows: &mut Rows<'_>) -> Result<(), TableProblem> {
    let end = file.seek(SeekFrom::End(0)).map_err(TableProblem::damaged)?;
    let mut at = 0;
    while let Some(after) = check_message(&mut file, (at, end))? {
        at = after;
    }
    file.seek(SeekFrom::Start(0)).map_err(TableProblem::damaged)?;
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
