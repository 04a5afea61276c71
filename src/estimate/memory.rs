//! What an estimation leaves for the next one, as plain columns that any table format can hold.
//!
//! ```text
//! Absorbed ─▶ Memory ─▶ tables ─▶ (files) ─▶ tables ─▶ Memory ─▶ the next estimation
//! ```
//!
//! Nothing in it decides a figure: a memory that is lost, damaged or of another formula costs time.

use thiserror::Error;

use super::absorb::{Absorbed, Start};

/// What an earlier estimation knows.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    start: Start,
}

/// One table of a memory: columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryTable {
    /// What it is called.
    pub name: &'static str,
    /// Its columns, with their names.
    pub columns: Vec<(String, MemoryColumn)>,
}

/// The values of one column of a memory.
#[derive(Debug, Clone, PartialEq)]
pub enum MemoryColumn {
    /// Words.
    Texts(Vec<String>),
    /// Numbers that are keys or counts.
    Integers(Vec<u64>),
    /// Numbers that are figures.
    Reals(Vec<f64>),
}

/// Tables that are no memory: estimate without one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the memory of an earlier estimation is damaged: {what}; estimate without it")]
pub struct MemoryError {
    /// What is wrong.
    pub what: &'static str,
}

impl Memory {
    /// The names of a memory's tables.
    pub const TABLES: [&'static str; 7] =
        ["variables", "effects", "levels", "subject", "pieces", "numbers", "shares"];

    pub(super) fn of(absorbed: &Absorbed<'_>) -> Self {
        Self { start: absorbed.start() }
    }

    /// The solution to begin from.
    pub(super) fn start(&self) -> &Start {
        &self.start
    }

    /// The memory as tables, to be kept.
    #[must_use]
    pub fn into_tables(self) -> Vec<MemoryTable> {
        self.start.into_tables()
    }

    /// The memory that the tables hold.
    ///
    /// # Errors
    /// [`MemoryError`]: a table or a column is missing, or one does not fit the others.
    pub fn from_tables(tables: Vec<MemoryTable>) -> Result<Self, MemoryError> {
        let mut tables = Tables(tables);
        Ok(Self { start: Start::from_tables(&mut tables)? })
    }
}

/// Tables that are taken apart column by column.
pub(super) struct Tables(Vec<MemoryTable>);

impl Tables {
    fn take(&mut self, table: &str, column: &str) -> Option<MemoryColumn> {
        let table = self.0.iter_mut().find(|known| known.name == table)?;
        let place = table.columns.iter().position(|(name, _)| name == column)?;
        Some(table.columns.swap_remove(place).1)
    }

    pub(super) fn texts(&mut self, table: &str, column: &str) -> Result<Vec<String>, MemoryError> {
        match self.take(table, column) {
            Some(MemoryColumn::Texts(texts)) => Ok(texts),
            _ => Err(MemoryError { what: "a column of texts is missing" }),
        }
    }

    pub(super) fn integers(&mut self, table: &str, column: &str) -> Result<Vec<u64>, MemoryError> {
        match self.take(table, column) {
            Some(MemoryColumn::Integers(integers)) => Ok(integers),
            _ => Err(MemoryError { what: "a column of integers is missing" }),
        }
    }

    pub(super) fn reals(&mut self, table: &str, column: &str) -> Result<Vec<f64>, MemoryError> {
        match self.take(table, column) {
            Some(MemoryColumn::Reals(reals)) => Ok(reals),
            _ => Err(MemoryError { what: "a column of reals is missing" }),
        }
    }
}
