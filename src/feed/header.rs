//! The first line: assigns columns to canonical fields.

use std::borrow::Cow;
use std::path::Path;

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GB18030, ISO_8859_2, SHIFT_JIS, UTF_8, WINDOWS_1251, WINDOWS_1252,
};

use super::columns::{Column, ColumnName, Field};
use super::encoding::TextEncoding;
use super::filter::{Condition, Conditions, RowFilter};
use super::frame::{Framed, Line};
use super::profile::Profile;
use super::refused::{Advice, Refused};
use super::split::{self, Span};
use super::text::trimmed;
use crate::domain::record::Rule;
use crate::domain::types::Flow;

/// Encodings that are tried for a header.
const ENCODINGS: [&Encoding; 7] =
    [GB18030, BIG5, SHIFT_JIS, EUC_KR, WINDOWS_1251, WINDOWS_1252, ISO_8859_2];

/// Delimiters that are tried for a header.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// The columns of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    names: Vec<String>,
    /// Sources in the order of [`Field::ALL`].
    sources: Vec<Source>,
    filter: RowFilter,
    /// The values of a line with several values.
    cells: Vec<Cell>,
    n_needed: usize,
}

/// One of the values of a line with several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The value's column.
    pub at: usize,
    /// The month of the year of the value's record, if the lines do not contain it.
    pub month: Option<u8>,
    /// The flow of the value's record, if the lines do not contain it.
    pub flow: Option<Flow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Column(usize),
    Constant(String),
    /// A year in one column and a month in another.
    YearAndMonth(usize, usize),
}

/// A line that is known to be UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct TextLine<'a> {
    /// The raw text.
    pub text: &'a [u8],
    /// The fields of the line.
    pub fields: &'a [Span],
}

impl<'a> TextLine<'a> {
    /// The text of the field at a position, if there is one without doubled quotes.
    #[must_use]
    #[inline]
    pub fn plain_field(&self, at: usize) -> Option<&'a [u8]> {
        let span = self.fields.get(at).filter(|span| !span.escaped)?;
        Some(&self.text[span.start..span.end])
    }

    /// The text of the field at a position.
    #[must_use]
    #[inline]
    pub fn field(&self, at: usize) -> Cow<'a, [u8]> {
        let span = self.fields[at];
        let text = &self.text[span.start..span.end];
        if span.escaped { Cow::Owned(unescaped(text)) } else { Cow::Borrowed(text) }
    }
}

/// A quoted field's text without doubled quotes.
#[cold]
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut single = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        single.push(byte);
        if byte == b'"' {
            bytes.next();
        }
    }
    single
}

impl Header {
    /// Finds the profile's columns in a file's first line.
    ///
    /// # Errors
    /// - [`Refused::Empty`] if there is no first line, [`Refused::Header`] if it cannot be framed
    /// - those of [`Header::of_names`]
    pub fn find(
        first: Option<Framed<'_>>,
        file: &Path,
        profile: &Profile,
    ) -> Result<Self, Refused> {
        let line = match first {
            None => return Err(Refused::Empty { file: file.to_owned() }),
            Some(Framed::Broken { line, rule, raw }) => {
                return Err(broken(file, profile, (line, rule), raw));
            }
            Some(Framed::Line(line)) => line,
        };
        let names = texts_of(&line);
        Self::of_names(names, (file, line.line), profile).map_err(|refused| match refused {
            Refused::MissingColumns { file, line: at, missing, advice } => {
                let delimiter = || meant_delimiter(line.raw, profile).map(Advice::Delimiter);
                let encoding = meant_encoding(line.raw, profile);
                let encoding = encoding.map(|found| Advice::Encoding {
                    found: TextEncoding::Label(found).into(),
                    declared: profile.file.encoding.into(),
                });
                let advice = encoding.or_else(delimiter).unwrap_or(advice);
                Refused::MissingColumns { file, line: at, missing, advice }
            }
            refused => refused,
        })
    }

    /// Finds the profile's columns among the names of a table, which come from a line of a file.
    ///
    /// # Errors
    /// - [`Refused::MissingColumns`] with all of the profile's columns that the file lacks
    /// - [`Refused::DuplicateColumn`] if the file has one more than once
    pub fn of_names(
        names: Vec<String>,
        (file, line): (&Path, u64),
        profile: &Profile,
    ) -> Result<Self, Refused> {
        let known = Names::new(&names, profile);
        let sources: Option<Vec<Source>> =
            Field::ALL.into_iter().map(|field| known.source_of(field, profile)).collect();
        let filter = known.filter(profile);
        let cells: Option<Vec<Cell>> = profile
            .value_columns()
            .map(|(column, month, flow)| {
                Some(Cell { at: known.source(column)?.column()?, month, flow })
            })
            .collect();
        let (Some(sources), Some(filter), Some(cells)) = (sources, filter, cells) else {
            let missing = known.missing(profile);
            let file = file.to_owned();
            return Err(Refused::MissingColumns {
                file,
                line,
                missing,
                advice: Advice::Has(names),
            });
        };
        let used = sources.iter().filter_map(Source::column);
        let used = used.chain(cells.iter().map(|cell| cell.at));
        let used = used.chain(filter.keep.iter().chain(&filter.drop).map(|(at, _)| *at));
        let used: Vec<usize> = used.collect();
        if let Some(twice) = used.iter().find(|&&at| known.is_twice(at)) {
            let (file, column) = (file.to_owned(), names[*twice].clone());
            return Err(Refused::DuplicateColumn { file, line, column });
        }
        let n_named =
            names.iter().rposition(|name| !trimmed(name).is_empty()).map_or(0, |at| at + 1);
        let n_needed = used.iter().map(|at| at + 1).max().unwrap_or(0).max(n_named);
        Ok(Self { names, sources, filter, cells, n_needed })
    }

