//! Sums by level, computed by part and added in the order of the parts.

use std::ops::Range;

use rayon::prelude::*;

/// The number of levels added up in one task.
const LEVELS_PER_PIECE: usize = 1024;

/// The sums of one part, over the levels that occur in it.
#[derive(Debug)]
pub struct Sums {
    width: usize,
    spans: Vec<Range<usize>>,
    values: Vec<Vec<f64>>,
}

/// Totals over all levels of all effects, one effect after the other.
#[derive(Debug, Clone)]
pub struct Totals {
    width: usize,
    /// The start of each effect, in levels, and the end.
    pub offsets: Vec<usize>,
    /// `width` numbers for each level.
    pub values: Vec<f64>,
}

impl Sums {
    /// Zeros over the given levels of each effect.
    pub fn new(spans: impl Iterator<Item = Range<usize>>, width: usize) -> Self {
        let spans: Vec<_> = spans.collect();
        let values = spans.iter().map(|span| vec![0.0; span.len() * width]).collect();
        Self { width, spans, values }
    }

    /// All numbers of one effect.
    #[must_use]
    pub fn into_effect(mut self, effect: usize) -> Vec<f64> {
        self.values.swap_remove(effect)
    }

    /// The numbers of one level.
    #[inline]
    pub fn level(&mut self, effect: usize, level: u32) -> &mut [f64] {
        let start = (level as usize - self.spans[effect].start) * self.width;
        &mut self.values[effect][start..start + self.width]
    }
}

impl Totals {
    /// Zeros over the levels of each effect.
    pub fn new(levels: impl Iterator<Item = usize>, width: usize) -> Self {
        let mut offsets = vec![0];
        for n_levels in levels {
            offsets.push(offsets[offsets.len() - 1] + n_levels);
        }
        let values = vec![0.0; offsets[offsets.len() - 1] * width];
        Self { width, offsets, values }
    }

    /// Sets the totals to the sum over the parts.
    pub fn collect(&mut self, parts: &[Sums]) {
        let width = self.width;
        for (effect, bounds) in self.offsets.windows(2).enumerate() {
            let totals = &mut self.values[bounds[0] * width..bounds[1] * width];
            totals.par_chunks_mut(LEVELS_PER_PIECE * width).enumerate().for_each(
                |(piece, totals)| {
                    totals.fill(0.0);
                    let first = piece * LEVELS_PER_PIECE;
                    for part in parts {
                        add(totals, first, part, effect);
                    }
                },
            );
        }
    }

    /// The numbers of one effect.
    #[must_use]
    pub fn effect(&self, effect: usize) -> &[f64] {
        &self.values[self.offsets[effect] * self.width..self.offsets[effect + 1] * self.width]
    }

    /// The numbers of one effect, for writing.
    pub fn effect_mut(&mut self, effect: usize) -> &mut [f64] {
        let bounds = self.offsets[effect] * self.width..self.offsets[effect + 1] * self.width;
        &mut self.values[bounds]
    }
}

/// Adds the part's sums to the totals of the levels from `first` on.
fn add(totals: &mut [f64], first: usize, part: &Sums, effect: usize) {
    let (width, span) = (part.width, &part.spans[effect]);
    let start = span.start.max(first);
    let end = span.end.min(first + totals.len() / width);
    if start >= end {
        return;
    }
    let own = &part.values[effect][(start - span.start) * width..(end - span.start) * width];
    let totals = &mut totals[(start - first) * width..(end - first) * width];
    totals.iter_mut().zip(own).for_each(|(total, own)| *total += own);
}
