//! Fixed effects out of the variables: potentials for each level, residuals row by row.
//!
//! ```text
//! Design ─▶ Layout ─▶ right-hand sides ─▶ conjugate gradients ─▶ potentials ─▶ Stream of residuals
//!           (groups)   (one pass)          (levels only)          (per level)   (one pass each)
//! ```
//!
//! The effect with most levels is swept exactly wherever rows are read; potentials are kept for the
//! others only.
//! Residuals are never held: whoever needs them streams over the rows.

mod apply;
mod block;
mod blocks;
mod conjugate;
mod dense;
mod elimination;
mod finish;
mod general;
mod half;
mod kept;
pub(super) mod lanes;
pub mod layout;
mod local;
mod moments;
mod preconditioner;
mod products;
pub mod stream;
mod structured;
pub mod sums;
mod warm;

use std::ops::Range;

use rayon::prelude::*;
use serde::Serialize;
use thiserror::Error;

use self::blocks::Blocks;
use self::general::General;
use self::kept::Kept;
pub use self::lanes::LANES;
use self::layout::Layout;
use self::moments::{Moments, Shifted};
use self::products::{Products, added};
use self::stream::Stream;
use self::structured::Structured;
use self::sums::{Sums, Target};
pub use self::warm::Start;
use super::design::Design;
use super::error::EstimateError;

/// One level in so many may be new where the last solution starts the iteration of what
/// elimination left.
const START_SHARE: usize = 32;

/// When to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct AbsorbOptions {
    /// The relative residual to reach.
    pub tolerance: f64,
    /// Iterations allowed.
    pub iterations_max: usize,
    /// Which solver to use.
    pub method: Method,
    /// Whether to keep, for a later start, what was worked out inside blocks.
    pub keep: bool,
}

/// Which solver absorbs the effects; both give the same within the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Elimination within blocks where the data has them, the general solver otherwise.
    #[default]
    Fastest,
    /// The general solver.
    General,
}

/// Why an iteration stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The tolerance was reached.
    #[error("converged")]
    Converged,
    /// As many iterations as allowed.
    #[error("the limit of iterations was reached")]
    IterationLimit,
    /// The residual no longer falls.
    #[error("the residual no longer falls")]
    Stagnated,
    /// A number is infinite or not a number.
    #[error("a value overflowed")]
    NotFinite,
}

/// Variables with their effects absorbed to the tolerance.
#[derive(Debug)]
#[must_use]
pub struct Absorbed<'a> {
    layout: Layout<'a>,
    potentials: Option<Target>,
    /// `Ṽ'W Ṽ`, upper triangle by rows of `width`, where it fell off on the way.
    products: Option<Vec<f64>>,
    /// Centred sum of squares of each variable, before.
    pub totals: Vec<f64>,
    /// Iterations done.
    pub iterations: usize,
    /// The largest relative residual of all variables.
    pub relative_residual: f64,
    /// Whether an earlier solution started the iteration, or its pieces were not read again.
    pub warm_start: bool,
    /// How the effects were eliminated within blocks, if they were.
    pub elimination: Option<Eliminated>,
    kept: Kept,
}

/// What was eliminated within blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eliminated {
    /// The effect eliminated within blocks.
    pub effect: usize,
    /// The effect that was left to iterate.
    pub iterated: usize,
    /// The effects eliminated within pieces of blocks.
    pub local: Vec<usize>,
    /// Pieces of the sample.
    pub n_pieces: usize,
    /// Pieces that were not read, as an earlier estimation had read them.
    pub n_kept: usize,
}

impl Default for AbsorbOptions {
    fn default() -> Self {
        Self { tolerance: 1e-10, iterations_max: 10_000, method: Method::default(), keep: false }
    }
}

impl<'a> Absorbed<'a> {
    /// Absorbs the design's effects from all its variables at once.
    ///
    /// # Errors
    /// [`EstimateError::NotConverged`]: the tolerance was not reached, and why.
    pub fn solve(
        design: Design<'a>,
        options: &AbsorbOptions,
        start: Option<&Start>,
    ) -> Result<Self, EstimateError> {
        let mut blocks = match options.method {
            Method::Fastest => blocks_of(&design),
            Method::General => None,
        };
        let layout = Layout::new(design, blocks.as_ref());
        if let Some(blocks) = &mut blocks {
            blocks.pieces.of_row = Vec::new();
        }
        let earlier = start.map(Start::kept);
        let start = start.map(|start| start.potentials(&layout));
        let problem = Problem { layout: &layout, options, start, earlier };
        let solved = match &blocks {
            Some(blocks) => problem.structured(blocks),
            None => problem.general(),
        }?;
        let n_variables = layout.design.variables.len();
        Ok(Self {
            totals: solved.moments[..n_variables].iter().map(|moments| moments.centred).collect(),
            potentials: solved.potentials,
            products: solved.products,
            iterations: solved.iterations,
            relative_residual: solved.relative_residual,
            warm_start: solved.warm_start,
            elimination: solved.elimination,
            kept: solved.kept,
            layout,
        })
    }

