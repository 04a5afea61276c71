//! Sums of products of the variables, block by block.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// `Σ w v v'` over blocks of rows.
#[derive(Debug)]
pub struct Products {
    width: usize,
    values: Vec<f64>,
    weighted: Vec<f64>,
}

impl Products {
    /// Products with zero sums.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width, values: vec![0.0; width * width], weighted: Vec::new() }
    }

    /// Adds a block of rows; without weights, each row counts once.
    pub fn add(&mut self, block: &[f64], weights: Option<&[f64]>) {
        match weights {
            None => add_product(&mut self.values, block, block, 1.0, self.width),
            Some(weights) => {
                self.weighted.clear();
                for (row, weight) in block.chunks_exact(self.width).zip(weights) {
                    self.weighted.extend(row.iter().map(|value| weight * value));
                }
                add_product(&mut self.values, &self.weighted, block, 1.0, self.width);
            }
        }
    }

    /// The sums, by rows.
    #[must_use]
    pub fn into_values(self) -> Vec<f64> {
        self.values
    }
}

/// `sum += factor · a'b` for blocks of rows.
pub fn add_product(sum: &mut [f64], a: &[f64], b: &[f64], factor: f64, width: usize) {
    let n_rows = a.len() / width;
    let sum = MatMut::from_row_major_slice_mut(sum, width, width);
    let a = MatRef::from_row_major_slice(a, n_rows, width);
    let b = MatRef::from_row_major_slice(b, n_rows, width);
    matmul(sum, Accum::Add, a.transpose(), b, factor, Par::Seq);
}

/// The sum of the parts, in their order.
pub fn added<'p>(parts: impl Iterator<Item = &'p Vec<f64>>) -> Vec<f64> {
    let mut sum: Vec<f64> = Vec::new();
    for part in parts {
        sum.resize(part.len(), 0.0);
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    sum
}
