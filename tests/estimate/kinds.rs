//! Panels as people have them: one small panel in every kind of text, Parquet and Arrow, with every
//! type that a level or a number may have. The estimate is the same throughout, to the digits that
//! dense algebra gives.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{
    ArrowDictionaryKeyType, Decimal256Type, Float16Type, Int8Type, Int32Type, UInt16Type,
    UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BinaryViewArray, BooleanArray, Date32Array,
    Date64Array, Decimal32Array, Decimal128Array, Decimal256Array, DictionaryArray,
    DurationNanosecondArray, DurationSecondArray, FixedSizeBinaryArray, Float16Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeBinaryArray,
    LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray, StructArray,
    Time32MillisecondArray, Time32SecondArray, Time64MicrosecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::result::Estimate;
use spillover::estimate::{Options, estimate};
use spillover::panel::{ReadOptions, Table, Wanted};

/// Ten firms in six years.
struct Base {
    y: Vec<f64>,
    x: Vec<f64>,
    firm: Vec<i64>,
    year: Vec<i32>,
}

const COEFFICIENT: f64 = 0.836_644_014_345;
const ERROR_IID: f64 = 0.131_091_796_618;
const ERROR_CLUSTERED: f64 = 0.077_666_214_908_4;
const TOLERANCE: f64 = 1e-10;

fn base() -> Base {
    let mut base = Base { y: vec![], x: vec![], firm: vec![], year: vec![] };
    for line in include_str!("../reference/kinds.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        base.y.push(fields[0].parse().expect("a number"));
        base.x.push(fields[1].parse().expect("a number"));
        base.firm.push(fields[2].parse().expect("a number"));
        base.year.push(fields[3].parse().expect("a number"));
    }
    base
}

fn tried(
    path: &Path,
    formula: &str,
    cluster: Option<&str>,
    options: &ReadOptions,
) -> Result<(Estimate, Table), String> {
    let formula = Formula::parse(formula).map_err(|error| error.to_string())?;
    let clusters = cluster.map(|text| Interaction::parse_sum(text).expect("clusters"));
    let vcov = clusters.map_or(Vcov::Iid, Vcov::Clustered);
    let wanted = Wanted::of(&formula, vcov.clusters(), None);
    let table = Table::read(path, &wanted, options).map_err(|error| error.to_string())?;
    let options =
        Options { inference: Inference { vcov, ..Inference::default() }, ..Options::default() };
    let panel = table.panel().map_err(|error| error.to_string())?;
    let found = estimate(&panel, &formula, &options, None).map_err(|error| error.to_string())?;
    Ok((found, table))
}

/// That the estimate is the right one, with iid and with clustered errors.
fn is_right_with(path: &Path, names: [&str; 4], options: &ReadOptions) -> Table {
    let [y, x, firm, year] = names;
    let formula = format!("{y} ~ {x} | {firm} + {year}");
    let mut read = None;
    for (cluster, error, k) in [(None, ERROR_IID, 16), (Some(firm), ERROR_CLUSTERED, 7)] {
        let found = tried(path, &formula, cluster, options);
        let (estimate, table) =
            found.unwrap_or_else(|error| panic!("{}: {formula}: {error}", path.display()));
        let term = &estimate.terms[0];
        assert!((term.estimate - COEFFICIENT).abs() < TOLERANCE, "{}: {term:?}", path.display());
        let own = term.std_error.expect("an error");
        assert!((own - error).abs() < TOLERANCE, "{}: {own} for {error}", path.display());
        assert_eq!((estimate.n_obs, estimate.k), (60, k), "{}", path.display());
        read = Some(table);
    }
    read.expect("two estimates")
}

fn is_right(path: &Path) -> Table {
    is_right_with(path, ["y", "x", "firm", "year"], &ReadOptions::default())
}

fn refused(path: &Path, formula: &str) -> String {
    match tried(path, formula, None, &ReadOptions::default()) {
        Ok(_) => panic!("{}: {formula} is estimated", path.display()),
        Err(error) => error,
    }
}

