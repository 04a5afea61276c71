//! The part of a line that the message of a refusal shows.

use std::fmt;

use super::text::is_blank;
use crate::domain::record::Rule;

/// A rejected line as a message shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The physical line.
    pub line: u32,
    /// The column at fault; empty if the whole line is.
    pub column: String,
    /// The broken rule.
    pub rule: Rule,
    /// The text of the column, or of the line.
    pub text: String,
    /// The expected form of the text; empty if the rule describes it.
    pub expected: String,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, rule, text, expected } = self;
        match column.as_str() {
            "" => write!(f, "line {line} ({rule})")?,
            column => write!(f, "line {line}, column {column} ({rule})")?,
        }
        // Invisible characters are shown by their escapes.
        let shown = text.trim_end_matches(is_blank);
        if shown.len() == text.len() && text.chars().all(|letter| !letter.is_control()) {
            write!(f, ": \"{text}\"")?;
        } else {
            write!(f, ": {text:?}")?;
        }
        if expected.is_empty() { Ok(()) } else { write!(f, ", {expected}") }
    }
}
