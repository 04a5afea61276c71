//! Tables as a dataset of Stata, release 118: UTF-8, with labels of variables and of values.
//!
//! ```text
//! header │ map │ types, names, sort, formats, labels │ notes │ rows │ long texts │ value labels
//! ```
//! A label of a variable is in English and Chinese. Notes have the unit, the meaning, and the
//! origin of the table. Counts are doubles or smaller whole types, an absent figure is `.`, and a
//! text past 2,045 bytes is a `strL`. Amounts are doubles: cents past 2⁵³ are rounded.
//!
//! Every size is known before the first byte, so the output needs no seek; the rows are held in
//! memory. The crate that reads such files writes neither labels of values nor notes.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_schema::DataType;

use super::about::TableFile;
use crate::tables::cells::{Cells, is_truth};
use crate::tables::meanings::{Meaning, meaning};

/// The sizes of fixed texts, in bytes with the end mark.
const NAME_SIZE: usize = 129;
const FORMAT_SIZE: usize = 57;
const LABEL_SIZE: usize = 321;
/// The largest number of letters of a name and of a label.
const NAME_LETTERS: usize = 32;
const LABEL_LETTERS: usize = 80;
/// The longest text of a fixed size, in bytes.
const TEXT_MAX: usize = 2045;
/// The codes of types.
const STRL: u16 = 32768;
const DOUBLE: u16 = 65526;
const LONG: u16 = 65528;
const INT: u16 = 65529;
const BYTE: u16 = 65530;
/// The codes of an absent value by type.
const NO_DOUBLE: u64 = 0x7fe0_0000_0000_0000;
const NO_LONG: i32 = 2_147_483_621;
const NO_INT: i16 = 32_741;
const NO_BYTE: i8 = 101;
/// The labels of flags.
const FLAGS: &str = "no_yes";

/// A variable: a column of the table.
struct Variable {
    name: String,
    /// The code of its type; texts have their size.
    kind: u16,
    meaning: Option<&'static Meaning>,
}

