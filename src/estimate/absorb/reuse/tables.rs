//! Plain columns that any table format can hold.

use thiserror::Error;

/// One table of a memory: columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryTable {
    /// Its name.
    pub name: &'static str,
    /// Its columns, with their names.
    pub columns: Vec<(String, MemoryColumn)>,
}

/// The values of one column of a memory.
#[derive(Debug, Clone, PartialEq)]
pub enum MemoryColumn {
    /// Texts.
    Texts(Vec<String>),
    /// Keys or counts.
    Integers(Vec<u64>),
    /// Figures.
    Reals(Vec<f64>),
}

/// The tables are not a valid memory; an estimation without a memory still works.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the stored state of an earlier estimation is damaged: {what}; estimate without it")]
pub struct MemoryError {
    /// The problem.
    pub what: &'static str,
}

/// Tables that a reader takes apart column by column.
pub struct Tables(Vec<MemoryTable>);

impl Tables {
    /// Takes all tables of a memory.
    pub fn new(tables: Vec<MemoryTable>) -> Self {
        Self(tables)
    }

    fn take(&mut self, table: &str, column: &str) -> Option<MemoryColumn> {
        let table = self.0.iter_mut().find(|known| known.name == table)?;
        let place = table.columns.iter().position(|(name, _)| name == column)?;
        Some(table.columns.swap_remove(place).1)
    }

    pub fn texts(&mut self, table: &str, column: &str) -> Result<Vec<String>, MemoryError> {
        match self.take(table, column) {
            Some(MemoryColumn::Texts(texts)) => Ok(texts),
            _ => Err(MemoryError { what: "a column of texts is missing" }),
        }
    }

    pub fn integers(&mut self, table: &str, column: &str) -> Result<Vec<u64>, MemoryError> {
        match self.take(table, column) {
            Some(MemoryColumn::Integers(integers)) => Ok(integers),
            _ => Err(MemoryError { what: "a column of integers is missing" }),
        }
    }

    pub fn reals(&mut self, table: &str, column: &str) -> Result<Vec<f64>, MemoryError> {
        match self.take(table, column) {
            Some(MemoryColumn::Reals(reals)) => Ok(reals),
            _ => Err(MemoryError { what: "a column of reals is missing" }),
        }
    }
}