    /// The sample in working order.
    #[must_use]
    pub fn layout(&self) -> &Layout<'a> {
        &self.layout
    }

    /// `Ṽ'W Ṽ` of the residuals: upper triangle, by rows of the layout's width.
    #[must_use]
    pub fn products(&self) -> Vec<f64> {
        if let Some(products) = &self.products {
            return products.clone();
        }
        let part = |part: usize| {
            let mut products = Products::new(self.layout.width);
            self.residuals().visit(
                self.layout.parts[part].clone(),
                |_, _| {},
                |rows, block| products.add(block, self.layout.weights_of(rows)),
            );
            products.into_values()
        };
        let parts: Vec<Vec<f64>> = (0..self.layout.parts.len()).into_par_iter().map(part).collect();
        added(parts.iter())
    }

    /// The residuals, part by part.
    #[must_use]
    pub fn residuals(&self) -> Stream<'_, 'a> {
        Stream::new(&self.layout, self.potentials.as_ref())
    }

    /// The potentials of one iterated effect, `width` numbers for each level.
    ///
    /// # Panics
    /// There are fewer iterated effects.
    #[must_use]
    pub fn potentials(&self, iterated: usize) -> &[f64] {
        self.potentials.as_ref().map_or(&[], |potentials| potentials.effect(iterated))
    }

    /// The potentials, as a start for a later solution.
    #[must_use]
    pub fn start(&self) -> Start {
        let left = self.elimination.as_ref().map(|blocks| blocks.iterated);
        Start::new(&self.layout, self.potentials.as_ref(), left, self.kept.clone())
    }
}

/// What there is to solve.
struct Problem<'p, 'a> {
    layout: &'p Layout<'a>,
    options: &'p AbsorbOptions,
    /// Where to begin, and how many levels of each iterated effect that is known of.
    start: Option<(Target, Vec<usize>)>,
    earlier: Option<&'p Kept>,
}

#[derive(Default)]
struct Solved {
    potentials: Option<Target>,
    products: Option<Vec<f64>>,
    moments: Vec<Moments>,
    iterations: usize,
    relative_residual: f64,
    warm_start: bool,
    elimination: Option<Eliminated>,
    kept: Kept,
}

/// The blocks that the effects fall into, those that a finer one explains aside.
fn blocks_of(design: &Design<'_>) -> Option<Blocks> {
    let swept = layout::swept_effect(design)?;
    let redundant = layout::redundant(design);
    let others: Vec<usize> =
        (0..redundant.len()).filter(|&i| i != swept && !redundant[i]).collect();
    Blocks::find(design, swept, &others)
}

impl Problem<'_, '_> {
    fn general(self) -> Result<Solved, EstimateError> {
        let (layout, width) = (self.layout, self.layout.width);
        let levels: Vec<&[u32]> = layout.iterated().map(|(_, c)| c.of_row.as_slice()).collect();
        let tallies = tallies(
            layout,
            |part| layout.sums(part, width),
            |sums, row, values| {
                for (effect, levels) in levels.iter().enumerate() {
                    lanes::add_scaled(sums.level(effect, levels[row]), values, layout.weight(row));
                }
            },
        );
        let moments = moments::total(tallies.iter().map(|tally| tally.moments.as_slice()));
        let mut potentials = layout.totals(width);
        if levels.is_empty() {
            let products = Some(added(tallies.iter().map(|tally| &tally.products)));
            return Ok(Solved { products, moments, ..Solved::default() });
        }
        let sums: Vec<Sums> = tallies.into_iter().map(|tally| tally.sums).collect();
        let mut rhs = layout.totals(width);
        rhs.collect(&sums);
        let mut system = General::new(layout);
        let start = self.start.map(|(start, _)| start.values);
        let warm_start = start.is_some();
        let scales = scales(&moments);
        let outcome = conjugate::solve(&mut system, rhs.values, start, &scales, self.options);
        let (iterations, relative_residual) = accepted(layout, &outcome)?;
        potentials.values = outcome.solution;
        let potentials = Some(potentials);
        Ok(Solved {
            potentials,
            moments,
            iterations,
            relative_residual,
            warm_start,
            ..Solved::default()
        })
    }

