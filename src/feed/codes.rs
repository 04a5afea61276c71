//! How a profile says that codes are written: width, padding, what is taken off, and a map.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use super::columns::Field;

/// How codes are written, column by column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeLayouts {
    /// Export or import.
    #[serde(skip_serializing_if = "CodeLayout::is_plain")]
    pub flow: CodeLayout,
    /// The firm's identifier.
    #[serde(skip_serializing_if = "CodeLayout::is_plain")]
    pub firm_id: CodeLayout,
    /// The place of production.
    #[serde(skip_serializing_if = "CodeLayout::is_plain")]
    pub region: CodeLayout,
    /// The partner country.
    #[serde(skip_serializing_if = "CodeLayout::is_plain")]
    pub country: CodeLayout,
    /// The product.
    #[serde(skip_serializing_if = "CodeLayout::is_plain")]
    pub hs8: CodeLayout,
    /// The customs trade mode.
    #[serde(skip_serializing_if = "CodeLayout::is_plain")]
    pub trade_mode: CodeLayout,
}

/// How the codes of a column are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeLayout {
    /// How many characters a code has; a code of fewer digits is padded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<NonZeroU8>,
    /// What it is padded with at its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pad: Option<char>,
    /// What is taken off both ends, in place of what a spreadsheet adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip: Option<Vec<String>>,
    /// Codes in place of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<CodeMap>,
}

impl CodeLayout {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Codes in place of texts: in the profile, or in a CSV file of two columns beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected { \"text\" = \"code\", … } or the name of a file")]
pub enum CodeMap {
    /// By text.
    Inline(BTreeMap<String, String>),
    /// A file's name, relative to the profile.
    File(String),
}

/// The fields that hold codes, in the order of [`CodeLayouts`].
const FIELDS: [Field; 6] =
    [Field::Flow, Field::FirmId, Field::Region, Field::Country, Field::Hs8, Field::TradeMode];

impl CodeLayouts {
    /// The layouts of all columns, by their field.
    pub fn by_field(&self) -> impl Iterator<Item = (Field, &CodeLayout)> {
        let Self { flow, firm_id, region, country, hs8, trade_mode } = self;
        FIELDS.into_iter().zip([flow, firm_id, region, country, hs8, trade_mode])
    }

    /// The same, to change.
    pub fn by_field_mut(&mut self) -> impl Iterator<Item = (Field, &mut CodeLayout)> {
        let Self { flow, firm_id, region, country, hs8, trade_mode } = self;
        FIELDS.into_iter().zip([flow, firm_id, region, country, hs8, trade_mode])
    }
}
