//! Effects of which all but one lie inside blocks: these are eliminated exactly, and the last one
//! is iterated.
//!
//! ```text
//! block (city) ─┬─ piece (year) ── A of its cells, levels only in it eliminated ─────┐
//!               ├─ piece (year) ── A of its cells ───────────────────────────────────┼─▶ R'AR
//!               └─ …                                                                 ┘ inverted:
//!                                                                  city-destination is out
//! destination-year: (G'AG − G'AR (R'AR)⁻¹ R'AG) γ = G'b − G'AR (R'AR)⁻¹ R'b, by conjugate
//!                   gradients
//! ```
//!
//! `R` and `G` take cells to the levels of the eliminated and of the iterated effect. A block's
//! matrix is singular, because the sum of its levels is the sum of the swept effect's levels;
//! dependent pivots are dropped.

use std::ops::Range;
use std::sync::Arc;

use faer::Mat;
use rayon::prelude::*;

use super::block::{Block, Builder, PartOfBlocks, block_ranges, numbered};
use super::preconditioner::{Links, Preconditioner};
use crate::estimate::absorb::linear::cholesky::Pivots;
use crate::estimate::absorb::linear::conjugate_gradients::System;
use crate::estimate::absorb::linear::lanes::{add, subtract};
use crate::estimate::absorb::options::AbsorbOptions;
use crate::estimate::absorb::pieces::cells::Cells;
use crate::estimate::absorb::pieces::elimination::Shares;
use crate::estimate::absorb::pieces::piece::{Piece, Rows};
use crate::estimate::absorb::reuse::kept_pieces::{Fingerprints, Kept, subject};
use crate::estimate::absorb::sample::blocks::Blocks;
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::level_sums::{Sums, Totals};
use crate::estimate::absorb::sample::moments::{self, Moments};

/// The number of tasks that compute blocks; each task holds its own sums.
const STRANDS: usize = 8;

/// The system of the iterated effect.
#[derive(Debug)]
pub struct Structured<'l, 'a> {
    pub layout: &'l Layout<'a>,
    cells: Cells,
    /// The levels of the eliminated and the iterated effect of each cell.
    pub eliminated: Vec<u32>,
    pub iterated: Vec<u32>,
    pub blocks: Vec<Block>,
    /// The blocks of each part of the layout.
    pub parts: Vec<Range<usize>>,
    preconditioner: Preconditioner,
    /// The levels of the iterated effect in each part.
    spans: Vec<Range<usize>>,
    n_levels: usize,
    /// The role of each effect.
    pub roles: &'l Blocks,
    /// The treatment of the shares of levels eliminated inside pieces.
    pub shares: Shares,
    /// `R'b` and `G'b`.
    pub rhs: Totals,
    /// `V'WMV`, by rows of the width.
    pub products: Vec<f64>,
    /// The number of pieces with figures of an earlier estimation.
    pub n_kept: usize,
}

/// Buffers that are used for one block after another: new memory for each block would cost as much
/// as the products.
#[derive(Debug, Default)]
pub struct Work {
    /// `θ` of one piece.
    pub theta: Vec<f64>,
    /// `A G γ` of a block's cells.
    pub images: Vec<f64>,
    /// `R'` of the images.
    pub gathered: Vec<f64>,
    /// The potentials of the block's levels.
    pub alpha: Vec<f64>,
    /// `A R α`.
    pub back: Vec<f64>,
}