/// The entry of a list for a firm.
fn of<'t>(list: &[&'t str], firm: i64) -> &'t str {
    list[usize::try_from(firm).expect("a firm's number")]
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The base as text with these firms, fields joined by `delimiter`.
fn text(names: [&str; 4], firm: &dyn Fn(i64) -> String, delimiter: &str) -> String {
    let base = base();
    let mut text = names.join(delimiter) + "\n";
    for row in 0..base.y.len() {
        let numbers = [base.y[row].to_string(), base.x[row].to_string()];
        let levels = [firm(base.firm[row]), base.year[row].to_string()];
        text += &(numbers.into_iter().chain(levels).collect::<Vec<_>>().join(delimiter) + "\n");
    }
    text
}

const NAMES: [&str; 4] = ["y", "x", "firm", "year"];

fn written(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("written");
    path
}

#[test]
fn identifiers_in_text_are_what_they_are_written_as() {
    let folder = folder();
    let zeros = ["01", "1", "001", "2", "02", "3", "4", "5", "6", "7"];
    let exponents = ["10E1", "100", "1E2", "2E2", "200", "20E1", "3E2", "300", "1e2", "1E02"];
    let reals = ["1.0", "1", "1.00", "+1", "-0", "0", "0.0", ".0", " 1", "1."];
    let large: Vec<String> = (0..10_u64).map(|i| (9_007_199_254_740_991 + i).to_string()).collect();
    let huge: Vec<String> = (0..10).map(|i| format!("123456789012345678901234567890{i}")).collect();
    let countries = ["NA", "na", "nan", "NULL", "null", ".", "NaN", "TRUE", "inf", "-"];
    let quoted = countries.map(|code| format!("\"{code}\""));
    let lists: [Vec<&str>; 6] = [
        zeros.to_vec(),
        exponents.to_vec(),
        reals.to_vec(),
        large.iter().map(String::as_str).collect(),
        huge.iter().map(String::as_str).collect(),
        quoted.iter().map(String::as_str).collect(),
    ];
    for list in lists {
        let path =
            written(folder.path(), "p.csv", text(NAMES, &|firm| of(&list, firm).into(), ","));
        let table = is_right(&path);
        assert_eq!(table.text("firm", 0), of(&list, base().firm[0]).trim_matches('"'));
    }
    // Not quoted, the code of Namibia counts unless the texts for missing values are others.
    let none = ReadOptions { missing: Some(vec![String::new()]), ..ReadOptions::default() };
    let namibia = text(NAMES, &|firm| of(&countries, firm).into(), ",");
    is_right_with(&written(folder.path(), "n.csv", namibia), NAMES, &none);
}

#[test]
fn text_is_read_in_every_kind_of_file() {
    let folder = folder();
    let comma = text(NAMES, &|firm| firm.to_string(), ",");
    let plain = |name: &str, text: &str| is_right(&written(folder.path(), name, text));
    plain("panel", &comma);
    plain("panel.parquet", &comma);
    plain("panel.tsv", &comma.replace(',', "\t"));
    plain("semicolon.csv", &comma.replace(',', ";"));
    plain("decimal.csv", &comma.replace(',', ";").replace('.', ","));
    plain("bar.txt", &comma.replace(',', "|"));
    plain("spaces.csv", &comma.replace(',', ", "));
    plain("crlf.csv", &comma.replace('\n', "\r\n"));
    plain("mark.csv", &format!("\u{feff}{comma}"));
    plain("blank.csv", &comma.replace('\n', "\n\n"));
    let quoted: Vec<String> =
        comma.lines().map(|line| format!("\"{}\"", line.replace(',', "\",\""))).collect();
    plain("quoted.csv", &quoted.join("\n"));
    let units = comma.encode_utf16().flat_map(u16::to_le_bytes);
    is_right(&written(folder.path(), "utf16.csv", units.collect::<Vec<u8>>()));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(comma.as_bytes()).expect("packed");
    is_right(&written(folder.path(), "panel.csv.gz", gz.finish().expect("packed")));
    let zst = zstd::encode_all(comma.as_bytes(), 1).expect("packed");
    is_right(&written(folder.path(), "panel.csv.zst", zst));
    is_right(&zipped(folder.path(), "panel.zip", &["panel.csv"], &comma));
}

