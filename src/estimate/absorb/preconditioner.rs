//! What conjugate gradients are preconditioned with: the diagonal of the system.
//!
//! # Equation
//! `P = diag(A)`. The matrix of each component of the iterated effect, such as a year, saves an
//! iteration at most beside it, and it is singular: where a sample is small, dropping its dependent
//! levels kept the iteration from converging.

use rayon::prelude::*;

use super::dense::PIVOT_MIN;

/// One over each level's diagonal.
#[derive(Debug)]
pub struct Preconditioner(Vec<f64>);

impl Preconditioner {
    /// From each level's diagonal, all of them positive.
    #[must_use]
    pub fn new(diagonal: &[f64]) -> Self {
        Self(diagonal.iter().map(|value| 1.0 / value).collect())
    }

    /// `out = P⁻¹ residual`, rows of `width` numbers.
    pub fn apply(&self, residual: &[f64], out: &mut [f64], width: usize) {
        let rows = out.par_chunks_exact_mut(width).zip(residual.par_chunks_exact(width));
        rows.zip(&self.0).for_each(|((out, residual), inverse)| {
            out.iter_mut().zip(residual).for_each(|(out, r)| *out = inverse * r);
        });
    }
}

/// What is left of a weight when the swept effect is out; the weight itself where nothing is.
#[must_use]
pub fn positive(weight: f64, explained: f64) -> f64 {
    let rest = weight - explained;
    if rest > PIVOT_MIN * weight { rest } else { weight }
}
