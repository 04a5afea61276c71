//! Types of levels.

use super::*;

/// Every type of level, with the text of the first row.
fn level_types() -> Vec<(ArrayRef, &'static str)> {
    const LARGE: i64 = 1_000_000_000_000_000_000;
    let text = |firm: i64| format!("F{firm}");
    let wide = |firm: i64| i256(&format!("{}{firm}", "9".repeat(60)));
    let bytes = |firm: i64| vec![0xFF, u8::try_from(firm).expect("small")];
    let precise = |array: Decimal128Array, scale| -> ArrayRef {
        Arc::new(array.with_precision_and_scale(38, scale).expect("a type"))
    };
    let bits = |firm: i64| u32::try_from(firm).expect("small");
    let decimal128 = |unit: i128| base().firm.iter().map(|&f| Some(unit + i128::from(f))).collect();
    let decimal256: Decimal256Array = base().firm.iter().map(|&f| Some(wide(f))).collect();
    let fixed: Vec<Vec<u8>> = base().firm.iter().map(|&firm| bytes(firm)).collect();
    vec![
        (firms::<_, BooleanArray>(|_| Some(true)), ""),
        (firms::<_, Int8Array>(|f| i8::try_from(f - 5).ok()), "-5"),
        (firms::<_, Int16Array>(|f| i16::try_from(f - 5).ok()), "-5"),
        (firms::<_, Int32Array>(|f| i32::try_from(f - 5).ok()), "-5"),
        (firms::<_, Int64Array>(|f| Some(LARGE + f)), "1000000000000000000"),
        (firms::<_, UInt8Array>(|f| u8::try_from(f).ok()), "0"),
        (firms::<_, UInt16Array>(|f| u16::try_from(f).ok()), "0"),
        (firms::<_, UInt32Array>(|f| u32::try_from(f).ok()), "0"),
        (firms::<_, UInt64Array>(|f| Some(u64::MAX - f.unsigned_abs())), "18446744073709551615"),
        (firms::<_, Float16Array>(|f| Some(half(0.1 + small(f)))), "0.099975586"),
        (firms::<_, Float32Array>(|f| Some(f32::from_bits(0x3DCC_CCCD + bits(f)))), "0.1"),
        (
            firms::<_, Float64Array>(|f| {
                Some(f64::from_bits(0.1_f64.to_bits() + u64::from(bits(f))))
            }),
            "0.1",
        ),
        (precise(decimal128(i128::from(LARGE) * 1000), 0), "1000000000000000000000"),
        (precise(decimal128(i128::from(LARGE)), 2), "10000000000000000.00"),
        (
            Arc::new(decimal256.with_precision_and_scale(76, 0).expect("a type")),
            "9999999999999999999999999999999999999999999999999999999999990",
        ),
        (
            Arc::new(
                firm_array::<Decimal32Array>().with_precision_and_scale(9, 1).expect("a type"),
            ),
            "0.0",
        ),
        (firms::<_, StringArray>(|f| Some(text(f))), "F0"),
        (firms::<_, LargeStringArray>(|f| Some(text(f))), "F0"),
        (firms::<_, StringViewArray>(|f| Some(text(f))), "F0"),
        (firms::<_, BinaryArray>(|f| Some(text(f).into_bytes())), "F0"),
        (firms::<_, LargeBinaryArray>(|f| Some(bytes(f))), "0xff00"),
        (firms::<_, BinaryViewArray>(|f| Some(bytes(f))), "0xff00"),
        (Arc::new(FixedSizeBinaryArray::try_from_iter(fixed.iter()).expect("bytes")), "0xff00"),
        (dictionary::<Int8Type>(), "F0"),
        (dictionary::<Int32Type>(), "F0"),
        (dictionary::<UInt16Type>(), "F0"),
        (dictionary::<UInt64Type>(), "F0"),
        (firms::<_, Date32Array>(|f| i32::try_from(f).ok()), "1970-01-01"),
        (firms::<_, Date64Array>(|f| Some(f * 86_400_000)), "1970-01-01"),
        (firms::<_, TimestampSecondArray>(Some), "1970-01-01T00:00:00"),
        (firms::<_, TimestampMillisecondArray>(Some), "1970-01-01T00:00:00"),
        (firms::<_, TimestampMicrosecondArray>(Some), "1970-01-01T00:00:00"),
        (firms::<_, TimestampNanosecondArray>(|f| Some(LARGE + f)), "2001-09-09T01:46:40"),
        (
            Arc::new(firm_array::<TimestampMillisecondArray>().with_timezone("Asia/Shanghai")),
            "1970-01-01T00:00:00Z",
        ),
        (firms::<_, Time32SecondArray>(|f| i32::try_from(f).ok()), "00:00:00"),
        (firms::<_, Time32MillisecondArray>(|f| i32::try_from(f).ok()), "00:00:00"),
        (firms::<_, Time64MicrosecondArray>(Some), "00:00:00"),
        (firms::<_, Time64NanosecondArray>(Some), "00:00:00"),
        (firms::<_, DurationSecondArray>(Some), "PT0S"),
        (firms::<_, DurationNanosecondArray>(Some), "PT0S"),
    ]
}

fn i256(digits: &str) -> <Decimal256Type as ArrowPrimitiveType>::Native {
    digits.parse().expect("digits")
}

fn small(firm: i64) -> f64 {
    i32::try_from(firm).expect("a firm's number").into()
}

fn firm_array<A>() -> A
where
    A: FromIterator<Option<<A as Native>::Value>> + Native,
    <A as Native>::Value: TryFrom<i64>,
{
    base().firm.iter().map(|&firm| <A as Native>::Value::try_from(firm).ok()).collect()
}

/// The type of an array's values.
trait Native {
    type Value;
}

impl Native for Decimal32Array {
    type Value = i32;
}

impl Native for TimestampMillisecondArray {
    type Value = i64;
}

#[test]
fn every_type_of_parquet_and_arrow_is_a_level() {
    let folder = folder();
    for (firm, first) in level_types() {
        let kind = firm.data_type().clone();
        let batch = batch(NAMES, firm, years());
        let path = folder.path().join("panel");
        parquet(&path, std::slice::from_ref(&batch), Compression::SNAPPY);
        if kind == DataType::Boolean {
            let (found, table) =
                tried(&path, "y ~ x | firm", None, &ReadOptions::default()).expect("an estimate");
            assert_eq!(
                (found.fixed_effects[0].levels, table.text("firm", 0).as_str()),
                (1, "true")
            );
            continue;
        }
        let table = is_right(&path);
        assert_eq!(table.text("firm", 0), first, "{kind}");
        let mut writer = FileWriter::try_new(File::create(&path).expect("a file"), &batch.schema())
            .expect("a writer");
        writer.write(&batch).expect("rows");
        writer.finish().expect("a file");
        assert_eq!(is_right(&path).text("firm", 0), first, "{kind} in Arrow");
    }
}
