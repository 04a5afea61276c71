//! Streams the variables row by row without the effects, and never stores them all.
//!
//! # Equation
//! Of a row in group `g` of the swept effect, `u − mean_g u` with `u = v − Σ_e α_e`: the potentials
//! `α` of the iterated effects first, then the group's weighted mean. The mean is taken of `u −
//! u_0`, with `u_0` the group's first row. If a group is far from zero relative to its spread, this
//! difference is exact, and a mean of the values is not.

use std::ops::Range;

use faer::traits::pulp::NullaryFnOnce;

use super::layout::Layout;
use super::level_sums::Totals;
use crate::estimate::absorb::linear::lanes::{add, add_scaled, divide, subtract, vectorised};

/// The number of rows held at a time: with a dozen variables, the block fits the first-level cache.
const ROWS_PER_BLOCK: usize = 256;

/// Reads blocks of rows of one part.
pub struct Stream<'l, 'a> {
    layout: &'l Layout<'a>,
    potentials: Option<&'l Totals>,
}

impl<'l, 'a> Stream<'l, 'a> {
    /// A stream of the variables, minus these potentials if given.
    #[must_use]
    pub fn new(layout: &'l Layout<'a>, potentials: Option<&'l Totals>) -> Self {
        Self { layout, potentials }
    }

    /// Visits the rows of groups: `raw` before and `swept` after the subtraction of the group's
    /// mean.
    ///
    /// # Shape
    /// A block has `width` numbers for each of its rows.
    pub fn visit(
        &self,
        groups: Range<usize>,
        mut raw: impl FnMut(Range<usize>, &[f64]),
        mut swept: impl FnMut(Range<usize>, &[f64]),
    ) {
        let layout = self.layout;
        let mut block = vec![0.0; ROWS_PER_BLOCK * layout.width];
        let Range { start: mut group, end } = groups;
        while group < end {
            let next = self.last_group(group, end);
            let rows = layout.rows_of(group..next);
            if rows.len() <= ROWS_PER_BLOCK {
                let block = &mut block[..rows.len() * layout.width];
                self.fill(rows.clone(), block);
                raw(rows.clone(), block);
                vectorised(Sweep { stream: self, groups: group..next, block });
                swept(rows, block);
            } else {
                self.visit_large(rows, &mut block, &mut raw, &mut swept);
            }
            group = next;
        }
    }

    /// The end of the groups from `group` on that fit into a block; at least one group.
    fn last_group(&self, group: usize, end: usize) -> usize {
        let groups = &self.layout.groups;
        let limit = groups[group] as usize + ROWS_PER_BLOCK;
        let fitting = groups[group + 1..=end].partition_point(|&row| row as usize <= limit);
        group + fitting.max(1)
    }

    /// Visits one group with more rows than a block. It is read twice, first for its mean.
    fn visit_large(
        &self,
        rows: Range<usize>,
        block: &mut [f64],
        raw: &mut impl FnMut(Range<usize>, &[f64]),
        swept: &mut impl FnMut(Range<usize>, &[f64]),
    ) {
        let width = self.layout.width;
        let pieces = || {
            rows.clone()
                .step_by(ROWS_PER_BLOCK)
                .map(|start| start..rows.end.min(start + ROWS_PER_BLOCK))
        };
        let (mut mean, mut first) = (vec![0.0; width], vec![0.0; width]);
        if self.layout.swept.is_some() {
            let block = &mut block[..width];
            self.fill(rows.start..rows.start + 1, block);
            first.copy_from_slice(block);
        }
        for piece in pieces() {
            let block = &mut block[..piece.len() * width];
            self.fill(piece.clone(), block);
            raw(piece.clone(), block);
            block.chunks_exact_mut(width).for_each(|row| subtract(row, &first));
            self.add_weighted(piece, block, &mut mean);
        }
        let total = self.layout.weight_total(rows.clone());
        divide(&mut mean, total);
        if self.layout.swept.is_none() {
            mean.fill(0.0);
        }
        for piece in pieces() {
            let block = &mut block[..piece.len() * width];
            self.fill(piece.clone(), block);
            for row in block.chunks_exact_mut(width) {
                subtract(row, &first);
                subtract(row, &mean);
            }
            swept(piece, block);
        }
    }

    /// The variables of these rows minus the potentials.
    fn fill(&self, rows: Range<usize>, block: &mut [f64]) {
        let (layout, width) = (self.layout, self.layout.width);
        let of_panel = &layout.design.rows[rows.clone()];
        for (j, variable) in layout.design.variables.iter().enumerate() {
            variable.read(of_panel, &mut block[j..], width);
        }
        if let Some(potentials) = self.potentials {
            for (place, (_, codes)) in layout.iterated().enumerate() {
                let values = potentials.effect(place);
                let levels = &codes.of_row[rows.clone()];
                for (row, &level) in block.chunks_exact_mut(width).zip(levels) {
                    subtract(row, &values[level as usize * width..][..width]);
                }
            }
        }
    }

    /// Subtracts its weighted mean from each group.
    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn sweep(&self, groups: Range<usize>, block: &mut [f64]) {
        let (layout, width) = (self.layout, self.layout.width);
        if layout.swept.is_none() {
            return;
        }
        let start = layout.groups[groups.start] as usize;
        let (mut mean, mut first) = (vec![0.0; width], vec![0.0; width]);
        for group in groups {
            let rows = layout.rows_of(group..group + 1);
            let block = &mut block[(rows.start - start) * width..(rows.end - start) * width];
            first.copy_from_slice(&block[..width]);
            block.chunks_exact_mut(width).for_each(|row| subtract(row, &first));
            mean.fill(0.0);
            self.add_weighted(rows.clone(), block, &mut mean);
            let total = layout.weight_total(rows);
            divide(&mut mean, total);
            block.chunks_exact_mut(width).for_each(|row| subtract(row, &mean));
        }
    }

    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn add_weighted(&self, rows: Range<usize>, block: &[f64], sum: &mut [f64]) {
        let each = block.chunks_exact(self.layout.width);
        match &self.layout.design.weights {
            None => each.for_each(|row| add(sum, row)),
            Some(weights) => {
                each.zip(&weights[rows]).for_each(|(row, &weight)| add_scaled(sum, row, weight));
            }
        }
    }
}

/// The subtraction of the mean from each of these groups.
struct Sweep<'s, 'l, 'a> {
    stream: &'s Stream<'l, 'a>,
    groups: Range<usize>,
    block: &'s mut [f64],
}

impl NullaryFnOnce for Sweep<'_, '_, '_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn call(self) {
        self.stream.sweep(self.groups, self.block);
    }
}
