//! Panels in text: CSV and its kin.
//!
//! ```text
//! bytes ─ decode ─▶ UTF-8 ─ records ─▶ fields ─┬─ numbers ─▶ reals
//!        (unpack,          (style from         └─ levels ──▶ whole numbers or texts
//!         encoding)         the header)
//! ```
//! # Shape
//! A file is read once. A column of levels stays one of whole numbers as long as every text is a
//! whole number in its shortest form; then it is one of texts, as they stand in the file.

mod levels;
mod numbers;
mod records;
mod style;

use std::io::Read;
use std::path::Path;

use self::levels::Levels;
use self::numbers::{Marks, Numbers};
use self::records::{Broken, Record, Records, Style};
use super::error::PanelError;
use super::file_kind::{self, FileKind};
use super::kind::Kind;
use super::{ReadOptions, Stored, Table, Wanted, named};
use crate::feed::decode;
use crate::feed::layout::Delimiter;

/// Texts that stand for a missing value unless others are named; the empty one always does.
pub const MISSING_DEFAULT: [&str; 6] = ["NA", "NaN", "nan", ".", "null", "NULL"];

/// What is wrong with a line of a panel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvProblem {
    /// More or fewer fields than the header has.
    #[error(
        "{n_fields} fields where the header has {n_names}: {text:?}; quote a field that holds the \
         delimiter {delimiter:?}, or name the delimiter with --delimiter"
    )]
    Ragged {
        /// Fields of the line.
        n_fields: usize,
        /// Fields of the header.
        n_names: usize,
        /// What stands between them.
        delimiter: char,
        /// The line.
        text: String,
    },
    /// A quoted field without an end.
    #[error("a quoted field begins here and is not closed; close it, or leave out the quote")]
    OpenQuote,
    /// Text after a quoted field.
    #[error("text follows a closing quote; double a quote that belongs to the field")]
    AfterQuote,
    /// A line past any limit.
    #[error("the line has more than 64 MiB; is the file a table?")]
    TooLong,
    /// Bytes that are not text.
    #[error(
        "column {column:?} holds bytes that are not text in the encoding that was given or \
         detected: {text:?}; name it with --encoding, such as gb18030"
    )]
    NotText {
        /// The column.
        column: String,
        /// The field, with `�` for the bytes.
        text: String,
    },
    /// A text in a column of numbers.
    #[error(
        "column {column:?} holds {text:?}, which is not a number; use the column after | as a \
         fixed effect, or name the text with --missing if it stands for a missing value"
    )]
    NotNumber {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
    /// A number with thousands apart.
    #[error(
        "column {column:?} holds {text:?}; thousands separators are not read: write the number \
         without them"
    )]
    Thousands {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
    /// A number with another decimal mark than the one given.
    #[error(
        "column {column:?} holds {text:?}, which is no number with the mark given by --decimal"
    )]
    Mark {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
    /// Numbers with commas that may be marks or separators.
    #[error(
        "column {column:?} holds {text:?}, whose comma may be a decimal mark or separate \
         thousands; give --decimal , or write the number without separators"
    )]
    UnknownMark {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
    /// Numbers with a comma and numbers with a point.
    #[error(
        "column {column:?} holds {text:?} and column {other_column:?} {other:?} in line \
         {other_line}; write all numbers with one decimal mark, without thousands separators"
    )]
    MixedMarks {
        /// The column with a comma.
        column: String,
        /// The number.
        text: String,
        /// The column with a point.
        other_column: String,
        /// The number.
        other: String,
        /// Its line.
        other_line: u64,
    },
    /// Truth values among numbers.
    #[error(
        "column {column:?} holds {text:?}, where the lines before hold numbers or truth values: \
         write it as one of both"
    )]
    MixedBooleans {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
}

/// The texts that stand for a missing value.
pub(super) struct Missing {
    texts: Vec<Vec<u8>>,
    /// Whether some of them are numbers as well.
    may_be_numbers: bool,
    longest: usize,
}

impl Missing {
    fn new(given: Option<&[String]>) -> Self {
        let texts: Vec<Vec<u8>> = match given {
            Some(texts) => texts.iter().map(|text| text.trim().into()).collect(),
            None => MISSING_DEFAULT.iter().map(|text| text.as_bytes().to_vec()).collect(),
        };
        let number = |text: &Vec<u8>| {
            let text = str::from_utf8(text).unwrap_or_default().replace(',', ".");
            text.parse::<f64>().is_ok_and(|number| !number.is_nan())
        };
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        Self { may_be_numbers: texts.iter().any(number), texts, longest }
    }

    /// Whether an unquoted text, or a number's, stands for a missing value.
    fn has(&self, text: &[u8]) -> bool {
        text.len() <= self.longest && self.texts.iter().any(|own| own == text)
    }
}

/// A column as it is read, in the forms in which it is wanted.
struct Column {
    name: String,
    place: usize,
    number: Option<Numbers>,
    level: Option<Levels>,
}

