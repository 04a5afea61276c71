//! The last step of a structured solution: from the potentials of the iterated effect to those of
//! all effects and the products of the residuals.
//!
//! # Equation
//! `α = (R'AR)⁻¹ (R'b − R'AG γ)` of the effect eliminated within blocks; with `θ = Rα + Gγ`, inside
//! each piece `λ = δ − Xθ` and `V'WMV − θ'b − b'θ + θ'Aθ` if its shares are held. Otherwise both
//! are computed from the rows again, see [`Rows::finished`].

use rayon::prelude::*;

use super::block::Block;
use super::structured::{Structured, Work};
use crate::estimate::absorb::linear::lanes::{add, subtract};
use crate::estimate::absorb::linear::weighted_products::{add_product, added};
use crate::estimate::absorb::pieces::elimination::Shares;
use crate::estimate::absorb::pieces::piece::Rows;
use crate::estimate::absorb::sample::level_sums::Totals;

/// The contribution of one part of the layout.
struct Finished {
    /// The potentials of each effect eliminated within pieces.
    of_local: Vec<Vec<f64>>,
    /// `Ṽ'WṼ`.
    products: Vec<f64>,
}

impl Finished {
    /// Appends the potentials of a piece's levels, one effect after another.
    fn add_potentials(&mut self, lambda: Vec<f64>, rows: &Rows<'_, '_>, width: usize) {
        let mut lambda = lambda.into_iter();
        for (of_local, span) in self.of_local.iter_mut().zip(rows.spans()) {
            of_local.extend(lambda.by_ref().take(span.len() * width));
        }
    }
}

impl Structured<'_, '_> {
    /// The potentials of all effects, and the products of the residuals.
    pub fn finish(mut self, gamma: &[f64]) -> (Totals, Vec<f64>) {
        let layout = self.layout;
        let parts = 0..self.parts.len();
        let alpha: Vec<Vec<f64>> =
            parts.clone().into_par_iter().map(|part| self.alpha(part, gamma)).collect();
        if self.shares == Shares::Dropped {
            self.blocks.iter_mut().for_each(Block::forget);
        }
        let mut potentials = layout.totals(layout.width);
        let of_eliminated = potentials.effect_mut(layout.place_of(self.roles.eliminated));
        of_eliminated.copy_from_slice(&alpha.concat());
        let of_iterated = potentials.effect_mut(layout.place_of(self.roles.iterated));
        of_iterated.copy_from_slice(gamma);
        let finish = |part: usize| match self.shares {
            Shares::Held => self.by_figures(part, &potentials),
            Shares::Dropped => self.by_rows(part, &potentials),
        };
        let finished: Vec<Finished> = parts.into_par_iter().map(finish).collect();
        for (place, &local) in self.roles.local.iter().enumerate() {
            let of_local: Vec<&[f64]> =
                finished.iter().map(|part| part.of_local[place].as_slice()).collect();
            let all = potentials.effect_mut(layout.place_of(local));
            all.copy_from_slice(&of_local.concat());
        }
        (potentials, added(finished.iter().map(|part| &part.products)))
    }

    fn nothing(&self) -> Finished {
        let (n_local, width) = (self.roles.local.len(), self.layout.width);
        Finished { of_local: vec![Vec::new(); n_local], products: vec![0.0; width * width] }
    }

    /// `α` of the blocks of a part.
    fn alpha(&self, part: usize, gamma: &[f64]) -> Vec<f64> {
        let width = self.layout.width;
        let (mut all, mut work) = (Vec::new(), Work::default());
        for block in &self.blocks[self.parts[part].clone()] {
            let levels = block.levels.start * width..block.levels.end * width;
            let mut rest = self.rhs.effect(0)[levels].to_vec();
            self.images(block, gamma, &mut work);
            self.gather(block, &work.images, &mut rest);
            block.solve(&rest, width, &mut work.alpha);
            all.extend_from_slice(&work.alpha);
        }
        all
    }

    /// Computes the contribution from the figures of the pieces of a part.
    fn by_figures(&self, part: usize, potentials: &Totals) -> Finished {
        let width = self.layout.width;
        let [alpha, gamma] = [self.roles.eliminated, self.roles.iterated]
            .map(|effect| potentials.effect(self.layout.place_of(effect)));
        let mut sum = self.nothing();
        for block in &self.blocks[self.parts[part].clone()] {
            let mut theta = vec![0.0; block.cells().len() * width];
            for (cell, theta) in block.cells().zip(theta.chunks_exact_mut(width)) {
                add(theta, &alpha[self.eliminated[cell] as usize * width..][..width]);
                add(theta, &gamma[self.iterated[cell] as usize * width..][..width]);
            }
            let first = block.cells().start;
            let theta_of = |cell: usize| &theta[(cell - first) * width..];
            let mut images = Vec::new();
            self.products(block, theta_of, &mut Vec::new(), &mut images);
            for piece in &block.pieces {
                let own = (piece.cells.start - first) * width..(piece.cells.end - first) * width;
                let (theta, figures) = (&theta[own.clone()], &piece.figures);
                let rest = &mut images[own];
                subtract(rest, &figures.rhs);
                add(&mut sum.products, &figures.products);
                add_product(&mut sum.products, theta, rest, 1.0, width);
                add_product(&mut sum.products, &figures.rhs, theta, -1.0, width);
                sum.add_potentials(
                    figures.local.potentials(theta, width),
                    &self.rows(piece),
                    width,
                );
            }
        }
        sum
    }

    /// Computes the contribution from the rows of the pieces of a part.
    fn by_rows(&self, part: usize, potentials: &Totals) -> Finished {
        let width = self.layout.width;
        let mut sum = self.nothing();
        for piece in self.blocks[self.parts[part].clone()].iter().flat_map(|b| &b.pieces) {
            let rows = self.rows(piece);
            let (lambda, products) = rows.finished(potentials);
            add(&mut sum.products, &products);
            sum.add_potentials(lambda, &rows, width);
        }
        sum
    }
}
