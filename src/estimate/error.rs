//! Errors of the estimator.

use serde::Serialize;
use thiserror::Error;

/// An estimate that cannot be made: nothing is returned in its place.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EstimateError {
    /// The formula, the clusters or the weights name a column that the panel lacks.
    #[error("the panel has no column {name:?}; it has {}", known.join(", "))]
    UnknownColumn {
        /// The column asked for.
        name: String,
        /// The panel's columns.
        known: Vec<String>,
    },
    /// A column of names stands where a number is needed.
    #[error("{name:?} holds categories, not numbers: use it after | as a fixed effect")]
    NotNumeric {
        /// The column.
        name: String,
    },
    /// Two columns of the panel differ in length.
    #[error("column {name:?} has {n} rows where the others have {wanted}")]
    Length {
        /// The column.
        name: String,
        /// Its rows.
        n: usize,
        /// The others' rows.
        wanted: usize,
    },
    /// More rows than row numbers are kept for.
    #[error("the panel has {n} rows; at most {} are possible", u32::MAX - 1)]
    TooManyRows {
        /// Rows of the panel.
        n: usize,
    },
    /// Nothing is left to estimate from.
    #[error(
        "no rows are left of {n_rows}: {n_missing} without a value or a weight{}, {n_singletons} \
                 singletons",
        column.as_ref().map_or(String::new(), |name| format!(" ({name:?} is missing everywhere)"))
    )]
    NoRows {
        /// Rows of the panel.
        n_rows: usize,
        /// Rows with a missing, infinite or zero-weight value.
        n_missing: usize,
        /// Rows alone in a level of a fixed effect.
        n_singletons: usize,
        /// A column without any value.
        column: Option<String>,
    },
    /// A weight below zero.
    #[error("row {} of the panel has the weight {weight}; weights are zero or more", row + 1)]
    NegativeWeight {
        /// Row of the panel, from zero.
        row: usize,
        /// Its weight.
        weight: f64,
    },
    /// The fixed effects were not absorbed to the tolerance.
    #[error(
        "the fixed effects were not absorbed from {variable:?}: after {iterations} iterations its \
         relative residual is {relative_residual:.1e}; {stop}"
    )]
    NotConverged {
        /// Why the iteration stopped.
        stop: Stop,
        /// Iterations done.
        iterations: usize,
        /// The largest relative residual of all variables.
        relative_residual: f64,
        /// The variable it belongs to.
        variable: String,
    },
    /// An option that cannot be used.
    #[error("{0}")]
    Option(#[from] OptionError),
    /// A model names a variable that was not absorbed.
    #[error("{name:?} is not among the variables that were absorbed")]
    NotAbsorbed {
        /// The variable.
        name: String,
    },
    /// Formulas to be estimated together have different fixed effects, or none is given.
    #[error(
        "{formula:?} does not have the fixed effects of the formulas before it; estimate it by \
         itself"
    )]
    EffectsDiffer {
        /// The formula.
        formula: String,
    },
    /// A model clusters by something the design does not hold.
    #[error("the design has no clusters {name:?}")]
    UnknownClusters {
        /// The clusters asked for.
        name: String,
    },
    /// Clusters in more than two ways.
    #[error("errors can be clustered in one or two ways, not in {n}")]
    ClusterWays {
        /// Ways asked for.
        n: usize,
    },
}

/// An option with a value that it does not take.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{name} is {value}; {allowed}")]
pub struct OptionError {
    /// The option.
    pub name: &'static str,
    /// The value given.
    pub value: String,
    /// The values that it takes.
    pub allowed: &'static str,
}

/// Why an iteration stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The tolerance was reached.
    #[error("converged")]
    Converged,
    /// As many iterations as allowed.
    #[error("the iterations allowed are used up; raise iterations or tolerance")]
    IterationLimit,
    /// The residual no longer falls.
    #[error("the residual no longer falls; raise patience or tolerance")]
    Stagnated,
    /// A number is infinite or not a number.
    #[error("a number is too large; measure the variable in a larger unit")]
    NotFinite,
}
