//! Options of the absorption.

use serde::Serialize;

use crate::estimate::error::OptionError;

/// When to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct AbsorbOptions {
    /// The residual to reach, relative to what is left of the variable.
    pub tolerance: f64,
    /// Iterations allowed.
    pub iterations_max: usize,
    /// Iterations without a smaller residual before giving up.
    pub patience: usize,
    /// From where on a regressor is collinear with what comes before it.
    pub collinear: CollinearLimits,
    /// The solver.
    pub method: Method,
    /// Whether to keep, for a later start, what was worked out inside blocks.
    pub keep: bool,
}

/// The share of a regressor's square that has to be left by what comes before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollinearLimits {
    /// By the fixed effects.
    pub with_effects: f64,
    /// By the regressors before it (fixest's).
    pub with_regressors: f64,
}

/// Which solver absorbs the effects; both give the same within the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Elimination within blocks where the data has them, the general solver otherwise.
    #[default]
    Fastest,
    /// The general solver.
    General,
}

impl Default for AbsorbOptions {
    fn default() -> Self {
        Self {
            tolerance: 1e-10,
            iterations_max: 10_000,
            patience: 100,
            collinear: CollinearLimits::default(),
            method: Method::default(),
            keep: false,
        }
    }
}

impl AbsorbOptions {
    /// The options, if they can be used.
    ///
    /// # Errors
    /// [`OptionError`]: the option with a value that it does not take.
    pub fn checked(self) -> Result<Self, OptionError> {
        let shares = [
            ("tolerance", self.tolerance),
            ("collinearity", self.collinear.with_effects),
            ("collinearity", self.collinear.with_regressors),
        ];
        let counts = [("iterations", self.iterations_max), ("patience", self.patience)];
        if let Some((name, share)) = shares.into_iter().find(|(_, s)| !(*s > 0.0 && *s < 1.0)) {
            let allowed = "give a number above 0 and below 1, such as 1e-10";
            return Err(OptionError { name, value: share.to_string(), allowed });
        }
        if let Some((name, count)) = counts.into_iter().find(|(_, count)| *count == 0) {
            let allowed = "give a whole number above 0";
            return Err(OptionError { name, value: count.to_string(), allowed });
        }
        Ok(self)
    }
}

impl Default for CollinearLimits {
    fn default() -> Self {
        Self { with_effects: 1e-12, with_regressors: 1e-9 }
    }
}