    fn structured(self, blocks: &Blocks) -> Result<Solved, EstimateError> {
        let layout = self.layout;
        let iterated = layout.place_of(blocks.iterated);
        let mut system = Structured::new(layout, blocks, self.earlier, self.options);
        let moments = system.moments();
        let scales = scales(&moments);
        // A start costs a product with the system, as an iteration does; a closing year's levels
        // are new, and then it brings less than that.
        let n_levels = layout.design.effects[blocks.iterated].n_levels;
        let is_near =
            |n_known: &[usize]| n_known[iterated] * START_SHARE > n_levels * (START_SHARE - 1);
        let start = self.start.filter(|(_, n_known)| is_near(n_known));
        let start = start.map(|(start, _)| start.effect(iterated).to_vec());
        let warm_start = start.is_some() || system.n_kept > 0;
        let reduced = system.reduced();
        let outcome = conjugate::solve(&mut system, reduced, start, &scales, self.options);
        let (iterations, relative_residual) = accepted(layout, &outcome)?;
        let elimination = Some(Eliminated {
            effect: blocks.eliminated,
            iterated: blocks.iterated,
            local: blocks.local.clone(),
            n_pieces: system.pieces().count(),
            n_kept: system.n_kept,
        });
        let kept = if self.options.keep { system.kept() } else { Kept::default() };
        let (potentials, products) = system.finish(&outcome.solution);
        let (potentials, products) = (Some(potentials), Some(products));
        Ok(Solved {
            potentials,
            products,
            moments,
            iterations,
            relative_residual,
            warm_start,
            elimination,
            kept,
        })
    }
}

/// The size of each variable, below which nothing can be told from rounding.
fn scales(moments: &[Moments]) -> Vec<f64> {
    moments.iter().map(|moments| moments.raw.sqrt()).collect()
}

/// The iterations and the largest relative residual of an outcome that converged.
fn accepted(
    layout: &Layout<'_>,
    outcome: &conjugate::Outcome,
) -> Result<(usize, f64), EstimateError> {
    let (worst, relative_residual) = largest(&outcome.relative_residuals);
    let (iterations, stop) = (outcome.iterations, outcome.stop);
    if stop == Stop::Converged {
        return Ok((iterations, relative_residual));
    }
    let variable = layout.design.variables[worst].name.clone();
    Err(EstimateError::NotConverged { stop, iterations, relative_residual, variable })
}

/// What one pass over the rows says about the variables.
#[derive(Debug)]
struct Tally {
    /// `V'W M V`, upper triangle by rows of `width`.
    products: Vec<f64>,
    moments: Vec<Moments>,
    sums: Sums,
}

/// One pass over the swept variables: their products, and their sums by the levels that `add`
/// says.
fn tallies(
    layout: &Layout<'_>,
    sums: impl Fn(usize) -> Sums + Sync,
    add: impl Fn(&mut Sums, usize, &[f64]) + Sync,
) -> Vec<Tally> {
    let width = layout.width;
    let first = layout.design.rows[0] as usize;
    let mut origin = vec![0.0; width];
    for (origin, variable) in origin.iter_mut().zip(&layout.design.variables) {
        *origin = variable.at(first);
    }
    let stream = Stream::new(layout, None);
    let part = |part: usize| {
        let mut sums = sums(part);
        let mut moments = Shifted::new(origin.clone());
        let mut products = Products::new(width);
        let raw = |rows: Range<usize>, block: &[f64]| {
            for (row, values) in rows.zip(block.chunks_exact(width)) {
                moments.observe(values, layout.weight(row));
            }
        };
        let swept = |rows: Range<usize>, block: &[f64]| {
            products.add(block, layout.weights_of(rows.clone()));
            for (row, values) in rows.zip(block.chunks_exact(width)) {
                add(&mut sums, row, values);
            }
        };
        stream.visit(layout.parts[part].clone(), raw, swept);
        Tally { products: products.into_values(), moments: moments.finish(), sums }
    };
    (0..layout.parts.len()).into_par_iter().map(part).collect()
}

/// The place and value of the largest; NaN counts as largest.
fn largest(values: &[f64]) -> (usize, f64) {
    let mut found = (0, 0.0);
    for (i, &value) in values.iter().enumerate() {
        if value > found.1 || value.is_nan() {
            found = (i, value);
        }
    }
    found
}
