//! What a refusal shows of a line.

use std::fmt;

use super::text::is_blank;
use crate::domain::record::Rule;

/// A rejected line as a message shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The physical line.
    pub line: u32,
    /// The column at fault; empty where the whole line is.
    pub column: String,
    /// What it breaks.
    pub rule: Rule,
    /// The text of the column, or of the line.
    pub text: String,
    /// What was expected there; empty where the rule says it.
    pub expected: String,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, rule, text, expected } = self;
        match column.as_str() {
            "" => write!(f, "line {line} ({rule})")?,
            column => write!(f, "line {line}, column {column} ({rule})")?,
        }
        // What is no text to see is shown by its escapes.
        let shown = text.trim_end_matches(is_blank);
        if shown.len() == text.len() && text.chars().all(|letter| !letter.is_control()) {
            write!(f, ": \"{text}\"")?;
        } else {
            write!(f, ": {text:?}")?;
        }
        if expected.is_empty() { Ok(()) } else { write!(f, ", {expected}") }
    }
}