fn zipped(folder: &Path, name: &str, members: &[&str], text: &str) -> PathBuf {
    let path = folder.join(name);
    let mut writer = zip::ZipWriter::new(File::create(&path).expect("a file"));
    for member in members {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*member, options).expect("a member");
        writer.write_all(text.as_bytes()).expect("packed");
    }
    writer.finish().expect("an archive");
    path
}

#[test]
fn chinese_names_and_texts_are_read_in_every_encoding() {
    let folder = folder();
    let names = ["出口额", "人均收入", "企业", "年份"];
    let text = text(names, &|firm| format!("广东第{firm}厂"), ",");
    for encoding in [encoding_rs::UTF_8, encoding_rs::GB18030, encoding_rs::BIG5] {
        let (bytes, _, _) = encoding.encode(&text);
        let path = written(folder.path(), "p.csv", &bytes);
        let given = ReadOptions { encoding: Some(encoding), ..ReadOptions::default() };
        // Big5 has none of the simplified characters: they are written as numbers there.
        if encoding != encoding_rs::BIG5 {
            is_right_with(&path, names, &given);
            is_right_with(&path, names, &ReadOptions::default());
        }
    }
}

#[test]
fn names_are_found_however_they_are_written() {
    let folder = folder();
    let names = ["log y", ".x (1)", "2nd firm", "café^año"];
    let quoted = names.map(|name| format!("`{name}`"));
    let quoted: [&str; 4] = std::array::from_fn(|at| quoted[at].as_str());
    let firm = |firm: i64| firm.to_string();
    let composed = written(folder.path(), "c.csv", text(names, &firm, ","));
    is_right_with(&composed, quoted, &ReadOptions::default());
    let marks = names.map(|name| name.replace('é', "e\u{301}").replace('ñ', "n\u{303}"));
    let marks: [&str; 4] = std::array::from_fn(|at| marks[at].as_str());
    let apart = written(folder.path(), "m.csv", text(marks, &firm, ","));
    is_right_with(&apart, quoted, &ReadOptions::default());
    let plain = [".y", "2x", "firm.id", "_year"];
    let path = written(folder.path(), "d.csv", text(plain, &firm, ","));
    is_right_with(&path, plain, &ReadOptions::default());
    assert!(refused(&path, "`.z` ~ `2x` | firmid").contains("no column \".z\""));
    let said = refused(&path, ".y ~ 2x | firmid");
    assert!(said.contains("no column \"firmid\"; did you mean \"firm.id\"?"), "{said}");
}

/// The base as Arrow columns with these firms, years and names.
fn batch(names: [&str; 4], firm: ArrayRef, year: ArrayRef) -> RecordBatch {
    let base = base();
    let y: ArrayRef = Arc::new(Float64Array::from(base.y));
    let x: ArrayRef = Arc::new(Float64Array::from(base.x));
    let arrays = vec![y, x, firm, year];
    let fields = names
        .iter()
        .zip(&arrays)
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, arrays).expect("columns of one length")
}

fn parquet(path: &Path, batches: &[RecordBatch], compression: Compression) {
    let properties = WriterProperties::builder().set_compression(compression).build();
    let file = File::create(path).expect("a file");
    let mut writer =
        ArrowWriter::try_new(file, batches[0].schema(), Some(properties)).expect("a writer");
    for batch in batches {
        writer.write(batch).expect("rows");
    }
    writer.close().expect("a file");
}

