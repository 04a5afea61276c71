//! Options of the absorption.

use serde::Serialize;

use crate::estimate::error::OptionError;

/// The conditions that end the iteration, and the solver.
#[derive(Debug, Clone, PartialEq)]
pub struct AbsorbOptions {
    /// The residual to reach, relative to the remaining variable.
    pub tolerance: f64,
    /// The largest number of iterations.
    pub iterations_max: usize,
    /// The number of iterations without a smaller residual before the iteration gives up.
    pub patience: usize,
    /// The limits below which a regressor is collinear with earlier ones.
    pub collinear: CollinearLimits,
    /// The solver.
    pub method: Method,
    /// True if the figures of pieces are stored for a later start.
    pub keep: bool,
}

/// The share of a regressor's square below which it is collinear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollinearLimits {
    /// The share left by the fixed effects.
    pub with_effects: f64,
    /// The share left by the earlier regressors (fixest's definition).
    pub with_regressors: f64,
}

/// The solver of the effects; both solvers give the same result within the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Elimination within blocks if the data have them, else the general solver.
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
    /// Checks the options.
    ///
    /// # Errors
    /// [`OptionError`]: the option with an invalid value.
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
