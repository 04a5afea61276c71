//! TOML to values; an error is one line with the place.

use serde::de::DeserializeOwned;

/// The place and reason why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TomlError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in the line, in characters from 1.
    pub column: usize,
    /// The problem.
    pub message: String,
}

/// Reads a value.
///
/// # Errors
/// [`TomlError`] if the text is not TOML, or has an unexpected key or value.
///
/// # Examples
/// ```
/// #[derive(Debug, serde::Deserialize)]
/// struct Options {
///     workers: usize,
/// }
/// let error = spillover::toml_text::read::<Options>("# mine\nworkers = -1").unwrap_err();
/// assert!(error.to_string().starts_with("line 2, column 11: invalid value"), "{error}");
/// ```
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        place(text, start, error.message().replace('\n', "; "))
    })
}

/// An error at a byte of a text.
#[must_use]
pub fn place(text: &str, start: usize, message: String) -> TomlError {
    let before = text.get(..start).unwrap_or_default();
    let in_line = before.rsplit('\n').next().unwrap_or_default();
    TomlError {
        line: before.matches('\n').count() + 1,
        column: in_line.chars().count() + 1,
        message,
    }
}
