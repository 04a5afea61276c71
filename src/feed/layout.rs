//! The parts of a [`Profile`](super::profile::Profile): how files, columns, months, flows, regions
//! and values are written, each as a type of its own, so that TOML's errors name the line and the
//! field.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

pub use super::encoding::TextEncoding;
use super::pattern::{FilePattern, MemberPattern, PeriodFormat};

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

/// Where each canonical field comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnLayout {
    /// The month.
    pub period: Column,
    /// Export or import.
    pub flow: Column,
    /// The firm's identifier.
    pub firm_id: Column,
    /// The firm's name.
    pub firm_name: Column,
    /// The place of production.
    pub region: Column,
    /// The partner country.
    pub country: Column,
    /// The product.
    pub hs8: Column,
    /// The customs trade mode.
    pub trade_mode: Column,
    /// The value.
    pub value_usd: Column,
}

/// Where a canonical field comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a header's name or { constant = \"…\" }")]
pub enum Column {
    /// The column of this header.
    Header(String),
    /// The same text on every line.
    Constant(Constant),
}

/// The same text on every line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The text.
    pub constant: String,
}

/// How the month is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodLayout {
    /// A pattern of `YYYY`, `MM` and `DD`.
    pub format: PeriodFormat,
}

/// How the flow is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowCodes {
    /// Codes of exports.
    pub export: Vec<String>,
    /// Codes of imports.
    pub import: Vec<String>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueLayout {
    /// How many dollars a one in the column stands for.
    pub unit: NonZeroU32,
    /// What stands between dollars and cents.
    #[serde(default)]
    pub decimal_mark: DecimalMark,
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
