//! Effects of which all but one live inside blocks: eliminated there exactly, the last one iterated.
//!
//! ```text
//! block (city) ─┬─ piece (year) ── A of its cells, what lives in it only eliminated ─┐
//!               ├─ piece (year) ── A of its cells ───────────────────────────────────┼─▶ R'AR
//!               └─ …                                                                 ┘ inverted:
//!                                                                  city-destination is out
//! destination-year: (G'AG − G'AR (R'AR)⁻¹ R'AG) γ = G'b − G'AR (R'AR)⁻¹ R'b, by conjugate
//!                   gradients
//! ```
//!
//! `R` and `G` take cells to the levels of the eliminated and of the iterated effect. A block's
//! matrix is singular, as its levels' sum is the swept effect's: dependent pivots are dropped.

use std::ops::Range;
use std::sync::Arc;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::blocks::Blocks;
use super::conjugate::System;
use super::dense::{Factor, PIVOT_MIN};
use super::kept::{Fingerprints, Kept, subject};
use super::lanes::{add, subtract};
use super::layout::Layout;
use super::local::{Cells, Piece, Rows, minmax};
use super::moments::{self, Moments};
use super::products::{add_product, added};
use super::sums::{Sums, Target};
use crate::estimate::design::codes::Codes;

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
    /// Effects eliminated inside pieces.
    local: Vec<usize>,
    /// `R'b` and `G'b`.
    rhs: Target,
    /// Pieces whose figures an earlier estimation gave.
    pub n_kept: usize,
}

/// The potentials of the effects that were eliminated, and the products of the residuals.
#[derive(Debug)]
pub struct Finished {
    /// Of the effect eliminated within blocks.
    pub of_eliminated: Vec<f64>,
    /// Of each effect eliminated within pieces.
    pub of_local: Vec<Vec<f64>>,
    /// `Ṽ'WṼ`.
    pub products: Vec<f64>,
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
    /// Works out every piece, but those whose figures are kept, and factorises every block.
    #[must_use]
    pub fn new(layout: &'l Layout<'a>, blocks: &Blocks, earlier: Option<&Kept>) -> Self {
        let (r, g) = (blocks.eliminated, blocks.iterated);
        let effects = &layout.design.effects;
        let ranges = block_ranges(layout, blocks);
        let (cells, eliminated, iterated) = numbered(layout, &effects[r], &effects[g], &ranges);
        let subject = subject(layout, &roles(blocks));
        let builder = Builder {
            layout,
            cells: &cells,
            eliminated: &eliminated,
            local: &blocks.local,
            earlier: earlier.and_then(|kept| kept.of_subject(&subject)),
            fingerprints: Fingerprints::new(layout),
        };
        let built = ranges.par_iter().map(|pieces| builder.block(pieces));
        let (built, n_kept): (Vec<Block>, Vec<usize>) =
            built.collect::<Vec<_>>().into_iter().unzip();
        let parts = layout.parts.iter().map(|part| {
            let place = |group| ranges.partition_point(|pieces| pieces[0].start < group);
            place(part.start)..place(part.end)
        });
        let parts: Vec<Range<usize>> = parts.collect();
        let spans = parts.iter().map(|part| span(&built[part.clone()], &iterated)).collect();
        let (n_eliminated, n_levels) = (effects[r].n_levels, effects[g].n_levels);
        let mut system = Self {
            layout,
            cells,
            eliminated,
            iterated,
            blocks: built,
            parts,
            diagonal: Vec::new(),
            spans,
            n_levels,
            n_eliminated,
            local: blocks.local.clone(),
            rhs: Target::new([n_eliminated, n_levels].into_iter(), layout.width),
            n_kept: n_kept.into_iter().sum(),
        };
        system.diagonal = system.diagonal_of_iterated();
        system.add_right_hand_sides();
        system
    }

