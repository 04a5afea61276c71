//! The smallest eigenvalues of a preconditioned system, from the steps of the iteration.
//!
//! # Equation
//! Conjugate gradients with steps `γ_k` and turns `τ_k` are Lanczos' method: the tridiagonal matrix
//! with `1/γ_k + τ_{k−1}/γ_{k−1}` on its diagonal and `√τ_k/γ_k` beside it has eigenvalues between
//! those of `P⁺A`, and its extreme ones come near them first.

/// The steps and turns of one column.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    steps: Vec<(f64, f64)>,
}

/// The exponent of two below which an eigenvalue is only rounding.
const EXPONENT_MIN: i32 = -52;
/// The number of halvings of the interval that holds the exponent.
const HALVINGS: u32 = 9;

impl Steps {
    /// Adds the length of a step, and the turn after it.
    pub fn push(&mut self, length: f64, turn: f64) {
        if length > 0.0 && turn >= 0.0 {
            self.steps.push((length, turn));
        }
    }

    /// The least eigenvalue of `P⁺A` that the steps show, to within a tenth of its value; at most
    /// one.
    #[must_use]
    pub fn least(&self) -> f64 {
        let (mut low, mut high) = (f64::from(EXPONENT_MIN), 0.0);
        if self.is_below(1.0) {
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(low, high);
                if self.is_below(middle.exp2()) { high = middle } else { low = middle }
            }
        }
        high.exp2()
    }

    /// True if an eigenvalue of the tridiagonal matrix is below a value: the shifted matrix has a
    /// negative pivot.
    fn is_below(&self, value: f64) -> bool {
        let mut pivot = f64::INFINITY;
        let (mut before, mut beside) = (0.0, 0.0);
        self.steps.iter().any(|&(length, turn)| {
            pivot = 1.0 / length + before - value - beside / pivot;
            (before, beside) = (turn / length, turn / (length * length));
            pivot < 0.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_eigenvalue_is_that_of_the_matrix() {
        // Conjugate gradients on diag(1, 1e-4) from (1, 1) end after two steps.
        let (mut solution, eigenvalues) = ([0.0; 2], [1.0, 1e-4]);
        let (mut residual, mut direction) = ([1.0, 1.0], [1.0, 1.0]);
        let mut steps = Steps::default();
        for _ in 0..2 {
            let square = residual.iter().map(|r| r * r).sum::<f64>();
            let curvature: f64 =
                direction.iter().zip(eigenvalues).map(|(d, eigenvalue)| d * d * eigenvalue).sum();
            let length = square / curvature;
            for place in 0..2 {
                solution[place] += length * direction[place];
                residual[place] -= length * eigenvalues[place] * direction[place];
            }
            let turn = residual.iter().map(|r| r * r).sum::<f64>() / square;
            steps.push(length, turn);
            for place in 0..2 {
                direction[place] = residual[place] + turn * direction[place];
            }
        }
        assert!((solution[1] - 1e4).abs() < 1.0, "{solution:?}");
        assert!((0.9e-4..1.2e-4).contains(&steps.least()), "{}", steps.least());
    }
}
