//! Coefficients from the cross products of the residuals.
//!
//! # Equation
//! `β = (X̃'WX̃)⁻¹ X̃'Wỹ`, with tildes for residuals. An absorption error of relative size ε enters
//! the products as ε², because residuals are orthogonal to the effects.
//!
//! A regressor is dropped and listed for one of three reasons:
//!
//! - Its values are constant except for rounding: its remainder is below 5e-15 of its size, the
//!   largest rounding error of a value with 15 digits. A mean of 10¹² times the remainder is far
//!   above this limit.
//! - The effects explain it: they leave below 1e-12 of its square around its mean. A sum of effects
//!   in single precision leaves 1e-15 of it, and the absorption of values with all digits 1e-28.
//! - The regressors before it explain it: they leave below 1e-9 of its square after the effects
//!   (fixest's limit).

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

use super::absorb::Absorbed;
use super::design::Variable;

/// Weighted sums of products of all residualised variables.
#[derive(Debug, Clone)]
pub struct CrossProducts {
    n_variables: usize,
    values: Vec<f64>,
}

/// The reason why a regressor has no coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collinear {
    /// The fixed effects explain it.
    WithFixedEffects,
    /// The earlier regressors explain it.
    WithRegressors,
}

/// Coefficients of one model.
#[derive(Debug, Clone)]
pub struct Coefficients {
    /// The position of the outcome among the absorbed variables.
    pub outcome: usize,
    /// The positions of the regressors with a coefficient.
    pub kept: Vec<usize>,
    /// The positions of the regressors without a coefficient.
    pub dropped: Vec<(usize, Collinear)>,
    /// The coefficients, one for each kept regressor.
    pub estimates: Vec<f64>,
    /// `(X̃'WX̃)⁻¹`, by rows.
    pub inverse: Vec<f64>,
}

impl CrossProducts {
    /// The products of all absorbed variables.
    #[must_use]
    pub fn of(absorbed: &Absorbed<'_>) -> Self {
        let n_variables = absorbed.layout().design.variables.len();
        Self::of_rows(absorbed.products(), absorbed.layout().width, n_variables)
    }

    /// The products of variables from the upper triangle of a matrix by rows of a width.
    #[must_use]
    pub fn of_rows(products: &[f64], width: usize, n_variables: usize) -> Self {
        let cell = |at: usize| {
            let (i, j) = (at / n_variables, at % n_variables);
            products[i.min(j) * width + i.max(j)]
        };
        Self { n_variables, values: (0..n_variables * n_variables).map(cell).collect() }
    }

    /// `Σ w ũ ṽ` of two variables.
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.n_variables + j]
    }

    /// The coefficients of independent regressors, and `(X̃'WX̃)⁻¹`. The matrix is scaled to a unit
    /// diagonal and factorised by Cholesky.
    ///
    /// # Panics
    /// If the regressors are dependent.
    #[must_use]
    pub fn solution(&self, outcome: usize, kept: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let k = kept.len();
        if k == 0 {
            return (Vec::new(), Vec::new());
        }
        let scale: Vec<f64> = kept.iter().map(|&i| self.at(i, i).sqrt()).collect();
        let matrix = Mat::from_fn(k, k, |i, j| self.at(kept[i], kept[j]) / (scale[i] * scale[j]));
        let factor = matrix.llt(Side::Lower).expect("dependent regressors were dropped");
        let rhs = Mat::from_fn(k, 1, |i, _| self.at(kept[i], outcome) / scale[i]);
        let solved = factor.solve(&rhs);
        let inverse = factor.solve(Mat::<f64>::identity(k, k));
        let estimates = (0..k).map(|i| solved[(i, 0)] / scale[i]).collect();
        let symmetric = |i: usize, j: usize| f64::midpoint(inverse[(i, j)], inverse[(j, i)]);
        let inverse = (0..k * k)
            .map(|at| (at / k, at % k))
            .map(|(i, j)| symmetric(i, j) / (scale[i] * scale[j]))
            .collect();
        (estimates, inverse)
    }
}

