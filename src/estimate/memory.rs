//! The stored state of an estimation for the next one, as plain columns that any table format can
//! hold.
//!
//! ```text
//! Absorbed ─▶ Memory ─▶ tables ─▶ (files) ─▶ tables ─▶ Memory ─▶ the next estimation
//! ```
//!
//! No figure depends on it: a missing, damaged or foreign state costs time only.

use super::absorb::reuse::tables::Tables;
pub use super::absorb::reuse::tables::{MemoryColumn, MemoryError, MemoryTable};
use super::absorb::{Absorbed, Start};

/// The stored state of an earlier estimation.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    start: Start,
}

impl Memory {
    /// The names of a memory's tables.
    pub const TABLES: [&'static str; 7] =
        ["variables", "effects", "levels", "subject", "pieces", "numbers", "shares"];

    pub(super) fn of(absorbed: &Absorbed<'_>) -> Self {
        Self { start: absorbed.start() }
    }

    /// The solution from which the iteration starts.
    pub(super) fn start(&self) -> &Start {
        &self.start
    }

    /// The memory as tables, for storage.
    #[must_use]
    pub fn into_tables(self) -> Vec<MemoryTable> {
        self.start.into_tables()
    }

    /// Reads a memory from its tables.
    ///
    /// # Errors
    /// [`MemoryError`]: a table or a column is missing, or the tables do not fit together.
    pub fn from_tables(tables: Vec<MemoryTable>) -> Result<Self, MemoryError> {
        let mut tables = Tables::new(tables);
        Ok(Self { start: Start::from_tables(&mut tables)? })
    }
}
