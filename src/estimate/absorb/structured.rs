//! Effects of which all but one live inside blocks: eliminated there exactly, the last is iterated.
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

use rayon::prelude::*;

use super::AbsorbOptions;
use super::block::{Block, Builder, block_ranges, numbered};
use super::blocks::Blocks;
use super::conjugate::System;
use super::kept::{Fingerprints, Kept, subject};
use super::lanes::{add, subtract};
use super::layout::Layout;
use super::local::{Cells, Piece, Rows, minmax};
use super::moments::{self, Moments};
use super::preconditioner::{Preconditioner, positive};
use super::products::{add_product, added};
use super::sums::{Sums, Target};
use crate::estimate::design::codes::Codes;

/// Tasks in which blocks are worked out: each holds sums of its own.
const STRANDS: usize = 8;

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
    preconditioner: Preconditioner,
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

/// What is worked with in one block after another: memory taken anew for each block would cost as
/// much as the products do.
#[derive(Debug, Default)]
struct Work {
    /// `θ` of one piece.
    theta: Vec<f64>,
    /// `A G γ` of a block's cells.
    images: Vec<f64>,
    /// `R'` of them.
    gathered: Vec<f64>,
    /// The potentials of the block's levels.
    alpha: Vec<f64>,
    /// `A R α`.
    back: Vec<f64>,
}

impl<'l, 'a> Structured<'l, 'a> {
    /// Works out every piece, but those whose figures are kept, and factorises every block.
    #[must_use]
    pub fn new(
        layout: &'l Layout<'a>,
        blocks: &Blocks,
        earlier: Option<&Kept>,
        options: &AbsorbOptions,
    ) -> Self {
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
            fingerprints: (options.keep || earlier.is_some()).then(|| Fingerprints::new(layout)),
        };
        let parts = layout.parts.iter().map(|part| {
            let place = |group| ranges.partition_point(|pieces| pieces[0].start < group);
            place(part.start)..place(part.end)
        });
        let parts: Vec<Range<usize>> = parts.collect();
        let strand = |parts: &[Range<usize>]| {
            builder.blocks(&ranges[parts[0].start..parts[parts.len() - 1].end])
        };
        let strands: Vec<_> = parts.par_chunks(parts.len().div_ceil(STRANDS)).map(strand).collect();
        let (built, n_kept): (Vec<Block>, Vec<usize>) = strands.into_iter().flatten().unzip();
        let preconditioner = Preconditioner::new(&diagonal_of_iterated(layout, &effects[g]));
        let spans = parts.iter().map(|part| span(&built[part.clone()], &iterated)).collect();
        let (n_eliminated, n_levels) = (effects[r].n_levels, effects[g].n_levels);
        let mut system = Self {
            layout,
            cells,
            eliminated,
            iterated,
            blocks: built,
            parts,
            preconditioner,
            spans,
            n_levels,
            n_eliminated,
            local: blocks.local.clone(),
            rhs: Target::new([n_eliminated, n_levels].into_iter(), layout.width),
            n_kept: n_kept.into_iter().sum(),
        };
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
        let mut kept = Kept::new(subject(self.layout, &roles(blocks)));
        for piece in self.pieces() {
            if let Some(fingerprint) = piece.fingerprint {
                kept.insert(fingerprint, Arc::clone(&piece.figures));
            }
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
        let explained = self.over_blocks(|block, work, sums| {
            let levels = block.levels.start * width..block.levels.end * width;
            block.solve(&of_eliminated[levels], width, &mut work.alpha);
            self.images_of_levels(block, work);
            self.scatter(block, &work.back, sums);
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
        let mut work = Work::default();
        self.images(block, gamma, &mut work);
        self.gather(block, &work.images, &mut rest);
        block.solve(&rest, width, &mut work.alpha);
        work.alpha
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
        let mut images = Vec::new();
        self.products(block, |cell| &theta[(cell - first) * width..], &mut Vec::new(), &mut images);
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
    fn over_blocks(&self, each: impl Fn(&Block, &mut Work, &mut Sums) + Sync) -> Vec<f64> {
        let width = self.layout.width;
        let part = |(blocks, span): (&Range<usize>, &Range<usize>)| {
            let mut sums = Sums::new([span.clone()].into_iter(), width);
            let mut work = Work::default();
            self.blocks[blocks.clone()].iter().for_each(|block| each(block, &mut work, &mut sums));
            sums
        };
        let parts: Vec<Sums> = self.parts.par_iter().zip(&self.spans).map(part).collect();
        let mut totals = Target::new([self.n_levels].into_iter(), width);
        totals.collect(&parts);
        totals.values
    }

    /// `A G γ` of all cells of a block.
    fn images(&self, block: &Block, gamma: &[f64], work: &mut Work) {
        let theta = |cell: usize| &gamma[self.iterated[cell] as usize * self.layout.width..];
        self.products(block, theta, &mut work.theta, &mut work.images);
    }

    /// `A θ` of all cells of a block, `θ` given by cell and gathered piece by piece.
    fn products<'z>(
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

    /// Takes `R'` of a block's images out of `rest`.
    fn gather(&self, block: &Block, images: &[f64], rest: &mut [f64]) {
        let width = self.layout.width;
        for (cell, image) in block.cells().zip(images.chunks_exact(width)) {
            let level = self.eliminated[cell] as usize - block.levels.start;
            subtract(&mut rest[level * width..][..width], image);
        }
    }

    /// `A R α` of all cells of a block, `α` given for its levels.
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

/// `G' diag(A) G`, nearly: cells of one level in one piece are taken as separate.
fn diagonal_of_iterated(layout: &Layout<'_>, iterated: &Codes) -> Vec<f64> {
    let mut explained = vec![0.0; iterated.n_levels];
    let mut weights = vec![0.0; iterated.n_levels];
    for group in 0..layout.groups.len() - 1 {
        let rows = layout.rows_of(group..group + 1);
        let total = layout.weight_total(rows.clone());
        for row in rows {
            let level = iterated.of_row[row] as usize;
            let weight = layout.weight(row);
            weights[level] += weight;
            explained[level] += weight * weight / total;
        }
    }
    weights.iter().zip(explained).map(|(&weight, explained)| positive(weight, explained)).collect()
}

impl System for Structured<'_, '_> {
    fn apply(&mut self, z: &[f64], out: &mut [f64]) {
        let width = self.layout.width;
        let product = self.over_blocks(|block, work, sums| {
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
        });
        out.copy_from_slice(&product);
    }

    fn preconditioner(&self) -> &Preconditioner {
        &self.preconditioner
    }
}

/// What each effect is for.
fn roles(blocks: &Blocks) -> Vec<usize> {
    [blocks.eliminated, blocks.iterated].into_iter().chain(blocks.local.iter().copied()).collect()
}

fn span(blocks: &[Block], iterated: &[u32]) -> Range<usize> {
    match (blocks.first(), blocks.last()) {
        (Some(first), Some(last)) => minmax(&iterated[first.cells().start..last.cells().end]),
        _ => 0..0,
    }
}
