//! Panels in text: CSV and its kin.
//!
//! ```text
//! bytes ─ decode ─▶ UTF-8 ─ records ─▶ fields ─┬─ numbers ─▶ reals
//!        (unpack,          (style from         └─ levels ──▶ whole numbers or texts
//!         encoding)         the header)
//! ```
//! # Shape
//! A file is read once. A column of levels holds whole numbers as long as every text is a whole
//! number in its shortest form; otherwise it holds the texts of the file.

mod levels;
mod missing;
mod numbers;
mod problem;
mod records;
mod style;

use std::io::Read;
use std::path::Path;

use self::levels::Levels;
pub use self::missing::MISSING_DEFAULT;
use self::missing::Missing;
use self::numbers::{Marks, Numbers};
pub use self::problem::CsvProblem;
use self::records::{Broken, Record, Records, Style};
use super::error::PanelError;
use super::file_kind::{self, FileKind};
use super::kind::Kind;
use super::named;
use super::table::{Stored, Table};
use super::wanted::{ReadOptions, Wanted};
use crate::feed::decode;
use crate::feed::layout::Delimiter;

/// A column in the requested forms.
struct Column {
    name: String,
    place: usize,
    number: Option<Numbers>,
    level: Option<Levels>,
}

/// Reads the requested columns.
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
        FileKind::Packed => packed(path, "a table"),
    };
    decode::read_any(path, options.encoding, inspect, |text| {
        Reading { path, wanted, options }.table(text.reader)
    })
}

fn packed(path: &Path, kind: &'static str) -> Result<(), PanelError> {
    Err(PanelError::Packed { path: path.to_owned(), kind })
}

/// The parameters of reading.
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

    /// Sets the style of the records and reads their header.
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

    /// A note about the column for the user.
    fn note(&self) -> Option<String> {
        let n_quoted = self.level.as_ref()?.n_quoted;
        (n_quoted > 0).then(|| {
            format!(
                "column {:?}: {n_quoted} quoted fields hold a text that means a missing value \
                 without quotes; they count as texts",
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

/// The number of characters of a line in a message.
const TEXT_SHOWN: usize = 120;

fn shortened(text: &str) -> String {
    let mut letters = text.chars();
    let shown: String = letters.by_ref().take(TEXT_SHOWN).collect();
    if letters.next().is_some() { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests;
