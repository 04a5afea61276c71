//! The sample in working order: groups of the swept effect one after another.
//!
//! ```text
//! part    |──────────── 0 ────────────|──────────── 1 ────────────| …   fixed by the data, one
//! task each
//! group   |─ 0 ─|─── 1 ───|─── 2 ─────|── 3 ──|                         a level of the swept
//! effect
//! row      · · · · · · · · · · · · · · · · · ·                          of the sample
//! ```
//!
//! Sums over rows are computed by part and added in the order of the parts, for any number of
//! threads: results do not depend on it.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::blocks::Blocks;
use super::level_sums::{Sums, Totals};
use crate::estimate::absorb::linear::lanes::LANES;
use crate::estimate::design::Design;
use crate::estimate::design::codes::Codes;

/// The largest number of parts of a sample, if the sums of the parts are small against it.
const PARTS_MAX: usize = 32;
/// The number of rows of a group without an effect to sweep.
const ROWS_WITHOUT_EFFECT: usize = 256;

/// A design whose rows are grouped by the swept effect.
#[derive(Debug)]
pub struct Layout<'a> {
    /// The sample, reordered.
    pub design: Design<'a>,
    /// The effect whose levels are the groups: the first of those with the most levels.
    pub swept: Option<usize>,
    /// True for each effect that a finer one explains; both are absorbed together.
    pub redundant: Vec<bool>,
    /// The start of each group, and the end.
    pub groups: Vec<u32>,
    /// Groups of each part.
    pub parts: Vec<Range<usize>>,
    /// The lowest to highest level of each effect, then of each set of clusters, within each part.
    spans: Vec<Vec<Range<usize>>>,
    /// The number of values for one row or level: the variables, rounded up to whole lanes.
    pub width: usize,
}

impl<'a> Layout<'a> {
    /// Reorders the sample by the effect with the most levels, or by `blocks` and then by that
    /// effect.
    #[must_use]
    pub fn new(design: Design<'a>, blocks: Option<&Blocks>) -> Self {
        let swept = swept_effect(&design);
        let redundant = redundant(&design);
        let design = match swept {
            Some(swept) => ordered(design, swept, blocks.map(|blocks| &blocks.pieces)),
            None => design,
        };
        let groups = match swept {
            Some(swept) => boundaries(&design.effects[swept].of_row),
            None => uniform(design.n_obs()),
        };
        let width = design.variables.len().next_multiple_of(LANES);
        let cuts = blocks.map_or_else(|| groups.clone(), block_starts);
        let (parts, spans) = partition(&design, swept, &groups, &cuts);
        Self { design, swept, redundant, groups, parts, spans, width }
    }

    /// The effects with potentials and their positions in the formula: neither swept nor explained
    /// by a finer one.
    pub fn iterated(&self) -> impl Iterator<Item = (usize, &Arc<Codes>)> {
        let own = |&(i, _): &(usize, _)| Some(i) != self.swept && !self.redundant[i];
        self.design.effects.iter().enumerate().filter(own)
    }

    /// The position of an effect among those with potentials.
    ///
    /// # Panics
    /// If the effect has no potentials.
    #[must_use]
    pub fn place_of(&self, effect: usize) -> usize {
        let found = self.iterated().position(|(i, _)| i == effect);
        found.expect("the effect is not swept")
    }

    /// The rows of a range of groups.
    #[must_use]
    pub fn rows_of(&self, groups: Range<usize>) -> Range<usize> {
        self.groups[groups.start] as usize..self.groups[groups.end] as usize
    }

