//! The first line: which column holds which canonical field.

use std::borrow::Cow;
use std::path::Path;

use super::frame::Framed;
use super::profile::{Column, Profile};
use super::refused::{Advice, Refused};
use super::split::{self, Span};
use crate::domain::record::Rule;

/// A canonical field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The month.
    Period,
    /// Export or import.
    Flow,
    /// The firm's identifier.
    FirmId,
    /// The firm's name.
    FirmName,
    /// The place of production.
    Region,
    /// The partner country.
    Country,
    /// The product.
    Hs8,
    /// The customs trade mode.
    TradeMode,
    /// The value.
    ValueUsd,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Period,
        Self::Flow,
        Self::FirmId,
        Self::FirmName,
        Self::Region,
        Self::Country,
        Self::Hs8,
        Self::TradeMode,
        Self::ValueUsd,
    ];

    /// Where a profile says it comes from.
    fn column(self, profile: &Profile) -> &Column {
        let columns = &profile.columns;
        match self {
            Self::Period => &columns.period,
            Self::Flow => &columns.flow,
            Self::FirmId => &columns.firm_id,
            Self::FirmName => &columns.firm_name,
            Self::Region => &columns.region,
            Self::Country => &columns.country,
            Self::Hs8 => &columns.hs8,
            Self::TradeMode => &columns.trade_mode,
            Self::ValueUsd => &columns.value_usd,
        }
    }
}

/// Delimiters that a header may have been meant for.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// The columns of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    names: Vec<String>,
    /// In the order of [`Field::ALL`].
    sources: Vec<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Column(usize),
    Constant(String),
}

/// A line that is known to be UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct TextLine<'a> {
    /// As it stands.
    pub text: &'a [u8],
    /// Its fields.
    pub fields: &'a [Span],
}

impl<'a> TextLine<'a> {
    /// The text of the field at a position.
    #[must_use]
    #[inline]
    pub fn field(&self, at: usize) -> Cow<'a, [u8]> {
        let span = self.fields[at];
        let text = &self.text[span.start..span.end];
        if span.escaped { Cow::Owned(unescaped(text)) } else { Cow::Borrowed(text) }
    }
}

/// A quoted field's text, its quotes no longer doubled.
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
    /// - [`Refused::MissingColumns`] with all of the profile's columns that are not there
    /// - [`Refused::DuplicateColumn`] if one is there more than once
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
        let names: Vec<String> = line.fields.iter().map(|field| field.lossy(line.raw)).collect();
        let source = |field: Field| match field.column(profile) {
            Column::Constant(constant) => Some(Source::Constant(constant.constant.clone())),
            Column::Header(header) => {
                names.iter().position(|name| name == header).map(Source::Column)
            }
        };
        let Some(sources) = Field::ALL.into_iter().map(source).collect() else {
            let missing = missing(&names, profile);
            let advice = meant_delimiter(line.raw, profile)
                .map_or_else(|| Advice::Has(names), Advice::Delimiter);
            let file = file.to_owned();
            return Err(Refused::MissingColumns { file, line: line.line, missing, advice });
        };
        if let Some(twice) = needed(profile).find(|&column| occurrences(&names, column) > 1) {
            let (file, column) = (file.to_owned(), twice.to_owned());
            return Err(Refused::DuplicateColumn { file, line: line.line, column });
        }
        Ok(Self { names, sources })
    }

    /// How many columns each line must have.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.names.len()
    }

    /// The name of a column.
    #[must_use]
    pub fn name(&self, at: usize) -> &str {
        &self.names[at]
    }

    /// The column of a field; none where the profile gives a constant.
    #[must_use]
    pub fn column(&self, field: Field) -> Option<usize> {
        match self.sources[field as usize] {
            Source::Column(at) => Some(at),
            Source::Constant(_) => None,
        }
    }

    /// The text of a field on a line.
    #[must_use]
    #[inline]
    pub fn text<'a>(&'a self, field: Field, line: &TextLine<'a>) -> Cow<'a, [u8]> {
        match &self.sources[field as usize] {
            Source::Column(at) => line.field(*at),
            Source::Constant(text) => Cow::Borrowed(text.as_bytes()),
        }
    }
}

/// The columns that a profile needs, each field's.
fn needed(profile: &Profile) -> impl Iterator<Item = &str> {
    Field::ALL.into_iter().filter_map(|field| match field.column(profile) {
        Column::Header(name) => Some(name.as_str()),
        Column::Constant(_) => None,
    })
}

fn missing(names: &[String], profile: &Profile) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    for column in needed(profile).filter(|&column| occurrences(names, column) == 0) {
        if !missing.iter().any(|other| other == column) {
            missing.push(column.to_owned());
        }
    }
    missing
}

fn occurrences(names: &[String], column: &str) -> usize {
    names.iter().filter(|&name| name == column).count()
}

/// Why a header is refused that cannot be framed: with quotes, another delimiter is what it looks
/// like.
fn broken(file: &Path, profile: &Profile, (line, rule): (u64, Rule), raw: &[u8]) -> Refused {
    let file = file.to_owned();
    match meant_delimiter(raw, profile).map(Advice::Delimiter) {
        None => Refused::Header { file, line, rule },
        Some(advice) => {
            Refused::MissingColumns { file, line, missing: missing(&[], profile), advice }
        }
    }
}

/// The delimiter at which a header has all of the profile's columns.
fn meant_delimiter(header: &[u8], profile: &Profile) -> Option<char> {
    DELIMITERS.into_iter().find(|&delimiter| {
        let byte = u8::try_from(delimiter).expect("the delimiters to try are ASCII");
        missing(&split::fields_of(header, byte), profile).is_empty()
    })
}
