//! Panels in the forms that users have: one small panel in every kind of text, Parquet and Arrow,
//! with every type of level and number. All give the same estimate, to the digits of dense algebra.

mod files;
mod text;
mod types;
mod values;

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
    for line in include_str!("../../reference/kinds.csv").lines().skip(1) {
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

/// Asserts that the estimate is correct, with iid and with clustered errors.
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

/// The base as text with these firms; fields are joined by `delimiter`.
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

fn half(value: f64) -> <Float16Type as ArrowPrimitiveType>::Native {
    <Float16Type as ArrowPrimitiveType>::Native::from_f64(value)
}