/// An array with a value for each row's firm.
fn firms<T, A: FromIterator<T> + Array + 'static>(value: impl Fn(i64) -> T) -> ArrayRef {
    Arc::new(base().firm.into_iter().map(value).collect::<A>())
}

fn years() -> ArrayRef {
    Arc::new(base().year.into_iter().map(Some).collect::<Int32Array>())
}

fn dictionary<K: ArrowDictionaryKeyType>() -> ArrayRef {
    let names: Vec<String> = base().firm.iter().map(|firm| format!("F{firm}")).collect();
    Arc::new(names.iter().map(|name| Some(name.as_str())).collect::<DictionaryArray<K>>())
}

/// Every type that a level may have, with the text of the first row's.
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

fn half(value: f64) -> <Float16Type as ArrowPrimitiveType>::Native {
    <Float16Type as ArrowPrimitiveType>::Native::from_f64(value)
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

/// What an array's values are made of.
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

#[test]
fn every_codec_is_read_whatever_the_file_is_called() {
    let folder = folder();
    let batch = batch(NAMES, dictionary::<Int32Type>(), years());
    let codecs = [
        ("panel", Compression::UNCOMPRESSED),
        ("panel.pq", Compression::SNAPPY),
        ("panel.parq", Compression::GZIP(GzipLevel::default())),
        ("panel.PARQUET", Compression::BROTLI(BrotliLevel::default())),
        ("panel.csv", Compression::ZSTD(ZstdLevel::default())),
        ("panel.txt", Compression::LZ4),
        ("panel.dat", Compression::LZ4_RAW),
    ];
    for (name, codec) in codecs {
        let path = folder.path().join(name);
        parquet(&path, std::slice::from_ref(&batch), codec);
        is_right(&path);
    }
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        let options = IpcWriteOptions::default();
        let options = options.try_with_compression(compression).expect("a codec");
        let path = folder.path().join("panel.feather");
        let file = File::create(&path).expect("a file");
        let mut writer =
            FileWriter::try_new_with_options(file, &batch.schema(), options).expect("a writer");
        writer.write(&batch).expect("rows");
        writer.finish().expect("a file");
        is_right(&path);
    }
    let path = folder.path().join("panel.arrows");
    let mut writer = StreamWriter::try_new(File::create(&path).expect("a file"), &batch.schema())
        .expect("a writer");
    writer.write(&batch).expect("rows");
    writer.finish().expect("a stream");
    is_right(&path);
}

#[test]
fn names_with_dots_and_columns_with_parts_are_no_paths() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let names = ["log.y", "gdp.pc", "firm.id", "year.of.it"];
    let plain = batch(names, firms::<_, Int64Array>(Some), years());
    // A column with parts, whose path is the name of another column.
    let parts: ArrayRef = Arc::new(StructArray::from(vec![(
        Arc::new(Field::new("id", DataType::Int64, true)),
        firms::<_, Int64Array>(|_| Some(1)),
    )]));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
        (0..60).map(|_| Some(vec![Some(1)])),
    ));
    let mut fields: Vec<Arc<Field>> = plain.schema().fields().iter().cloned().collect();
    fields.insert(0, Arc::new(Field::new("firm", parts.data_type().clone(), true)));
    fields.push(Arc::new(Field::new("list", list.data_type().clone(), true)));
    let mut arrays = plain.columns().to_vec();
    arrays.insert(0, parts);
    arrays.push(list);
    let nested = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns");
    parquet(&path, &[nested], Compression::SNAPPY);
    is_right_with(&path, names, &ReadOptions::default());
    let said = refused(&path, "log.y ~ gdp.pc | firm");
    assert!(said.contains("column \"firm\" is of type Struct"), "{said}");
    let said = refused(&path, "log.y ~ list | firm.id");
    assert!(said.contains("column \"list\" is of type List"), "{said}");
}

