//! Small dense matrices, symmetric and positive semidefinite: factors without dependent unknowns.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::inverse;
use faer::linalg::matmul::triangular;
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Accum, Mat, MatMut, Par};

/// The smallest pivot of an independent unknown, in a matrix with unit diagonal.
pub const PIVOT_MIN: f64 = 1e-10;
/// The largest value that rounding leaves of a dependent pivot, in matrices of thousands of
/// unknowns.
const PIVOT_ROUNDING: f64 = 2e-11;
/// Below this pivot, an inverse stored in 47 bits is too inaccurate: it is a thousand times the
/// entries.
const PIVOT_SURE: f64 = 1e-3;
/// The root assigned to a dependent pivot: its unknown becomes zero.
const ROOT_DROPPED: f64 = 1e30;
/// The number of columns factorised before the rest is updated.
const COLUMNS_PER_STEP: usize = 64;

/// `D⁻¹ L` of a matrix, with `D` its scale: `matrix = D L L' D` except for dependent unknowns.
#[derive(Debug)]
pub struct Factor {
    /// `L`, in the lower half.
    pub lower: Mat<f64>,
    /// One over the root of each diagonal entry; zero for a zero entry.
    pub scale: Vec<f64>,
    /// The pivots that show the accuracy of the factorisation.
    pub pivots: Pivots,
}

/// The pivots that decide whether a factorisation can be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pivots {
    /// The smallest kept pivot; one if all are larger.
    pub least_kept: f64,
    /// The largest dropped pivot.
    pub most_dropped: f64,
}

impl Default for Pivots {
    fn default() -> Self {
        Self { least_kept: 1.0, most_dropped: 0.0 }
    }
}

impl Pivots {
    /// True if a dropped pivot may belong to an independent unknown.
    #[must_use]
    pub fn are_doubtful(self) -> bool {
        self.most_dropped > PIVOT_ROUNDING
    }

    /// True if so little remains of an unknown that the last of the inverse's 47 stored bits is
    /// large against it.
    #[must_use]
    pub fn are_small(self) -> bool {
        self.least_kept < PIVOT_SURE
    }

    /// The combined pivots of two factorisations.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            least_kept: self.least_kept.min(other.least_kept),
            most_dropped: self.most_dropped.max(other.most_dropped),
        }
    }

    fn see(&mut self, pivot: f64) {
        if pivot > PIVOT_MIN {
            self.least_kept = self.least_kept.min(pivot);
        } else {
            self.most_dropped = self.most_dropped.max(pivot);
        }
    }
}

impl Factor {
    /// Factorises the matrix, scaled to a unit diagonal, by Cholesky; drops dependent pivots.
    #[must_use]
    pub fn new(mut matrix: Mat<f64>) -> Self {
        let scale = unit_scale(&matrix);
        rescale(&mut matrix, &scale);
        let pivots = factorise(&mut matrix);
        Self { lower: matrix, scale, pivots }
    }

    /// The inverse, with zeros for dropped unknowns.
    #[must_use]
    pub fn inverse(&self) -> Mat<f64> {
        let n = self.lower.nrows();
        let mut buffer = MemBuffer::new(inverse::inverse_scratch::<f64>(n, Par::Seq));
        let mut inverse = Mat::<f64>::zeros(n, n);
        let stack = MemStack::new(&mut buffer);
        inverse::inverse(inverse.as_mut(), self.lower.as_ref(), Par::Seq, stack);
        for j in 0..n {
            for i in 0..j {
                inverse[(i, j)] = inverse[(j, i)];
            }
        }
        rescale(&mut inverse, &self.scale);
        inverse
    }
}

/// Cholesky in steps of several columns, in the lower half.
fn factorise(matrix: &mut Mat<f64>) -> Pivots {
    use triangular::BlockStructure::{Rectangular, TriangularLower};
    let (n, mut pivots) = (matrix.nrows(), Pivots::default());
    for start in (0..n).step_by(COLUMNS_PER_STEP) {
        let (size, left) = (COLUMNS_PER_STEP.min(n - start), n - start);
        let rest = matrix.as_mut().submatrix_mut(start, start, left, left);
        let (mut diagonal, _, mut below, rest) = rest.split_at_mut(size, size);
        factorise_small(diagonal.as_mut(), &mut pivots);
        let own = diagonal.as_ref();
        solve_lower_triangular_in_place(own, below.as_mut().transpose_mut(), Par::Seq);
        let below = below.as_ref();
        let (left, right) = ((below, Rectangular), (below.transpose(), Rectangular));
        let (add, lower) = (Accum::Add, TriangularLower);
        triangular::matmul(rest, lower, add, left.0, left.1, right.0, right.1, -1.0, Par::Seq);
    }
    pivots
}

/// Cholesky row by row. A dependent pivot gets a root so large that its unknown is zero.
fn factorise_small(mut matrix: MatMut<'_, f64>, pivots: &mut Pivots) {
    let n = matrix.nrows();
    let mut rows = vec![0.0; n * n];
    for i in 0..n {
        let (above, own) = rows.split_at_mut(i * n);
        for j in 0..i {
            let other = &above[j * n..][..=j];
            own[j] = (matrix[(i, j)] - dot(&own[..j], other)) / other[j];
            matrix[(i, j)] = own[j];
        }
        let pivot = matrix[(i, i)] - dot(&own[..i], &own[..i]);
        pivots.see(pivot);
        own[i] = if pivot > PIVOT_MIN { pivot.sqrt() } else { ROOT_DROPPED };
        matrix[(i, i)] = own[i];
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn rescale(matrix: &mut Mat<f64>, scale: &[f64]) {
    for (j, of_column) in scale.iter().enumerate() {
        for (i, of_row) in scale.iter().enumerate() {
            matrix[(i, j)] *= of_row * of_column;
        }
    }
}

fn unit_scale(matrix: &Mat<f64>) -> Vec<f64> {
    let inverse_root = |d: f64| if d > f64::MIN_POSITIVE { 1.0 / d.sqrt() } else { 0.0 };
    (0..matrix.nrows()).map(|i| inverse_root(matrix[(i, i)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependent_unknowns_are_left_out_wherever_they_stand() {
        let n = 150;
        // A path graph's Laplacian in two pieces: the rows of each piece sum to zero.
        let matrix = Mat::from_fn(n, n, |i: usize, j: usize| {
            let ends = |i: usize| usize::from(i.is_multiple_of(30)) + usize::from(i % 30 == 29);
            let same = i / 30 == j / 30;
            if i == j {
                2.0 - f64::from(u8::try_from(ends(i)).expect("two ends"))
            } else {
                -f64::from(u8::from(same && i.abs_diff(j) == 1))
            }
        });
        let inverse = Factor::new(matrix.clone()).inverse();
        let rhs = Mat::from_fn(n, 1, |i, _| if i % 30 < 15 { 1.0 } else { -1.0 });
        let apart = &matrix * (&inverse * &rhs) - &rhs;
        assert!(apart.norm_max() < 1e-9, "{}", apart.norm_max());
        assert!((0..n).filter(|i| i % 30 == 29).all(|i| inverse[(i, i)].abs() < 1e-40));
    }
}
