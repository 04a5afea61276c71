//! The notation of codes in a profile: width, padding, stripped texts and a map.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use super::columns::Field;

/// The notation of codes, column by column.
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

/// The notation of the codes of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeLayout {
    /// The number of characters of a code; a code of fewer digits is padded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<NonZeroU8>,
    /// The character that pads a code at its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pad: Option<char>,
    /// Texts that are removed from both ends, instead of the usual marks of spreadsheets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip: Option<Vec<String>>,
    /// The map from texts to codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<CodeMap>,
}

impl CodeLayout {
    /// True if no key is set.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// A map from texts to codes: in the profile, or in a CSV file of two columns in its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected { \"text\" = \"code\", … } or the name of a file")]
pub enum CodeMap {
    /// Codes by text.
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

    /// The mutable layouts of all columns, by their field.
    pub fn by_field_mut(&mut self) -> impl Iterator<Item = (Field, &mut CodeLayout)> {
        let Self { flow, firm_id, region, country, hs8, trade_mode } = self;
        FIELDS.into_iter().zip([flow, firm_id, region, country, hs8, trade_mode])
    }
}