#[test]
fn a_null_is_the_only_missing_value_of_parquet() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let codes = ["NA", "", ".", "nan", "null", "NULL", "NaN", "US", "CN", "na"];
    let firm = firms::<_, StringArray>(|f| Some(of(&codes, f)));
    parquet(&path, &[batch(NAMES, firm, years())], Compression::SNAPPY);
    is_right(&path);
    // A null among whole numbers, texts and dates; a NaN among reals, and -0 beside 0.
    let real = [0.0, -0.0, f64::NAN, 2.0, 2.0];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", Arc::new(Float64Array::from(vec![1.0, 2.0, 4.0, 3.0, 7.0]))),
        ("x", Arc::new(Int32Array::from(vec![Some(1), Some(3), Some(2), None, Some(5)]))),
        ("f", Arc::new(Float64Array::from(real.to_vec()))),
        ("t", Arc::new(StringArray::from(vec![Some("a"), Some("a"), Some("b"), Some("b"), None]))),
        ("d", Arc::new(Date32Array::from(vec![Some(1), Some(1), None, Some(2), Some(2)]))),
    ];
    parquet(&path, &[RecordBatch::try_from_iter(columns).expect("columns")], Compression::SNAPPY);
    let left_out = |formula: &str| {
        let found = tried(&path, formula, None, &ReadOptions::default());
        found.map(|(estimate, _)| (estimate.n_missing, estimate.n_obs))
    };
    assert_eq!(left_out("y ~ 1 | f"), Ok((1, 4)));
    assert_eq!(left_out("y ~ x"), Ok((1, 4)));
    assert_eq!(left_out("y ~ 1 | t"), Ok((1, 4)));
    assert_eq!(left_out("y ~ 1 | d"), Ok((1, 4)));
}

#[test]
fn numbers_of_every_type_are_the_numbers_that_they_are() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let numbers = |array: ArrayRef| -> Vec<f64> {
        let batch = RecordBatch::try_from_iter([("x", array)]).expect("a column");
        parquet(&path, &[batch], Compression::SNAPPY);
        let wanted = Wanted::default().numbers(["x"]);
        let table = Table::read(&path, &wanted, &ReadOptions::default()).expect("a panel");
        let panel = table.panel().expect("a panel");
        use spillover::estimate::panel::Column;
        match panel.column("x").expect("a column") {
            Column::Real(numbers) => numbers.to_vec(),
            Column::Integer(numbers) => numbers.iter().map(|&x| x.into()).collect(),
            Column::Short(numbers) => numbers.iter().map(|&x| x.into()).collect(),
            Column::Code(_) => panic!("numbers"),
        }
    };
    let decimal = |digits: &[i128], scale| -> ArrayRef {
        let array: Decimal128Array = digits.iter().map(|&d| Some(d)).collect();
        Arc::new(array.with_precision_and_scale(38, scale).expect("a type"))
    };
    // Past 2^53 the nearest real, of two equally near the even one.
    let past = 9_007_199_254_740_993;
    let cases: Vec<(ArrayRef, Vec<f64>)> = vec![
        (Arc::new(BooleanArray::from(vec![true, false])), vec![1.0, 0.0]),
        (
            Arc::new(Int64Array::from(vec![past, -past])),
            vec![9_007_199_254_740_992.0, -9_007_199_254_740_992.0],
        ),
        (Arc::new(UInt64Array::from(vec![u64::MAX, 1])), vec![18_446_744_073_709_551_615.0, 1.0]),
        (decimal(&[12_345, -5], 2), vec![123.45, -0.05]),
        (decimal(&[past.into(), 10_i128.pow(30)], 3), vec![9_007_199_254_740.993, 1e27]),
        (decimal(&[past.into(), 3], 0), vec![9_007_199_254_740_992.0, 3.0]),
        (Arc::new(Float32Array::from(vec![0.1])), vec![f64::from(0.1_f32)]),
        (Arc::new(Float16Array::from(vec![half(0.5)])), vec![0.5]),
        (
            Arc::new(DictionaryArray::<Int8Type>::new(
                Int8Array::from(vec![1, 0, 1]),
                Arc::new(Float64Array::from(vec![2.5, 7.5])),
            )),
            vec![7.5, 2.5, 7.5],
        ),
    ];
    for (array, expected) in cases {
        let kind = array.data_type().clone();
        assert_eq!(numbers(array), expected, "{kind}");
    }
}

