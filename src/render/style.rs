//! The choices of a reader of tables and charts: language, names of variables, digits, rows, width.

use super::number::Digits;
use crate::tables::meanings::Language;

/// How a table or a chart is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// The language of labels and notes.
    pub language: Language,
    /// The names of variables.
    pub variables: Variables,
    /// The digits of figures.
    pub digits: Digits,
    /// The control variables.
    pub controls: Controls,
    /// The largest width of a text table, in columns of a terminal.
    pub width: usize,
}

/// The names of variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variables {
    /// The labels of the panels' columns; other variables have their own names.
    #[default]
    Labels,
    /// The names of columns, as in formulas.
    Columns,
}

/// The rows of control variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Controls {
    /// One row for all of them.
    #[default]
    Together,
    /// A row for each, below the main rows.
    Each,
}

/// The width of a text table without a terminal.
pub const WIDTH: usize = 100;

impl Default for Style {
    fn default() -> Self {
        Self {
            language: Language::default(),
            variables: Variables::default(),
            digits: Digits::default(),
            controls: Controls::default(),
            width: WIDTH,
        }
    }
}
