//! Three effects of which one lives inside blocks: eliminated there exactly, the last one iterated.
//!
//! ```text
//! block (city)   ─┬─ piece (year) ── A of its cells ─┐
//!                 ├─ piece (year) ── A of its cells ─┼─▶ R'AR, factorised: city-destination is out
//!                 └─ …                               ┘
//! destination-year: (G'AG − G'AR (R'AR)⁻¹ R'AG) γ = G'b − G'AR (R'AR)⁻¹ R'b, by conjugate
//! gradients
//! ```
//!
//! `R` and `G` take cells to the levels of the eliminated and of the iterated effect. A block's
//! matrix is
//! singular, as its levels' sum is the swept effect's: dependent pivots are dropped.

use std::ops::Range;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::{factor, inverse};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::blocks::Blocks;
use super::conjugate::System;
use super::lanes::{add, subtract};
use super::layout::Layout;
use super::local::{Cells, Piece};
use super::products::{add_product, added};
use super::sums::{Sums, Target};
use crate::estimate::design::codes::Codes;

/// A pivot of a matrix with unit diagonal below this is dependent on those before it.
const PIVOT_MIN: f64 = 1e-10;
/// What a dependent pivot is set to: its unknown becomes zero.
const PIVOT_DROPPED: f64 = 1e60;

/// The system of the iterated effect.
#[derive(Debug)]
pub struct Structured<'l, 'a> {
    layout: &'l Layout<'a>,
    cells: Cells,
    /// Levels of the eliminated and the iterated effect of each cell.
    eliminated: Vec<u32>,
    iterated: Vec<u32>,
    blocks: Vec<Block>,
    /// Blocks of each part of the layout.
    parts: Vec<Range<usize>>,
    diagonal: Vec<f64>,
    /// Levels of the iterated effect in each part.
    spans: Vec<Range<usize>>,
    n_levels: usize,
    n_eliminated: usize,
}

/// Right-hand sides, by cell and by level.
#[derive(Debug)]
pub struct RightHandSides {
    /// `b = C'WMV` of the cells of each part.
    by_part: Vec<Vec<f64>>,
    /// `R'b` and `G'b`.
    totals: Target,
}

#[derive(Debug)]
struct Block {
    pieces: Vec<Piece>,
    /// Levels of the eliminated effect: neighbours, as levels are numbered in the order of the
    /// rows.
    levels: Range<usize>,
    /// `(R'AR)⁻¹`: products with it cost what two triangular solves do, and run several times as
    /// fast.
    inverse: Mat<f64>,
}

impl<'l, 'a> Structured<'l, 'a> {
    /// Works out every piece and factorises every block.
    #[must_use]
    pub fn new(layout: &'l Layout<'a>, blocks: &Blocks) -> Self {
        let (r, g) = (blocks.eliminated, blocks.iterated);
        let effects = &layout.design.effects;
        let ranges = block_ranges(layout, blocks);
        let (cells, eliminated, iterated) = numbered(layout, &effects[r], &effects[g], &ranges);
        let built: Vec<Block> = ranges
            .par_iter()
            .map(|pieces| Block::new(layout, &cells, &eliminated, pieces))
            .collect();
        let parts = layout.parts.iter().map(|part| {
            let place = |group| ranges.partition_point(|pieces| pieces[0].start < group);
            place(part.start)..place(part.end)
        });
        let parts: Vec<Range<usize>> = parts.collect();
        let spans = parts.iter().map(|part| span(&built[part.clone()], &iterated)).collect();
        let mut system = Self {
            layout,
            cells,
            eliminated,
            iterated,
            blocks: built,
            parts,
            diagonal: Vec::new(),
            spans,
            n_levels: effects[g].n_levels,
            n_eliminated: effects[r].n_levels,
        };
        system.diagonal = system.diagonal_of_iterated();
        system
    }

    /// The cell of a row.
    #[inline]
    #[must_use]
    pub fn cell(&self, row: usize) -> u32 {
        self.cells.of_row[row]
    }

    /// Empty sums over the cells of a part.
    #[must_use]
    pub fn cell_sums(&self, part: usize) -> Sums {
        Sums::new([self.cells_of(&self.parts[part])].into_iter(), self.layout.width)
    }

