//! What an estimation gives back: the fields that the commands print.

use serde::{Deserialize, Serialize, Serializer};

use super::least_squares::Collinear;

/// One estimated model; numbers that do not exist are `None`, never NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Estimate {
    /// The formula, as parsed.
    pub formula: String,
    /// Coefficients with their inference.
    pub terms: Vec<TermEstimate>,
    /// Regressors without a coefficient, and why.
    pub dropped: Vec<DroppedTerm>,
    /// Rows used.
    pub n_obs: usize,
    /// Rows left out for a missing value.
    pub n_missing: usize,
    /// Rows left out as singletons.
    pub n_singletons: usize,
    /// Clusters; of two ways the smaller number.
    pub n_clusters: Option<usize>,
    /// Clusters of each way, by name.
    pub clusters: Vec<Levels>,
    /// Parameters that the small-sample factor counts.
    pub k: usize,
    /// `n_obs − k`
    pub df_residual: usize,
    /// Degrees of freedom of the t statistics.
    pub df_t: usize,
    /// Share of the outcome's variance explained.
    pub r2: Option<f64>,
    /// Share of the outcome's variance explained within the fixed effects.
    pub r2_within: Option<f64>,
    /// Weighted sum of squared residuals.
    pub rss: f64,
    /// The fixed effects and their levels.
    pub fixed_effects: Vec<Levels>,
    /// The kind of variance: `iid`, `hc1` or the clusters.
    pub vcov: String,
    /// The matrix, by rows in the order of `terms`.
    #[serde(skip)]
    pub covariance: Vec<f64>,
    /// Iterations of the absorption.
    pub iterations: usize,
    /// Its largest relative residual.
    pub relative_residual: f64,
    /// Whether an earlier solution started the iteration, or its pieces were not read again.
    pub warm_start: bool,
}

/// A coefficient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TermEstimate {
    /// The regressor.
    pub term: String,
    /// The coefficient.
    #[serde(serialize_with = "finite")]
    pub estimate: f64,
    /// Its standard error.
    pub std_error: Option<f64>,
    /// Their ratio.
    pub statistic: Option<f64>,
    /// Two-sided, by Student's t.
    pub p_value: Option<f64>,
    /// Lower end of the 95 % interval.
    pub conf_low: Option<f64>,
    /// Upper end of the 95 % interval.
    pub conf_high: Option<f64>,
}

/// A regressor without a coefficient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedTerm {
    /// The regressor.
    pub term: String,
    /// What explains it.
    pub collinear: Collinear,
}

/// How many levels something has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// The effect or the clusters.
    pub name: String,
    /// Its levels.
    pub levels: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn finite<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(serializer)
}
