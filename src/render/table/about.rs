//! A table that is written, and its origin: facts beside its rows.

use crate::tables::sheet::Sheet;

/// Facts about a table, as name and value, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The facts.
    pub facts: Vec<(String, String)>,
}

/// A table that is written, and its origin.
#[derive(Clone, Copy, Debug)]
pub struct TableFile<'t> {
    /// The table.
    pub sheet: &'t Sheet,
    /// The facts about it, for formats with metadata.
    pub about: &'t About,
}