/// Reads the wanted columns.
pub(super) fn read(
    path: &Path,
    wanted: &Wanted,
    options: &ReadOptions,
) -> Result<Table, PanelError> {
    let inspect = |head: &[u8]| match file_kind::of(head) {
        FileKind::Text => Ok(()),
        FileKind::Foreign(kind) => Err(PanelError::Foreign { path: path.to_owned(), kind }),
        FileKind::Parquet => packed(path, "a Parquet file"),
        FileKind::ArrowFile | FileKind::ArrowStream => packed(path, "an Arrow file"),
        FileKind::Zip => packed(path, "a zip archive"),
    };
    decode::read_any(path, options.encoding, inspect, |text| {
        Reading { path, wanted, options }.table(text.reader)
    })
}

fn packed(path: &Path, kind: &'static str) -> Result<(), PanelError> {
    Err(PanelError::Packed { path: path.to_owned(), kind })
}

/// What is read, and how.
struct Reading<'r> {
    path: &'r Path,
    wanted: &'r Wanted,
    options: &'r ReadOptions,
}

impl Reading<'_> {
    fn table(&self, text: impl Read) -> Result<Table, PanelError> {
        let failed = |error| PanelError::from(decode::refusal(self.path, error));
        let mut records = Records::new(text).map_err(failed)?;
        let header = self.header(&mut records)?;
        let places = named::places(self.path, self.wanted, &header)?;
        let mut columns: Vec<Column> = places
            .into_iter()
            .zip(&self.wanted.columns)
            .map(|(place, (name, roles))| Column {
                name: name.clone(),
                place,
                number: roles.number.then(|| Numbers::new(name)),
                level: roles.level.then(Levels::default),
            })
            .collect();
        let missing = Missing::new(self.options.missing.as_deref());
        let mut marks = Marks::new(self.options.decimal);
        let delimiter = char::from(records.style().delimiter);
        while let Some(record) = records.next().map_err(|error| self.broken(error))? {
            if record.fields.len() != header.len() {
                return Err(self.problem(
                    record.line,
                    CsvProblem::Ragged {
                        n_fields: record.fields.len(),
                        n_names: header.len(),
                        delimiter,
                        text: shortened(&record.lossy_raw()),
                    },
                ));
            }
            for column in &mut columns {
                column
                    .push(&record, &missing, &mut marks)
                    .map_err(|problem| self.problem(record.line, problem))?;
            }
        }
        marks.check().map_err(|(line, problem)| self.problem(line, problem))?;
        let notes = columns.iter().filter_map(Column::note).collect();
        Ok(Table { columns: columns.into_iter().map(Column::finish).collect(), notes })
    }

    /// Sets the style of the records and takes their header.
    fn header<R: Read>(&self, records: &mut Records<R>) -> Result<Vec<String>, PanelError> {
        let empty = || PanelError::Empty { path: self.path.to_owned() };
        let broken = |error| self.broken(error);
        let mut given = self.options.delimiter.map(Delimiter::byte);
        let line = records.peek_line().map_err(broken)?.ok_or_else(empty)?;
        if let Some(delimiter) = style::named_delimiter(line) {
            given = given.or(Some(delimiter));
            records.skip_line().map_err(broken)?;
        }
        let terminator = records.style().terminator;
        let line = records.peek_line().map_err(broken)?.ok_or_else(empty)?;
        let style: Style = style::of_header(line, terminator, given, self.wanted);
        records.set_style(style);
        let header = records.next().map_err(broken)?.ok_or_else(empty)?;
        Ok(header.fields.iter().map(|&field| header.lossy(field)).collect())
    }

    fn problem(&self, line: u64, problem: CsvProblem) -> PanelError {
        PanelError::Csv { path: self.path.to_owned(), line, problem: Box::new(problem) }
    }

    fn broken(&self, broken: Broken) -> PanelError {
        match broken {
            Broken::Read(error) => decode::refusal(self.path, error).into(),
            Broken::OpenQuote(line) => self.problem(line, CsvProblem::OpenQuote),
            Broken::AfterQuote(line) => self.problem(line, CsvProblem::AfterQuote),
            Broken::TooLong(line) => self.problem(line, CsvProblem::TooLong),
        }
    }
}

impl Column {
    fn push(
        &mut self,
        record: &Record<'_>,
        missing: &Missing,
        marks: &mut Marks,
    ) -> Result<(), CsvProblem> {
        let field = record.fields[self.place];
        let mut scratch = Vec::new();
        let text = record.text(field, &mut scratch);
        if let Some(number) = &mut self.number {
            number.push(text, record.line, missing, marks)?;
        }
        let Some(level) = &mut self.level else { return Ok(()) };
        level.push(text, field.quoted, missing).map_err(|_| CsvProblem::NotText {
            column: self.name.clone(),
            text: shortened(&String::from_utf8_lossy(text)),
        })
    }

    /// What a reader should know of the column.
    fn note(&self) -> Option<String> {
        let n_quoted = self.level.as_ref()?.n_quoted;
        (n_quoted > 0).then(|| {
            format!(
                "column {:?}: {n_quoted} quoted fields hold a text that stands for a missing value \
                 where it is not quoted; they count as texts",
                self.name
            )
        })
    }

    fn finish(self) -> Stored {
        let number = self.number.map(Numbers::finish);
        let level = self.level.map(Levels::finish);
        Stored::new(self.name, Kind::Text, number, level)
    }
}

/// How much of a line a message shows.
const TEXT_SHOWN: usize = 120;

fn shortened(text: &str) -> String {
    let mut letters = text.chars();
    let shown: String = letters.by_ref().take(TEXT_SHOWN).collect();
    if letters.next().is_some() { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests;
