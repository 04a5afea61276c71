//! What the residuals of each group add up to, in one pass over the rows.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use crate::estimate::absorb::Absorbed;
use crate::estimate::absorb::linear::lanes::add_scaled;
use crate::estimate::absorb::linear::weighted_products::Products;
use crate::estimate::absorb::sample::level_sums::{Sums, Totals};
use crate::estimate::design::codes::Codes;

/// The sums of the residuals of each group.
#[derive(Debug)]
pub struct GroupSums {
    /// `E_g` of each group, by rows of the width.
    pub products: Vec<Vec<f64>>,
    /// The number of rows of each group.
    pub n_rows: Vec<u32>,
    /// The place of each group's first level, and the end.
    starts: Vec<usize>,
    /// The levels of the shared effect in each group, one group after another.
    levels: Vec<u32>,
    /// `s_g`: a row of the width for each of these levels.
    pub scattered: Vec<f64>,
}

/// The sums of a part of the sample.
struct OfPart {
    products: BTreeMap<u32, Products>,
    scattered: Option<Sums>,
}

impl GroupSums {
    /// Reads the residuals; `shared` is the effect whose levels groups share.
    #[must_use]
    pub fn of(absorbed: &Absorbed<'_>, groups: &Codes, shared: Option<&Codes>) -> Self {
        let layout = absorbed.layout();
        let (width, n_groups) = (layout.width, groups.n_levels);
        let pairs = shared.map(|shared| groups.intersect(shared));
        let part = |part: usize| {
            let of_pairs = pairs.as_ref().map(|pairs| layout.sums_over(part, pairs, width));
            let mut sums = OfPart { products: BTreeMap::new(), scattered: of_pairs };
            let swept = |rows: Range<usize>, block: &[f64]| {
                let mut values = block.chunks_exact(width);
                let mut row = rows.start;
                let mut done = 0;
                for run in groups.of_row[rows].chunk_by(|a, b| a == b) {
                    let own = row..row + run.len();
                    let block = &block[done * width..(done + run.len()) * width];
                    let products = sums.products.entry(run[0]);
                    let products = products.or_insert_with(|| Products::new(width));
                    products.add(block, layout.weights_of(own.clone()));
                    if let (Some(sums), Some(pairs)) = (&mut sums.scattered, &pairs) {
                        for (row, values) in own.clone().zip(&mut values) {
                            let level = sums.level(0, pairs.of_row[row]);
                            add_scaled(level, values, layout.weight(row));
                        }
                    }
                    (row, done) = (own.end, done + run.len());
                }
            };
            absorbed.residuals().visit(layout.parts[part].clone(), |_, _| {}, swept);
            sums
        };
        let parts: Vec<OfPart> = (0..layout.parts.len()).into_par_iter().map(part).collect();
        let mut products = vec![vec![0.0; width * width]; n_groups];
        let mut of_parts = Vec::new();
        for part in parts {
            for (group, own) in part.products {
                let sum = products[group as usize].iter_mut().zip(own.into_values());
                sum.for_each(|(sum, own)| *sum += own);
            }
            of_parts.extend(part.scattered);
        }
        let n_rows = groups.counts();
        let mut sums = Self {
            products,
            n_rows,
            starts: Vec::new(),
            levels: Vec::new(),
            scattered: Vec::new(),
        };
        match (pairs, shared) {
            (Some(pairs), Some(shared)) => {
                let mut totals = Totals::new([pairs.n_levels].into_iter(), width);
                totals.collect(&of_parts);
                sums.arrange(&[groups, shared, &pairs], &totals.values, width);
            }
            _ => sums.starts = vec![0; n_groups + 1],
        }
        sums
    }

    /// Arranges the sums of pairs of a group and a level by group, then level.
    fn arrange(&mut self, [groups, shared, pairs]: &[&Codes; 3], totals: &[f64], width: usize) {
        let mut of_pair = vec![(0, 0); pairs.n_levels];
        let rows = groups.of_row.iter().zip(&shared.of_row).zip(&pairs.of_row);
        for ((&group, &level), &pair) in rows {
            of_pair[pair as usize] = (group, level);
        }
        let mut order: Vec<usize> = (0..pairs.n_levels).collect();
        order.sort_unstable_by_key(|&pair| of_pair[pair]);
        self.starts = vec![0; groups.n_levels + 1];
        for pair in order {
            self.levels.push(of_pair[pair].1);
            self.scattered.extend_from_slice(&totals[pair * width..(pair + 1) * width]);
            self.starts[of_pair[pair].0 as usize + 1] = self.levels.len();
        }
    }

    /// The places of a group's levels.
    #[must_use]
    pub fn places(&self, group: usize) -> Range<usize> {
        self.starts[group]..self.starts[group + 1]
    }

    /// The levels of a group.
    #[must_use]
    pub fn levels(&self, group: usize) -> &[u32] {
        &self.levels[self.places(group)]
    }
}
