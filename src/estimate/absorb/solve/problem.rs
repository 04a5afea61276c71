//! The problem and its solver.

use super::refinement::{Refinement, limits};
use super::structured::Structured;
use crate::estimate::absorb::linear::conjugate_gradients::{self, Ended, Goals};
use crate::estimate::absorb::options::AbsorbOptions;
use crate::estimate::absorb::reuse::kept_pieces::Kept;
use crate::estimate::absorb::sample::blocks::Blocks;
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::level_sums::Totals;
use crate::estimate::absorb::sample::sizes::{ROUNDING, Sizes};
use crate::estimate::absorb::sample::tally::{Tally, WithMoments, squares};
use crate::estimate::error::EstimateError;

/// The share of new levels, one in so many, up to which the last solution starts the iteration
/// after an elimination.
const START_SHARE: usize = 32;
/// The share of a variable's square below which the rounding of the elimination is large against
/// the remainder; the rows are then read again.
const LEFT_MIN: f64 = 1e-6;

/// The problem to solve.
pub struct Problem<'p, 'a> {
    /// The sample.
    pub layout: &'p Layout<'a>,
    /// The options of the iteration.
    pub options: &'p AbsorbOptions,
    /// The start of the iteration, with the number of known levels of each iterated effect.
    pub start: Option<(Totals, Vec<usize>)>,
    /// The stored figures of earlier pieces.
    pub earlier: Option<&'p Kept>,
}

/// The result of a solver.
#[derive(Default)]
pub struct Solved {
    /// The potentials of the iterated effects, if there are any.
    pub potentials: Option<Totals>,
    /// `Ṽ'WṼ`, upper triangle by rows of the width.
    pub products: Vec<f64>,
    /// The sizes of the variables before absorption.
    pub sizes: Sizes,
    /// The number of iterations.
    pub iterations: usize,
    /// The largest relative residual of a variable that counts.
    pub relative_residual: f64,
    /// The share of the tolerance that residuals must reach.
    pub share: f64,
    /// True if an earlier solution started the iteration, or stored pieces were used.
    pub warm_start: bool,
    /// The elimination within blocks, if effects were eliminated.
    pub elimination: Option<Eliminated>,
    /// The figures of pieces.
    pub kept: Kept,
}

/// The effects eliminated within blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eliminated {
    /// The effect eliminated within blocks.
    pub effect: usize,
    /// The remaining effect, which is iterated.
    pub iterated: usize,
    /// The effects eliminated within pieces of blocks.
    pub local: Vec<usize>,
    /// The number of pieces of the sample.
    pub n_pieces: usize,
    /// The number of pieces that an earlier estimation had read.
    pub n_kept: usize,
}

impl Problem<'_, '_> {
    /// Iterates all effects but the swept one.
    ///
    /// # Errors
    /// [`EstimateError::NotConverged`]
    pub fn general(self) -> Result<Solved, EstimateError> {
        let (layout, options) = (self.layout, self.options);
        let tally = Tally::of(layout, None, WithMoments::Yes);
        let sizes = Sizes::of(layout, &tally.moments, options);
        if layout.iterated().next().is_none() {
            return Ok(Solved { products: tally.products, sizes, ..Solved::default() });
        }
        let start = self.start.map(|(start, _)| start.values);
        let warm_start = start.is_some();
        let none = layout.totals(layout.width);
        let mut refinement = Refinement::new(layout, options, &sizes, none);
        let ended = refinement.begin(tally, start);
        refinement.run(ended)?;
        let Refinement { potentials, products, iterations, relative_residual, share, .. } =
            refinement;
        let potentials = Some(potentials);
        Ok(Solved {
            potentials,
            products,
            sizes,
            iterations,
            relative_residual,
            share,
            warm_start,
            ..Solved::default()
        })
    }

    /// Eliminates all effects but one within blocks, and iterates that one. Uses the general solver
    /// if the blocks' factorisations are not accurate enough.
    ///
    /// # Errors
    /// [`EstimateError::NotConverged`]
    pub fn structured(self, blocks: &Blocks) -> Result<Solved, EstimateError> {
        let (layout, options) = (self.layout, self.options);
        let iterated = layout.place_of(blocks.iterated);
        let mut system = Structured::new(layout, blocks, self.earlier, options);
        let pivots = system.pivots();
        if pivots.are_doubtful() {
            return self.general();
        }
        let sizes = Sizes::of(layout, &system.moments(), options);
        let before = squares(&system.products, layout.width);
        let goals = Goals {
            rounding: before.iter().map(|square| ROUNDING * square.sqrt()).collect(),
            squares: before,
            explained: sizes.explained.clone(),
            tolerance: options.tolerance,
        };
        // A start costs a product with the system, as an iteration does. The levels of a closing
        // year are new, so that a start then saves less than it costs.
        let n_levels = layout.design.effects[blocks.iterated].n_levels;
        let is_near =
            |n_known: &[usize]| n_known[iterated] * START_SHARE > n_levels * (START_SHARE - 1);
        let start = self.start.as_ref().filter(|(_, n_known)| is_near(n_known));
        let start = start.map(|(start, _)| start.effect(iterated).to_vec());
        let warm_start = start.is_some() || system.n_kept > 0;
        let reduced = system.reduced();
        let limits = limits(options, 0, true);
        let outcome = conjugate_gradients::solve(&mut system, reduced, start, &goals, limits);
        let elimination = Some(Eliminated {
            effect: blocks.eliminated,
            iterated: blocks.iterated,
            local: blocks.local.clone(),
            n_pieces: system.pieces().count(),
            n_kept: system.n_kept,
        });
        let kept = if options.keep { system.kept() } else { Kept::default() };
        let (potentials, products) = system.finish(&outcome.solution);
        let mut solved = Solved {
            iterations: outcome.iterations,
            relative_residual: goals.relative(&outcome.residuals, &outcome.left),
            share: outcome.share,
            potentials: None,
            products,
            warm_start,
            elimination,
            kept,
            sizes,
        };
        let is_near = |((left, before), explained): ((&f64, &f64), &f64)| {
            left <= explained || *left >= LEFT_MIN * before
        };
        let mut each = outcome.left.iter().zip(&goals.squares).zip(&goals.explained);
        if outcome.ended == Ended::Converged && each.all(is_near) && !pivots.are_small() {
            solved.potentials = Some(potentials);
            return Ok(solved);
        }
        let mut refinement = Refinement::new(layout, options, &solved.sizes, potentials);
        refinement.iterations = outcome.iterations;
        refinement.share = outcome.share;
        refinement.run(outcome.ended)?;
        let Refinement { potentials, products, iterations, relative_residual, share, .. } =
            refinement;
        let potentials = Some(potentials);
        Ok(Solved { potentials, products, iterations, relative_residual, share, ..solved })
    }
}