#[test]
fn what_is_no_number_is_refused_as_one_by_what_it_holds() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let cases: [(ArrayRef, &str); 4] = [
        (firms::<_, StringArray>(|f| Some(f.to_string())), "holds texts, not numbers"),
        (firms::<_, Date32Array>(|f| i32::try_from(f).ok()), "holds dates, not numbers"),
        (firms::<_, Time64NanosecondArray>(Some), "holds times of day in units of ns"),
        (firms::<_, TimestampSecondArray>(Some), "holds dates with times in units of s"),
    ];
    for (firm, expected) in cases {
        parquet(&path, &[batch(NAMES, firm, years())], Compression::SNAPPY);
        let said = refused(&path, "y ~ x + firm | year");
        assert!(said.contains("column \"firm\"") && said.contains(expected), "{said}");
    }
}

#[test]
fn a_column_that_is_decimals_and_levels_at_once_is_both() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let array: Decimal128Array =
        base().firm.iter().map(|&f| Some(i128::from(f) * 10 + 5)).collect();
    let firm = Arc::new(array.with_precision_and_scale(10, 1).expect("a type"));
    parquet(&path, &[batch(NAMES, firm, years())], Compression::SNAPPY);
    // A product with the level itself: its coefficient tells whether the numbers are right.
    let slope = |formula: &str| {
        let found = tried(&path, formula, None, &ReadOptions::default()).expect("an estimate").0;
        found.terms[0].estimate
    };
    let with_levels = slope("y ~ x:firm | firm + year");
    let csv = written(folder.path(), "p.csv", text(NAMES, &|firm| format!("{firm}.5"), ","));
    let (found, table) =
        tried(&csv, "y ~ x:firm | firm + year", None, &ReadOptions::default()).expect("one");
    assert!((found.terms[0].estimate - with_levels).abs() < TOLERANCE);
    assert_eq!(table.text("firm", 0), "0.5");
}

#[test]
fn a_folder_of_parquet_files_is_one_panel_in_order_of_name() {
    let folder = folder();
    let whole = batch(NAMES, firms::<_, StringArray>(|f| Some(format!("F{f}"))), years());
    let part = |name: &str, batch: &RecordBatch| {
        parquet(&folder.path().join(name), std::slice::from_ref(batch), Compression::SNAPPY);
    };
    part("part-1", &whole.slice(20, 0));
    part("part-2.parquet", &whole.slice(20, 40));
    part("part-0.pq", &whole.slice(0, 20));
    written(folder.path(), "_SUCCESS", "");
    written(folder.path(), ".part-0.crc", "crc");
    let table = is_right(folder.path());
    assert_eq!(table.text("firm", 59), format!("F{}", base().firm[59]));
    part("part-3", &batch(NAMES, firms::<_, Int64Array>(Some), years()));
    let said = refused(folder.path(), "y ~ x | firm");
    assert!(said.contains("column \"firm\" holds texts in"), "{said}");
    assert!(said.contains("whole numbers in") && said.contains("part-3"), "{said}");
    part("part-3", &batch(["y", "x", "plant", "year"], years(), years()));
    assert!(refused(folder.path(), "y ~ x | firm").contains("part-3 has no column \"firm\""));
    written(folder.path(), "part-3", "y,x\n1,2\n");
    assert!(refused(folder.path(), "y ~ x | firm").contains("part-3 is not a Parquet file"));
    fs::remove_file(folder.path().join("part-3")).expect("removed");
    fs::create_dir(folder.path().join("year=2001")).expect("a folder");
    assert!(refused(folder.path(), "y ~ x | firm").contains("has a folder \"year=2001\""));
    let empty = tempfile::tempdir().expect("a folder");
    assert!(refused(empty.path(), "y ~ x").contains("has no Parquet files"));
}

