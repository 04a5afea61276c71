//! Blocks of the sample, such as a city's rows, and their pieces.

use std::ops::Range;
use std::sync::Arc;

use faer::Mat;
use rustc_hash::FxHashMap;

use crate::estimate::absorb::linear::cholesky::{Factor, Pivots};
use crate::estimate::absorb::linear::lanes::add;
use crate::estimate::absorb::linear::packed_symmetric::PackedSymmetric;
use crate::estimate::absorb::pieces::cells::Cells;
use crate::estimate::absorb::pieces::elimination::Shares;
use crate::estimate::absorb::pieces::piece::{Piece, Rows, minmax};
use crate::estimate::absorb::reuse::kept_pieces::{Fingerprints, Kept};
use crate::estimate::absorb::sample::blocks::Blocks;
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::level_sums::Sums;
use crate::estimate::design::codes::Codes;

/// Rows that are solved separately, such as a city's rows.
#[derive(Debug)]
pub struct Block {
    /// The pieces of the block.
    pub pieces: Vec<Piece>,
    /// The levels of the eliminated effect: neighbours, because levels are numbered in the order of
    /// the rows.
    pub levels: Range<usize>,
    /// `(R'AR)⁻¹`, lower half. A product with it costs as much as two triangular solves and runs
    /// several times as fast.
    inverse: PackedSymmetric,
    /// The pivots of the block's factorisation and of its pieces' factorisations.
    pub pivots: Pivots,
}

/// The blocks of a part of the layout.
pub struct PartOfBlocks {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// `R'b` and `G'b`.
    pub sums: Sums,
    /// `V'WMV`, by rows of the width.
    pub products: Vec<f64>,
    /// The levels of the iterated effect.
    pub span: Range<usize>,
    /// The number of pieces with stored figures.
    pub n_kept: usize,
}

/// Builds blocks from their rows.
pub struct Builder<'b, 'a> {
    /// The sample.
    pub layout: &'b Layout<'a>,
    /// The cells of the sample.
    pub cells: &'b Cells,
    /// The level of the eliminated effect of each cell.
    pub eliminated: &'b [u32],
    /// The level of the iterated effect of each cell.
    pub iterated: &'b [u32],
    /// The effects whose levels lie inside pieces.
    pub local: &'b [usize],
    /// The stored figures of earlier pieces.
    pub earlier: Option<&'b Kept>,
    /// The fingerprints of pieces, if requested.
    pub fingerprints: Option<Fingerprints<'b, 'a>>,
    /// The treatment of the shares of levels eliminated inside pieces.
    pub shares: Shares,
}

impl Builder<'_, '_> {
    /// The blocks of consecutive ranges of pieces. Right-hand sides needed only in sums are freed
    /// once they are added.
    #[must_use]
    pub fn part(&self, ranges: &[Vec<Range<usize>>]) -> PartOfBlocks {
        let built = ranges.iter().map(|pieces| self.block(pieces));
        let (mut blocks, n_kept): (Vec<Block>, Vec<usize>) = built.unzip();
        let (first, last) = (&blocks[0], &blocks[blocks.len() - 1]);
        let span = minmax(&self.iterated[first.cells().start..last.cells().end]);
        let levels = first.levels.start..last.levels.end;
        let mut sums = Sums::new([levels, span.clone()].into_iter(), self.layout.width);
        let mut products = vec![0.0; self.layout.width * self.layout.width];
        for piece in blocks.iter_mut().flat_map(|block| &mut block.pieces) {
            add(&mut products, &piece.figures.products);
            let rhs = piece.figures.rhs.chunks_exact(self.layout.width);
            for (cell, value) in piece.cells.clone().zip(rhs) {
                add(sums.level(0, self.eliminated[cell]), value);
                add(sums.level(1, self.iterated[cell]), value);
            }
            if self.shares == Shares::Dropped {
                Arc::make_mut(&mut piece.figures).forget_sums();
            }
        }
        PartOfBlocks { blocks, sums, products, span, n_kept: n_kept.into_iter().sum() }
    }