    /// The weight of a row.
    #[must_use]
    pub fn weight(&self, row: usize) -> f64 {
        self.design.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    /// The weights of a range of rows; `None` without weights.
    #[must_use]
    pub fn weights_of(&self, rows: Range<usize>) -> Option<&[f64]> {
        self.design.weights.as_ref().map(|weights| &weights[rows])
    }

    /// The sum of weights; without weights, the number of rows.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
    pub fn weight_total(&self, rows: Range<usize>) -> f64 {
        match &self.design.weights {
            Some(weights) => weights[rows].iter().sum(),
            None => rows.len() as f64,
        }
    }

    /// Empty sums over the levels of the iterated effects that occur in a part.
    #[must_use]
    pub fn sums(&self, part: usize, width: usize) -> Sums {
        Sums::new(self.iterated().map(|(i, _)| self.spans[part][i].clone()), width)
    }

    /// Empty sums over the levels of any codes that occur in a part.
    #[must_use]
    pub fn sums_over(&self, part: usize, codes: &Codes, width: usize) -> Sums {
        let rows = self.rows_of(self.parts[part].clone());
        Sums::new([span(&codes.of_row[rows])].into_iter(), width)
    }

    /// Empty totals over all levels of the iterated effects.
    #[must_use]
    pub fn totals(&self, width: usize) -> Totals {
        Totals::new(self.iterated().map(|(_, codes)| codes.n_levels), width)
    }
}

/// The effect with the most levels; the first of several.
#[must_use]
pub fn swept_effect(design: &Design<'_>) -> Option<usize> {
    let levels = |i: &usize| design.effects[*i].n_levels;
    (0..design.effects.len()).rev().max_by_key(levels)
}

/// True for each effect that a finer one explains: all rows of a level of the finer effect are in
/// one level of it.
#[must_use]
pub fn redundant(design: &Design<'_>) -> Vec<bool> {
    let effects = &design.effects;
    let explains = |finer: usize, coarser: usize| {
        let levels = |i: usize| effects[i].n_levels;
        let finer_first = (levels(coarser), finer) < (levels(finer), coarser);
        finer != coarser && finer_first && effects[finer].is_nested_in(&effects[coarser])
    };
    let all = 0..effects.len();
    all.clone().map(|coarser| all.clone().any(|finer| explains(finer, coarser))).collect()
}

/// The design with its rows sorted by block, then by level of the swept effect; the sort is stable.
fn ordered<'a>(design: Design<'a>, swept: usize, blocks: Option<&Codes>) -> Design<'a> {
    let of_row = &design.effects[swept].of_row;
    if blocks.is_none() && of_row.is_sorted() {
        return design;
    }
    let mut order: Vec<u32> = (0..).take(design.n_obs()).collect();
    if !of_row.is_sorted() {
        order = sorted_by(&design.effects[swept], &order);
    }
    if let Some(blocks) = blocks {
        order = sorted_by(blocks, &order);
    }
    if order.is_sorted() {
        return design;
    }
    select(&design, &order)
}

/// A stable counting sort of positions by level.
fn sorted_by(codes: &Codes, positions: &[u32]) -> Vec<u32> {
    let mut next = vec![0_u32; codes.n_levels];
    let mut start = 0;
    for (next, count) in next.iter_mut().zip(codes.counts()) {
        *next = start;
        start += count;
    }
    let mut sorted = vec![0; positions.len()];
    for &position in positions {
        let place = &mut next[codes.of_row[position as usize] as usize];
        sorted[*place as usize] = position;
        *place += 1;
    }
    sorted
}

/// The design's rows in another order; levels are renumbered by their first appearance.
///
/// # Panics
/// Never: each set of codes is listed before it is looked up.
#[must_use]
pub fn select<'a>(design: &Design<'a>, order: &[u32]) -> Design<'a> {
    let mut distinct: Vec<&Arc<Codes>> = Vec::new();
    for codes in design.effects.iter().chain(&design.clusters) {
        if !distinct.iter().any(|known| Arc::ptr_eq(known, codes)) {
            distinct.push(codes);
        }
    }
    let (selected, rows) = rayon::join(
        || -> Vec<Arc<Codes>> {
            distinct.par_iter().map(|codes| Arc::new(codes.select(order))).collect()
        },
        || order.iter().map(|&position| design.rows[position as usize]).collect(),
    );
    let find = |codes: &Arc<Codes>| {
        let place = distinct.iter().position(|known| Arc::ptr_eq(known, codes));
        selected[place.expect("every set of codes was listed")].clone()
    };
    Design {
        variables: design.variables.clone(),
        rows,
        effects: design.effects.iter().map(find).collect(),
        clusters: design.clusters.iter().map(find).collect(),
        weights: design
            .weights
            .as_ref()
            .map(|weights| order.iter().map(|&position| weights[position as usize]).collect()),
        weight: design.weight.clone(),
        parts: design.parts.clone(),
        effect_columns: design.effect_columns.clone(),
        cluster_names: design.cluster_names.clone(),
        n_missing: design.n_missing,
        n_singletons: design.n_singletons,
    }
}

