//! The variance matrix of a model's coefficients, and the variances that exist.
//!
//! # Equation
//! A variance is a quadratic form in scores, `B M B`. The rounding of sums of scores `s_k` enters
//! it as `Σ_k |B_jk|` times that rounding, and the rounding of residuals as `√B_jj` times that
//! rounding. A standard error below both together is rounding.
//!
//! A two-way clustered variance may come out negative. On request the matrix is then repaired as
//! fixest does, after Cameron, Gelbach and Miller (2011): its negative eigenvalues become zero.

use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

use crate::estimate::design::Variable;
use crate::estimate::least_squares::Coefficients;
use crate::estimate::result::NoStdError;

/// The treatment of a negative two-way clustered variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NegativeVariance {
    /// The variance stays negative, and its coefficient has no standard error.
    #[default]
    Kept,
    /// Negative eigenvalues of the matrix are set to zero.
    Repaired,
}

/// The variances and covariances of a model's coefficients.
#[derive(Debug, Clone)]
pub struct Covariance {
    /// The entries, by rows.
    pub values: Vec<f64>,
    /// The standard error of each coefficient below which it is only rounding.
    rounding: Vec<f64>,
    is_repaired: bool,
}

impl Covariance {
    /// Creates the covariance from its matrix and `B`. The last two arguments are the rounding in
    /// the sums of scores of each coefficient and in the residuals.
    #[must_use]
    pub fn new(values: Vec<f64>, inverse: &[f64], of_scores: &[f64], of_residuals: f64) -> Self {
        let rows = inverse.chunks_exact(of_scores.len().max(1)).enumerate();
        let through = |(place, row): (usize, &[f64])| {
            let sums: f64 = row.iter().zip(of_scores).map(|(b, own)| b.abs() * own).sum();
            sums + row[place].sqrt() * of_residuals
        };
        Self { values, rounding: rows.map(through).collect(), is_repaired: false }
    }

    /// Transforms the matrix from deviations to values: with origins `o`, the constant is `β₀ + o_y
    /// − Σ o_j β_j`.
    pub fn uncentre(&mut self, variables: &[Variable<'_>], model: &Coefficients) {
        let constant = model.kept.iter().position(|&place| variables[place].is_constant());
        let Some(constant) = constant else { return };
        let origins: Vec<f64> = model.kept.iter().map(|&place| variables[place].origin()).collect();
        let k = origins.len();
        for column in 0..k {
            let shift: f64 = (0..k).map(|row| origins[row] * self.values[row * k + column]).sum();
            self.values[constant * k + column] -= shift;
        }
        for row in self.values.chunks_exact_mut(k) {
            let shift: f64 = origins.iter().zip(&*row).map(|(origin, cell)| origin * cell).sum();
            row[constant] -= shift;
        }
        let moved = origins.iter().zip(&self.rounding).map(|(o, rounding)| o.abs() * rounding);
        self.rounding[constant] += moved.sum::<f64>();
    }

    /// Makes both halves of the matrix equal: products of three matrices differ across the diagonal
    /// in the last bits. Variances do not change.
    pub fn make_symmetric(&mut self) {
        let k = self.rounding.len();
        for row in 0..k {
            for column in 0..row {
                let (below, above) = (row * k + column, column * k + row);
                let mean = f64::midpoint(self.values[below], self.values[above]);
                (self.values[below], self.values[above]) = (mean, mean);
            }
        }
    }

    /// Sets negative eigenvalues to zero if a variance is negative; returns true in that case.
    pub fn repair(&mut self) -> bool {
        let k = self.rounding.len();
        if !(0..k).any(|j| self.values[j * k + j] < 0.0) {
            return false;
        }
        let cell = |i: usize, j: usize| self.values[i * k + j];
        let matrix = Mat::from_fn(k, k, |i, j| f64::midpoint(cell(i, j), cell(j, i)));
        let Ok(found) = matrix.self_adjoint_eigen(Side::Lower) else { return false };
        let (vectors, values) = (found.U(), found.S().column_vector());
        let part =
            |i: usize, j: usize, l: usize| vectors[(i, l)] * vectors[(j, l)] * values[l].max(0.0);
        let cell = |at: usize| (0..k).map(|l| part(at / k, at % k, l)).sum();
        self.values = (0..k * k).map(cell).collect();
        self.is_repaired = true;
        true
    }

    /// The standard error of a coefficient.
    ///
    /// # Errors
    /// [`NoStdError::VarianceNegative`], [`NoStdError::VarianceZero`]: the reason why there is no
    /// standard error.
    pub fn std_error(&self, place: usize) -> Result<f64, NoStdError> {
        let variance = self.values[place * self.rounding.len() + place];
        let error = variance.abs().sqrt();
        if error <= self.rounding[place] || !variance.is_finite() {
            // If all eigenvalues were negative, the repaired matrix is zero.
            let (negative, zero) = (NoStdError::VarianceNegative, NoStdError::VarianceZero);
            Err(if self.is_repaired { negative } else { zero })
        } else if variance < 0.0 {
            Err(NoStdError::VarianceNegative)
        } else {
            Ok(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::estimate::formula::{Formula, Interaction};
    use crate::estimate::inference::{Inference, Vcov};
    use crate::estimate::panel::{Column, Panel};
    use crate::estimate::{Options, estimate};

    #[test]
    fn covariances_are_the_same_across_the_diagonal_to_the_last_bit() {
        let wave = |row: i32, by: f64| (f64::from(row) * by).sin() + 3.0;
        let rows = || 0..240;
        let outcome: Vec<f64> = rows().map(|row| wave(row, 0.7) * wave(row, 1.3)).collect();
        let first: Vec<f64> = rows().map(|row| wave(row, 2.1)).collect();
        let second: Vec<f64> = rows().map(|row| wave(row, 0.37) + 0.5 * wave(row, 2.1)).collect();
        let (twelfths, sevenths): (Vec<i32>, Vec<i32>) =
            rows().map(|row| (row % 12, row % 7)).unzip();
        let columns = [("y", &outcome), ("x", &first), ("z", &second)]
            .map(|(n, v)| (n.into(), Column::Real(v)));
        let levels =
            [("f", &twelfths), ("g", &sevenths)].map(|(n, v)| (n.into(), Column::Integer(v)));
        let panel = Panel::new(columns.into_iter().chain(levels).collect()).expect("a panel");
        let clusters = |text| Vcov::Clustered(Interaction::parse_sum(text).expect("clusters"));
        let kinds = [Vcov::Iid, Vcov::Hc1, clusters("f"), clusters("f + g")];
        for (vcov, formula) in kinds.iter().flat_map(|kind| {
            ["y ~ x + z + x:z", "y ~ x + z + x:z | g"].map(|formula| (kind, formula))
        }) {
            let inference = Inference { vcov: vcov.clone(), ..Inference::default() };
            let options = Options { inference, ..Options::default() };
            let formula = Formula::parse(formula).expect("a formula");
            let estimate = estimate(&panel, &formula, &options, None).expect("an estimate");
            let k = estimate.terms.len();
            assert!(k >= 3 && estimate.covariance.is_some(), "{vcov:?}");
            for (i, j) in (0..k).flat_map(|i| (0..i).map(move |j| (i, j))) {
                let [below, above] = [(i, j), (j, i)].map(|(i, j)| estimate.covariance_of(i, j));
                let bits = |number: Option<f64>| number.map(f64::to_bits);
                assert_eq!(bits(below), bits(above), "{vcov:?} {formula}: {i}, {j}");
            }
        }
    }
}