#[test]
fn two_columns_of_a_name_no_rows_and_no_columns_are_told_by_name() {
    let folder = folder();
    let path = folder.path().join("panel");
    let twice = batch(["y", "x", "x", "year"], years(), years());
    parquet(&path, &[twice], Compression::SNAPPY);
    assert!(refused(&path, "y ~ x").contains("two columns \"x\""));
    assert!(tried(&path, "y ~ 1 | year", None, &ReadOptions::default()).is_ok());
    let empty = batch(NAMES, years(), years()).slice(0, 0);
    parquet(&path, &[empty], Compression::SNAPPY);
    assert!(refused(&path, "y ~ x | firm").contains("no rows are left of 0"));
}

#[test]
fn files_that_are_no_panels_are_named_with_what_to_do() {
    let folder = folder();
    let said = |bytes: &[u8]| refused(&written(folder.path(), "p", bytes), "y ~ x");
    let old_excel = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest";
    for (bytes, expected) in [
        (&old_excel[..], "an Excel workbook (.xls), which is not read as a panel; save the sheet"),
        (b"<stata_dta><header>", "a Stata dataset"),
        (b"\x72\x02\x01\x00rest", "a Stata dataset"),
        (b"RDX3\nX\n\0\0\0\x03", "R data"),
        (b"$FL2@(#) SPSS", "an SPSS dataset"),
        (b"BZh91AY&SY\x01\x02", "packed by bzip2"),
        (b"\xFD7zXZ\0\0", "packed by xz"),
        (b"ORC\x08\x03", "an ORC file"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"{\"y\": 1}", "JSON"),
        (b"<?xml version=\"1.0\"?>", "XML or HTML"),
        (b"PARE\0\0", "an encrypted Parquet file"),
    ] {
        let said = said(bytes);
        assert!(said.contains(expected), "{said}");
    }
    // These begin alike and are text.
    for header in ["ORCID,y,x", "PAR1,y,x", "PARENT,y,x", "BZh,y,x", "country,DUCKS,y,x"] {
        let line = header.split(',').map(|_| "1").collect::<Vec<_>>().join(",");
        assert!(said(format!("{header}\n{line}\n").as_bytes()).contains("do not suffice"));
    }
    let workbook = zipped(folder.path(), "p.xlsx", &["[Content_Types].xml", "xl/workbook.xml"], "");
    assert!(refused(&workbook, "y ~ x").contains("an Excel workbook"));
    let several = zipped(folder.path(), "p.zip", &["a.csv", "b.csv"], "y,x\n");
    let said = refused(&several, "y ~ x");
    assert!(said.contains("an archive of 2 files (\"a.csv\", \"b.csv\")"), "{said}");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"PAR1\x15\0PAR1").expect("packed");
    let packed = written(folder.path(), "p.gz", gz.finish().expect("packed"));
    assert!(refused(&packed, "y ~ x").contains("a Parquet file that is packed once more"));
    assert!(refused(&folder.path().join("nothing"), "y ~ x").contains("cannot read the panel"));
    let cut = written(folder.path(), "cut", b"PAR1\x15\0\0\0");
    assert!(refused(&cut, "y ~ x").contains("cannot be read; write it again"));
    let batch = batch(NAMES, years(), years());
    parquet(&folder.path().join("o"), &[batch], Compression::SNAPPY);
    let missing = ReadOptions { missing: Some(vec!["NA".into()]), ..ReadOptions::default() };
    let said = tried(&folder.path().join("o"), "y ~ x", None, &missing).expect_err("no text");
    assert!(said.contains("--missing is for panels of text"), "{said}");
}