/// The start of each run of one level, and the end.
fn boundaries(of_row: &[u32]) -> Vec<u32> {
    let mut groups = vec![0];
    for (row, pair) in (1..).zip(of_row.windows(2)) {
        if pair[0] != pair[1] {
            groups.push(row);
        }
    }
    groups.push(u32::try_from(of_row.len()).expect("a panel has fewer than 2^32 rows"));
    groups
}

fn uniform(n_obs: usize) -> Vec<u32> {
    let end = u32::try_from(n_obs).expect("a panel has fewer than 2^32 rows");
    (0..end).step_by(ROWS_WITHOUT_EFFECT).chain([end]).collect()
}

/// The parts, and the span of levels in each.
type Partition = (Vec<Range<usize>>, Vec<Vec<Range<usize>>>);

/// Divides the sample into as many parts as keep their sums small against it.
fn partition(design: &Design<'_>, swept: Option<usize>, groups: &[u32], cuts: &[u32]) -> Partition {
    let levels: usize = design
        .effects
        .iter()
        .enumerate()
        .filter(|&(i, _)| Some(i) != swept)
        .map(|(_, codes)| codes.n_levels)
        .chain(design.clusters.iter().map(|codes| codes.n_levels))
        .sum();
    let room = design.n_obs() / 2 + 2 * levels;
    let mut n_parts = PARTS_MAX;
    loop {
        let parts = divide(groups, cuts, n_parts);
        let spans: Vec<Vec<Range<usize>>> = parts
            .par_iter()
            .map(|part| {
                let rows = groups[part.start] as usize..groups[part.end] as usize;
                let all = design.effects.iter().chain(&design.clusters);
                all.map(|codes| span(&codes.of_row[rows.clone()])).collect()
            })
            .collect();
        let size =
            |(i, span): (usize, &Range<usize>)| if Some(i) == swept { 0 } else { span.len() };
        let held: usize = spans.iter().flat_map(|of| of.iter().enumerate().map(size)).sum();
        if held <= room || n_parts == 1 {
            return (parts, spans);
        }
        n_parts /= 2;
    }
}

/// Runs of groups with about as many rows each, cut only at the given rows.
fn divide(groups: &[u32], cuts: &[u32], n_parts: usize) -> Vec<Range<usize>> {
    let n_rows = u64::from(groups[groups.len() - 1]);
    let cut = |part: usize| {
        let wanted = n_rows * part as u64 / n_parts as u64;
        let row = cuts[cuts.partition_point(|&row| u64::from(row) < wanted)];
        groups.partition_point(|&start| start < row)
    };
    (0..n_parts).map(|part| cut(part)..cut(part + 1)).filter(|part| !part.is_empty()).collect()
}

/// The row where each block starts, and the end.
fn block_starts(blocks: &Blocks) -> Vec<u32> {
    let of_blocks = blocks.n_rows.chunks_exact(blocks.pieces_per_block);
    let ends = of_blocks.scan(0, |row, pieces| {
        *row += pieces.iter().sum::<u32>();
        Some(*row)
    });
    [0].into_iter().chain(ends).collect()
}

fn span(levels: &[u32]) -> Range<usize> {
    let (least, most) = levels
        .iter()
        .fold((u32::MAX, 0), |(least, most), &level| (least.min(level), most.max(level)));
    if levels.is_empty() { 0..0 } else { least as usize..most as usize + 1 }
}
