//! What conjugate gradients are preconditioned with: the system as if `A` were diagonal.
//!
//! # Equation
//! With `a` the diagonal of `A` by cell, `P = G'aG − G'aR (R'aR)⁻¹ R'aG`: the Laplacian of a graph
//! in which two levels of the iterated effect are joined where a level of the eliminated one has
//! cells with both. With city-destination eliminated, the years of one destination are joined and
//! different destinations are not, so that `P` falls into small components, each inverted by
//! itself. A component that is large for its cells keeps its diagonal alone.
//!
//! A constant over the levels of a component is explained by the eliminated effect: the system
//! takes it to zero, and so does `P`. Of the inverse, `P⁺`, it is left out: what rounding leaves of
//! it in the residual would come back many times as large and keep the iteration from converging.

use faer::Mat;
use rayon::prelude::*;

use super::blocks::connect;
use super::dense::{Factor, PIVOT_MIN};
use super::lanes::add_scaled;
use crate::estimate::degrees::root;

/// What is added to the diagonal, as a share of it: levels may be joined by next to nothing.
const RIDGE: f64 = 0.01;
/// Entries of a component's matrix for each of its cells: a product with it then costs less than
/// one with `A`.
const ENTRIES_PER_CELL_MAX: usize = 8;

/// `P⁺`
#[derive(Debug)]
pub struct Preconditioner {
    /// One over each level's diagonal.
    diagonal: Vec<f64>,
    components: Vec<Component>,
}

/// Levels that are joined, and the inverse of their matrix but for the constant.
#[derive(Debug)]
struct Component {
    levels: Vec<u32>,
    inverse: Mat<f64>,
}

/// The cells: levels of the eliminated and the iterated effect, and their entries of `diag(A)`.
#[derive(Clone, Copy)]
pub struct Links<'c> {
    /// Of each cell, those of one level of the eliminated effect in any order.
    pub eliminated: &'c [u32],
    /// Of each cell; no two cells have both levels in common.
    pub iterated: &'c [u32],
    /// Of each cell.
    pub diagonal: &'c [f64],
    /// Levels of the eliminated effect.
    pub n_eliminated: usize,
}

impl Preconditioner {
    /// The diagonal, given by level, all of it positive.
    #[must_use]
    pub fn diagonal(diagonal: &[f64]) -> Self {
        let diagonal = diagonal.iter().map(|value| 1.0 / value).collect();
        Self { diagonal, components: Vec::new() }
    }

    /// From the cells; `weights` by level of the iterated effect take the place of what the
    /// other effects explain altogether.
    #[must_use]
    pub fn of_cells(links: &Links<'_>, weights: &[f64]) -> Self {
        let mut left = vec![0.0; weights.len()];
        for (&level, &own) in links.iterated.iter().zip(links.diagonal) {
            left[level as usize] += own;
        }
        let left: Vec<f64> =
            weights.iter().zip(left).map(|(&weight, left)| positive(weight, left)).collect();
        let joined = links.joined(left.len());
        let components = joined.into_par_iter().map(|joined| joined.inverted(links, &left));
        let components = components.collect();
        Self { components, ..Self::diagonal(&left) }
    }

