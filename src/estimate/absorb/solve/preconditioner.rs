//! The preconditioner of conjugate gradients: the system as if `A` were diagonal.
//!
//! # Equation
//! With `a` the diagonal of `A` by cell, `P = G'aG − G'aR (R'aR)⁻¹ R'aG`. This is the Laplacian of
//! a graph in which two levels of the iterated effect are joined if a level of the eliminated
//! effect has cells with both. With city-destination eliminated, the years of one destination are
//! joined and different destinations are not; `P` then has small components. With `D` its part
//! `G'aG`, each component is inverted separately as `P⁺ = (P + εD + D11'D/1'D1)⁻¹ − 11'/((1+ε)
//! 1'D1)`. A large component uses the same formula with `P = D − D11'D/1'D1`, which needs the
//! diagonal alone.
//!
//! The eliminated effect explains a constant over the levels of a component: the system maps it to
//! zero, and `P⁺D1` is zero, too. Otherwise rounding errors in the residual would grow, and the
//! iteration would not converge.

use faer::Mat;
use rayon::prelude::*;

use crate::estimate::absorb::linear::cholesky::{Factor, PIVOT_MIN};
use crate::estimate::absorb::linear::lanes::{add_scaled, subtract};
use crate::estimate::design::components::{connect, root};

/// `ε`: the links between levels may be very weak.
const RIDGE: f64 = 0.01;
/// The largest number of levels of a component that is inverted.
const LEVELS_MAX: usize = 256;
/// The largest number of matrix entries of a component for each of its cells: a product with `A`
/// takes about as many.
const ENTRIES_PER_CELL_MAX: usize = 8;

/// `P⁺`
#[derive(Debug)]
pub struct Preconditioner {
    /// One over each level's diagonal.
    diagonal: Vec<f64>,
    components: Vec<Component>,
}

/// Joined levels, or a single level.
#[derive(Debug)]
struct Component {
    levels: Vec<u32>,
    /// `P⁺`; `None` if it is the diagonal with the constant removed.
    inverse: Option<Mat<f64>>,
    /// `1'D1`
    total: f64,
}

/// The cells, in any order.
#[derive(Clone, Copy)]
pub struct Links<'c> {
    /// The level of the eliminated effect of each cell.
    pub eliminated: &'c [u32],
    /// The level of the iterated effect of each cell; no two cells share both levels.
    pub iterated: &'c [u32],
    /// The entry of `diag(A)` of each cell.
    pub diagonal: &'c [f64],
    /// The weight of the rows of each cell.
    pub weights: &'c [f64],
    /// The number of levels of either effect.
    pub n_levels: [usize; 2],
}

impl Preconditioner {
    /// The diagonal preconditioner: for each level, the weight that other effects leave, and the
    /// full weight.
    #[must_use]
    pub fn diagonal(levels: impl Iterator<Item = (f64, f64)>) -> Self {
        let inverse = |(left, weight)| 1.0 / if has_part(left, weight) { left } else { weight };
        Self { diagonal: levels.map(inverse).collect(), components: Vec::new() }
    }

    /// Builds the preconditioner from the cells. Cells of which other effects leave nothing join no
    /// levels.
    ///
    /// # Panics
    /// If a field of the links does not have one entry for each cell.
    #[must_use]
    pub fn of_cells(links: &Links<'_>) -> Self {
        let Links { iterated, diagonal, weights, n_levels: [_, n_levels], .. } = *links;
        assert!([diagonal.len(), weights.len(), links.eliminated.len()] == [iterated.len(); 3]);
        let mut levels = vec![(0.0, 0.0); n_levels];
        for ((&level, &left), &weight) in iterated.iter().zip(diagonal).zip(weights) {
            let level = &mut levels[level as usize];
            level.0 += if has_part(left, weight) { left } else { 0.0 };
            level.1 += weight;
        }
        let found = Self::diagonal(levels.into_iter());
        let components = links.components();
        let components = components.into_par_iter().map(|levels| levels.inverted(links, &found));
        Self { components: components.collect(), ..found }
    }

