//! Conventions of an estimate: small-sample corrections as text in fixest's form, `ssc(k_fixef =
//! "full")`, and the settings of the estimator.

use serde::Deserialize;

use crate::estimate::absorb::{AbsorbOptions, CollinearLimits};
use crate::estimate::design::singletons::Singletons;
use crate::estimate::error::OptionError;
use crate::estimate::inference::covariance::NegativeVariance;
use crate::estimate::inference::degrees_of_freedom::{
    ClusterCount, FixedEffectLevels, Redundancy, SmallSample,
};

/// The counts of redundant levels, by name.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DofName {
    #[default]
    Fixest,
    Reghdfe,
}

impl From<DofName> for Redundancy {
    fn from(name: DofName) -> Self {
        match name {
            DofName::Fixest => Self::Fixest,
            DofName::Reghdfe => Self::Reghdfe,
        }
    }
}

/// Settings of the estimator that differ from its defaults: options of a command, or the table
/// `estimator` of a specification.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimatorSettings {
    /// The residual to reach, relative to the remaining variable.
    pub tolerance: Option<f64>,
    /// The largest number of iterations.
    pub iterations: Option<usize>,
    /// The number of iterations without a smaller residual before the iteration gives up.
    pub patience: Option<usize>,
    /// The share of a regressor's square that effects and earlier regressors must leave.
    pub collinearity: Option<f64>,
    /// The treatment of rows alone in a level of a fixed effect.
    pub singletons: Option<SingletonsName>,
    /// True if a negative two-way variance is repaired.
    pub vcov_fix: Option<bool>,
}

/// The treatments of singletons, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SingletonsName {
    /// Singletons are dropped.
    Drop,
    /// Singletons stay.
    Keep,
}

impl EstimatorSettings {
    /// The options of the absorption.
    ///
    /// # Errors
    /// [`OptionError`]: a setting has an invalid value.
    pub fn absorb(&self) -> Result<AbsorbOptions, OptionError> {
        let own = AbsorbOptions::default();
        let both = |share| CollinearLimits { with_effects: share, with_regressors: share };
        let options = AbsorbOptions {
            tolerance: self.tolerance.unwrap_or(own.tolerance),
            iterations_max: self.iterations.unwrap_or(own.iterations_max),
            patience: self.patience.unwrap_or(own.patience),
            collinear: self.collinearity.map_or(own.collinear, both),
            ..own
        };
        options.checked()
    }

    /// The treatment of rows alone in a level of a fixed effect.
    #[must_use]
    pub fn singletons(&self) -> Singletons {
        match self.singletons {
            Some(SingletonsName::Keep) => Singletons::Kept,
            Some(SingletonsName::Drop) | None => Singletons::Dropped,
        }
    }

    /// The treatment of a negative variance.
    #[must_use]
    pub fn negative_variance(&self) -> NegativeVariance {
        match self.vcov_fix {
            Some(true) => NegativeVariance::Repaired,
            Some(false) | None => NegativeVariance::Kept,
        }
    }
}

/// Reads `k_adj=TRUE, k_fixef=nonnested, G_adj=TRUE, G_df=min`, with or without the enclosing
/// `ssc(…)`.
///
/// # Errors
/// The first unknown setting.
pub fn small_sample(text: &str, dof: Redundancy) -> Result<SmallSample, String> {
    let mut conventions = SmallSample { dof, ..SmallSample::default() };
    let inner = text.trim().trim_start_matches("ssc(").trim_end_matches(')');
    for setting in inner.split(',').map(str::trim).filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        let value = value.trim().trim_matches('"');
        let flag = match value {
            "TRUE" | "true" | "T" => Some(true),
            "FALSE" | "false" | "F" => Some(false),
            _ => None,
        };
        match (name.trim(), value, flag) {
            ("k_adj" | "adj", _, Some(flag)) => conventions.k_adj = flag,
            ("G_adj" | "cluster.adj", _, Some(flag)) => conventions.g_adj = flag,
            ("k_fixef", "none", _) => conventions.k_fixef = FixedEffectLevels::None,
            ("k_fixef", "nonnested", _) => conventions.k_fixef = FixedEffectLevels::NonNested,
            ("k_fixef", "full", _) => conventions.k_fixef = FixedEffectLevels::Full,
            ("G_df", "min", _) => conventions.g_df = ClusterCount::Min,
            ("G_df", "conventional", _) => conventions.g_df = ClusterCount::Conventional,
            _ => return Err(setting.to_owned()),
        }
    }
    Ok(conventions)
}
