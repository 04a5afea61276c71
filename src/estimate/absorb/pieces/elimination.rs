//! Eliminates the effects inside one piece, exactly.
//!
//! # Equation
//! With `S` the dummies of the levels eliminated, `C` those of the piece's cells, `W` the weights
//! and `M` the annihilator of the swept effect:
//!
//! `X = (S'WMS)⁻¹ S'WMC`, `δ = (S'WMS)⁻¹ S'WMV`, `A = C'WMC − C'WMS X`, `b = C'WMV − X'S'WMV`,
//! `V'WMV − V'WMS δ`
//!
//! Without the swept effect, the levels of a piece are densely connected, so the matrix is
//! factorised as a dense one. Levels that others explain are dropped.

use faer::linalg::matmul::{matmul, triangular};
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::traits::pulp::Simd;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::estimate::absorb::linear::cholesky::{Factor, Pivots};
use crate::estimate::absorb::linear::lanes::{ByWidth, add_scaled, vectorised_by_width};
use crate::estimate::absorb::linear::packed_numbers::{
    MOST, NUMBERS_PER_STEP, Packed, PackedSlice,
};
use crate::estimate::absorb::linear::packed_symmetric::PackedSymmetric;

/// The remainder of a piece after the elimination of levels, and the data to recover their
/// potentials.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Elimination {
    /// `X`, a row of the cells for each level: the ratio of each share to its scale. Shares take
    /// most of the memory, so they are stored in six bytes. An error in a share causes an equal
    /// error in the residuals and the standard errors.
    pub of_cells: Packed,
    /// The scale of each level.
    pub scales: Vec<f64>,
    /// `δ`, a row of the variables for each level.
    pub of_variables: Vec<f64>,
    /// The pivots of the factorisation.
    pub pivots: Pivots,
}

/// The treatment of the shares of eliminated levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shares {
    /// Shares are held, also for a later estimation.
    Held,
    /// Shares are dropped: they are more than a third of a solution's memory. To recover the
    /// levels, their matrix is factorised again from the rows, which takes as long as computing the
    /// shares.
    Dropped,
}

/// The sums over a piece's rows: first of the levels to eliminate, then of the cells.
pub struct Joint {
    /// The number of levels to eliminate.
    pub n_levels: usize,
    /// `[S C]'WM[S C]`, lower half.
    pub matrix: Mat<f64>,
    /// `[S C]'WMV`, by rows of the width.
    pub rhs: Vec<f64>,
    /// `V'WMV`, by rows of the width.
    pub products: Vec<f64>,
}

impl Joint {
    /// Eliminates the levels; the remainder is `A` and `b` of the cells, and the products.
    #[must_use]
    pub fn eliminated(mut self, width: usize, shares: Shares) -> (Elimination, Rest) {
        let (n, n_cells) = (self.n_levels, self.matrix.nrows() - self.n_levels);
        let mut y = Mat::from_fn(n, n_cells + width, |i, j| match j.checked_sub(n_cells) {
            None => self.matrix[(n + j, i)],
            Some(j) => self.rhs[i * width + j],
        });
        let of_cells = self.matrix.as_ref().submatrix(n, n, n_cells, n_cells).to_owned();
        // The remainder is large and is therefore factorised in place.
        self.matrix.truncate(n, n);
        let factor = Factor::new(self.matrix);
        // Y = L⁻¹ D⁻¹ [S'WMC, S'WMV]: its products are the part that the levels explain.
        for column in y.as_mut().col_iter_mut() {
            column.iter_mut().zip(&factor.scale).for_each(|(value, scale)| *value *= scale);
        }
        solve_lower_triangular_in_place(factor.lower.as_ref(), y.as_mut(), Par::Seq);
        let mut rest =
            Rest { matrix: PackedSymmetric::default(), rhs: self.rhs, products: self.products };
        rest.explain(of_cells, &y, width);
        if shares == Shares::Dropped {
            return (Elimination { pivots: factor.pivots, ..Elimination::default() }, rest);
        }
        solve_upper_triangular_in_place(factor.lower.as_ref().transpose(), y.as_mut(), Par::Seq);
        let found = Elimination::new(&y, &factor.scale, width);
        (Elimination { pivots: factor.pivots, ..found }, rest)
    }
}

impl Rest {
    /// Subtracts the part that the levels explain, given `Y`, from the sums over cells and
    /// variables; drops the sums over levels.
    fn explain(&mut self, mut matrix: Mat<f64>, y: &Mat<f64>, width: usize) {
        use triangular::BlockStructure::{Rectangular, TriangularLower};
        let n_cells = matrix.nrows();
        let (of_cells, of_variables) = y.as_ref().split_at_col(n_cells);
        triangular::matmul(
            matrix.as_mut(),
            TriangularLower,
            Accum::Add,
            of_cells.transpose(),
            Rectangular,
            of_cells,
            Rectangular,
            -1.0,
            Par::Seq,
        );
        self.matrix = PackedSymmetric::of(&matrix);
        self.rhs.drain(..y.nrows() * width);
        self.rhs.shrink_to_fit();
        let take = |out: MatMut<'_, f64>, left: MatRef<'_, f64>| {
            matmul(out, Accum::Add, left.transpose(), of_variables, -1.0, Par::Seq);
        };
        take(MatMut::from_row_major_slice_mut(&mut self.rhs, n_cells, width), of_cells);
        take(MatMut::from_row_major_slice_mut(&mut self.products, width, width), of_variables);
    }
}

