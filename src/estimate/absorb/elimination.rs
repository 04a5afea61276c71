//! The effects that live inside one piece, eliminated there exactly.
//!
//! # Equation
//! With `S` the dummies of the levels eliminated, `C` those of the piece's cells, `W` the weights
//! and `M` the annihilator of the swept effect:
//!
//! `X = (S'WMS)⁻¹ S'WMC`, `δ = (S'WMS)⁻¹ S'WMV`,
//! `A = C'WMC − C'WMS X`, `b = C'WMV − X'S'WMV`, `V'WMV − V'WMS δ`
//!
//! The levels of the piece are dense in each other once the swept effect is out, so the matrix is
//! factorised as a dense one; levels that others explain are dropped.

use faer::linalg::matmul::{matmul, triangular};
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::dense::Factor;

/// What is left of a piece when levels are eliminated, and what gives them back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Elimination {
    /// `X`, a row of the cells for each level.
    pub of_cells: Vec<f64>,
    /// `δ`, a row of the variables for each level.
    pub of_variables: Vec<f64>,
}

/// The sums over a piece's rows: of its levels to be eliminated, then of its cells.
pub struct Joint {
    /// Levels to be eliminated.
    pub n_levels: usize,
    /// `[S C]'WM[S C]`, lower half.
    pub matrix: Mat<f64>,
    /// `[S C]'WMV`, by rows of the width.
    pub rhs: Vec<f64>,
    /// `V'WMV`, by rows of the width.
    pub products: Vec<f64>,
}

impl Joint {
    /// Eliminates the levels: the rest is `A` and `b` of the cells and the products.
    #[must_use]
    pub fn eliminated(self, width: usize) -> (Elimination, Rest) {
        let (n, n_cells) = (self.n_levels, self.matrix.nrows() - self.n_levels);
        let of_levels = self.matrix.as_ref().submatrix(0, 0, n, n).to_owned();
        let factor = Factor::new(of_levels);
        // Y = L⁻¹ D⁻¹ [S'WMC, S'WMV]: its products are what the levels explain.
        let mut y = Mat::from_fn(n, n_cells + width, |i, j| {
            let value = match j.checked_sub(n_cells) {
                None => self.matrix[(n + j, i)],
                Some(j) => self.rhs[i * width + j],
            };
            value * factor.scale[i]
        });
        solve_lower_triangular_in_place(factor.lower.as_ref(), y.as_mut(), Par::Seq);
        let rest = self.rest(&y, width);
        solve_upper_triangular_in_place(factor.lower.as_ref().transpose(), y.as_mut(), Par::Seq);
        let row = |from: usize, len: usize| -> Vec<f64> {
            let cell = |at: usize| y[(at / len, from + at % len)] * factor.scale[at / len];
            (0..n * len).map(cell).collect()
        };
        let (of_cells, of_variables) = (row(0, n_cells), row(n_cells, width));
        (Elimination { of_cells, of_variables }, rest)
    }

    /// What the levels do not explain, `Y` given.
    fn rest(&self, y: &Mat<f64>, width: usize) -> Rest {
        use triangular::BlockStructure::{Rectangular, TriangularLower};
        let (n, n_cells) = (self.n_levels, self.matrix.nrows() - self.n_levels);
        let (of_cells, of_variables) = y.as_ref().split_at_col(n_cells);
        let mut matrix = self.matrix.as_ref().submatrix(n, n, n_cells, n_cells).to_owned();
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
        let mut rhs = self.rhs[n * width..].to_vec();
        let mut products = self.products.clone();
        let take = |out: MatMut<'_, f64>, left: MatRef<'_, f64>| {
            matmul(out, Accum::Add, left.transpose(), of_variables, -1.0, Par::Seq);
        };
        take(MatMut::from_row_major_slice_mut(&mut rhs, n_cells, width), of_cells);
        take(MatMut::from_row_major_slice_mut(&mut products, width, width), of_variables);
        Rest { matrix: by_rows(&matrix), rhs, products }
    }
}

/// A piece without the levels that lived in it only.
#[derive(Debug)]
pub struct Rest {
    /// `A`, by rows.
    pub matrix: Vec<f64>,
    /// `b`, by rows of the width.
    pub rhs: Vec<f64>,
    /// `V'WMV`, less what the levels explain.
    pub products: Vec<f64>,
}

/// A symmetric matrix by rows, from its lower half.
#[must_use]
pub fn by_rows(lower: &Mat<f64>) -> Vec<f64> {
    let n = lower.nrows();
    let mut full = vec![0.0; n * n];
    for j in 0..n {
        for i in j..n {
            full[i * n + j] = lower[(i, j)];
            full[j * n + i] = lower[(i, j)];
        }
    }
    full
}

impl Elimination {
    /// `δ − Xθ`: the potentials of the levels, a row of the width for each.
    #[must_use]
    pub fn potentials(&self, theta: &[f64], width: usize) -> Vec<f64> {
        let mut potentials = self.of_variables.clone();
        let (n, n_cells) = (potentials.len() / width, theta.len() / width);
        let out = MatMut::from_row_major_slice_mut(&mut potentials, n, width);
        let shares = MatRef::from_row_major_slice(&self.of_cells, n, n_cells);
        let theta = MatRef::from_row_major_slice(theta, n_cells, width);
        matmul(out, Accum::Add, shares, theta, -1.0, Par::Seq);
        potentials
    }
}