    /// The number of columns of each line.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.names.len()
    }

    /// The least number of columns of a line; columns after these have no name and are not used.
    #[must_use]
    pub fn n_needed(&self) -> usize {
        self.n_needed
    }

    /// The names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The conditions for records.
    #[must_use]
    pub fn filter(&self) -> &RowFilter {
        &self.filter
    }

    /// The values of a line with several values; empty for lines with one.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The name of a column, or its number if it has no name.
    #[must_use]
    pub fn name(&self, at: usize) -> Cow<'_, str> {
        match self.names.get(at).map(|name| trimmed(name)) {
            Some(name) if !name.is_empty() => Cow::Borrowed(name),
            _ => Cow::Owned(format!("number {}", at + 1)),
        }
    }

    /// The column of a field; `None` if the profile gives a constant.
    #[must_use]
    pub fn column(&self, field: Field) -> Option<usize> {
        self.sources[field as usize].column()
    }

    /// The column of a field with the text of one column.
    #[must_use]
    pub fn plain_column(&self, field: Field) -> Option<usize> {
        match self.sources[field as usize] {
            Source::Column(at) => Some(at),
            Source::Constant(_) | Source::YearAndMonth(..) => None,
        }
    }

    /// The field of a column; `None` if no field is read from it.
    #[must_use]
    pub fn field_of(&self, column: usize) -> Option<Field> {
        let is_value = self.cells.iter().any(|cell| cell.at == column);
        let mut fields = Field::ALL.into_iter();
        let field = fields.find(|field| self.column(*field) == Some(column));
        field.or(is_value.then_some(Field::ValueUsd))
    }

    /// The text of a field on a line.
    #[must_use]
    #[inline]
    pub fn text<'a>(&'a self, field: Field, line: &TextLine<'a>) -> Cow<'a, [u8]> {
        match &self.sources[field as usize] {
            Source::Column(at) => line.field(*at),
            Source::Constant(text) => Cow::Borrowed(text.as_bytes()),
            Source::YearAndMonth(year, month) => Cow::Owned(year_and_month(line, *year, *month)),
        }
    }
}

/// A year and a month of two columns as one text.
#[cold]
fn year_and_month(line: &TextLine<'_>, year: usize, month: usize) -> Vec<u8> {
    let text = |bytes: &[u8]| trimmed(&String::from_utf8_lossy(bytes)).to_owned();
    format!("{}-{}", text(&line.field(year)), text(&line.field(month))).into_bytes()
}

impl Source {
    /// The column, or the later one of two: a line that has this column has the whole field.
    fn column(&self) -> Option<usize> {
        match self {
            Self::Column(at) => Some(*at),
            Self::Constant(_) => None,
            Self::YearAndMonth(year, month) => Some(*year.max(month)),
        }
    }
}

/// The texts of a line of a header.
#[must_use]
pub fn texts_of(line: &Line<'_>) -> Vec<String> {
    line.fields.iter().map(|field| field.lossy(line.raw)).collect()
}

/// The names of columns whose header has several rows: the texts above each other, joined by
/// blanks. A text that spans several columns is stored in the first of them and repeated for the
/// others.
#[must_use]
pub fn joined_rows(rows: &[Vec<String>]) -> Vec<String> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut names = vec![String::new(); n_columns];
    for (level, row) in rows.iter().enumerate() {
        let is_last = level + 1 == rows.len();
        let mut spanning = "";
        for (at, name) in names.iter_mut().enumerate() {
            let own = row.get(at).map_or("", |text| trimmed(text));
            if !own.is_empty() || is_last {
                spanning = own;
            }
            if !spanning.is_empty() {
                *name += if name.is_empty() { "" } else { " " };
                *name += spanning;
            }
        }
    }
    names
}

/// The names of a file's columns, prepared for comparison.
struct Names<'a> {
    written: &'a [String],
    /// The names, without surrounding blanks if the profile trims.
    compared: Vec<Cow<'a, str>>,
    trims: bool,
}

impl<'a> Names<'a> {
    fn new(names: &'a [String], profile: &Profile) -> Self {
        let trims = profile.is_trimmed();
        let compared = names.iter().map(|name| compared(name, trims)).collect();
        Self { written: names, compared, trims }
    }

