//! What one piece of the sample, such as a city's year, tells about its cells once the swept effect
//! is out.
//!
//! # Equation
//! With `C` the dummies of the piece's cells (level of the eliminated × level of the iterated
//! effect), `W` the weights
//! and `M` the annihilator of the swept effect: `A = C'WMC = diag(C'W1) − Σ_g w_g w_g'/W_g`.
//!
//! A product with `A` is either a dense one or a pass over the piece's rows, whichever costs less.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::lanes::{add_scaled, divide, subtract};
use super::layout::Layout;

/// A matrix is kept where it has at most this many cells for each row it stands for.
const CELLS_PER_ROW_MAX: usize = 2;

/// One piece: its rows in terms of its cells.
#[derive(Debug)]
pub struct Piece {
    /// Groups of the swept effect.
    pub groups: Range<usize>,
    /// Its cells among all cells.
    pub cells: Range<usize>,
    /// `A`, where it is kept.
    matrix: Option<Vec<f64>>,
}

/// The cell of each row and the weight of each cell.
#[derive(Debug)]
pub struct Cells {
    /// Cells numbered as they appear, so those of a piece are neighbours.
    pub of_row: Vec<u32>,
    /// Sum of weights of each cell.
    pub weights: Vec<f64>,
}

impl Piece {
    /// Works out `A` and hands it back with the piece, which keeps it if that pays.
    #[must_use]
    pub fn new(
        layout: &Layout<'_>,
        cells: &Cells,
        groups: Range<usize>,
        own: Range<usize>,
    ) -> (Self, Vec<f64>) {
        let matrix = gram(layout, cells, groups.clone(), own.clone());
        let n_rows = layout.rows_of(groups.clone()).len();
        let keep = matrix.len() <= CELLS_PER_ROW_MAX * n_rows;
        let kept = if keep { Some(matrix.clone()) } else { None };
        (Self { groups, cells: own, matrix: kept }, matrix)
    }

    /// `out = A θ`, a row of `width` numbers for each cell.
    pub fn apply(&self, layout: &Layout<'_>, cells: &Cells, theta: &[f64], out: &mut [f64]) {
        let (n, width) = (self.cells.len(), layout.width);
        if let Some(matrix) = &self.matrix {
            let out = MatMut::from_row_major_slice_mut(out, n, width);
            let matrix = MatRef::from_row_major_slice(matrix, n, n);
            let theta = MatRef::from_row_major_slice(theta, n, width);
            matmul(out, Accum::Replace, matrix, theta, 1.0, Par::Seq);
            return;
        }
        let rows = out.chunks_exact_mut(width).zip(theta.chunks_exact(width));
        for ((out, theta), weight) in rows.zip(&cells.weights[self.cells.clone()]) {
            out.iter_mut().zip(theta).for_each(|(out, theta)| *out = weight * theta);
        }
        match width {
            4 => self.apply_rows::<4>(layout, cells, theta, out),
            8 => self.apply_rows::<8>(layout, cells, theta, out),
            12 => self.apply_rows::<12>(layout, cells, theta, out),
            16 => self.apply_rows::<16>(layout, cells, theta, out),
            _ => self.apply_rows_of(layout, cells, theta, out),
        }
    }

    /// Takes `Σ_g w_g (w_g'θ)/W_g` away; the width is known to the compiler.
    fn apply_rows<const WIDTH: usize>(
        &self,
        layout: &Layout<'_>,
        cells: &Cells,
        theta: &[f64],
        out: &mut [f64],
    ) {
        let first = self.cells.start;
        let (theta, _) = theta.as_chunks::<WIDTH>();
        let (out, _) = out.as_chunks_mut::<WIDTH>();
        for group in self.groups.clone() {
            let rows = layout.rows_of(group..group + 1);
            let levels = &cells.of_row[rows.clone()];
            let mut mean = [0.0; WIDTH];
            match &layout.design.weights {
                None => {
                    for &cell in levels {
                        subtract(&mut mean, &theta[cell as usize - first]);
                    }
                }
                Some(weights) => {
                    for (&cell, &weight) in levels.iter().zip(&weights[rows.clone()]) {
                        add_scaled(&mut mean, &theta[cell as usize - first], -weight);
                    }
                }
            }
            let total = layout.weight_total(rows.clone());
            divide(&mut mean, total);
            for (row, &cell) in rows.zip(levels) {
                add_scaled(&mut out[cell as usize - first], &mean, layout.weight(row));
            }
        }
    }

    /// The same for any width.
    fn apply_rows_of(&self, layout: &Layout<'_>, cells: &Cells, theta: &[f64], out: &mut [f64]) {
        let (first, width) = (self.cells.start, layout.width);
        let mut mean = vec![0.0; width];
        for group in self.groups.clone() {
            let rows = layout.rows_of(group..group + 1);
            let place = |row: usize| (cells.of_row[row] as usize - first) * width;
            mean.fill(0.0);
            for row in rows.clone() {
                add_scaled(&mut mean, &theta[place(row)..][..width], -layout.weight(row));
            }
            let total = layout.weight_total(rows.clone());
            divide(&mut mean, total);
            for row in rows {
                add_scaled(&mut out[place(row)..][..width], &mean, layout.weight(row));
            }
        }
    }
}

/// `A` of one piece, by rows.
fn gram(layout: &Layout<'_>, cells: &Cells, groups: Range<usize>, own: Range<usize>) -> Vec<f64> {
    let n = own.len();
    let mut matrix = vec![0.0; n * n];
    for group in groups {
        let rows = layout.rows_of(group..group + 1);
        let total = layout.weight_total(rows.clone());
        for i in rows.clone() {
            let row = &mut matrix[(cells.of_row[i] as usize - own.start) * n..][..n];
            let share = layout.weight(i) / total;
            match &layout.design.weights {
                None => {
                    for &cell in &cells.of_row[rows.clone()] {
                        row[cell as usize - own.start] -= share;
                    }
                }
                Some(weights) => {
                    for (&cell, weight) in
                        cells.of_row[rows.clone()].iter().zip(&weights[rows.clone()])
                    {
                        row[cell as usize - own.start] -= share * weight;
                    }
                }
            }
        }
    }
    for (i, weight) in cells.weights[own].iter().enumerate() {
        matrix[i * n + i] += weight;
    }
    matrix
}
