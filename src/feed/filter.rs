//! The lines of a file that are records: `keep` and `drop` in a profile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::trimmed;

/// Conditions by the name of a column.
pub type Conditions = BTreeMap<String, Condition>;

/// A condition on a column's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text, a list of texts or { length = [2, 4] }")]
pub enum Condition {
    /// The column has this text.
    Is(String),
    /// The column has one of these texts.
    IsOneOf(Vec<String>),
    /// The text has this number of characters.
    HasLength(Length),
}

/// The number of characters of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Length {
    /// The allowed numbers.
    pub length: Numbers,
}

/// One number or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number or a list of numbers")]
pub enum Numbers {
    /// One number.
    One(usize),
    /// Any of these numbers.
    Any(Vec<usize>),
}

impl Condition {
    /// True if a text meets the condition; blanks around the text are ignored.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let text = trimmed(text);
        match self {
            Self::Is(expected) => text == trimmed(expected),
            Self::IsOneOf(expected) => expected.iter().any(|expected| text == trimmed(expected)),
            Self::HasLength(Length { length }) => {
                let n = text.chars().count();
                match length {
                    Numbers::One(length) => n == *length,
                    Numbers::Any(lengths) => lengths.contains(&n),
                }
            }
        }
    }
}

/// The conditions of a profile on the columns of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Conditions on columns that must all hold.
    pub keep: Vec<(usize, Condition)>,
    /// Conditions on columns of which none may hold.
    pub drop: Vec<(usize, Condition)>,
}

impl RowFilter {
    /// True if the filter passes every line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keep.is_empty() && self.drop.is_empty()
    }

    /// True if the filter drops a line.
    pub fn leaves_out<'t>(&self, text_of: impl Fn(usize) -> std::borrow::Cow<'t, str>) -> bool {
        let holds = |(at, condition): &(usize, Condition)| condition.holds(&text_of(*at));
        self.drop.iter().any(holds) || !self.keep.iter().all(holds)
    }
}
