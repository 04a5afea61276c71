//! The columns of a panel, in memory.

use super::growing::Values;
use super::kind::Kind;
use crate::estimate::error::EstimateError;
use crate::estimate::panel::{MISSING, Panel};

/// The columns of a panel, in memory.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(super) columns: Vec<Stored>,
    pub(super) notes: Vec<String>,
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    name: String,
    kind: Kind,
    /// The numbers if they are requested, else the levels.
    values: Values,
    /// The levels, if the numbers do not identify them.
    levels: Option<Values>,
}

impl Table {
    /// The columns as a panel.
    ///
    /// # Errors
    /// [`EstimateError::TooManyRows`] if row numbers would not fit.
    pub fn panel(&self) -> Result<Panel<'_>, EstimateError> {
        let columns = self.columns.iter().map(|own| (own.name.clone(), own.values.column()));
        let levels = self
            .columns
            .iter()
            .filter_map(|own| Some((own.name.clone(), own.levels.as_ref()?.column())));
        Panel::new(columns.collect())?.with_levels(levels.collect())
    }

    /// Notes for the user about the reading of the file.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A level as text, in the form of the file; empty if it is missing or the column does not
    /// exist.
    #[must_use]
    pub fn text(&self, column: &str, row: usize) -> String {
        let Some(column) = self.columns.iter().find(|own| own.name == column) else {
            return String::new();
        };
        match column.levels.as_ref().unwrap_or(&column.values) {
            Values::Short(numbers) => column.kind.text(&numbers[row].to_string()),
            Values::Whole(numbers) => column.kind.text(&numbers[row].to_string()),
            Values::Reals(numbers) if numbers[row].is_finite() => {
                column.kind.real_text(numbers[row])
            }
            Values::Texts(codes, texts) if codes[row] != MISSING => {
                column.kind.text(texts.text(codes[row]))
            }
            _ => String::new(),
        }
    }
}

impl Stored {
    pub(super) fn new(
        name: String,
        kind: Kind,
        number: Option<Values>,
        level: Option<Values>,
    ) -> Self {
        // Decimals are compared by their digits.
        let is_same = |level: &Values| match kind {
            Kind::Decimal(scale) => scale == 0 && level.are_numbers(),
            _ => level.are_numbers(),
        };
        let (values, levels) = match (number, level) {
            (Some(_), Some(level)) if is_same(&level) => (level, None),
            (Some(number), level) => (number, level),
            (None, level) => (level.expect("a column is wanted as something"), None),
        };
        Self { name, kind, values, levels }
    }
}
