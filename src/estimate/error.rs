//! Errors of the estimator.

use serde::Serialize;
use thiserror::Error;

/// The reason why an estimation failed; it returns no other result.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EstimateError {
    /// The formula, the clusters or the weights name a column that the panel does not have.
    #[error("the panel has no column {name:?}; it has {}", known.join(", "))]
    UnknownColumn {
        /// The requested column.
        name: String,
        /// The panel's columns.
        known: Vec<String>,
    },
    /// A numeric column is needed, and the column has texts.
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
        /// Its number of rows.
        n: usize,
        /// The other columns' number of rows.
        wanted: usize,
    },
    /// The panel has more rows than row numbers allow.
    #[error("the panel has {n} rows; at most {} are possible", u32::MAX - 1)]
    TooManyRows {
        /// The number of rows of the panel.
        n: usize,
    },
    /// No row remains for the estimation.
    #[error(
        "no rows are left of {n_rows}: {n_missing} without a value or a weight{}, {n_singletons} \
                 singletons",
        column.as_ref().map_or(String::new(), |name| format!(" ({name:?} is missing everywhere)"))
    )]
    NoRows {
        /// The number of rows of the panel.
        n_rows: usize,
        /// The number of rows with a missing, infinite or zero-weight value.
        n_missing: usize,
        /// The number of rows alone in a level of a fixed effect.
        n_singletons: usize,
        /// A column without any value.
        column: Option<String>,
    },
    /// A weight below zero.
    #[error("row {} of the panel has the weight {weight}; weights are zero or more", row + 1)]
    NegativeWeight {
        /// The row of the panel, counted from zero.
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
        /// The reason why the iteration stopped.
        stop: Stop,
        /// The number of iterations.
        iterations: usize,
        /// The largest relative residual of all variables.
        relative_residual: f64,
        /// The variable of this residual.
        variable: String,
    },
    /// An option is invalid.
    #[error("{0}")]
    Option(#[from] OptionError),
    /// A model names a variable that was not absorbed.
    #[error("{name:?} is not among the variables that were absorbed")]
    NotAbsorbed {
        /// The variable.
        name: String,
    },
    /// Formulas to be estimated together have different fixed effects, or no formula is given.
    #[error(
        "{formula:?} does not have the fixed effects of the formulas before it; estimate it by \
         itself"
    )]
    EffectsDiffer {
        /// The formula.
        formula: String,
    },
    /// A model has clusters that the design does not have.
    #[error("the design has no clusters {name:?}")]
    UnknownClusters {
        /// The requested clusters.
        name: String,
    },
    /// One group, which cannot be left out.
    #[error(
        "there is one group of {name:?} in the sample, and leaving it out leaves no rows; name a \
         column with several values"
    )]
    OneGroup {
        /// The columns of the groups.
        name: String,
    },
    /// The effects do not have the structure for a wild bootstrap by these groups.
    #[error(
        "the wild bootstrap by {name:?} needs fixed effects whose levels lie inside its groups, \
         except for one effect; leave the groups out without the bootstrap, or name other columns"
    )]
    EffectsAcrossGroups {
        /// The columns of the groups.
        name: String,
    },
    /// Clusters in more than two ways.
    #[error("errors can be clustered in one or two ways, not in {n}")]
    ClusterWays {
        /// The requested number of ways.
        n: usize,
    },
}

/// An option has an invalid value.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{name} is {value}; {allowed}")]
pub struct OptionError {
    /// The option.
    pub name: &'static str,
    /// The given value.
    pub value: String,
    /// The allowed values.
    pub allowed: &'static str,
}

/// The reason why an iteration stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The tolerance was reached.
    #[error("converged")]
    Converged,
    /// The iteration reached its limit.
    #[error("the iterations allowed are used up; raise iterations or tolerance")]
    IterationLimit,
    /// The residual no longer falls.
    #[error("the residual no longer falls; raise patience or tolerance")]
    Stagnated,
    /// A number is infinite or not a number.
    #[error("a number is too large; measure the variable in a larger unit")]
    NotFinite,
}