impl<'l, 'a> Structured<'l, 'a> {
    /// Computes every piece without stored figures, and factorises every block.
    #[must_use]
    pub fn new(
        layout: &'l Layout<'a>,
        blocks: &'l Blocks,
        earlier: Option<&Kept>,
        options: &AbsorbOptions,
    ) -> Self {
        let (r, g) = (blocks.eliminated, blocks.iterated);
        let effects = &layout.design.effects;
        let ranges = block_ranges(layout, blocks);
        let (mut cells, eliminated, iterated) = numbered(layout, &effects[r], &effects[g], &ranges);
        let subject = subject(layout, &roles(blocks));
        let keeps = options.keep || earlier.is_some();
        let shares = if keeps || blocks.local.is_empty() { Shares::Held } else { Shares::Dropped };
        let builder = Builder {
            layout,
            cells: &cells,
            eliminated: &eliminated,
            iterated: &iterated,
            local: &blocks.local,
            earlier: earlier.and_then(|kept| kept.of_subject(&subject)),
            fingerprints: keeps.then(|| Fingerprints::new(layout)),
            shares,
        };
        let parts = layout.parts.iter().map(|part| {
            let place = |group| ranges.partition_point(|pieces| pieces[0].start < group);
            place(part.start)..place(part.end)
        });
        let parts: Vec<Range<usize>> = parts.collect();
        let strand = |parts: &[Range<usize>]| -> Vec<PartOfBlocks> {
            parts.iter().map(|part| builder.part(&ranges[part.clone()])).collect()
        };
        let strands: Vec<_> = parts.par_chunks(parts.len().div_ceil(STRANDS)).map(strand).collect();
        let (mut built, mut sums, mut spans, mut n_kept) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let mut products = vec![0.0; layout.width * layout.width];
        for part in strands.into_iter().flatten() {
            add(&mut products, &part.products);
            built.extend(part.blocks);
            sums.push(part.sums);
            spans.push(part.span);
            n_kept += part.n_kept;
        }
        let n_levels = [effects[r].n_levels, effects[g].n_levels];
        let pieces = built.iter().flat_map(|block| &block.pieces);
        let diagonal: Vec<f64> = pieces.flat_map(|piece| piece.diagonal(layout, &cells)).collect();
        let preconditioner = Preconditioner::of_cells(&Links {
            eliminated: &eliminated,
            iterated: &iterated,
            diagonal: &diagonal,
            weights: &cells.weights,
            n_levels,
        });
        if shares == Shares::Dropped {
            // Every piece has its matrix, and the effects' own codes give its levels.
            (cells.of_row, cells.weights) = (Vec::new(), Vec::new());
        }
        let mut rhs = Totals::new(n_levels.into_iter(), layout.width);
        rhs.collect(&sums);
        Self {
            layout,
            cells,
            eliminated,
            iterated,
            blocks: built,
            parts,
            preconditioner,
            spans,
            n_levels: n_levels[1],
            roles: blocks,
            shares,
            rhs,
            products,
            n_kept,
        }
    }