    /// `out = P⁺ residual`, rows of `width` numbers.
    pub fn apply(&self, residual: &[f64], out: &mut [f64], width: usize) {
        let rows = out.par_chunks_exact_mut(width).zip(residual.par_chunks_exact(width));
        rows.zip(&self.diagonal).for_each(|((out, residual), inverse)| {
            out.iter_mut().zip(residual).for_each(|(out, r)| *out = inverse * r);
        });
        let row = |level: u32| level as usize * width..(level as usize + 1) * width;
        for Component { levels, inverse } in &self.components {
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
    /// Levels of the iterated effect that are joined with others, component by component.
    fn joined(&self, n_levels: usize) -> Vec<Joined> {
        let mut parents: Vec<u32> = (0..).take(n_levels).collect();
        let pairs = self.eliminated.iter().copied().zip(self.iterated.iter().copied());
        connect(&mut parents, self.n_eliminated, pairs);
        let mut number = vec![None; n_levels];
        let mut components: Vec<Joined> = Vec::new();
        let mut place_of_level = Vec::with_capacity(n_levels);
        for level in (0..).take(n_levels) {
            let number = &mut number[root(&mut parents, level) as usize];
            let component = *number.get_or_insert_with(|| {
                components.push(Joined::default());
                components.len() - 1
            });
            place_of_level.push(component);
            components[component].levels.push(level);
        }
        for (cell, &level) in (0..).zip(self.iterated) {
            components[place_of_level[level as usize]].cells.push(cell);
        }
        components.retain(|joined| {
            let n = joined.levels.len();
            n > 1 && n * n <= ENTRIES_PER_CELL_MAX * joined.cells.len()
        });
        components
    }
}

#[derive(Debug, Default)]
struct Joined {
    levels: Vec<u32>,
    cells: Vec<u32>,
}

impl Joined {
    fn inverted(self, links: &Links<'_>, diagonal: &[f64]) -> Component {
        let Self { levels, mut cells } = self;
        let eliminated = |cell: u32| links.eliminated[cell as usize];
        cells.sort_by_key(|&cell| eliminated(cell));
        let n = levels.len();
        let own: Vec<f64> = levels.iter().map(|&level| diagonal[level as usize]).collect();
        let whole: f64 = own.iter().sum();
        let mut matrix = Mat::from_fn(n, n, |i, j| {
            own[i] * own[j] / whole + if i == j { (1.0 + RIDGE) * own[i] } else { 0.0 }
        });
        for cells in cells.chunk_by(|&a, &b| eliminated(a) == eliminated(b)) {
            let total: f64 = cells.iter().map(|&cell| links.diagonal[cell as usize]).sum();
            if total <= 0.0 {
                continue;
            }
            let each = cells.iter().map(|&cell| {
                let level = links.iterated[cell as usize];
                let place = levels.binary_search(&level).expect("a cell's level is joined");
                (place, links.diagonal[cell as usize])
            });
            let each: Vec<(usize, f64)> = each.collect();
            for &(j, of_column) in &each {
                let share = of_column / total;
                let column = matrix.col_as_slice_mut(j);
                for &(i, of_row) in &each {
                    column[i] -= share * of_row;
                }
            }
        }
        let mut inverse = Factor::new(matrix).inverse();
        let constant = 1.0 / (whole * (1.0 + RIDGE));
        for j in 0..n {
            inverse.col_as_slice_mut(j).iter_mut().for_each(|entry| *entry -= constant);
        }
        Component { levels, inverse }
    }
}

/// What is left of a weight when other effects are out; the weight itself where nothing is.
fn positive(weight: f64, left: f64) -> f64 {
    if left > PIVOT_MIN * weight { left } else { weight }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::LANES;
    use super::*;

    /// Three cities ship to one destination in years 0, 1 and 2, one of them never in year 2, and
    /// to another in year 3 alone; what is left of level 4 is nothing.
    const ELIMINATED: [u32; 10] = [0, 0, 0, 1, 1, 1, 2, 2, 3, 4];
    const ITERATED: [u32; 10] = [0, 1, 2, 0, 1, 2, 0, 1, 3, 4];
    const DIAGONAL: [f64; 10] = [2.0, 1.0, 1.0, 1.0, 3.0, 1.0, 2.0, 2.0, 5.0, 0.0];
    const LINKS: Links<'_> = Links {
        eliminated: &ELIMINATED,
        iterated: &ITERATED,
        diagonal: &DIAGONAL,
        n_eliminated: 5,
    };
    const WEIGHTS: [f64; 5] = [9.0, 9.0, 9.0, 9.0, 7.0];

    fn applied(residual: [f64; 5]) -> [f64; 5] {
        let rows = residual.map(|r| [r; LANES]).concat();
        let mut out = vec![f64::NAN; rows.len()];
        Preconditioner::of_cells(&LINKS, &WEIGHTS).apply(&rows, &mut out, LANES);
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
            own.iter().for_each(|&(level, a)| system[level] += a * (x[level] - mean));
        }
        let found = applied(system);
        for (a, b) in [(0, 1), (1, 2), (2, 0)] {
            let wanted: f64 = x[a] - x[b];
            assert!((found[a] - found[b] - wanted).abs() < 0.05 * wanted.abs(), "{found:?}");
        }
    }

    #[test]
    fn constants_are_left_out_and_levels_by_themselves_keep_their_diagonal() {
        let found = applied([5.0, 6.0, 2.0, 5.0, 7.0]);
        assert!(found[..3].iter().all(|z| z.abs() < 1e-12), "{found:?}");
        assert_eq!(found[3..].to_vec(), [1.0, 1.0]);
    }
}
