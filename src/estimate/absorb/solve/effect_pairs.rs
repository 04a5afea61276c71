//! A preconditioner for the general system if its diagonal is not enough: chains of levels with
//! little overlap, such as spells of a few days.
//!
//! # Equation
//! For two effects alone, with the sign of one effect reversed, the normal equations are the
//! Laplacian of a graph. Its vertices are the levels of both effects, and its edges are the cells;
//! [`Factors`] factorises it. `P⁺ = Σ Π R' L⁺ R Π` over all pairs of effects, with `R` the levels
//! of a pair. The right-hand side is zero for levels of the swept effect. With one iterated effect
//! there is one pair, and `P⁺` approximates the system's inverse. With several, it is an additive
//! Schwarz method.
//!
//! `Π` removes constants over the iterated levels of a component. The system maps these to zero,
//! and rounding would bring them back.

use rayon::prelude::*;

use crate::estimate::absorb::linear::lanes::LANES;
use crate::estimate::absorb::linear::laplacian::{Factors, Lane};
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::design::codes::Codes;
use crate::estimate::design::components::root;

/// `P⁺`
#[derive(Debug)]
pub struct Pairs {
    pairs: Vec<Pair>,
}

/// Two effects.
#[derive(Debug)]
struct Pair {
    factors: Factors,
    n_vertices: usize,
    /// For each iterated effect of the pair: its first vertex, and its levels in the system.
    own: Vec<(usize, std::ops::Range<usize>)>,
    /// The component of each vertex.
    components: Vec<u32>,
    n_components: usize,
}

impl Pairs {
    /// Factorises every pair of effects; `offsets` are the starts of the iterated effects in the
    /// system.
    #[must_use]
    pub fn new(layout: &Layout<'_>, offsets: &[usize]) -> Self {
        let effects = &layout.design.effects;
        let swept = layout.swept.map(|swept| (effects[swept].as_ref(), None));
        let iterated = layout.iterated().zip(offsets.windows(2));
        let iterated = iterated.map(|((_, codes), own)| (codes.as_ref(), Some(own[0]..own[1])));
        let all: Vec<(&Codes, Option<std::ops::Range<usize>>)> =
            swept.into_iter().chain(iterated).collect();
        let places = 0..all.len();
        let both: Vec<(usize, usize)> =
            places.clone().flat_map(|b| (0..b).map(move |a| (a, b))).collect();
        let pair = |(a, b): (usize, usize)| {
            let n_first = all[a].0.n_levels;
            let own = [(0, &all[a].1), (n_first, &all[b].1)];
            let own = own.into_iter().filter_map(|(first, own)| Some((first, own.clone()?)));
            Pair::new(layout, [all[a].0, all[b].0], own.collect())
        };
        Self { pairs: both.into_par_iter().map(pair).collect() }
    }

    /// `out = P⁺ residual`, rows of `width` numbers.
    pub fn apply(&self, residual: &[f64], out: &mut [f64], width: usize) {
        let lanes = width / LANES;
        let solve = |at: usize| self.pairs[at / lanes].solved(residual, at % lanes, width);
        let tasks = 0..self.pairs.len() * lanes;
        let solved: Vec<Vec<Vec<Lane>>> = tasks.into_par_iter().map(solve).collect();
        out.fill(0.0);
        for (at, found) in solved.into_iter().enumerate() {
            let own = &self.pairs[at / lanes].own;
            for ((_, levels), rows) in own.iter().zip(found) {
                let out = out[levels.start * width..levels.end * width].chunks_exact_mut(width);
                for (out, row) in out.zip(rows) {
                    let (lane, _) = out[at % lanes * LANES..].as_chunks_mut::<LANES>();
                    lane[0].iter_mut().zip(row).for_each(|(out, value)| *out += value);
                }
            }
        }
    }
}

impl Pair {
    fn new(
        layout: &Layout<'_>,
        effects: [&Codes; 2],
        own: Vec<(usize, std::ops::Range<usize>)>,
    ) -> Self {
        let [first, second] = effects;
        let n_vertices = first.n_levels + second.n_levels;
        let edges = edges(layout, first, second);
        let mut parents: Vec<u32> = (0..).take(n_vertices).collect();
        for &(a, b, _) in &edges {
            let (a, b) = (root(&mut parents, a), root(&mut parents, b));
            parents[a.max(b) as usize] = a.min(b);
        }
        let roots = (0..).take(n_vertices).map(|vertex| root(&mut parents, vertex)).collect();
        let roots = Codes { name: String::new(), of_row: roots, n_levels: n_vertices };
        let Codes { of_row: components, n_levels: n_components, .. } =
            roots.select(&(0..).take(n_vertices).collect::<Vec<u32>>());
        Self {
            factors: Factors::new(n_vertices, &edges),
            n_vertices,
            own,
            components,
            n_components,
        }
    }

    /// `Π R' L⁺ R Π` of several columns of a residual: a list for each iterated effect of the pair.
    fn solved(&self, residual: &[f64], lane: usize, width: usize) -> Vec<Vec<Lane>> {
        let mut rows = vec![[0.0; LANES]; self.n_vertices];
        for (place, (first, levels)) in self.own.iter().enumerate() {
            // The sign of the second effect is reversed.
            let sign = if place == 0 { 1.0 } else { -1.0 };
            let of_levels = residual[levels.start * width..].chunks_exact(width);
            for (row, of_level) in rows[*first..][..levels.len()].iter_mut().zip(of_levels) {
                let (own, _) = of_level[lane * LANES..].as_chunks::<LANES>();
                *row = own[0].map(|value| sign * value);
            }
        }
        self.take_out_constants(&mut rows);
        self.factors.solve(&mut rows);
        self.take_out_constants(&mut rows);
        let of_effect = |(place, (first, levels)): (usize, &(usize, std::ops::Range<usize>))| {
            let sign = if place == 0 { 1.0 } else { -1.0 };
            let rows = &rows[*first..][..levels.len()];
            rows.iter().map(|row| row.map(|value| sign * value)).collect()
        };
        self.own.iter().enumerate().map(of_effect).collect()
    }

    /// Subtracts the mean over the iterated levels of each component.
    fn take_out_constants(&self, rows: &mut [Lane]) {
        let mut sums = vec![([0.0; LANES], 0.0); self.n_components];
        let vertices = || self.own.iter().flat_map(|(first, levels)| *first..first + levels.len());
        for vertex in vertices() {
            let (sum, n) = &mut sums[self.components[vertex] as usize];
            sum.iter_mut().zip(&rows[vertex]).for_each(|(sum, value)| *sum += value);
            *n += 1.0;
        }
        for vertex in vertices() {
            let (sum, n) = &sums[self.components[vertex] as usize];
            rows[vertex].iter_mut().zip(sum).for_each(|(value, sum)| *value -= sum / n);
        }
    }
}

/// The cells of two effects with their weights; levels of the second effect follow those of the
/// first.
fn edges(layout: &Layout<'_>, first: &Codes, second: &Codes) -> Vec<(u32, u32, f64)> {
    let offset = u32::try_from(first.n_levels).expect("levels are fewer than rows");
    let cells = first.intersect(second);
    let mut edges = vec![(0, 0, 0.0); cells.n_levels];
    let levels = first.of_row.iter().zip(&second.of_row);
    for (row, (&cell, (&a, &b))) in cells.of_row.iter().zip(levels).enumerate() {
        let edge = &mut edges[cell as usize];
        *edge = (a, b + offset, edge.2 + layout.weight(row));
    }
    edges
}