/// Writes rows as a dataset.
///
/// # Errors
/// An error if `out` cannot be written, or a column has a type that no table has.
pub fn write(out: &mut impl Write, file: &TableFile<'_>, rows: &[RecordBatch]) -> io::Result<()> {
    let variables = variables(file, rows)?;
    let n_rows: usize = rows.iter().map(RecordBatch::num_rows).sum();
    let mut head = Vec::new();
    let mut offsets = vec![0_u64];
    let label = cut(&format!("spillover {}", file.sheet.name), LABEL_LETTERS);
    head.extend(b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder><K>");
    head.extend(size_16(variables.len())?.to_le_bytes());
    head.extend(b"</K><N>");
    head.extend((n_rows as u64).to_le_bytes());
    head.extend(b"</N><label>");
    head.extend(size_16(label.len())?.to_le_bytes());
    head.extend(label.as_bytes());
    head.extend(b"</label><timestamp>\0</timestamp></header>");
    offsets.push(head.len() as u64);
    let map_size = b"<map></map>".len() + 14 * 8;
    let sections = [
        section("variable_types", &kinds(&variables)),
        section("varnames", &texts(&variables, NAME_SIZE, |of| of.name.clone())),
        section("sortlist", &vec![0; 2 * (variables.len() + 1)]),
        section("formats", &texts(&variables, FORMAT_SIZE, Variable::format)),
        section("value_label_names", &texts(&variables, NAME_SIZE, Variable::value_labels)),
        section("variable_labels", &texts(&variables, LABEL_SIZE, Variable::label)),
        section("characteristics", &notes(file, &variables)),
    ];
    let mut at = (head.len() + map_size) as u64;
    for section in &sections {
        offsets.push(at);
        at += section.len() as u64;
    }
    let row_size: usize = variables.iter().map(Variable::size).sum();
    let long_texts = long_texts(&variables, rows)?;
    let value_labels = value_labels(&variables);
    offsets.push(at);
    at += (b"<data></data>".len() + n_rows * row_size) as u64;
    offsets.push(at);
    at += (b"<strls></strls>".len() + long_texts.len()) as u64;
    offsets.push(at);
    at += (b"<value_labels></value_labels>".len() + value_labels.len()) as u64;
    offsets.push(at);
    offsets.push(at + b"</stata_dta>".len() as u64);
    let map: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
    out.write_all(&head)?;
    out.write_all(&section("map", &map))?;
    sections.iter().try_for_each(|section| out.write_all(section))?;
    out.write_all(b"<data>")?;
    let mut n_before = 0;
    for batch in rows {
        write_rows(out, &variables, batch, n_before)?;
        n_before += batch.num_rows();
    }
    out.write_all(b"</data>")?;
    out.write_all(&section("strls", &long_texts))?;
    out.write_all(&section("value_labels", &value_labels))?;
    out.write_all(b"</stata_dta>")
}

impl Variable {
    fn size(&self) -> usize {
        match self.kind {
            BYTE => 1,
            INT => 2,
            LONG => 4,
            DOUBLE | STRL => 8,
            size => usize::from(size),
        }
    }

    /// The display format: decimals by the unit.
    fn format(&self) -> String {
        let unit = self.meaning.map_or("", |of| of.unit.as_str());
        match (self.kind, unit) {
            (DOUBLE, "USD") => "%20.2fc".to_owned(),
            (BYTE | INT | LONG | DOUBLE, _) => "%12.0g".to_owned(),
            (STRL, _) => "%9s".to_owned(),
            (size, _) => format!("%{}s", size.min(30)),
        }
    }

    fn value_labels(&self) -> String {
        if self.is_flag() { FLAGS.to_owned() } else { String::new() }
    }

    fn is_flag(&self) -> bool {
        self.kind == BYTE && self.meaning.is_some_and(|of| of.unit == "0/1")
    }

    fn label(&self) -> String {
        let label = self.meaning.map(|of| format!("{} · {}", of.label, of.label_zh));
        cut(&label.unwrap_or_default(), LABEL_LETTERS)
    }
}

fn variables(file: &TableFile<'_>, rows: &[RecordBatch]) -> io::Result<Vec<Variable>> {
    let mut variables: Vec<Variable> = Vec::new();
    for (at, field) in file.sheet.schema.fields().iter().enumerate() {
        let meaning = meaning(file.sheet.name, field.name());
        let is_flag = meaning.is_some_and(|of| of.unit == "0/1");
        let kind = match field.data_type() {
            DataType::Utf8 => text_kind(at, rows)?,
            DataType::Boolean if is_truth(field) => size_16("false".len())?,
            DataType::Boolean => BYTE,
            DataType::UInt8 if is_flag => BYTE,
            DataType::UInt8 => INT,
            DataType::UInt16 => LONG,
            _ => DOUBLE,
        };
        let mut name = legal(field.name());
        let mut n_tries = 1;
        while variables.iter().any(|other| other.name == name) {
            n_tries += 1;
            let end = format!("_{n_tries}");
            name = cut(&legal(field.name()), NAME_LETTERS - end.len()) + &end;
        }
        variables.push(Variable { name, kind, meaning });
    }
    Ok(variables)
}

/// The type of a column of texts: the size of its longest one.
fn text_kind(at: usize, rows: &[RecordBatch]) -> io::Result<u16> {
    let mut longest = 1;
    for batch in rows {
        if let Cells::Text(texts) = Cells::of(batch.column(at))? {
            let sizes = texts.iter().flatten().map(str::len);
            longest = longest.max(sizes.max().unwrap_or(0));
        }
    }
    if longest > TEXT_MAX { Ok(STRL) } else { size_16(longest) }
}

/// A name that Stata accepts: letters, digits and underscores, and no digit first.
fn legal(name: &str) -> String {
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let name: String = name.chars().map(|c| if is_legal(c) { c } else { '_' }).collect();
    let starts = name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty();
    cut(&if starts { format!("_{name}") } else { name }, NAME_LETTERS)
}

/// The first letters of a text.
fn cut(text: &str, n_letters: usize) -> String {
    text.chars().take(n_letters).collect()
}

fn size_16(size: usize) -> io::Result<u16> {
    u16::try_from(size)
        .map_err(|_| io::Error::other("a dataset of Stata has at most 65535 columns"))
}

fn section(name: &str, content: &[u8]) -> Vec<u8> {
    [format!("<{name}>").as_bytes(), content, format!("</{name}>").as_bytes()].concat()
}

fn kinds(variables: &[Variable]) -> Vec<u8> {
    variables.iter().flat_map(|of| of.kind.to_le_bytes()).collect()
}

/// Texts of a fixed size, which end in zeros.
fn texts(variables: &[Variable], size: usize, text: impl Fn(&Variable) -> String) -> Vec<u8> {
    variables.iter().flat_map(|of| padded(&text(of), size)).collect()
}

fn padded(text: &str, size: usize) -> Vec<u8> {
    let mut end = text.len().min(size - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut bytes = text.as_bytes()[..end].to_vec();
    bytes.resize(size, 0);
    bytes
}

/// The notes of the dataset and of its variables.
fn notes(file: &TableFile<'_>, variables: &[Variable]) -> Vec<u8> {
    let about = file.about.facts.iter().map(|(name, value)| format!("{name}: {value}"));
    let mut all = vec![("_dta", about.collect::<Vec<_>>())];
    all.extend(variables.iter().filter_map(|of| {
        let meaning = of.meaning?;
        let unit = format!("unit: {}", meaning.unit);
        Some((of.name.as_str(), vec![unit, meaning.english.clone(), meaning.chinese.clone()]))
    }));
    let mut bytes = Vec::new();
    for (variable, notes) in all.iter().filter(|(_, notes)| !notes.is_empty()) {
        let count = [("note0".to_owned(), notes.len().to_string())];
        let texts = notes.iter().zip(1..).map(|(text, at)| (format!("note{at}"), text.clone()));
        for (name, text) in count.into_iter().chain(texts) {
            let content = [&padded(variable, NAME_SIZE)[..], &padded(&name, NAME_SIZE)];
            let content =
                [&content.concat()[..], text.replace('\0', " ").as_bytes(), b"\0"].concat();
            bytes.extend(b"<ch>");
            bytes.extend(u32::try_from(content.len()).expect("a short text").to_le_bytes());
            bytes.extend(&content);
            bytes.extend(b"</ch>");
        }
    }
    bytes
}

fn write_rows(
    out: &mut impl Write,
    variables: &[Variable],
    batch: &RecordBatch,
    n_before: usize,
) -> io::Result<()> {
    let cells = Cells::of_rows(batch)?;
    let (mut bytes, mut text) = (Vec::new(), String::new());
    for row in 0..batch.num_rows() {
        bytes.clear();
        for (place, (variable, cell)) in variables.iter().zip(&cells).enumerate() {
            text.clear();
            cell.write(row, &mut text);
            match variable.kind {
                BYTE => bytes.extend(text.parse().unwrap_or(NO_BYTE).to_le_bytes()),
                INT => bytes.extend(text.parse().unwrap_or(NO_INT).to_le_bytes()),
                LONG => bytes.extend(text.parse().unwrap_or(NO_LONG).to_le_bytes()),
                DOUBLE => {
                    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
                    bytes.extend(value.map_or(NO_DOUBLE, f64::to_bits).to_le_bytes());
                }
                // An empty long text has no entry; others are known by their place.
                STRL if text.is_empty() => bytes.extend([0; 8]),
                STRL => {
                    bytes.extend(size_16(place + 1)?.to_le_bytes());
                    bytes.extend(&((n_before + row + 1) as u64).to_le_bytes()[..6]);
                }
                size => {
                    bytes.extend(text.as_bytes());
                    bytes.resize(bytes.len() + usize::from(size) - text.len(), 0);
                }
            }
        }
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// The entries of long texts, by row and variable.
fn long_texts(variables: &[Variable], rows: &[RecordBatch]) -> io::Result<Vec<u8>> {
    let (mut bytes, mut text) = (Vec::new(), String::new());
    let mut n_before = 0_u64;
    for batch in rows {
        for row in 0..batch.num_rows() {
            for (place, _) in variables.iter().enumerate().filter(|(_, of)| of.kind == STRL) {
                text.clear();
                Cells::at(batch, place)?.write(row, &mut text);
                if text.is_empty() {
                    continue;
                }
                bytes.extend(b"GSO");
                bytes.extend(u32::from(size_16(place + 1)?).to_le_bytes());
                bytes.extend((n_before + row as u64 + 1).to_le_bytes());
                bytes.push(130);
                let size = u32::try_from(text.len() + 1).map_err(io::Error::other)?;
                bytes.extend(size.to_le_bytes());
                bytes.extend(text.as_bytes());
                bytes.push(0);
            }
        }
        n_before += batch.num_rows() as u64;
    }
    Ok(bytes)
}

/// The labels of flags, if a variable has them.
fn value_labels(variables: &[Variable]) -> Vec<u8> {
    if !variables.iter().any(Variable::is_flag) {
        return Vec::new();
    }
    let labels = ["no · 否", "yes · 是"];
    let text: Vec<u8> =
        labels.iter().flat_map(|label| [label.as_bytes(), b"\0"].concat()).collect();
    let second = i32::try_from(labels[0].len() + 1).expect("a short text");
    let size = i32::try_from(text.len()).expect("a short text");
    let numbers = [2, size, 0, second, 0, 1].map(i32::to_le_bytes).concat();
    let table = [&numbers[..], &text].concat();
    let length = u32::try_from(table.len()).expect("a short table").to_le_bytes();
    let head = [&length[..], &padded(FLAGS, NAME_SIZE), &[0; 3]].concat();
    section("lbl", &[&head[..], &table].concat())
}