    /// `out = P⁺ residual`, rows of `width` numbers.
    pub fn apply(&self, residual: &[f64], out: &mut [f64], width: usize) {
        let rows = out.par_chunks_exact_mut(width).zip(residual.par_chunks_exact(width));
        rows.zip(&self.diagonal).for_each(|((out, residual), inverse)| {
            out.iter_mut().zip(residual).for_each(|(out, r)| *out = inverse * r);
        });
        let row = |level: u32| level as usize * width..(level as usize + 1) * width;
        let mut constant = vec![0.0; width];
        for Component { levels, inverse, total } in &self.components {
            let Some(inverse) = inverse else {
                constant.fill(0.0);
                for &level in levels {
                    add_scaled(&mut constant, &residual[row(level)], 1.0 / total);
                }
                for &level in levels {
                    subtract(&mut out[row(level)], &constant);
                }
                continue;
            };
            for (i, &level) in levels.iter().enumerate() {
                let out = &mut out[row(level)];
                out.fill(0.0);
                for (&other, &entry) in levels.iter().zip(inverse.col_as_slice(i)) {
                    add_scaled(out, &residual[row(other)], entry);
                }
            }
        }
    }
}

impl Links<'_> {
    fn is_link(&self, cell: usize) -> bool {
        has_part(self.diagonal[cell], self.weights[cell])
    }

    /// The levels of the iterated effect by component, with the cells that join them.
    fn components(&self) -> Vec<Joined> {
        let [n_eliminated, n_levels] = self.n_levels;
        let links = (0..self.iterated.len()).filter(|&cell| self.is_link(cell));
        let mut parents: Vec<u32> = (0..).take(n_levels).collect();
        let pairs = links.clone().map(|cell| (self.eliminated[cell], self.iterated[cell]));
        connect(&mut parents, n_eliminated, pairs);
        let mut component_of_root = vec![None; n_levels];
        let mut component_of_level = Vec::with_capacity(n_levels);
        let mut components: Vec<Joined> = Vec::new();
        for level in (0..).take(n_levels) {
            let known = &mut component_of_root[root(&mut parents, level) as usize];
            let component = *known.get_or_insert_with(|| {
                components.push(Joined::default());
                components.len() - 1
            });
            component_of_level.push(component);
            components[component].levels.push(level);
        }
        for cell in links {
            components[component_of_level[self.iterated[cell] as usize]].cells.push(cell);
        }
        components
    }
}

#[derive(Debug, Default)]
struct Joined {
    levels: Vec<u32>,
    cells: Vec<usize>,
}

impl Joined {
    fn inverted(self, links: &Links<'_>, diagonal: &Preconditioner) -> Component {
        let own: Vec<f64> =
            self.levels.iter().map(|&level| 1.0 / diagonal.diagonal[level as usize]).collect();
        let (n, total) = (own.len(), own.iter().sum());
        let is_small = n <= LEVELS_MAX && n * n <= ENTRIES_PER_CELL_MAX * self.cells.len();
        let inverse = (n > 1 && is_small).then(|| {
            let mut matrix = Mat::from_fn(n, n, |i, j| {
                own[i] * own[j] / total + if i == j { (1.0 + RIDGE) * own[i] } else { 0.0 }
            });
            self.take_explained(links, &mut matrix);
            let mut inverse = Factor::new(matrix).inverse();
            let constant = 1.0 / (total * (1.0 + RIDGE));
            for j in 0..n {
                inverse.col_as_slice_mut(j).iter_mut().for_each(|entry| *entry -= constant);
            }
            inverse
        });
        Component { levels: self.levels, inverse, total }
    }