    /// The right-hand sides by cell and by level of both effects.
    #[must_use]
    pub fn right_hand_sides(&self, by_part: Vec<Sums>) -> RightHandSides {
        let width = self.layout.width;
        let by_part: Vec<Vec<f64>> = by_part.into_iter().map(|sums| sums.into_effect(0)).collect();
        let place = |part: usize| (self.cells_of(&self.parts[part]), &by_part[part]);
        let part = |part: usize| {
            let (cells, values) = place(part);
            let mut sums =
                Sums::new([self.levels_of(part), self.spans[part].clone()].into_iter(), width);
            for (cell, value) in cells.zip(values.chunks_exact(width)) {
                add(sums.level(0, self.eliminated[cell]), value);
                add(sums.level(1, self.iterated[cell]), value);
            }
            sums
        };
        let parts: Vec<Sums> = (0..self.parts.len()).into_par_iter().map(part).collect();
        let mut totals = Target::new([self.n_eliminated, self.n_levels].into_iter(), width);
        totals.collect(&parts);
        RightHandSides { by_part, totals }
    }

    /// `G'b − G'AR (R'AR)⁻¹ R'b`
    #[must_use]
    pub fn reduced(&self, rhs: &RightHandSides) -> Vec<f64> {
        let width = self.layout.width;
        let of_eliminated = rhs.totals.effect(0);
        let explained = self.over_blocks(|block, sums| {
            let levels = block.levels.start * width..block.levels.end * width;
            let alpha = block.solve(&of_eliminated[levels], width);
            self.scatter(block, &self.images_of_levels(block, &alpha), sums);
        });
        rhs.totals.effect(1).iter().zip(&explained).map(|(b, explained)| b - explained).collect()
    }

    /// The eliminated effect's potentials `α = (R'AR)⁻¹ (R'b − R'AG γ)` and the products of the
    /// residuals,
    /// `V'WMV − θ'b − b'θ + θ'Aθ` with `θ = Rα + Gγ`, of which `of_swept` is the first.
    #[must_use]
    pub fn finish(
        &self,
        rhs: &RightHandSides,
        gamma: &[f64],
        of_swept: Vec<f64>,
    ) -> (Vec<f64>, Vec<f64>) {
        let of_part = |part: usize| {
            let (mut all, mut products) = (Vec::new(), vec![0.0; of_swept.len()]);
            let first = self.cells_of(&self.parts[part]).start;
            for block in &self.blocks[self.parts[part].clone()] {
                let alpha = self.alpha(block, rhs.totals.effect(0), gamma);
                let cells = block.cells();
                let own = (cells.start - first) * self.layout.width
                    ..(cells.end - first) * self.layout.width;
                self.add_products(block, &alpha, gamma, &rhs.by_part[part][own], &mut products);
                all.extend(alpha);
            }
            (all, products)
        };
        let parts: Vec<(Vec<f64>, Vec<f64>)> =
            (0..self.parts.len()).into_par_iter().map(of_part).collect();
        let (alpha, products): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let potentials = alpha.concat();
        let wanted = self.n_eliminated * self.layout.width;
        assert_eq!(potentials.len(), wanted, "blocks cover every level once");
        (potentials, added([of_swept].iter().chain(&products)))
    }

    fn alpha(&self, block: &Block, of_eliminated: &[f64], gamma: &[f64]) -> Vec<f64> {
        let width = self.layout.width;
        let mut rest = of_eliminated[block.levels.start * width..block.levels.end * width].to_vec();
        self.gather(block, &self.images(block, gamma), &mut rest);
        block.solve(&rest, width)
    }

    /// Adds `θ'Aθ − θ'b − b'θ` of a block.
    fn add_products(
        &self,
        block: &Block,
        alpha: &[f64],
        gamma: &[f64],
        rhs: &[f64],
        products: &mut [f64],
    ) {
        let width = self.layout.width;
        let mut theta = vec![0.0; block.cells().len() * width];
        for (cell, theta) in block.cells().zip(theta.chunks_exact_mut(width)) {
            let level = self.eliminated[cell] as usize - block.levels.start;
            add(theta, &alpha[level * width..][..width]);
            add(theta, &gamma[self.iterated[cell] as usize * width..][..width]);
        }
        let first = block.cells().start;
        let mut rest = self.products(block, |cell| &theta[(cell - first) * width..]);
        subtract(&mut rest, rhs);
        add_product(products, &theta, &rest, 1.0, width);
        add_product(products, rhs, &theta, -1.0, width);
    }

    fn cells_of(&self, blocks: &Range<usize>) -> Range<usize> {
        let blocks = &self.blocks[blocks.clone()];
        blocks[0].cells().start..blocks[blocks.len() - 1].cells().end
    }

