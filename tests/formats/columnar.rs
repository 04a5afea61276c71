//! Parquet and Arrow: any type of whole number, decimal, date and text.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, Date32Array, Date64Array, Decimal128Array, Decimal256Array, DictionaryArray,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray, TimestampNanosecondArray,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use parquet::arrow::ArrowWriter;

use super::{assert_same, refusal};

const NAMES: [&str; 3] = ["某某有限公司", "ACME", "甲, \"乙\" 公司"];
const FIRMS: [&str; 3] = ["0101234567", "F2", "4101234567"];
const MODES: [Option<i8>; 3] = [Some(10), None, Some(10)];
/// Microseconds, and days, from 1970 to 2008-05-01.
const MAY: i64 = 1_209_600_000_000_000;
const DAYS: i32 = 14_000;

fn batch(columns: [ArrayRef; 9]) -> RecordBatch {
    let names = ["period", "flow", "firm_id", "firm_name", "region", "country", "hs8"];
    let names = names.into_iter().chain(["trade_mode", "value_usd"]);
    RecordBatch::try_from_iter_with_nullable(
        names.zip(columns).map(|(name, column)| (name, column, true)),
    )
    .expect("columns of one length")
}

/// The table in three choices of types.
pub fn batches() -> [RecordBatch; 3] {
    let flows = ["E", "I", "E"];
    let hs8 = ["84713000", "01012100", "84713000"];
    let decimals = |values: [i128; 3]| Decimal128Array::from(values.to_vec());
    [
        batch([
            Arc::new(Date32Array::from(vec![DAYS; 3])),
            Arc::new(StringArray::from(flows.to_vec())),
            Arc::new(StringViewArray::from(FIRMS.to_vec())),
            Arc::new(LargeStringArray::from(NAMES.to_vec())),
            Arc::new(Int32Array::from(vec![11019, 31229, 11019])),
            Arc::new(UInt16Array::from(vec![502, 601, 502])),
            Arc::new(StringArray::from(hs8.to_vec())),
            Arc::new(Int8Array::from(MODES.to_vec())),
            Arc::new(Float64Array::from(vec![1234.5, 7.0, -2.25])),
        ]),
        batch([
            Arc::new(TimestampMicrosecondArray::from(vec![MAY; 3])),
            Arc::new(DictionaryArray::<Int8Type>::from_iter(flows)),
            Arc::new(StringArray::from(FIRMS.to_vec())),
            Arc::new(DictionaryArray::<Int8Type>::from_iter(NAMES)),
            Arc::new(UInt64Array::from(vec![11019, 31229, 11019])),
            Arc::new(Int64Array::from(vec![502, 601, 502])),
            Arc::new(StringArray::from(hs8.to_vec())),
            Arc::new(Int16Array::from(MODES.map(|mode| mode.map(i16::from)).to_vec())),
            Arc::new(
                decimals([123_450, 700, -225]).with_precision_and_scale(9, 2).expect("a scale"),
            ),
        ]),
        batch([
            Arc::new(Date64Array::from(vec![MAY / 1000; 3])),
            Arc::new(StringArray::from(flows.to_vec())),
            Arc::new(arrow_array::BinaryArray::from_iter_values(FIRMS)),
            Arc::new(StringArray::from(NAMES.to_vec())),
            Arc::new(Float64Array::from(vec![11019.0, 31229.0, 11019.0])),
            Arc::new(UInt32Array::from(vec![502, 601, 502])),
            Arc::new(StringArray::from(hs8.to_vec())),
            Arc::new(Float32Array::from(MODES.map(|mode| mode.map(f32::from)).to_vec())),
            Arc::new(
                Decimal256Array::from_iter_values([123_450, 700, -225].map(Into::into))
                    .with_precision_and_scale(40, 2)
                    .expect("a scale"),
            ),
        ]),
    ]
}

pub fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(batch).expect("rows");
    writer.close().expect("an end");
    bytes
}

pub fn arrow(batch: &RecordBatch) -> [Vec<u8>; 2] {
    let schema = batch.schema();
    let mut file = FileWriter::try_new(Vec::new(), &schema).expect("a writer");
    file.write(batch).expect("rows");
    let mut stream = StreamWriter::try_new(Vec::new(), &schema).expect("a writer");
    stream.write(batch).expect("rows");
    [file.into_inner().expect("an end"), stream.into_inner().expect("an end")]
}

#[test]
fn any_type_of_number_date_and_text_is_the_same_table() {
    for (at, batch) in batches().into_iter().enumerate() {
        assert_same(&format!("Parquet {at}"), &parquet(&batch), "");
        for bytes in arrow(&batch) {
            assert_same(&format!("Arrow {at}"), &bytes, "");
        }
    }
}

