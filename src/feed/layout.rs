//! The parts of a [`Profile`](super::profile::Profile): the notation of files, columns, months,
//! flows, regions and values. Each part is a type of its own: TOML's errors then name the line and
//! the field.

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

/// The treatment of another file for a month that already has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revision {
    /// Refuse the file.
    #[default]
    Refuse,
    /// Add the file's lines to those of the earlier file: amendments.
    Append,
    /// Withdraw the earlier file's lines and count the new lines instead: a republished month.
    Supersede,
    /// Replace all earlier lines of the months and flows that the file covers.
    ReplacePeriods,
}

/// The reading of files as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLayout {
    /// The pattern of the files' names.
    pub pattern: FilePattern,
    /// The character between two fields.
    #[serde(default)]
    pub delimiter: Delimiter,
    /// The encoding of the text.
    #[serde(default)]
    pub encoding: TextEncoding,
    /// The packing of the bytes.
    #[serde(default)]
    pub compression: Compression,
    /// The pattern of the feed's members in an archive; without it, each archive has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberPattern>,
    /// The kind of the files, if their first bytes do not decide it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: FileFormat,
    /// The sheet of a workbook; without it, the only sheet with cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<MemberPattern>,
    /// The table of a database; without it, the only table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<MemberPattern>,
    /// True if labelled numbers of a Stata dataset are read as their labels.
    #[serde(default, skip_serializing_if = "is_default")]
    pub value_labels: bool,
    /// True if subfolders are searched for files, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recursive: bool,
    /// The months that a file covers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub covers: Covers,
    /// The parts of a month: the month closes when all of them have arrived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// The quoting of fields.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quote: Quote,
    /// The number of lines before the header.
    #[serde(default, skip_serializing_if = "is_default")]
    pub skip_lines: u32,
    /// The number of the header's rows, if there is a header.
    #[serde(default, skip_serializing_if = "is_default")]
    pub header: HeaderRows,
    /// Lines that are not records, such as totals and notes; they count as excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<LinePattern>,
}

/// The kind of the files of a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// The kind that the first bytes of each file show.
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

/// True if a value is the default, which is not written down.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The months that a file covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covers {
    /// The month in the file's name.
    #[default]
    Month,
    /// The months between the two in the name; with one month, those of the year up to it.
    Range,
    /// The months of the year in the name, up to the last month with lines.
    Year,
    /// The months that the lines contain.
    Contents,
}

/// The quoting of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quote {
    /// Quotes are `"`, doubled inside a field.
    #[default]
    Double,
    /// No quotes: a `"` is an ordinary letter.
    None,
}

/// The number of rows of a header: `true` is one, `false` none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected true, false or the number of the header's rows")]
pub enum HeaderRows {
    /// One row, or none.
    Has(bool),
    /// This number of rows.
    Rows(u8),
}

impl HeaderRows {
    /// The number of rows.
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
    /// True if the expression matches a line.
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

/// One ASCII character between two fields; neither a quote nor a line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Delimiter(u8);

/// A character that cannot separate fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be a delimiter: take one ASCII character, not a quote and not a line end")]
pub struct BadDelimiter(char);

impl Delimiter {
    /// The delimiter as a byte of the text.
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

/// The packing of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// The packing that the first bytes show, regardless of the file's name.
    #[default]
    Auto,
    /// No packing.
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

/// The notation of the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodLayout {
    /// The format of the month in its column.
    #[serde(default)]
    pub format: PeriodFormat,
    /// The column of the year, if another column has the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<ColumnName>,
    /// The column of the month of the year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<ColumnName>,
    /// The source of the month, if not the lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PeriodSource>,
    /// The columns of values by month of the year, for lines with one value per month.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<MonthOfYear, Column>,
}

/// A month of the year, as `1` or `01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MonthOfYear(pub u8);

/// A text that is not a month of the year.
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
    /// The format of the month on a line; a year and a month from two columns are joined by `-`.
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
    /// The file's name.
    Name,
}

/// The notation of the flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowCodes {
    /// Codes of exports.
    #[serde(default)]
    pub export: Vec<String>,
    /// Codes of imports.
    #[serde(default)]
    pub import: Vec<String>,
    /// The column of the value of exports, for lines with one value per flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_value: Option<Column>,
    /// The column of the value of imports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_value: Option<Column>,
}

/// The rule that finds the city of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CityRule {
    /// The table `regions.csv` gives the city.
    Concordance,
    /// The first digits of the region are the city's code.
    Prefix {
        /// The number of digits.
        digits: u8,
    },
    /// The region is the city's code.
    AsIs,
}

/// The valid country codes of a feed without its own `countries.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountryCodes {
    /// The customs codes of three digits.
    Customs,
    /// Any code that is not blank.
    Any,
}

/// The notation of the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueLayout {
    /// The number of dollars per unit of the column.
    pub unit: NonZeroU32,
    /// The mark between dollars and cents.
    #[serde(default)]
    pub decimal_mark: DecimalMark,
    /// The mark between groups of digits; by default there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<Thousands>,
    /// Texts that mean a missing value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The treatment of a line without a value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing_is: MissingValue,
}

/// The mark between groups of digits.
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

/// The treatment of a line without a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingValue {
    /// A record outside the study, excluded by rule `missing`.
    #[default]
    Excluded,
    /// A record with the value zero.
    Zero,
}

/// The mark between dollars and cents.
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
    /// The mark as a byte of the text.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Point => b'.',
            Self::Comma => b',',
        }
    }
}

/// The valid records that are outside the study.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exclusions {
    /// Partner countries, in the feed's notation.
    pub countries: Vec<String>,
    /// Words in a firm's name that mark a trade intermediary.
    pub name_contains: Vec<String>,
}
