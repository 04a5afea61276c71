//! Any number of effects: the effect with the most levels is swept, the others are iterated.
//!
//! # Equation
//! With `D` the dummies of the iterated effects, `W` the weights and `M` the annihilator of the
//! swept effect, `D'W M D α = D'W M v` for every variable `v`. `M` is a mean within each group, so
//! a product with the system is one pass over the levels of the rows; values of variables are not
//! read.

use rayon::prelude::*;

use super::effect_pairs::Pairs;
use super::preconditioner::Preconditioner;
use crate::estimate::absorb::linear::conjugate_gradients::System;
use crate::estimate::absorb::linear::lanes::{add, add_scaled, divide, subtract};
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::level_sums::{Sums, Totals};

/// The system of the iterated effects.
pub struct General<'l, 'a> {
    layout: &'l Layout<'a>,
    levels: Vec<&'l [u32]>,
    diagonal: Preconditioner,
    /// The preconditioner in place of the diagonal, if the diagonal is too slow.
    pairs: Option<Pairs>,
    /// The weight of the rows of each level.
    pub weights: Vec<f64>,
    totals: Totals,
}

impl<'l, 'a> General<'l, 'a> {
    /// Computes the diagonal.
    #[must_use]
    pub fn new(layout: &'l Layout<'a>) -> Self {
        let levels: Vec<&[u32]> =
            layout.iterated().map(|(_, codes)| codes.of_row.as_slice()).collect();
        let (diagonal, weights) = diagonal(layout, &levels);
        let totals = layout.totals(layout.width);
        Self { layout, levels, diagonal, pairs: None, weights, totals }
    }

    /// True if the preconditioner uses pairs of effects.
    #[must_use]
    pub fn has_pairs(&self) -> bool {
        self.pairs.is_some()
    }

    /// Changes to the preconditioner by pairs of effects.
    pub fn precondition_by_pairs(&mut self) {
        self.pairs = Some(Pairs::new(self.layout, &self.totals.offsets));
    }

    /// `D'W M D z` over one part.
    fn apply_part(&self, part: usize, z: &[f64]) -> Sums {
        let (layout, width) = (self.layout, self.layout.width);
        let offsets = &self.totals.offsets;
        let mut sums = layout.sums(part, width);
        let mut mean = vec![0.0; width];
        let mut block = Vec::new();
        for group in layout.parts[part].clone() {
            let rows = layout.rows_of(group..group + 1);
            if rows.len() == 1 {
                continue;
            }
            block.clear();
            block.resize(rows.len() * width, 0.0);
            mean.fill(0.0);
            for (row, values) in rows.clone().zip(block.chunks_exact_mut(width)) {
                for (levels, offset) in self.levels.iter().zip(offsets) {
                    add(values, &z[(offset + levels[row] as usize) * width..][..width]);
                }
                add_scaled(&mut mean, values, layout.weight(row));
            }
            let total = layout.weight_total(rows.clone());
            divide(&mut mean, total);
            for (row, values) in rows.zip(block.chunks_exact_mut(width)) {
                subtract(values, &mean);
                for (effect, levels) in self.levels.iter().enumerate() {
                    add_scaled(sums.level(effect, levels[row]), values, layout.weight(row));
                }
            }
        }
        sums
    }
}

impl System for General<'_, '_> {
    fn apply(&mut self, z: &[f64], out: &mut [f64]) {
        let parts = 0..self.layout.parts.len();
        let sums: Vec<Sums> = parts.into_par_iter().map(|part| self.apply_part(part, z)).collect();
        self.totals.collect(&sums);
        out.copy_from_slice(&self.totals.values);
    }

    fn precondition(&self, residual: &[f64], out: &mut [f64], width: usize) {
        match &self.pairs {
            Some(pairs) => pairs.apply(residual, out, width),
            None => self.diagonal.apply(residual, out, width),
        }
    }
}

/// The preconditioner with the system's diagonal `Σ w (1 − w/W_g)`, exact if no level occurs twice
/// in a group, and the weight of each level.
fn diagonal(layout: &Layout<'_>, levels: &[&[u32]]) -> (Preconditioner, Vec<f64>) {
    let part = |part: usize| {
        let mut sums = layout.sums(part, 2);
        for group in layout.parts[part].clone() {
            let rows = layout.rows_of(group..group + 1);
            let total = layout.weight_total(rows.clone());
            for row in rows {
                let weight = layout.weight(row);
                for (effect, levels) in levels.iter().enumerate() {
                    let level = sums.level(effect, levels[row]);
                    level[0] += weight * (1.0 - weight / total);
                    level[1] += weight;
                }
            }
        }
        sums
    };
    let parts: Vec<Sums> = (0..layout.parts.len()).into_par_iter().map(part).collect();
    let mut totals = layout.totals(2);
    totals.collect(&parts);
    let (levels, _) = totals.values.as_chunks();
    let diagonal = Preconditioner::diagonal(levels.iter().map(|&[left, weight]| (left, weight)));
    (diagonal, levels.iter().map(|&[_, weight]| weight).collect())
}
