//! The parts of a [`Profile`](super::profile::Profile): how files, columns, months, flows, regions
//! and values are written, each as a type of its own, so that TOML's errors name the line and the
//! field.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use regex::Regex;
use serde::{Deserialize, Serialize};

pub use super::codes::*;
pub use super::columns::*;
pub use super::encoding::TextEncoding;
pub use super::filter::Condition;
use super::pattern::{FilePattern, MemberPattern};
use super::period_format::PeriodFormat;

/// What to do with another file for a month that has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revision {
    /// Take nothing of it.
    #[default]
    Refuse,
    /// Add its lines to those of the earlier one: amendments.
    Append,
    /// Withdraw the earlier file's lines and put these in their place: a month that is published
    /// anew.
    Supersede,
    /// Put its lines in the place of all earlier ones of the months and flows that it covers.
    ReplacePeriods,
}

/// From files to text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLayout {
    /// What the files are called.
    pub pattern: FilePattern,
    /// What stands between two fields.
    #[serde(default)]
    pub delimiter: Delimiter,
    /// How text became bytes.
    #[serde(default)]
    pub encoding: TextEncoding,
    /// How bytes were packed.
    #[serde(default)]
    pub compression: Compression,
    /// What the members of an archive are called that are the feed's; without it, each archive has
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberPattern>,
    /// Which kind of file they are, if that is not left to their first bytes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: FileFormat,
    /// Which sheet of a workbook is meant; without it, the only one with cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<MemberPattern>,
    /// Which table of a database is meant; without it, the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<MemberPattern>,
    /// Whether numbers of a Stata dataset that have a label are read as that.
    #[serde(default, skip_serializing_if = "is_default")]
    pub value_labels: bool,
    /// Whether files are looked for in the folders of the folder, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recursive: bool,
    /// Which months a file covers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub covers: Covers,
    /// The parts in which a month comes: it closes when all are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// Whether fields may be quoted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quote: Quote,
    /// How many lines stand before the header.
    #[serde(default, skip_serializing_if = "is_default")]
    pub skip_lines: u32,
    /// Whether there is a header, and of how many rows.
    #[serde(default, skip_serializing_if = "is_default")]
    pub header: HeaderRows,
    /// Lines that are no records, as totals and notes: they are counted as excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<LinePattern>,
}

/// Which kind of file the files of a feed are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// Whatever the first bytes of each say.
    #[default]
    Auto,
    /// Text.
    Text,
    /// Workbooks of Excel, or spreadsheets of OpenDocument.
    Excel,
    /// Datasets of Stata.
    Stata,
    /// Databases of Access.
    Access,
    /// Parquet.
    Parquet,
    /// Arrow.
    Arrow,
    /// Tables of dBase or FoxPro.
    Dbase,
}

/// Whether a value need not be written down.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Which months a file covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covers {
    /// The one in its name.
    #[default]
    Month,
    /// Those from one in its name to another; those of the year up to it where there is one alone.
    Range,
    /// Those of the year in its name, as far as its lines go.
    Year,
    /// Those that its lines name.
    Contents,
}

/// Whether fields may be quoted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quote {
    /// With `"`, doubled inside.
    #[default]
    Double,
    /// No: a `"` is a letter like any other.
    None,
}

/// How many rows a header has: `true` is one, `false` none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected true, false or the number of the header's rows")]
pub enum HeaderRows {
    /// One, or none.
    Has(bool),
    /// So many.
    Rows(u8),
}

impl HeaderRows {
    /// Their number.
    #[must_use]
    pub fn number(self) -> usize {
        match self {
            Self::Has(has) => usize::from(has),
            Self::Rows(rows) => usize::from(rows),
        }
    }
}

impl Default for HeaderRows {
    fn default() -> Self {
        Self::Has(true)
    }
}

/// A regular expression for lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LinePattern(Regex);

impl LinePattern {
    /// Whether a line is of this kind.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        self.0.is_match(line)
    }
}

impl PartialEq for LinePattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for LinePattern {}

impl TryFrom<String> for LinePattern {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, regex::Error> {
        Regex::new(&text).map(Self)
    }
}

