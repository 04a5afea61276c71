//! Models side by side, before they are arranged.

use crate::domain::types::Vintage;
use crate::estimate::result::Estimate;

/// A model in a table.
#[derive(Clone, Copy, Debug)]
pub struct Model<'m> {
    /// The name, such as `3.1`.
    pub name: &'m str,
    /// The label that describes how the model differs.
    pub label: &'m str,
    /// The estimate.
    pub estimate: &'m Estimate,
    /// The time of the estimation, in seconds.
    pub seconds: f64,
    /// The newest vintage in its data.
    pub vintage: Option<Vintage>,
}

/// Models side by side.
#[derive(Clone, Debug, Default)]
pub struct RegressionTable<'m> {
    /// The name of the specification, such as `3`; may be empty.
    pub name: &'m str,
    /// The title; may be empty.
    pub title: &'m str,
    /// The regressors with a row, in order; all others are controls. Empty if all have a row.
    pub main_rows: &'m [String],
    /// The models.
    pub models: Vec<Model<'m>>,
    /// Notes on the figures.
    pub notes: Vec<String>,
}
