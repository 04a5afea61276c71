//! Rows of the reference tables of the regressions.

use super::error::RegressionError;
use crate::feed::reference::columns_of;

/// Columns of a reference table by name; a missing column is empty.
pub(super) fn rows<const N: usize>(
    table: &'static str,
    text: &str,
    columns: [&str; N],
) -> Result<Vec<[String; N]>, RegressionError> {
    let bad = |error: &csv::Error| RegressionError::Reference {
        table,
        line: error.position().map_or(1, csv::Position::line),
        what: "it is not CSV with as many fields as the header",
    };
    columns_of(text, columns).map_err(|error| bad(&error))
}