    fn position(&self, name: &ColumnName) -> Option<usize> {
        match name {
            ColumnName::Number(number) => {
                Some(usize::from(number.get()) - 1).filter(|at| *at < self.written.len())
            }
            ColumnName::Header(name) => self.position_of(name),
        }
    }

    fn position_of(&self, name: &str) -> Option<usize> {
        let name = compared(name, self.trims);
        self.compared.iter().position(|other| *other == name)
    }

    fn source_of(&self, field: Field, profile: &Profile) -> Option<Source> {
        match (field, &profile.period.year, &profile.period.month) {
            (Field::Period, Some(year), Some(month)) => {
                Some(Source::YearAndMonth(self.position(year)?, self.position(month)?))
            }
            (Field::Period, Some(year), None) => self.position(year).map(Source::Column),
            _ => self.source(profile.columns.of(field)),
        }
    }

    fn source(&self, column: &Column) -> Option<Source> {
        match column {
            Column::Constant(constant) => Some(Source::Constant(constant.constant.clone())),
            column => {
                column.names().iter().find_map(|name| self.position(name)).map(Source::Column)
            }
        }
    }

    fn filter(&self, profile: &Profile) -> Option<RowFilter> {
        let conditions = |conditions: &Conditions| -> Option<Vec<(usize, Condition)>> {
            let found = conditions
                .iter()
                .map(|(name, condition)| Some((self.filtered(name, profile)?, condition.clone())));
            found.collect()
        };
        Some(RowFilter { keep: conditions(&profile.keep)?, drop: conditions(&profile.drop)? })
    }

    /// The column of a condition: by the header's name, or by the name of a field.
    fn filtered(&self, name: &str, profile: &Profile) -> Option<usize> {
        self.position_of(name).or_else(|| {
            let field = Field::ALL.into_iter().find(|field| field.name() == name)?;
            self.source_of(field, profile)?.column()
        })
    }

    fn is_twice(&self, at: usize) -> bool {
        let name = &self.compared[at];
        !name.is_empty() && self.compared.iter().filter(|&other| other == name).count() > 1
    }

    /// The columns that the profile needs and the file lacks; all names of a list.
    fn missing(&self, profile: &Profile) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        let columns = Field::ALL.into_iter().map(|field| profile.columns.of(field));
        let columns = columns.chain(profile.value_columns().map(|(column, ..)| column));
        let absent = columns.filter(|column| self.source(column).is_none());
        let names = absent.flat_map(|column| column.names().iter().map(ToString::to_string));
        let pair = [&profile.period.year, &profile.period.month].into_iter().flatten();
        let pair = pair.filter(|name| self.position(name).is_none()).map(ToString::to_string);
        let names = names.chain(pair);
        let filters = profile.keep.keys().chain(profile.drop.keys());
        let filters = filters.filter(|name| self.filtered(name, profile).is_none()).cloned();
        for name in names.chain(filters) {
            if !missing.contains(&name) {
                missing.push(name);
            }
        }
        missing
    }
}

/// A name with single spaces between words and no blanks around it.
fn compared(name: &str, trims: bool) -> Cow<'_, str> {
    if !trims {
        return Cow::Borrowed(name);
    }
    let bare = trimmed(name);
    if bare.contains(|letter: char| letter.is_whitespace()) {
        return Cow::Owned(bare.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    Cow::Borrowed(bare)
}

/// The refusal of a header that cannot be framed; a header with quotes may need another delimiter.
fn broken(file: &Path, profile: &Profile, (line, rule): (u64, Rule), raw: &[u8]) -> Refused {
    let file = file.to_owned();
    match meant_delimiter(raw, profile).map(Advice::Delimiter) {
        None => Refused::Header { file, line, rule },
        Some(advice) => {
            Refused::MissingColumns { file, line, missing: missing_of(&[], profile), advice }
        }
    }
}

/// The delimiter at which a header has all of the profile's columns.
fn meant_delimiter(header: &[u8], profile: &Profile) -> Option<char> {
    DELIMITERS.into_iter().find(|&delimiter| {
        let byte = u8::try_from(delimiter).expect("the delimiters to try are ASCII");
        missing_of(&split::fields_of(header, byte), profile).is_empty()
    })
}

/// The encoding in which an undecodable header has all of the profile's columns.
fn meant_encoding(header: &[u8], profile: &Profile) -> Option<&'static Encoding> {
    let delimiter = profile.file.delimiter.byte();
    let has_all =
        |text: &str| missing_of(&split::fields_of(text.as_bytes(), delimiter), profile).is_empty();
    let Ok(text) = std::str::from_utf8(header) else {
        return ENCODINGS.into_iter().find(|encoding| {
            let text = encoding.decode_without_bom_handling_and_without_replacement(header);
            text.is_some_and(|text| has_all(&text))
        });
    };
    // A line of UTF-8 in a file of another encoding has `�` before its letters.
    (text.contains('\u{FFFD}') && has_all(&text.replace('\u{FFFD}', ""))).then_some(UTF_8)
}

fn missing_of(names: &[String], profile: &Profile) -> Vec<String> {
    Names::new(names, profile).missing(profile)
}
