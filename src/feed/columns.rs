//! The assignment of a file's columns to canonical fields.

use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

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
    /// All fields.
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

    /// The field's name in a profile.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::Flow => "flow",
            Self::FirmId => "firm_id",
            Self::FirmName => "firm_name",
            Self::Region => "region",
            Self::Country => "country",
            Self::Hs8 => "hs8",
            Self::TradeMode => "trade_mode",
            Self::ValueUsd => "value_usd",
        }
    }
}

/// The sources of all canonical fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnLayout {
    /// The month.
    #[serde(default = "nothing")]
    pub period: Column,
    /// Export or import.
    #[serde(default = "nothing")]
    pub flow: Column,
    /// The firm's identifier.
    pub firm_id: Column,
    /// The firm's name.
    #[serde(default = "nothing")]
    pub firm_name: Column,
    /// The place of production.
    pub region: Column,
    /// The partner country.
    pub country: Column,
    /// The product.
    #[serde(default = "nothing")]
    pub hs8: Column,
    /// The customs trade mode.
    #[serde(default = "nothing")]
    pub trade_mode: Column,
    /// The value.
    #[serde(default = "nothing")]
    pub value_usd: Column,
}

/// The source of a canonical field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a header's name or number, a list of them, or { constant = \"…\" }"
)]
pub enum Column {
    /// One column.
    One(ColumnName),
    /// The first of these columns that the file has.
    First(Vec<ColumnName>),
    /// The same text on every line.
    Constant(Constant),
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a header's name or number")]
pub enum ColumnName {
    /// The column of this header.
    Header(String),
    /// The column at this position, counted from 1.
    Number(NonZeroU16),
}

impl Column {
    /// The possible names of the column, the preferred one first; empty for a constant.
    #[must_use]
    pub fn names(&self) -> &[ColumnName] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::First(names) => names,
            Self::Constant(_) => &[],
        }
    }

    /// True if the source is an empty constant: the feed lacks the field.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Constant(constant) if constant.constant.is_empty())
    }

    /// True if the source is an empty list.
    pub(super) fn is_nowhere(&self) -> bool {
        matches!(self, Self::First(names) if names.is_empty())
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => f.write_str(name),
            Self::Number(number) => write!(f, "number {number}"),
        }
    }
}

/// The same text on every line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The text.
    pub constant: String,
}

/// A column that a feed does not have.
pub(super) fn nothing() -> Column {
    Column::Constant(Constant { constant: String::new() })
}

impl ColumnLayout {
    /// The source of a field.
    #[must_use]
    pub fn of(&self, field: Field) -> &Column {
        match field {
            Field::Period => &self.period,
            Field::Flow => &self.flow,
            Field::FirmId => &self.firm_id,
            Field::FirmName => &self.firm_name,
            Field::Region => &self.region,
            Field::Country => &self.country,
            Field::Hs8 => &self.hs8,
            Field::TradeMode => &self.trade_mode,
            Field::ValueUsd => &self.value_usd,
        }
    }

    /// The largest column number in the layout; 0 without numbers.
    pub(super) fn last_number(&self) -> usize {
        let names = Field::ALL.into_iter().flat_map(|field| self.of(field).names());
        let numbers = names.map(|name| match name {
            ColumnName::Number(number) => usize::from(number.get()),
            ColumnName::Header(_) => 0,
        });
        numbers.max().unwrap_or(0)
    }
}
