//! One pass over the rows: sums of the variables after subtraction of some potentials.

use std::ops::Range;

use rayon::prelude::*;

use super::layout::Layout;
use super::level_sums::{Sums, Totals};
use super::moments::{self, Moments, Shifted};
use super::stream::Stream;
use crate::estimate::absorb::linear::lanes::add_scaled;
use crate::estimate::absorb::linear::weighted_products::{Products, added};

/// What one pass over the rows says.
#[derive(Debug)]
pub struct Tally {
    /// `Ṽ'W Ṽ`, upper triangle by rows of the width.
    pub products: Vec<f64>,
    /// `D'W Ṽ`, what the iterated effects still explain.
    pub sums: Totals,
    /// Of the variables as they are read, if asked for.
    pub moments: Vec<Moments>,
}

/// Whether the moments of the variables are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithMoments {
    /// They are not known yet.
    Yes,
    /// They are.
    No,
}

impl Tally {
    /// Reads the rows with the potentials of the iterated effects out, and the swept effect.
    #[must_use]
    pub fn of(layout: &Layout<'_>, potentials: Option<&Totals>, with_moments: WithMoments) -> Self {
        let width = layout.width;
        let levels: Vec<&[u32]> = layout.iterated().map(|(_, c)| c.of_row.as_slice()).collect();
        let first = layout.design.rows[0] as usize;
        let mut origin = vec![0.0; width];
        for (origin, variable) in origin.iter_mut().zip(&layout.design.variables) {
            *origin = variable.at(first);
        }
        let stream = Stream::new(layout, potentials);
        let part = |part: usize| {
            let mut sums = layout.sums(part, width);
            let mut moments = Shifted::new(origin.clone());
            let mut products = Products::new(width);
            let raw = |rows: Range<usize>, block: &[f64]| {
                if with_moments == WithMoments::Yes {
                    for (row, values) in rows.zip(block.chunks_exact(width)) {
                        moments.observe(values, layout.weight(row));
                    }
                }
            };
            let swept = |rows: Range<usize>, block: &[f64]| {
                products.add(block, layout.weights_of(rows.clone()));
                for (row, values) in rows.zip(block.chunks_exact(width)) {
                    for (effect, levels) in levels.iter().enumerate() {
                        let level = sums.level(effect, levels[row]);
                        add_scaled(level, values, layout.weight(row));
                    }
                }
            };
            stream.visit(layout.parts[part].clone(), raw, swept);
            (products.into_values(), sums, moments)
        };
        let parts = (0..layout.parts.len()).into_par_iter().map(part);
        let (products, (sums, moments)): (Vec<_>, (Vec<Sums>, Vec<_>)) =
            parts.map(|(products, sums, moments)| (products, (sums, moments))).unzip();
        let mut total = layout.totals(width);
        total.collect(&sums);
        let moments: Vec<Vec<Moments>> = match with_moments {
            WithMoments::Yes => moments.into_iter().map(Shifted::finish).collect(),
            WithMoments::No => Vec::new(),
        };
        Self {
            products: added(products.iter()),
            sums: total,
            moments: moments::total(moments.iter().map(Vec::as_slice)),
        }
    }

    /// `Ṽ'W Ṽ` of each variable with itself.
    #[must_use]
    pub fn squares(&self, width: usize) -> Vec<f64> {
        squares(&self.products, width)
    }
}

/// The diagonal of products.
#[must_use]
pub fn squares(products: &[f64], width: usize) -> Vec<f64> {
    products.iter().step_by(width + 1).copied().collect()
}