#[test]
fn a_column_of_parts_and_a_code_that_lost_digits_are_refused() {
    let [batch, ..] = batches();
    let mut columns = batch.columns().to_vec();
    let mut lists = ListBuilder::new(StringBuilder::new());
    (0..3).for_each(|_| lists.append(true));
    columns[4] = Arc::new(lists.finish());
    let nested = super::columnar::batch(columns.try_into().expect("nine columns"));
    let message = refusal(&parquet(&nested), "");
    assert!(message.contains("column \"region\" is of type List("), "{message}");
    let mut columns = batch.columns().to_vec();
    columns[2] = Arc::new(Float32Array::from(vec![1.0, 16_777_217.0, 2.0]));
    let lost = super::columnar::batch(columns.try_into().expect("nine columns"));
    for bytes in arrow(&lost) {
        let message = refusal(&bytes, "");
        assert!(message.contains("row 3, column \"firm_id\": the code 16777216"), "{message}");
    }
    // Midnight in Beijing is the evening before in UTC.
    let instant = MAY * 1000 - 8 * 3_600_000_000_000;
    let instants = TimestampNanosecondArray::from(vec![instant; 3]).with_timezone("UTC");
    let mut columns = batch.columns().to_vec();
    columns[0] = Arc::new(instants);
    let zoned = super::columnar::batch(columns.try_into().expect("nine columns"));
    let bad = super::rejected(&parquet(&zoned), "");
    assert_eq!(bad.len(), 3, "an instant is of no month: {bad:?}");
}

#[test]
fn an_arrow_file_that_claims_more_bytes_than_it_has_is_refused_before_they_are_reserved() {
    let [batch, ..] = batches();
    let [file, _] = arrow(&batch);
    let n_bytes = file.len();
    let footer_at = n_bytes - 10;
    let mut long_footer = file.clone();
    long_footer[footer_at..footer_at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    let message = refusal(&long_footer, "");
    assert!(message.contains("its footer of 2147483647 bytes reaches past the end"), "{message}");
    // The length of the only block is the last number of 64 bits that spans most of the file.
    let footer = i32::from_le_bytes(file[footer_at..footer_at + 4].try_into().expect("four"));
    let start = footer_at - usize::try_from(footer).expect("a footer");
    let body = (start..footer_at - 8).rev().find(|&at| {
        let number = i64::from_le_bytes(file[at..at + 8].try_into().expect("eight"));
        usize::try_from(number).is_ok_and(|n| n > 100 && n % 8 == 0 && n < start)
    });
    let body = body.expect("the length of the body");
    let mut long_block = file;
    long_block[body..body + 8].copy_from_slice(&(1_i64 << 40).to_le_bytes());
    let message = refusal(&long_block, "");
    assert!(message.contains("a block of 1099511"), "{message}");
    assert!(message.contains("reaches past the end of the file"), "{message}");
}

#[test]
fn a_compressed_arrow_buffer_that_claims_too_much_is_refused_before_it_is_reserved() {
    let [batch, ..] = batches();
    let schema = batch.schema();
    let options = || {
        arrow_ipc::writer::IpcWriteOptions::default()
            .try_with_compression(Some(arrow_ipc::CompressionType::ZSTD))
            .expect("zstd is built in")
    };
    // Enough equal rows, so that each buffer is compressed.
    let rows = UInt32Array::from(vec![0; 500]);
    let batch = arrow_select::take::take_record_batch(&batch, &rows).expect("rows");
    let mut file = FileWriter::try_new_with_options(Vec::new(), &schema, options()).expect("it");
    file.write(&batch).expect("rows");
    let mut stream =
        StreamWriter::try_new_with_options(Vec::new(), &schema, options()).expect("it");
    stream.write(&batch).expect("rows");
    let bytes = [file.into_inner().expect("an end"), stream.into_inner().expect("an end")];
    for bytes in bytes {
        assert_eq!(super::read_file(&bytes, &super::profile("")).expect("read").counts.lines, 500);
        // The dates of 500 rows, before they are packed.
        let claim = 2000_i64.to_le_bytes();
        let at = bytes.windows(8).position(|window| window == claim).expect("a packed buffer");
        let mut claimed = bytes;
        claimed[at..at + 8].copy_from_slice(&(1_i64 << 45).to_le_bytes());
        let message = refusal(&claimed, "");
        assert!(message.contains("claims 35184372088832 bytes unpacked"), "{message}");
    }
}

#[test]
fn a_parquet_file_of_few_bytes_that_unpacks_to_very_many_rows_is_refused() {
    const N_ROWS: usize = 100_000;
    let [batch, ..] = batches();
    let mut columns = batch.columns().to_vec();
    columns[3] = Arc::new(StringArray::from(vec!["名".repeat(400); 3]));
    let long = super::columnar::batch(columns.try_into().expect("nine columns"));
    let first = UInt32Array::from(vec![0; N_ROWS]);
    let rows = arrow_select::take::take_record_batch(&long, &first).expect("a row, many times");
    let message = refusal(&parquet(&rows), "");
    assert!(message.contains("which no table does"), "{message}");
}