    /// All pieces, in the order of the rows.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.blocks.iter().flat_map(|block| &block.pieces)
    }

    /// The moments of the variables.
    #[must_use]
    pub fn moments(&self) -> Vec<Moments> {
        moments::total(self.pieces().map(|piece| piece.figures.moments.as_slice()))
    }

    /// The figures of all pieces, for a later estimation.
    #[must_use]
    pub fn kept(&self, blocks: &Blocks) -> Kept {
        let fingerprints = Fingerprints::new(self.layout);
        let mut kept = Kept::new(subject(self.layout, &roles(blocks)));
        let pieces: Vec<&Piece> = self.pieces().collect();
        let hashes: Vec<u64> =
            pieces.par_iter().map(|piece| fingerprints.of(&self.rows(piece))).collect();
        for (piece, fingerprint) in pieces.into_iter().zip(hashes) {
            kept.insert(fingerprint, Arc::clone(&piece.figures));
        }
        kept
    }

    fn rows<'r>(&'r self, piece: &Piece) -> Rows<'r, 'a> {
        Rows {
            layout: self.layout,
            cells: &self.cells,
            local: &self.local,
            groups: piece.groups.clone(),
            own: piece.cells.clone(),
        }
    }

    /// Sums the right-hand sides by level of both effects.
    fn add_right_hand_sides(&mut self) {
        let width = self.layout.width;
        let part = |part: usize| {
            let mut sums =
                Sums::new([self.levels_of(part), self.spans[part].clone()].into_iter(), width);
            for piece in self.blocks[self.parts[part].clone()].iter().flat_map(|b| &b.pieces) {
                let rhs = piece.figures.rhs.chunks_exact(width);
                for (cell, value) in piece.cells.clone().zip(rhs) {
                    add(sums.level(0, self.eliminated[cell]), value);
                    add(sums.level(1, self.iterated[cell]), value);
                }
            }
            sums
        };
        let parts: Vec<Sums> = (0..self.parts.len()).into_par_iter().map(part).collect();
        self.rhs.collect(&parts);
    }

    /// `G'b − G'AR (R'AR)⁻¹ R'b`
    #[must_use]
    pub fn reduced(&self) -> Vec<f64> {
        let width = self.layout.width;
        let of_eliminated = self.rhs.effect(0);
        let explained = self.over_blocks(|block, sums| {
            let levels = block.levels.start * width..block.levels.end * width;
            let alpha = block.solve(&of_eliminated[levels], width);
            self.scatter(block, &self.images_of_levels(block, &alpha), sums);
        });
        self.rhs.effect(1).iter().zip(&explained).map(|(b, explained)| b - explained).collect()
    }

    /// The potentials `α = (R'AR)⁻¹ (R'b − R'AG γ)` of the eliminated effect, `δ − Xθ` of those
    /// inside pieces with `θ = Rα + Gγ`, and the products of the residuals,
    /// `V'WMV − θ'b − b'θ + θ'Aθ`.
    #[must_use]
    pub fn finish(&self, gamma: &[f64]) -> Finished {
        let of_part = |part: usize| {
            let width = self.layout.width;
            let mut own = Finished {
                of_eliminated: Vec::new(),
                of_local: vec![Vec::new(); self.local.len()],
                products: vec![0.0; width * width],
            };
            for block in &self.blocks[self.parts[part].clone()] {
                let alpha = self.alpha(block, gamma);
                self.add_finished(block, &alpha, gamma, &mut own);
                own.of_eliminated.extend(alpha);
            }
            own
        };
        let parts: Vec<Finished> = (0..self.parts.len()).into_par_iter().map(of_part).collect();
        let products = added(parts.iter().map(|part| &part.products));
        let mut all = Finished {
            of_eliminated: Vec::with_capacity(self.n_eliminated * self.layout.width),
            of_local: vec![Vec::new(); self.local.len()],
            products,
        };
        for part in parts {
            all.of_eliminated.extend(part.of_eliminated);
            all.of_local.iter_mut().zip(part.of_local).for_each(|(all, own)| all.extend(own));
        }
        let wanted = self.n_eliminated * self.layout.width;
        assert_eq!(all.of_eliminated.len(), wanted, "blocks cover every level once");
        all
    }

    fn alpha(&self, block: &Block, gamma: &[f64]) -> Vec<f64> {
        let width = self.layout.width;
        let of_eliminated = self.rhs.effect(0);
        let mut rest = of_eliminated[block.levels.start * width..block.levels.end * width].to_vec();
        self.gather(block, &self.images(block, gamma), &mut rest);
        block.solve(&rest, width)
    }

    /// Adds a block's products and the potentials of the levels inside its pieces.
    fn add_finished(&self, block: &Block, alpha: &[f64], gamma: &[f64], sum: &mut Finished) {
        let width = self.layout.width;
        let mut theta = vec![0.0; block.cells().len() * width];
        for (cell, theta) in block.cells().zip(theta.chunks_exact_mut(width)) {
            let level = self.eliminated[cell] as usize - block.levels.start;
            add(theta, &alpha[level * width..][..width]);
            add(theta, &gamma[self.iterated[cell] as usize * width..][..width]);
        }
        let first = block.cells().start;
        let images = self.products(block, |cell| &theta[(cell - first) * width..]);
        for piece in &block.pieces {
            let own = (piece.cells.start - first) * width..(piece.cells.end - first) * width;
            let (theta, figures) = (&theta[own.clone()], &piece.figures);
            let mut rest = images[own].to_vec();
            subtract(&mut rest, &figures.rhs);
            add(&mut sum.products, &figures.products);
            add_product(&mut sum.products, theta, &rest, 1.0, width);
            add_product(&mut sum.products, &figures.rhs, theta, -1.0, width);
            let mut potentials = figures.local.potentials(theta, width).into_iter();
            for (of_local, span) in sum.of_local.iter_mut().zip(self.rows(piece).spans()) {
                of_local.extend(potentials.by_ref().take(span.len() * width));
            }
        }
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

/// Makes blocks from their rows.
struct Builder<'b, 'a> {
    layout: &'b Layout<'a>,
    cells: &'b Cells,
    eliminated: &'b [u32],
    local: &'b [usize],
    earlier: Option<&'b Kept>,
    fingerprints: Fingerprints<'b, 'a>,
}

impl Builder<'_, '_> {
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

/// What each effect is for.
fn roles(blocks: &Blocks) -> Vec<usize> {
    [blocks.eliminated, blocks.iterated].into_iter().chain(blocks.local.iter().copied()).collect()
}

impl Block {
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
