//! Datasets of Stata, of every release.
//!
//! Texts are in the profile's encoding before release 118, and in UTF-8 since. Each cell is decoded
//! separately: a text that Stata cut inside a letter is one bad cell. Missing values are empty
//! cells. Values with a display format of dates are dates: `%td`, `%tc` and `%tm`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};

use dta::stata::dta::dta_reader::DtaReader;
use dta::stata::dta::long_string_table::LongStringTable;
use dta::stata::dta::record_reader::RecordReader;
use dta::stata::dta::release::Release;
use dta::stata::dta::value::Value;
use dta::stata::dta::value_label::{ValueLabelEntry, ValueLabelSet};
use dta::stata::dta::value_label_table::ValueLabelTable;
use dta::stata::dta::variable::Variable;
use dta::stata::dta::variable_type::VariableType;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use jiff::civil::Date;

use super::number::{self, Number};
use super::problem::TableProblem;
use super::rows::Rows;
use crate::feed::encoding::TextEncoding;
use crate::feed::layout::FileLayout;

const EPOCH: Date = Date::constant(1960, 1, 1);

/// The display format and labels of a variable.
struct Column {
    time: Option<Time>,
    labels: HashMap<i32, String>,
}

/// The unit of a variable's times, by its display format.
#[derive(Clone, Copy)]
enum Time {
    Day,
    Month,
    Millisecond,
}

impl Time {
    fn of(format: &str) -> Option<Self> {
        let format = format.trim_start_matches(['%', '-']);
        if format.starts_with("tc") || format.starts_with("tC") {
            Some(Self::Millisecond)
        } else if format.starts_with("tm") {
            Some(Self::Month)
        } else if format.starts_with("td") || format.starts_with('d') {
            Some(Self::Day)
        } else {
            None
        }
    }
}

/// Produces the rows of a dataset.
pub(super) fn produce(
    file: &File,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    let opened = records(file)?;
    let encoding = match (opened.header().release(), layout.encoding) {
        (Release::V118 | Release::V119, _) => UTF_8,
        (_, TextEncoding::Label(encoding)) => encoding,
        (_, TextEncoding::Detect) => return Err(TableProblem::Encoding),
    };
    let variables = opened.schema().variables().to_vec();
    // Readers share the file's position: one must end before the next begins.
    let mut long_texts = LongStringTable::for_reading();
    if variables.iter().any(|variable| variable.variable_type() == VariableType::LongString) {
        let reader = opened.seek_long_strings();
        let read = reader.and_then(|mut reader| reader.read_remaining_into(&mut long_texts));
        read.map_err(TableProblem::damaged)?;
    }
    let columns = columns(file, layout, &variables, encoding)?;
    let names: Vec<String> = variables.iter().map(|v| decoded(v.name(), encoding).0).collect();
    rows.header(names.iter().map(String::as_str))?;
    let mut records = records(file)?;
    while let Some(record) = records.read_lazy_record().map_err(TableProblem::damaged)? {
        for (at, column) in columns.iter().enumerate() {
            match record.value(at).map_err(TableProblem::damaged)? {
                Value::String(text) => put_text(rows, decoded(&text, encoding)),
                Value::LongStringRef(reference) => match long_texts.get(&reference) {
                    Some(text) => put_text(rows, of_bytes(text.data(), encoding)),
                    None if reference.variable() == 0 => rows.empty(),
                    None => rows.bad(""),
                },
                Value::Byte(value) => put_whole(rows, column, value.present().map(i32::from))?,
                Value::Int(value) => put_whole(rows, column, value.present().map(i32::from))?,
                Value::Long(value) => put_whole(rows, column, value.present())?,
                Value::Float(value) => put_real(rows, column, value.present())?,
                Value::Double(value) => put_real(rows, column, value.present())?,
            }
        }
        rows.end_row()?;
    }
    Ok(())
}

/// A reader at the first record. It decodes every byte as a letter of windows-1252, which can be
/// reversed.
fn records(file: &File) -> Result<RecordReader<BufReader<File>>, TableProblem> {
    let read = || -> Result<_, Box<dyn std::error::Error>> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let header = DtaReader::new().encoding(WINDOWS_1252).from_file(file);
        let mut characteristics = header.read_header()?.read_schema()?;
        characteristics.skip_to_end()?;
        Ok(characteristics.into_record_reader()?)
    };
    read().map_err(TableProblem::damaged)
}

/// The columns of the variables, with value labels if the profile requests them.
fn columns(
    file: &File,
    layout: &FileLayout,
    variables: &[Variable],
    encoding: &'static Encoding,
) -> Result<Vec<Column>, TableProblem> {
    let mut table = ValueLabelTable::new();
    if layout.value_labels {
        let reader = records(file)?.seek_value_labels();
        let read = reader.and_then(|mut reader| reader.read_remaining_into(&mut table));
        read.map_err(TableProblem::damaged)?;
    }
    let column = |variable: &Variable| {
        let set = table.get(variable.value_label_name());
        let entries = set.map(ValueLabelSet::entries).unwrap_or_default();
        let labelled =
            |entry: &ValueLabelEntry| (entry.value(), decoded(entry.label(), encoding).0);
        Column { time: Time::of(variable.format()), labels: entries.iter().map(labelled).collect() }
    };
    Ok(variables.iter().map(column).collect())
}

/// Decodes a text whose bytes were read as windows-1252; false if it is invalid.
fn decoded(text: &str, encoding: &'static Encoding) -> (String, bool) {
    if text.is_ascii() {
        return (text.to_owned(), true);
    }
    of_bytes(&WINDOWS_1252.encode(text).0, encoding)
}

fn of_bytes(bytes: &[u8], encoding: &'static Encoding) -> (String, bool) {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let (text, is_bad) = encoding.decode_without_bom_handling(bytes);
    (text.into_owned(), !is_bad)
}

fn put_text(rows: &mut Rows<'_>, (text, is_text): (String, bool)) {
    rows.text_or_bad(is_text.then_some(&text), &text);
}

fn put_whole(rows: &mut Rows<'_>, column: &Column, value: Option<i32>) -> Result<(), TableProblem> {
    match (value, column.time) {
        (None, _) => rows.empty(),
        (Some(_), Some(_)) => return put_real(rows, column, value.map(f64::from)),
        (Some(value), None) => match column.labels.get(&value) {
            Some(label) => put_text(rows, (label.clone(), !label.contains('\u{FFFD}'))),
            None => rows.plain(value),
        },
    }
    Ok(())
}

/// Produces a real, as a time if the variable is one.
fn put_real<T: Copy + Into<f64> + Into<Number>>(
    rows: &mut Rows<'_>,
    column: &Column,
    value: Option<T>,
) -> Result<(), TableProblem> {
    let Some(value) = value else {
        rows.empty();
        return Ok(());
    };
    let Some(time) = column.time else { return rows.real(value) };
    let real: f64 = value.into();
    let text = match time {
        Time::Day => number::whole(real).and_then(|days| number::days_after(EPOCH, days)),
        Time::Month => number::whole(real).and_then(number::months_of_1960),
        Time::Millisecond => number::milliseconds_after(EPOCH, real),
    };
    rows.text_or_bad(text.as_deref(), &real.to_string());
    Ok(())
}
