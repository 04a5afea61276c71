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

/// One level in so many may be new where the last solution starts the iteration of what
/// elimination left.
const START_SHARE: usize = 32;
/// Where less of a variable is left than this share of its square, the rounding of what was
/// eliminated is large beside it: the rows are read again.
const LEFT_MIN: f64 = 1e-6;

/// What there is to solve.
pub struct Problem<'p, 'a> {
    /// The sample.
    pub layout: &'p Layout<'a>,
    /// When to stop.
    pub options: &'p AbsorbOptions,
    /// Where to begin, and how many levels of each iterated effect that is known of.
    pub start: Option<(Totals, Vec<usize>)>,
    /// What is known of pieces.
    pub earlier: Option<&'p Kept>,
}

/// Its result.
#[derive(Default)]
pub struct Solved {
    /// The potentials of the iterated effects, if there are any.
    pub potentials: Option<Totals>,
    /// `Ṽ'WṼ`, upper triangle by rows of the width.
    pub products: Vec<f64>,
    /// What each variable is before.
    pub sizes: Sizes,
    /// Iterations done.
    pub iterations: usize,
    /// The largest relative residual of a variable that counts.
    pub relative_residual: f64,
    /// The share of the tolerance that residuals must reach.
    pub share: f64,
    /// Whether an earlier solution started the iteration, or its pieces were not read again.
    pub warm_start: bool,
    /// How the effects were eliminated within blocks, if they were.
    pub elimination: Option<Eliminated>,
    /// The figures of pieces.
    pub kept: Kept,
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

impl Problem<'_, '_> {
    /// All effects but the swept one are iterated.
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

    /// Effects are eliminated within blocks but for one, which is iterated; not where blocks cannot
    /// be relied upon.
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
        // A start costs a product with the system, as an iteration does; a closing year's levels
        // are new, and then it brings less than that.
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