    fn levels_of(&self, part: usize) -> Range<usize> {
        let blocks = &self.blocks[self.parts[part].clone()];
        blocks[0].levels.start..blocks[blocks.len() - 1].levels.end
    }

    /// Sums over the blocks by level of the iterated effect.
    fn over_blocks(&self, each: impl Fn(&Block, &mut Sums) + Sync) -> Vec<f64> {
        let width = self.layout.width;
        let part = |(blocks, span): (&Range<usize>, &Range<usize>)| {
            let mut sums = Sums::new([span.clone()].into_iter(), width);
            self.blocks[blocks.clone()].iter().for_each(|block| each(block, &mut sums));
            sums
        };
        let parts: Vec<Sums> = self.parts.par_iter().zip(&self.spans).map(part).collect();
        let mut totals = Target::new([self.n_levels].into_iter(), width);
        totals.collect(&parts);
        totals.values
    }

    /// `A G γ` of all cells of a block.
    fn images(&self, block: &Block, gamma: &[f64]) -> Vec<f64> {
        self.products(block, |cell| &gamma[self.iterated[cell] as usize * self.layout.width..])
    }

    /// `A θ` of all cells of a block, `θ` given by cell.
    fn products<'z>(&self, block: &Block, theta_of: impl Fn(usize) -> &'z [f64]) -> Vec<f64> {
        let width = self.layout.width;
        let mut images = vec![0.0; block.cells().len() * width];
        let mut theta = Vec::new();
        let mut rest = images.as_mut_slice();
        for piece in &block.pieces {
            theta.clear();
            for cell in piece.cells.clone() {
                theta.extend_from_slice(&theta_of(cell)[..width]);
            }
            let (own, after) = rest.split_at_mut(theta.len());
            piece.apply(self.layout, &self.cells, &theta, own);
            rest = after;
        }
        images
    }

    /// Takes `R'` of a block's images out of `rest`.
    fn gather(&self, block: &Block, images: &[f64], rest: &mut [f64]) {
        let width = self.layout.width;
        for (cell, image) in block.cells().zip(images.chunks_exact(width)) {
            let level = self.eliminated[cell] as usize - block.levels.start;
            subtract(&mut rest[level * width..][..width], image);
        }
    }

    /// `A R α` of all cells of a block, `α` given for its levels.
    fn images_of_levels(&self, block: &Block, alpha: &[f64]) -> Vec<f64> {
        let place = |cell: usize| self.eliminated[cell] as usize - block.levels.start;
        self.products(block, |cell| &alpha[place(cell) * self.layout.width..])
    }

    /// Adds `G'` of a block's images to the sums.
    fn scatter(&self, block: &Block, images: &[f64], sums: &mut Sums) {
        for (cell, image) in block.cells().zip(images.chunks_exact(self.layout.width)) {
            add(sums.level(0, self.iterated[cell]), image);
        }
    }

    /// `G' diag(A) G`, nearly: cells of one level in one piece are taken as separate.
    fn diagonal_of_iterated(&self) -> Vec<f64> {
        let mut explained = vec![0.0; self.n_levels];
        let mut weights = vec![0.0; self.n_levels];
        for group in 0..self.layout.groups.len() - 1 {
            let rows = self.layout.rows_of(group..group + 1);
            let total = self.layout.weight_total(rows.clone());
            for row in rows {
                let level = self.iterated[self.cells.of_row[row] as usize] as usize;
                let weight = self.layout.weight(row);
                weights[level] += weight;
                explained[level] += weight * weight / total;
            }
        }
        let positive = |(weight, explained): (&f64, f64)| {
            let rest = weight - explained;
            if rest > PIVOT_MIN * weight { rest } else { *weight }
        };
        weights.iter().zip(explained).map(positive).collect()
    }
}

/// Cells of the rows, numbered piece by piece as they appear, with the levels of both effects.
fn numbered(
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

impl System for Structured<'_, '_> {
    fn apply(&mut self, z: &[f64], out: &mut [f64]) {
        let width = self.layout.width;
        let product = self.over_blocks(|block, sums| {
            let mut images = self.images(block, z);
            let mut gathered = vec![0.0; block.levels.len() * width];
            self.gather(block, &images, &mut gathered);
            let back = self.images_of_levels(block, &block.solve(&gathered, width));
            add(&mut images, &back);
            self.scatter(block, &images, sums);
        });
        out.copy_from_slice(&product);
    }

    fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }
}

