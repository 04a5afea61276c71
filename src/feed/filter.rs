//! Which lines of a file are records at all: `keep` and `drop` in a profile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::trimmed;

/// Conditions by the name of a column.
pub type Conditions = BTreeMap<String, Condition>;

/// What a column's text must be for a condition to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text, a list of texts or { length = [2, 4] }")]
pub enum Condition {
    /// This text.
    Is(String),
    /// One of these texts.
    IsOneOf(Vec<String>),
    /// A text of so many characters.
    HasLength(Length),
}

/// How many characters a text has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Length {
    /// One of these numbers.
    pub length: Numbers,
}

/// A number or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number or a list of numbers")]
pub enum Numbers {
    /// One.
    One(usize),
    /// Any of these.
    Any(Vec<usize>),
}

impl Condition {
    /// Whether a text is as the condition says; blanks around it do not matter.
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
    /// Columns of which every condition must hold.
    pub keep: Vec<(usize, Condition)>,
    /// Columns of which no condition may hold.
    pub drop: Vec<(usize, Condition)>,
}

impl RowFilter {
    /// Whether it lets every line pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keep.is_empty() && self.drop.is_empty()
    }

    /// Whether a line is no record of the feed.
    pub fn leaves_out<'t>(&self, text_of: impl Fn(usize) -> std::borrow::Cow<'t, str>) -> bool {
        let holds = |(at, condition): &(usize, Condition)| condition.holds(&text_of(*at));
        self.drop.iter().any(holds) || !self.keep.iter().all(holds)
    }
}