    /// A block, and the number of its pieces with stored figures.
    fn block(&self, ranges: &[Range<usize>]) -> (Block, usize) {
        let (mut pieces, mut n_kept) = (Vec::new(), 0);
        for groups in ranges {
            let own = minmax(&self.cells.of_row[self.layout.rows_of(groups.clone())]);
            let rows = self.rows(groups.clone(), own.clone());
            let fingerprint = self.fingerprints.as_ref().map(|of_pieces| of_pieces.of(&rows));
            let known = self.earlier.zip(fingerprint);
            let known = known.and_then(|(kept, fingerprint)| kept.find(fingerprint, &rows));
            n_kept += usize::from(known.is_some());
            let figures = known.unwrap_or_else(|| Arc::new(rows.figures(self.shares)));
            pieces.push(Piece { groups: groups.clone(), cells: own, fingerprint, figures });
        }
        let levels =
            minmax(&self.eliminated[pieces[0].cells.start..pieces[pieces.len() - 1].cells.end]);
        let mut matrix = Mat::<f64>::zeros(levels.len(), levels.len());
        for piece in &pieces {
            self.add_piece(piece, levels.start, &mut matrix);
        }
        let factor = Factor::new(matrix);
        let inverse = PackedSymmetric::of(&factor.inverse());
        let of_pieces = pieces.iter().map(|piece| piece.figures.local.pivots);
        let pivots = of_pieces.fold(factor.pivots, Pivots::and);
        (Block { pieces, levels, inverse, pivots }, n_kept)
    }

    fn rows(&self, groups: Range<usize>, own: Range<usize>) -> Rows<'_, '_> {
        Rows { layout: self.layout, cells: self.cells, local: self.local, groups, own }
    }

    /// Adds `R'AR` of a piece, lower half.
    fn add_piece(&self, piece: &Piece, first: usize, matrix: &mut Mat<f64>) {
        let place = |cell: usize| self.eliminated[cell] as usize - first;
        let Some(half) = &piece.figures.matrix else {
            let rows = self.rows(piece.groups.clone(), piece.cells.clone());
            return rows.add_gram(|row| place(self.cells.of_row[row] as usize), matrix);
        };
        let places: Vec<usize> = piece.cells.clone().map(place).collect();
        for (n, &i) in places.iter().enumerate() {
            for (at, (value, &j)) in half.row(n).zip(&places).enumerate() {
                matrix[(i.max(j), i.min(j))] += value;
                // Two cells of one level put both sides of the diagonal onto the diagonal.
                if i == j && at < n {
                    matrix[(i, i)] += value;
                }
            }
        }
    }
}

impl Block {
    /// The cells of the block among all cells.
    #[must_use]
    pub fn cells(&self) -> Range<usize> {
        self.pieces[0].cells.start..self.pieces[self.pieces.len() - 1].cells.end
    }

    /// Frees the data that the end of the iteration makes obsolete, unless another owner holds
    /// them.
    pub fn forget(&mut self) {
        self.inverse = PackedSymmetric::default();
        self.pieces.iter_mut().for_each(|piece| piece.figures = Arc::default());
    }

    /// `(R'AR)⁻¹`, both halves.
    #[must_use]
    pub fn inverse(&self) -> Mat<f64> {
        let n = self.inverse.n();
        let mut inverse = Mat::<f64>::zeros(n, n);
        for i in 0..n {
            for (j, value) in self.inverse.row(i).enumerate() {
                inverse[(i, j)] = value;
                inverse[(j, i)] = value;
            }
        }
        inverse
    }

    /// `(R'AR)⁻¹` times right-hand sides; unknowns of dropped pivots are zero.
    pub fn solve(&self, rhs: &[f64], width: usize, solved: &mut Vec<f64>) {
        solved.resize(rhs.len(), 0.0);
        self.inverse.apply(rhs, solved, width);
    }
}

/// Groups of each piece of each block, from the layout's order.
#[must_use]
pub fn block_ranges(layout: &Layout<'_>, blocks: &Blocks) -> Vec<Vec<Range<usize>>> {
    let mut ranges: Vec<Vec<Range<usize>>> = Vec::new();
    let (mut row, mut last_block) = (0, usize::MAX);
    for (piece, &count) in blocks.n_rows.iter().enumerate() {
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
