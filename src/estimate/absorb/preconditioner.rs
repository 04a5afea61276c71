//! What conjugate gradients are preconditioned with when effects are eliminated within blocks.
//!
//! # Equation
//! `G'AG` falls into one dense matrix for each component of the iterated effect, such as a year:
//! without the coupling through the eliminated effect that is the system itself. A component's
//! levels add up to what the swept effect explains, so dependent levels are dropped; residuals have
//! no part there. Where the matrices would be large beside the sample, their diagonal is taken.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::dense::{Factor, PIVOT_MIN};

/// Numbers in all matrices that are always allowed, and one for how many rows beyond that.
const NUMBERS_FREE: usize = 1 << 18;
const ROWS_PER_NUMBER: usize = 4;

/// Which component each level is in, and its place there.
#[derive(Debug)]
pub struct Components {
    /// Levels of each component.
    levels: Vec<Vec<u32>>,
    /// Component and place of each level.
    places: Vec<(u32, u32)>,
}

/// Sums of `G'AG`, a matrix by columns for each component.
#[derive(Debug, Clone)]
pub struct Sums(Vec<Mat<f64>>);

/// The inverse of `G'AG`, or of its diagonal.
#[derive(Debug)]
pub enum Preconditioner {
    /// One over each level's diagonal.
    Diagonal(Vec<f64>),
    /// The inverse of each component.
    Blocks(Components, Vec<Mat<f64>>),
}

impl Components {
    /// Components from the one of each level, if their matrices are small beside the rows.
    #[must_use]
    pub fn new(of_level: &[u32], n_components: usize, n_rows: usize) -> Option<Self> {
        let mut levels = vec![Vec::new(); n_components];
        let mut places = Vec::with_capacity(of_level.len());
        for (level, &component) in (0..).zip(of_level) {
            let own = &mut levels[component as usize];
            places.push((component, u32::try_from(own.len()).expect("levels are fewer than rows")));
            own.push(level);
        }
        let numbers: usize = levels.iter().map(|own| own.len().pow(2)).sum();
        let allowed = NUMBERS_FREE.max(n_rows / ROWS_PER_NUMBER);
        (numbers <= allowed).then_some(Self { levels, places })
    }

    /// Zeros.
    #[must_use]
    pub fn sums(&self) -> Sums {
        Sums(self.levels.iter().map(|own| Mat::zeros(own.len(), own.len())).collect())
    }

    /// Adds `A` of cells, by rows, whose levels of the iterated effect are of one component.
    pub fn add(&self, sums: &mut Sums, matrix: &[f64], levels: &[u32]) {
        let places: Vec<(u32, u32)> =
            levels.iter().map(|&level| self.places[level as usize]).collect();
        for (row, &(component, i)) in matrix.chunks_exact(places.len()).zip(&places) {
            let column = sums.0[component as usize].col_as_slice_mut(i as usize);
            row.iter().zip(&places).for_each(|(value, &(_, j))| column[j as usize] += value);
        }
    }
}

impl Sums {
    /// Adds other sums.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, other)| *sum += other);
    }
}

impl Preconditioner {
    /// One over each level's diagonal, all of them positive.
    #[must_use]
    pub fn diagonal(diagonal: &[f64]) -> Self {
        Self::Diagonal(diagonal.iter().map(|value| 1.0 / value).collect())
    }

    /// The inverse of each component's matrix.
    #[must_use]
    pub fn blocks(components: Components, sums: Sums) -> Self {
        let inverse = |matrix: Mat<f64>| Factor::new(matrix).inverse();
        Self::Blocks(components, sums.0.into_par_iter().map(inverse).collect())
    }

    /// `out = P⁻¹ residual`, rows of `width` numbers.
    pub fn apply(&self, residual: &[f64], out: &mut [f64], width: usize) {
        match self {
            Self::Diagonal(inverse) => {
                let rows = out.par_chunks_exact_mut(width).zip(residual.par_chunks_exact(width));
                rows.zip(inverse).for_each(|((out, residual), inverse)| {
                    out.iter_mut().zip(residual).for_each(|(out, r)| *out = inverse * r);
                });
            }
            Self::Blocks(components, inverses) => {
                for (levels, inverse) in components.levels.iter().zip(inverses) {
                    apply_block(levels, inverse, residual, out, width);
                }
            }
        }
    }
}

fn apply_block(
    levels: &[u32],
    inverse: &Mat<f64>,
    residual: &[f64],
    out: &mut [f64],
    width: usize,
) {
    let row = |level: u32| level as usize * width..(level as usize + 1) * width;
    let own: Vec<f64> = levels.iter().flat_map(|&level| &residual[row(level)]).copied().collect();
    let mut product = vec![0.0; own.len()];
    let product_of_rows = MatMut::from_row_major_slice_mut(&mut product, levels.len(), width);
    let own = MatRef::from_row_major_slice(&own, levels.len(), width);
    matmul(product_of_rows, Accum::Replace, inverse.as_ref(), own, 1.0, Par::Seq);
    for (&level, product) in levels.iter().zip(product.chunks_exact(width)) {
        out[row(level)].copy_from_slice(product);
    }
}

/// What is left of a weight when the swept effect is out; the weight itself where nothing is.
#[must_use]
pub fn positive(weight: f64, explained: f64) -> f64 {
    let rest = weight - explained;
    if rest > PIVOT_MIN * weight { rest } else { weight }
}