    /// All pieces, in the order of the rows.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.blocks.iter().flat_map(|block| &block.pieces)
    }

    /// The pivots of all factorisations.
    #[must_use]
    pub fn pivots(&self) -> Pivots {
        self.blocks.iter().map(|block| block.pivots).fold(Pivots::default(), Pivots::and)
    }

    /// The moments of the variables.
    #[must_use]
    pub fn moments(&self) -> Vec<Moments> {
        moments::total(self.pieces().map(|piece| piece.figures.moments.as_slice()))
    }

    /// The figures of all pieces, for a later estimation.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let mut kept = Kept::new(subject(self.layout, &roles(self.roles)));
        for piece in self.pieces() {
            if let Some(fingerprint) = piece.fingerprint {
                kept.insert(fingerprint, Arc::clone(&piece.figures));
            }
        }
        kept
    }

    pub fn rows<'r>(&'r self, piece: &Piece) -> Rows<'r, 'a> {
        Rows {
            layout: self.layout,
            cells: &self.cells,
            local: &self.roles.local,
            groups: piece.groups.clone(),
            own: piece.cells.clone(),
        }
    }

    /// `G'b − G'AR (R'AR)⁻¹ R'b`
    #[must_use]
    pub fn reduced(&self) -> Vec<f64> {
        let width = self.layout.width;
        let of_eliminated = self.rhs.effect(0);
        let explained = self.over_blocks(|block, work, sums| {
            let levels = block.levels.start * width..block.levels.end * width;
            block.solve(&of_eliminated[levels], width, &mut work.alpha);
            self.images_of_levels(block, work);
            self.scatter(block, &work.back, sums);
        });
        self.rhs.effect(1).iter().zip(&explained).map(|(b, explained)| b - explained).collect()
    }

    /// Sums over the blocks by level of the iterated effect.
    fn over_blocks(&self, each: impl Fn(&Block, &mut Work, &mut Sums) + Sync) -> Vec<f64> {
        let width = self.layout.width;
        let part = |(blocks, span): (&Range<usize>, &Range<usize>)| {
            let mut sums = Sums::new([span.clone()].into_iter(), width);
            let mut work = Work::default();
            self.blocks[blocks.clone()].iter().for_each(|block| each(block, &mut work, &mut sums));
            sums
        };
        let parts: Vec<Sums> = self.parts.par_iter().zip(&self.spans).map(part).collect();
        let mut totals = Totals::new([self.n_levels].into_iter(), width);
        totals.collect(&parts);
        totals.values
    }

    /// `A G γ` of all cells of a block.
    pub fn images(&self, block: &Block, gamma: &[f64], work: &mut Work) {
        let theta = |cell: usize| &gamma[self.iterated[cell] as usize * self.layout.width..];
        self.products(block, theta, &mut work.theta, &mut work.images);
    }

    /// `A θ` of all cells of a block; `θ` is given by cell and gathered piece by piece.
    pub fn products<'z>(
        &self,
        block: &Block,
        theta_of: impl Fn(usize) -> &'z [f64],
        theta: &mut Vec<f64>,
        images: &mut Vec<f64>,
    ) {
        let width = self.layout.width;
        images.resize(block.cells().len() * width, 0.0);
        let mut rest = images.as_mut_slice();
        for piece in &block.pieces {
            theta.clear();
            for cell in piece.cells.clone() {
                theta.extend_from_slice(&theta_of(cell)[..width]);
            }
            let (own, after) = rest.split_at_mut(theta.len());
            piece.apply(self.layout, &self.cells, theta, own);
            rest = after;
        }
    }

    /// Subtracts `R'` of a block's images from `rest`.
    pub fn gather(&self, block: &Block, images: &[f64], rest: &mut [f64]) {
        let width = self.layout.width;
        for (cell, image) in block.cells().zip(images.chunks_exact(width)) {
            let level = self.eliminated[cell] as usize - block.levels.start;
            subtract(&mut rest[level * width..][..width], image);
        }
    }

    /// Adds a block's share of the system times `z` to sums over the iterated effect.
    pub fn add_product(&self, block: &Block, z: &[f64], work: &mut Work, sums: &mut Sums) {
        let width = self.layout.width;
        self.images(block, z, work);
        let mut gathered = std::mem::take(&mut work.gathered);
        gathered.clear();
        gathered.resize(block.levels.len() * width, 0.0);
        self.gather(block, &work.images, &mut gathered);
        block.solve(&gathered, width, &mut work.alpha);
        work.gathered = gathered;
        self.images_of_levels(block, work);
        add(&mut work.images, &work.back);
        self.scatter(block, &work.images, sums);
    }

    /// Calls `each` with every entry of a piece's `A` in the lower half, by the places of its cells
    /// in the piece.
    pub fn each_entry(&self, piece: &Piece, mut each: impl FnMut(usize, usize, f64)) {
        if let Some(half) = &piece.figures.matrix {
            for i in 0..half.n() {
                half.row(i).enumerate().for_each(|(j, value)| each(i, j, value));
            }
            return;
        }
        let n = piece.cells.len();
        let mut matrix = Mat::<f64>::zeros(n, n);
        let first = piece.cells.start;
        self.rows(piece).add_gram(|row| self.cells.of_row[row] as usize - first, &mut matrix);
        for i in 0..n {
            (0..=i).for_each(|j| each(i, j, matrix[(i, j)]));
        }
    }

    /// `A R α` of all cells of a block; `α` is given for its levels.
    fn images_of_levels(&self, block: &Block, work: &mut Work) {
        let Work { alpha, back, theta, .. } = work;
        let place = |cell: usize| self.eliminated[cell] as usize - block.levels.start;
        self.products(block, |cell| &alpha[place(cell) * self.layout.width..], theta, back);
    }

    /// Adds `G'` of a block's images to the sums.
    fn scatter(&self, block: &Block, images: &[f64], sums: &mut Sums) {
        for (cell, image) in block.cells().zip(images.chunks_exact(self.layout.width)) {
            add(sums.level(0, self.iterated[cell]), image);
        }
    }
}

impl System for Structured<'_, '_> {
    fn apply(&mut self, z: &[f64], out: &mut [f64]) {
        let product = self.over_blocks(|block, work, sums| self.add_product(block, z, work, sums));
        out.copy_from_slice(&product);
    }

    fn precondition(&self, residual: &[f64], out: &mut [f64], width: usize) {
        self.preconditioner.apply(residual, out, width);
    }
}

/// The role of each effect.
fn roles(blocks: &Blocks) -> Vec<usize> {
    [blocks.eliminated, blocks.iterated].into_iter().chain(blocks.local.iter().copied()).collect()
}
