//! The system of the effect whose levels groups share, as a sum over the blocks of the sample.
//!
//! # Equation
//! `S_b = G'AG − G'AR (R'AR)⁻¹ R'AG` of each block, `S = Σ_b S_b`. `S` has a row for each level of
//! the effect, a few thousand, and is inverted once. Its share of a group is never stored: products
//! with it come from the pieces of the group's blocks.

use faer::linalg::matmul::{matmul, triangular};
use faer::{Accum, Mat, Par};
use rayon::prelude::*;

use crate::estimate::absorb::Absorbed;
use crate::estimate::absorb::linear::cholesky::Factor;
use crate::estimate::absorb::options::AbsorbOptions;
use crate::estimate::absorb::solve::block::Block;
use crate::estimate::absorb::solve::structured::Structured;
use crate::estimate::design::codes::Codes;

/// The largest number of levels of a shared effect whose system is inverted.
const LEVELS_MAX: usize = 6000;
/// The number of blocks whose shares of the system are in memory at a time.
const BLOCKS_AT_A_TIME: usize = 4;
/// The smallest pivot with which the inverse is accurate enough.
const PIVOT_LEAST: f64 = 1e-7;

/// The effect whose levels groups share.
pub struct SharedEffect<'s, 'a> {
    pub(super) system: Structured<'s, 'a>,
    /// The blocks of each group.
    pub(super) blocks_of: Vec<Vec<usize>>,
    /// `S⁺`
    pub(super) inverse: Mat<f64>,
}

/// A block's share of the system.
struct Share {
    /// The level of each row.
    levels: Vec<u32>,
    /// The lower half.
    matrix: Mat<f64>,
}

impl<'s, 'a> SharedEffect<'s, 'a> {
    /// Builds and inverts the system; `None` if the blocks of the sample are not inside groups, or
    /// the inverse is not accurate.
    #[must_use]
    pub fn of(absorbed: &'s Absorbed<'a>, groups: &Codes, effect: usize) -> Option<Self> {
        let layout = absorbed.layout();
        let blocks = absorbed.blocks.as_ref().filter(|blocks| blocks.iterated == effect)?;
        let mut eliminated = blocks.local.iter().chain([&blocks.eliminated]);
        let is_inside = |&effect: &usize| layout.design.effects[effect].is_nested_in(groups);
        let n_levels = layout.design.effects[effect].n_levels;
        if n_levels > LEVELS_MAX || !eliminated.all(is_inside) {
            return None;
        }
        let options = AbsorbOptions { keep: false, ..absorbed.options.clone() };
        let system = Structured::new(layout, blocks, None, &options);
        let mut blocks_of = vec![Vec::new(); groups.n_levels];
        for (place, block) in system.blocks.iter().enumerate() {
            let row = layout.groups[block.pieces[0].groups.start] as usize;
            blocks_of[groups.of_row[row] as usize].push(place);
        }
        let factor = Factor::new(dense(&system, n_levels));
        if factor.pivots.are_doubtful() || factor.pivots.least_kept < PIVOT_LEAST {
            return None;
        }
        Some(Self { system, blocks_of, inverse: factor.inverse() })
    }
}

/// `S`, lower half.
fn dense(system: &Structured<'_, '_>, n_levels: usize) -> Mat<f64> {
    let mut sum = Mat::<f64>::zeros(n_levels, n_levels);
    for blocks in system.blocks.chunks(BLOCKS_AT_A_TIME) {
        let shares: Vec<Share> = blocks.par_iter().map(|block| Share::of(system, block)).collect();
        for Share { levels, matrix } in shares {
            for (column, &j) in levels.iter().enumerate() {
                for (row, &i) in levels.iter().enumerate().skip(column) {
                    let (i, j) = (i.max(j) as usize, i.min(j) as usize);
                    sum[(i, j)] += matrix[(row, column)];
                }
            }
        }
    }
    sum
}

impl Share {
    fn of(system: &Structured<'_, '_>, block: &Block) -> Self {
        use triangular::BlockStructure::{Rectangular, TriangularLower};
        let mut levels = system.iterated[block.cells()].to_vec();
        levels.sort_unstable();
        levels.dedup();
        let place = |cell: usize| levels.binary_search(&system.iterated[cell]);
        let place = |cell: usize| place(cell).expect("each level was listed");
        let own = |cell: usize| system.eliminated[cell] as usize - block.levels.start;
        let mut matrix = Mat::<f64>::zeros(levels.len(), levels.len());
        let mut across = Mat::<f64>::zeros(levels.len(), block.levels.len());
        for piece in &block.pieces {
            let cells: Vec<(usize, usize)> =
                piece.cells.clone().map(|cell| (place(cell), own(cell))).collect();
            system.each_entry(piece, |n, m, value| {
                let ((i, a), (j, b)) = (cells[n], cells[m]);
                matrix[(i.max(j), i.min(j))] += value;
                across[(i, b)] += value;
                if m < n {
                    across[(j, a)] += value;
                    // Two cells of one level put both sides of the diagonal onto the diagonal.
                    if i == j {
                        matrix[(i, i)] += value;
                    }
                }
            });
        }
        let mut explained = Mat::<f64>::zeros(levels.len(), block.levels.len());
        let inverse = block.inverse();
        matmul(explained.as_mut(), Accum::Replace, &across, &inverse, 1.0, Par::Seq);
        let (left, right) = ((explained.as_ref(), Rectangular), (across.transpose(), Rectangular));
        let out = (matrix.as_mut(), TriangularLower);
        triangular::matmul(
            out.0,
            out.1,
            Accum::Add,
            left.0,
            left.1,
            right.0,
            right.1,
            -1.0,
            Par::Seq,
        );
        Self { levels, matrix }
    }
}
