//! Blocks of the sample, such as a city's rows, and the pieces that they are made of.

use std::ops::Range;
use std::sync::Arc;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rustc_hash::FxHashMap;

use super::blocks::Blocks;
use super::dense::Factor;
use super::kept::{Fingerprints, Kept};
use super::layout::Layout;
use super::local::{Cells, Piece, Rows, minmax};
use crate::estimate::design::codes::Codes;

/// Rows that are worked on by themselves, such as a city's.
#[derive(Debug)]
pub struct Block {
    /// Its pieces.
    pub pieces: Vec<Piece>,
    /// Levels of the eliminated effect: neighbours, as levels are numbered in the order of the
    /// rows.
    pub levels: Range<usize>,
    /// `(R'AR)⁻¹`: products with it cost what two triangular solves do, and run several times as
    /// fast.
    inverse: Mat<f64>,
}

/// Makes blocks from their rows.
pub struct Builder<'b, 'a> {
    /// The sample.
    pub layout: &'b Layout<'a>,
    /// Its cells.
    pub cells: &'b Cells,
    /// The level of the eliminated effect of each cell.
    pub eliminated: &'b [u32],
    /// The effects that live inside pieces.
    pub local: &'b [usize],
    /// What is known of pieces.
    pub earlier: Option<&'b Kept>,
    /// How pieces are known.
    pub fingerprints: Fingerprints<'b, 'a>,
}

impl Builder<'_, '_> {
    /// The blocks of consecutive ranges of pieces, each with how many of its pieces were known.
    #[must_use]
    pub fn blocks(&self, ranges: &[Vec<Range<usize>>]) -> Vec<(Block, usize)> {
        ranges.iter().map(|pieces| self.block(pieces)).collect()
    }

    /// A block, and how many of its pieces were known.
    fn block(&self, ranges: &[Range<usize>]) -> (Block, usize) {
        let (mut pieces, mut n_kept) = (Vec::new(), 0);
        for groups in ranges {
            let own = minmax(&self.cells.of_row[self.layout.rows_of(groups.clone())]);
            let rows = self.rows(groups.clone(), own.clone());
            let known = self.earlier.and_then(|kept| kept.find(self.fingerprints.of(&rows), &rows));
            n_kept += usize::from(known.is_some());
            let figures = known.unwrap_or_else(|| Arc::new(rows.figures()));
            pieces.push(Piece { groups: groups.clone(), cells: own, figures });
        }
        let levels =
            minmax(&self.eliminated[pieces[0].cells.start..pieces[pieces.len() - 1].cells.end]);
        let mut matrix = Mat::<f64>::zeros(levels.len(), levels.len());
        for piece in &pieces {
            self.add_piece(piece, levels.start, &mut matrix);
        }
        let inverse = Factor::new(matrix).inverse();
        (Block { pieces, levels, inverse }, n_kept)
    }

    fn rows(&self, groups: Range<usize>, own: Range<usize>) -> Rows<'_, '_> {
        Rows { layout: self.layout, cells: self.cells, local: self.local, groups, own }
    }

    /// Adds `R'AR` of a piece.
    fn add_piece(&self, piece: &Piece, first: usize, matrix: &mut Mat<f64>) {
        let of_rows;
        let own = if let Some(own) = &piece.figures.matrix {
            own
        } else {
            of_rows = self.rows(piece.groups.clone(), piece.cells.clone()).gram();
            &of_rows
        };
        let place: Vec<usize> = self.eliminated[piece.cells.clone()]
            .iter()
            .map(|&level| level as usize - first)
            .collect();
        for (row, &i) in own.chunks_exact(place.len()).zip(&place) {
            let column = matrix.col_as_slice_mut(i);
            for (value, &j) in row.iter().zip(&place) {
                column[j] += value;
            }
        }
    }
}

impl Block {
    /// Its cells among all cells.
    #[must_use]
    pub fn cells(&self) -> Range<usize> {
        self.pieces[0].cells.start..self.pieces[self.pieces.len() - 1].cells.end
    }

    /// `(R'AR)⁻¹` times right-hand sides, unknowns of dropped pivots zero.
    #[must_use]
    pub fn solve(&self, rhs: &[f64], width: usize) -> Vec<f64> {
        let n = self.levels.len();
        let mut solved = vec![0.0; rhs.len()];
        let out = MatMut::from_row_major_slice_mut(&mut solved, n, width);
        let rhs = MatRef::from_row_major_slice(rhs, n, width);
        matmul(out, Accum::Replace, self.inverse.as_ref(), rhs, 1.0, Par::Seq);
        solved
    }
}

/// Groups of each piece of each block, from the layout's order.
#[must_use]
pub fn block_ranges(layout: &Layout<'_>, blocks: &Blocks) -> Vec<Vec<Range<usize>>> {
    let mut ranges: Vec<Vec<Range<usize>>> = Vec::new();
    let (mut row, mut last_block) = (0, usize::MAX);
    for (piece, count) in blocks.pieces.counts().into_iter().enumerate() {
        if count == 0 {
            continue;
        }
        let place = |row: u32| layout.groups.partition_point(|&start| start < row);
        let groups = place(row)..place(row + count);
        row += count;
        let block = piece / blocks.pieces_per_block;
        if block != last_block {
            ranges.push(Vec::new());
            last_block = block;
        }
        let last = ranges.len() - 1;
        ranges[last].push(groups);
    }
    ranges
}

/// Cells of the rows, numbered piece by piece as they appear, with the levels of both effects.
#[must_use]
pub fn numbered(
    layout: &Layout<'_>,
    eliminated: &Codes,
    iterated: &Codes,
    blocks: &[Vec<Range<usize>>],
) -> (Cells, Vec<u32>, Vec<u32>) {
    let mut of_row = Vec::with_capacity(eliminated.of_row.len());
    let mut cells: Vec<(u32, u32)> = Vec::new();
    let mut weights = Vec::new();
    let mut last_cell = vec![u32::MAX; eliminated.n_levels];
    let mut others: FxHashMap<(u32, u32), u32> = FxHashMap::default();
    for groups in blocks.iter().flatten() {
        let first = cells.len();
        others.clear();
        for row in layout.rows_of(groups.clone()) {
            let pair = (eliminated.of_row[row], iterated.of_row[row]);
            let last = &mut last_cell[pair.0 as usize];
            let next = u32::try_from(cells.len()).expect("cells are fewer than rows");
            let known = *last != u32::MAX && *last as usize >= first;
            let cell = if !known {
                *last = next;
                next
            } else if cells[*last as usize] == pair {
                *last
            } else {
                *others.entry(pair).or_insert(next)
            };
            if cell == next {
                cells.push(pair);
                weights.push(0.0);
            }
            weights[cell as usize] += layout.weight(row);
            of_row.push(cell);
        }
    }
    let (of_eliminated, of_iterated) = cells.into_iter().unzip();
    (Cells { of_row, weights }, of_eliminated, of_iterated)
}
