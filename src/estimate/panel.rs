//! A panel as columns: borrowed slices with names.
//!
//! A column is read as numbers, by regressors, or as levels, by fixed effects and clusters. Mostly
//! one slice serves both. Where equal numbers are different levels, such as the texts `01` and `1`,
//! the levels are a slice of their own.

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
    /// Whole numbers that are small, in half the room.
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

/// Consecutive rows of a panel that come from one place, such as one year's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its rows.
    pub n_rows: usize,
    /// Another number whenever any value in these rows is another.
    pub fingerprint: u64,
}

impl Column<'_> {
    /// Rows of the column.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Real(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Short(values) => values.len(),
            Self::Code(values) => values.len(),
        }
    }

    /// Whether the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the row holds a value.
    #[must_use]
    pub fn is_present(&self, row: usize) -> bool {
        match self {
            Self::Real(values) => values[row].is_finite(),
            Self::Integer(_) | Self::Short(_) => true,
            Self::Code(values) => values[row] != MISSING,
        }
    }

    /// The value in one row as bits, equal where the values are.
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
    /// A panel of these columns; of two with one name the first counts.
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

    /// The same panel with the levels of those columns whose numbers do not tell them.
    ///
    /// # Errors
    /// [`EstimateError::Length`]: a column's length is not the panel's.
    pub fn with_levels(mut self, levels: Vec<(String, Column<'a>)>) -> Result<Self, EstimateError> {
        same_length(&levels, self.n_rows())?;
        self.levels = levels;
        Ok(self)
    }

    /// The same panel, told where its rows come from: what an earlier estimation kept of a part
    /// with the same fingerprint holds without reading the values again. Without parts the values
    /// themselves tell.
    ///
    /// # Panics
    /// There are parts, and they do not have as many rows as the panel.
    #[must_use]
    pub fn in_parts(mut self, parts: Vec<Part>) -> Self {
        let n: usize = parts.iter().map(|part| part.n_rows).sum();
        assert!(parts.is_empty() || n == self.n_rows(), "parts of {n} rows, {}", self.n_rows());
        self.parts = parts;
        self
    }

    /// Where the rows come from; empty if that was not told.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Rows of the panel.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The levels of the column of that name, as a factor of effects or clusters.
    ///
    /// # Errors
    /// [`EstimateError::UnknownColumn`]: there is none.
    pub fn levels(&self, name: &str) -> Result<Column<'a>, EstimateError> {
        let own = self.levels.iter().find(|(own, _)| own == name);
        own.map_or_else(|| self.column(name), |(_, column)| Ok(*column))
    }

    /// The column of that name.
    ///
    /// # Errors
    /// [`EstimateError::UnknownColumn`]: there is none.
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