/// Replaces right-hand sides by `(S'WMS)⁻¹` times them, and subtracts the part that they explain
/// from the products.
pub fn explain(matrix: Mat<f64>, rhs: &mut [f64], products: &mut [f64], width: usize) {
    let factor = Factor::new(matrix);
    let rescale = |rhs: &mut [f64]| {
        for (row, scale) in rhs.chunks_exact_mut(width).zip(&factor.scale) {
            for value in row {
                *value *= scale;
            }
        }
    };
    rescale(rhs);
    let lower = factor.lower.as_ref();
    let mut z = MatMut::from_row_major_slice_mut(rhs, lower.nrows(), width);
    solve_lower_triangular_in_place(lower, z.as_mut(), Par::Seq);
    let products = MatMut::from_row_major_slice_mut(products, width, width);
    matmul(products, Accum::Add, z.as_ref().transpose(), z.as_ref(), -1.0, Par::Seq);
    solve_upper_triangular_in_place(lower.transpose(), z, Par::Seq);
    rescale(rhs);
}

/// A piece without the levels that occur only in it.
#[derive(Debug)]
pub struct Rest {
    /// `A`
    pub matrix: PackedSymmetric,
    /// `b`, by rows of the width.
    pub rhs: Vec<f64>,
    /// `V'WMV` without the part that the levels explain.
    pub products: Vec<f64>,
}

impl Elimination {
    /// Packs the rows of `[X δ]`, each multiplied by its factor.
    fn new(rows: &Mat<f64>, factors: &[f64], width: usize) -> Self {
        let n_cells = rows.ncols() - width;
        let mut found = Self {
            of_cells: Packed::with_capacity(factors.len() * n_cells),
            scales: Vec::with_capacity(factors.len()),
            of_variables: Vec::with_capacity(factors.len() * width),
            pivots: Pivots::default(),
        };
        for (i, factor) in factors.iter().enumerate() {
            let most = (0..n_cells).map(|j| rows[(i, j)].abs()).fold(0.0, f64::max);
            let unit = if most > 0.0 { MOST / most } else { 0.0 };
            (0..n_cells).for_each(|j| found.of_cells.push(rows[(i, j)] * unit));
            found.scales.push(most / MOST * factor);
            found.of_variables.extend((n_cells..rows.ncols()).map(|j| rows[(i, j)] * factor));
        }
        found
    }

    /// `δ − Xθ`: the potentials of the levels, a row of the width for each.
    #[must_use]
    pub fn potentials(&self, theta: &[f64], width: usize) -> Vec<f64> {
        let n_cells = theta.len() / width;
        let mut potentials = self.of_variables.clone();
        let mut rest = self.of_cells.as_slice();
        for (scales, out) in self.scales.chunks(2).zip(potentials.chunks_mut(2 * width)) {
            let (shares, after) = rest.split_at(scales.len() * n_cells);
            rest = after;
            vectorised_by_width(Explained { shares, scales, theta, out, width });
        }
        potentials
    }
}

/// Subtracts `Xθ` of one or two levels from their potentials.
struct Explained<'s> {
    shares: PackedSlice<'s>,
    scales: &'s [f64],
    theta: &'s [f64],
    out: &'s mut [f64],
    width: usize,
}

impl ByWidth for Explained<'_> {
    fn width(&self) -> usize {
        self.width
    }

    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn of_registers<S: Simd, const N: usize>(self, simd: S) {
        let (theta, _) = S::as_simd_f64s(self.theta).0.as_chunks::<N>();
        let (out, _) = S::as_mut_simd_f64s(self.out).0.as_chunks_mut::<N>();
        let (of_a, of_b) = self.shares.split_at(theta.len());
        let of_b = if of_b.len() == 0 { of_a } else { of_b };
        let mut sums = [[simd.splat_f64s(0.0); N]; 2];
        let mut unpacked = [[0.0; NUMBERS_PER_STEP]; 2];
        for start in (0..theta.len()).step_by(NUMBERS_PER_STEP) {
            let step = start..theta.len().min(start + NUMBERS_PER_STEP);
            let [a, b] = &mut unpacked;
            of_a.range(step.clone()).unpack(a);
            of_b.range(step.clone()).unpack(b);
            for ((&a, &b), theta) in a.iter().zip(b.iter()).zip(&theta[step]) {
                let (a, b) = (simd.splat_f64s(a), simd.splat_f64s(b));
                for k in 0..N {
                    sums[0][k] = simd.mul_add_f64s(a, theta[k], sums[0][k]);
                    sums[1][k] = simd.mul_add_f64s(b, theta[k], sums[1][k]);
                }
            }
        }
        for ((out, sum), scale) in out.iter_mut().zip(&sums).zip(self.scales) {
            let scale = simd.splat_f64s(-scale);
            for k in 0..N {
                out[k] = simd.mul_add_f64s(scale, sum[k], out[k]);
            }
        }
    }

    fn of_any_width(self) {
        let n_cells = self.theta.len() / self.width;
        let mut sum = vec![0.0; self.width];
        let levels = self.out.chunks_exact_mut(self.width).zip(self.scales);
        for (level, (out, scale)) in levels.enumerate() {
            sum.fill(0.0);
            let shares = self.shares.range(level * n_cells..(level + 1) * n_cells);
            for (share, theta) in shares.iter().zip(self.theta.chunks_exact(self.width)) {
                add_scaled(&mut sum, theta, share);
            }
            add_scaled(out, &sum, -scale);
        }
    }
}