impl Block {
    fn new(
        layout: &Layout<'_>,
        cells: &Cells,
        eliminated: &[u32],
        ranges: &[Range<usize>],
    ) -> Self {
        let mut pieces: Vec<(Piece, Vec<f64>)> = Vec::new();
        for groups in ranges {
            let rows = layout.rows_of(groups.clone());
            let own = minmax(&cells.of_row[rows]);
            pieces.push(Piece::new(layout, cells, groups.clone(), own));
        }
        let all = pieces[0].0.cells.start..pieces[pieces.len() - 1].0.cells.end;
        let levels = minmax(&eliminated[all]);
        let n = levels.len();
        let mut matrix = Mat::<f64>::zeros(n, n);
        for (piece, own) in &pieces {
            let place: Vec<usize> = eliminated[piece.cells.clone()]
                .iter()
                .map(|&level| level as usize - levels.start)
                .collect();
            for (row, &i) in own.chunks_exact(place.len()).zip(&place) {
                let mut column = matrix.col_mut(i);
                for (value, &j) in row.iter().zip(&place) {
                    column[j] += value;
                }
            }
        }
        let inverse = inverted(matrix);
        Self { pieces: pieces.into_iter().map(|(piece, _)| piece).collect(), levels, inverse }
    }

    fn cells(&self) -> Range<usize> {
        self.pieces[0].cells.start..self.pieces[self.pieces.len() - 1].cells.end
    }

    /// `(R'AR)⁻¹` times right-hand sides, unknowns of dropped pivots zero.
    fn solve(&self, rhs: &[f64], width: usize) -> Vec<f64> {
        let n = self.levels.len();
        let mut solved = vec![0.0; rhs.len()];
        let out = MatMut::from_row_major_slice_mut(&mut solved, n, width);
        let rhs = MatRef::from_row_major_slice(rhs, n, width);
        matmul(out, Accum::Replace, self.inverse.as_ref(), rhs, 1.0, Par::Seq);
        solved
    }
}

/// One over the root of each diagonal entry; zero where there is none.
fn unit_scale(matrix: &Mat<f64>) -> Vec<f64> {
    let inverse_root = |d: f64| if d > f64::MIN_POSITIVE { 1.0 / d.sqrt() } else { 0.0 };
    (0..matrix.nrows()).map(|i| inverse_root(matrix[(i, i)])).collect()
}

/// The inverse by Cholesky of the matrix scaled to a unit diagonal, dependent pivots dropped.
fn inverted(mut matrix: Mat<f64>) -> Mat<f64> {
    let (n, scale) = (matrix.nrows(), unit_scale(&matrix));
    let rescale = |matrix: &mut Mat<f64>| {
        for j in 0..n {
            for i in 0..n {
                matrix[(i, j)] *= scale[i] * scale[j];
            }
        }
    };
    rescale(&mut matrix);
    let drop = factor::LltRegularization {
        dynamic_regularization_delta: PIVOT_DROPPED,
        dynamic_regularization_epsilon: PIVOT_MIN,
    };
    let params = faer::Spec::default();
    let factor_scratch = factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, params);
    let scratch = factor_scratch.or(inverse::inverse_scratch::<f64>(n, Par::Seq));
    let mut buffer = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut buffer);
    factor::cholesky_in_place(matrix.as_mut(), drop, Par::Seq, stack, params)
        .expect("every pivot below the least is replaced");
    // The factorisation divides by the replaced pivot but leaves the old one, divided, on the
    // diagonal.
    for j in 0..n {
        if matrix[(j, j)] < PIVOT_MIN.sqrt() / 2.0 {
            matrix[(j, j)] = PIVOT_DROPPED.sqrt();
        }
    }
    let mut inverse = Mat::<f64>::zeros(n, n);
    inverse::inverse(inverse.as_mut(), matrix.as_ref(), Par::Seq, stack);
    for j in 0..n {
        for i in 0..j {
            inverse[(i, j)] = inverse[(j, i)];
        }
    }
    rescale(&mut inverse);
    inverse
}

/// Groups of each piece of each block, from the layout's order.
fn block_ranges(layout: &Layout<'_>, blocks: &Blocks) -> Vec<Vec<Range<usize>>> {
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

fn span(blocks: &[Block], iterated: &[u32]) -> Range<usize> {
    match (blocks.first(), blocks.last()) {
        (Some(first), Some(last)) => minmax(&iterated[first.cells().start..last.cells().end]),
        _ => 0..0,
    }
}

fn minmax(levels: &[u32]) -> Range<usize> {
    let least = levels.iter().min().map_or(0, |&level| level as usize);
    let most = levels.iter().max().map_or(0, |&level| level as usize + 1);
    least..most
}
