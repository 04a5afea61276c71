//! One pass over the rows: sums of the variables after subtraction of some potentials.

use std::ops::Range;

use rayon::prelude::*;

use super::layout::Layout;
use super::level_sums::{Sums, Totals};
use super::moments::{self, Moments, Shifted};
use super::stream::Stream;
use crate::estimate::absorb::linear::lanes::add_scaled;
use crate::estimate::absorb::linear::weighted_products::{Products, added};

/// The result of one pass over the rows.
#[derive(Debug)]
pub struct Tally {
    /// `Ṽ'W Ṽ`, upper triangle by rows of the width.
    pub products: Vec<f64>,
    /// `D'W Ṽ`: the part that the iterated effects still explain.
    pub sums: Totals,
    /// The moments of the variables as read, if requested.
    pub moments: Vec<Moments>,
}

/// The choice to compute the moments of the variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithMoments {
    /// The moments are not known yet.
    Yes,
    /// The moments are known.
    No,
}

impl Tally {
    /// Reads the rows minus the potentials of the iterated effects, with the swept effect removed.
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

    /// The diagonal of `Ṽ'W Ṽ`, for each variable.
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