impl Coefficients {
    /// Least squares of one variable on others, by their positions.
    #[must_use]
    pub fn solve(
        absorbed: &Absorbed<'_>,
        cross: &CrossProducts,
        outcome: usize,
        regressors: &[usize],
    ) -> Self {
        let (mut kept, mut dropped) = (Vec::new(), Vec::new());
        let has_effects = !absorbed.layout().design.effects.is_empty();
        let by = if has_effects { Collinear::WithFixedEffects } else { Collinear::WithRegressors };
        for &j in regressors {
            if cross.at(j, j) > absorbed.sizes().explained[j] {
                kept.push(j);
            } else {
                dropped.push((j, by));
            }
        }
        let least = absorbed.collinear().with_regressors;
        let kept = independent(cross, &kept, least, &mut dropped);
        let (estimates, inverse) = cross.solution(outcome, &kept);
        Self { outcome, kept, dropped, estimates, inverse }
    }

    /// The coefficients of the same regressors on a part of the sample, from its products and those
    /// of the whole sample.
    ///
    /// # Errors
    /// The regressors that are collinear in the part.
    pub fn on(
        &self,
        absorbed: &Absorbed<'_>,
        part: &CrossProducts,
        whole: &CrossProducts,
    ) -> Result<Vec<f64>, Vec<(usize, Collinear)>> {
        let least = absorbed.collinear().with_regressors;
        let has_effects = !absorbed.layout().design.effects.is_empty();
        let by = if has_effects { Collinear::WithFixedEffects } else { Collinear::WithRegressors };
        let is_left = |&&j: &&usize| {
            let limit = absorbed.sizes().explained[j].max(least * whole.at(j, j));
            part.at(j, j) > limit
        };
        let (left, gone): (Vec<usize>, Vec<usize>) = self.kept.iter().partition(is_left);
        let mut dropped: Vec<(usize, Collinear)> = gone.into_iter().map(|j| (j, by)).collect();
        independent(part, &left, least, &mut dropped);
        if dropped.is_empty() {
            Ok(part.solution(self.outcome, &self.kept).0)
        } else {
            Err(dropped)
        }
    }

    /// Changes the coefficients of deviations from origins `o` to those of values: the constant is
    /// `β₀ + o_y − Σ o_j β_j`.
    pub fn uncentre(&self, variables: &[Variable<'_>], estimates: &mut [f64]) {
        let origin = |place: usize| variables[place].origin();
        let constant = self.kept.iter().position(|&place| variables[place].is_constant());
        if let Some(constant) = constant {
            let shift = self.kept.iter().zip(&*estimates).map(|(&place, b)| origin(place) * b);
            estimates[constant] += origin(self.outcome) - shift.sum::<f64>();
        }
    }
}

/// The regressors that earlier regressors do not explain: a Cholesky factorisation of the
/// correlations, in the given order.
fn independent(
    cross: &CrossProducts,
    candidates: &[usize],
    least: f64,
    dropped: &mut Vec<(usize, Collinear)>,
) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    let mut factor: Vec<Vec<f64>> = Vec::new();
    for &j in candidates {
        let scale = |i: usize| (cross.at(i, i) * cross.at(j, j)).sqrt();
        let mut row: Vec<f64> = Vec::new();
        for (&i, above) in kept.iter().zip(&factor) {
            let explained: f64 = above.iter().zip(&row).map(|(a, b)| a * b).sum();
            row.push((cross.at(i, j) / scale(i) - explained) / above[row.len()]);
        }
        let pivot = 1.0 - row.iter().map(|x| x * x).sum::<f64>();
        if pivot > least {
            row.push(pivot.sqrt());
            factor.push(row);
            kept.push(j);
        } else {
            dropped.push((j, Collinear::WithRegressors));
        }
    }
    kept
}