    /// Subtracts `G'aR (R'aR)⁻¹ R'aG` from a matrix, lower half.
    fn take_explained(&self, links: &Links<'_>, matrix: &mut Mat<f64>) {
        let mut cells = self.cells.clone();
        cells.sort_by_key(|&cell| links.eliminated[cell]);
        for cells in cells.chunk_by(|&a, &b| links.eliminated[a] == links.eliminated[b]) {
            let total: f64 = cells.iter().map(|&cell| links.diagonal[cell]).sum();
            let each = cells.iter().map(|&cell| {
                let place = self.levels.binary_search(&links.iterated[cell]);
                (place.expect("a cell's level is joined"), links.diagonal[cell])
            });
            let each: Vec<(usize, f64)> = each.collect();
            for &(j, of_column) in &each {
                let share = of_column / total;
                let column = matrix.col_as_slice_mut(j);
                for &(i, of_row) in each.iter().filter(|&&(i, _)| i >= j) {
                    column[i] -= share * of_row;
                }
            }
        }
    }
}

/// True if other effects leave more of a weight than rounding.
fn has_part(left: f64, weight: f64) -> bool {
    left > PIVOT_MIN * weight
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::absorb::linear::lanes::LANES;

    /// Three cities ship to one destination in years 0, 1 and 2 (one of them never in year 2), and
    /// one city to another destination in year 3 alone. Other effects leave nothing of level 4 and
    /// of its link to year 0.
    const ELIMINATED: [u32; 11] = [0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 4];
    const ITERATED: [u32; 11] = [0, 1, 2, 0, 1, 2, 0, 1, 3, 4, 0];
    const DIAGONAL: [f64; 11] = [2.0, 1.0, 1.0, 1.0, 3.0, 1.0, 2.0, 2.0, 5.0, 1e-15, -1e-16];
    const LINKS: Links<'_> = Links {
        eliminated: &ELIMINATED,
        iterated: &ITERATED,
        diagonal: &DIAGONAL,
        weights: &[9.0; 11],
        n_levels: [5, 5],
    };

    fn applied(residual: [f64; 5]) -> [f64; 5] {
        let rows = residual.map(|r| [r; LANES]).concat();
        let mut out = vec![f64::NAN; rows.len()];
        Preconditioner::of_cells(&LINKS).apply(&rows, &mut out, LANES);
        std::array::from_fn(|level| out[level * LANES])
    }

    #[test]
    fn years_of_a_destination_come_back_from_their_differences() {
        let x = [1.0, -2.0, 4.0];
        let mut system = [0.0; 5];
        for city in 0..3 {
            let own = (0..8).filter(|&cell| ELIMINATED[cell] == city);
            let own: Vec<(usize, f64)> =
                own.map(|cell| (ITERATED[cell] as usize, DIAGONAL[cell])).collect();
            let total: f64 = own.iter().map(|(_, a)| a).sum();
            let mean = own.iter().map(|&(level, a)| a * x[level]).sum::<f64>() / total;
            for (level, a) in own {
                system[level] += a * (x[level] - mean);
            }
        }
        let found = applied(system);
        for (a, b) in [(0, 1), (1, 2), (2, 0)] {
            let wanted: f64 = x[a] - x[b];
            assert!((found[a] - found[b] - wanted).abs() < 0.05 * wanted.abs(), "{found:?}");
        }
    }

    #[test]
    fn constants_over_a_component_are_left_out() {
        let found = applied([5.0, 6.0, 2.0, 3.0, 4.0]);
        assert!(found.iter().all(|z| z.abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn a_component_too_large_to_invert_keeps_its_diagonal_but_for_the_constant() {
        let n = LEVELS_MAX + 1;
        let iterated: Vec<u32> = (0..).take(n).collect();
        let (eliminated, ones) = (vec![0; n], vec![1.0; n]);
        let links = Links {
            eliminated: &eliminated,
            iterated: &iterated,
            diagonal: &ones,
            weights: &ones,
            n_levels: [1, n],
        };
        let mut residual = vec![0.0; n * LANES];
        residual[..LANES].fill(1.0);
        let mut out = residual.clone();
        Preconditioner::of_cells(&links).apply(&residual, &mut out, LANES);
        let mean = 1.0 / f64::from(u16::try_from(n).expect("a few levels"));
        assert!((out[0] - (1.0 - mean)).abs() < 1e-12 && (out[LANES] + mean).abs() < 1e-12);
    }
}