impl From<LinePattern> for String {
    fn from(pattern: LinePattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

/// One ASCII character between two fields; not a quote and not the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Delimiter(u8);

/// A character that cannot separate fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be a delimiter: take one ASCII character, not a quote and not a line end")]
pub struct BadDelimiter(char);

impl Delimiter {
    /// The delimiter as it stands in the text.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }
}

impl Default for Delimiter {
    fn default() -> Self {
        Self(b',')
    }
}

impl TryFrom<char> for Delimiter {
    type Error = BadDelimiter;

    fn try_from(letter: char) -> Result<Self, BadDelimiter> {
        let usable = letter.is_ascii() && !matches!(letter, '"' | '\n' | '\r' | '\0');
        let byte = u8::try_from(letter).ok().filter(|_| usable);
        byte.map(Self).ok_or(BadDelimiter(letter))
    }
}

impl From<Delimiter> for char {
    fn from(delimiter: Delimiter) -> Self {
        char::from(delimiter.0)
    }
}

/// How bytes were packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Whatever the first bytes say, whatever the file is called.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// gzip, of one or several members.
    Gz,
    /// Zstandard, of one or several frames.
    Zst,
    /// zip.
    Zip,
    /// bzip2, of one or several streams.
    Bz2,
    /// xz, of one or several streams.
    Xz,
}

/// How the month is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodLayout {
    /// How the month stands in its column.
    #[serde(default)]
    pub format: PeriodFormat,
    /// The column of the year, where the month stands in another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<ColumnName>,
    /// The column of the month of the year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<ColumnName>,
    /// The source of the month, if not the lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PeriodSource>,
    /// The columns of values by month of the year, of lines that have a value for each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<MonthOfYear, Column>,
}

/// A month of the year, as `1` or `01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MonthOfYear(pub u8);

/// What is no month of the year.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no month of the year; write 1 to 12")]
pub struct BadMonthOfYear(String);

impl TryFrom<String> for MonthOfYear {
    type Error = BadMonthOfYear;

    fn try_from(text: String) -> Result<Self, BadMonthOfYear> {
        let month = text.parse().ok().filter(|month| (1..=12).contains(month));
        month.map(Self).ok_or(BadMonthOfYear(text))
    }
}

impl From<MonthOfYear> for String {
    fn from(MonthOfYear(month): MonthOfYear) -> Self {
        month.to_string()
    }
}

impl PeriodLayout {
    /// How the month stands on a line: a year and a month of two columns stand with `-` between.
    ///
    /// # Panics
    /// Never: the format has a year and a month.
    #[must_use]
    pub fn of_lines(&self) -> PeriodFormat {
        if self.year.is_none() {
            return self.format.clone();
        }
        PeriodFormat::try_from("YYYY-M".to_owned()).expect("year and month once each")
    }
}

/// The source of the month, if not the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodSource {
    /// From the file's name.
    Name,
}

/// How the flow is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowCodes {
    /// Codes of exports.
    #[serde(default)]
    pub export: Vec<String>,
    /// Codes of imports.
    #[serde(default)]
    pub import: Vec<String>,
    /// The column of the value of exports, of lines that have a value for each flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_value: Option<Column>,
    /// The column of the value of imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_value: Option<Column>,
}

/// How a region names its city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CityRule {
    /// By the table `regions.csv`.
    Concordance,
    /// The first digits of the region are the city's code.
    Prefix {
        /// How many.
        digits: u8,
    },
    /// The region is the city's code.
    AsIs,
}

/// Which country codes there are where no `countries.csv` is beside the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountryCodes {
    /// The customs' codes of three digits.
    Customs,
    /// Any that is not blank.
    Any,
}

/// How the value is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueLayout {
    /// How many dollars a one in the column stands for.
    pub unit: NonZeroU32,
    /// What stands between dollars and cents.
    #[serde(default)]
    pub decimal_mark: DecimalMark,
    /// What stands between groups of digits; nothing unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<Thousands>,
    /// Texts that stand for no value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What a line without a value is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing_is: MissingValue,
}

/// What stands between groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Thousands {
    /// `1,234,567`
    #[serde(rename = ",")]
    Comma,
    /// `1.234.567`
    #[serde(rename = ".")]
    Point,
    /// `1 234 567`, with any kind of blank.
    #[serde(rename = " ")]
    Blank,
    /// `1'234'567`
    #[serde(rename = "'")]
    Apostrophe,
}

/// What a line without a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingValue {
    /// A record outside the study, excluded by rule `missing`.
    #[default]
    Excluded,
    /// A record of no value.
    Zero,
}

/// What stands between dollars and cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DecimalMark {
    /// `1234.50`
    #[default]
    #[serde(rename = ".")]
    Point,
    /// `1234,50`
    #[serde(rename = ",")]
    Comma,
}

impl DecimalMark {
    /// The mark as it stands in the text.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Point => b'.',
            Self::Comma => b',',
        }
    }
}

/// Which valid records are outside the study.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exclusions {
    /// Partner countries, as the feed writes them.
    pub countries: Vec<String>,
    /// Words in a firm's name that mark a trade intermediary.
    pub name_contains: Vec<String>,
}
