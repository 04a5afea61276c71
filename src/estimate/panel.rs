//! A panel as columns: borrowed slices with names.
//!
//! Regressors read a column as numbers; fixed effects and clusters read it as levels. In most cases
//! one slice serves both. If equal numbers are different levels, such as the texts `01` and `1`,
//! the levels have a separate slice.

use super::error::EstimateError;

/// The code of a missing category.
pub const MISSING: u32 = u32::MAX;

/// The values of one column.
#[derive(Debug, Clone, Copy)]
pub enum Column<'a> {
    /// Numbers; NaN and infinities are missing.
    Real(&'a [f64]),
    /// Whole numbers: years, identifiers, dummies.
    Integer(&'a [i32]),
    /// Small whole numbers, in half the memory.
    Short(&'a [i16]),
    /// Categories by number; [`MISSING`] is missing.
    Code(&'a [u32]),
}

/// Named columns of equal length.
#[derive(Debug, Clone, Default)]
pub struct Panel<'a> {
    columns: Vec<(String, Column<'a>)>,
    levels: Vec<(String, Column<'a>)>,
    parts: Vec<Part>,
}

/// Consecutive rows of a panel with one source, such as one year's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The number of rows.
    pub n_rows: usize,
    /// A number that changes with every change of a value in these rows.
    pub fingerprint: u64,
}

impl Column<'_> {
    /// The number of rows of the column.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Real(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Short(values) => values.len(),
            Self::Code(values) => values.len(),
        }
    }

    /// True if the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if the row has a value.
    #[must_use]
    pub fn is_present(&self, row: usize) -> bool {
        match self {
            Self::Real(values) => values[row].is_finite(),
            Self::Integer(_) | Self::Short(_) => true,
            Self::Code(values) => values[row] != MISSING,
        }
    }

    /// The value in one row as bits; equal values have equal bits.
    pub(super) fn bits(&self, row: usize) -> u64 {
        match self {
            Self::Real(values) => (values[row] + 0.0).to_bits(),
            Self::Integer(values) => values[row].cast_unsigned().into(),
            Self::Short(values) => i32::from(values[row]).cast_unsigned().into(),
            Self::Code(values) => values[row].into(),
        }
    }
}

impl<'a> Panel<'a> {
    /// A panel of these columns; of two columns with one name, the first counts.
    ///
    /// # Errors
    /// - [`EstimateError::Length`]: a column's length differs from the first one's.
    /// - [`EstimateError::TooManyRows`]: row numbers would not fit.
    pub fn new(columns: Vec<(String, Column<'a>)>) -> Result<Self, EstimateError> {
        let wanted = columns.first().map_or(0, |(_, column)| column.len());
        if wanted >= u32::MAX as usize {
            return Err(EstimateError::TooManyRows { n: wanted });
        }
        same_length(&columns, wanted)?;
        Ok(Self { columns, levels: Vec::new(), parts: Vec::new() })
    }

    /// Adds the levels of columns whose numbers do not identify their levels.
    ///
    /// # Errors
    /// [`EstimateError::Length`]: the length of a column differs from the panel's.
    pub fn with_levels(mut self, levels: Vec<(String, Column<'a>)>) -> Result<Self, EstimateError> {
        same_length(&levels, self.n_rows())?;
        self.levels = levels;
        Ok(self)
    }

    /// Adds the parts of the panel's rows. A part with the same fingerprint as in an earlier
    /// estimation is not read again. Without parts, the values identify the rows.
    ///
    /// # Panics
    /// If the parts do not have as many rows as the panel.
    #[must_use]
    pub fn in_parts(mut self, parts: Vec<Part>) -> Self {
        let n: usize = parts.iter().map(|part| part.n_rows).sum();
        assert!(parts.is_empty() || n == self.n_rows(), "parts of {n} rows, {}", self.n_rows());
        self.parts = parts;
        self
    }

    /// The parts of the rows; empty if they are unknown.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The number of rows of the panel.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The levels of the column with that name, as a factor of effects or clusters.
    ///
    /// # Errors
    /// [`EstimateError::UnknownColumn`]: there is no such column.
    pub fn levels(&self, name: &str) -> Result<Column<'a>, EstimateError> {
        let own = self.levels.iter().find(|(own, _)| own == name);
        own.map_or_else(|| self.column(name), |(_, column)| Ok(*column))
    }

    /// The column with that name.
    ///
    /// # Errors
    /// [`EstimateError::UnknownColumn`]: there is no such column.
    pub fn column(&self, name: &str) -> Result<Column<'a>, EstimateError> {
        let found = self.columns.iter().find(|(own, _)| own == name);
        found.map(|(_, column)| *column).ok_or_else(|| EstimateError::UnknownColumn {
            name: name.into(),
            known: self.columns.iter().map(|(own, _)| own.clone()).collect(),
        })
    }
}

fn same_length(columns: &[(String, Column<'_>)], wanted: usize) -> Result<(), EstimateError> {
    match columns.iter().find(|(_, column)| column.len() != wanted) {
        Some((name, column)) => {
            Err(EstimateError::Length { name: name.clone(), n: column.len(), wanted })
        }
        None => Ok(()),
    }
}
