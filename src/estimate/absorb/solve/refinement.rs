//! Corrects potentials with residuals from the rows.
//!
//! ```text
//! potentials ─▶ rows: Ṽ'WṼ, D'WṼ ─▶ near enough? ─▶ done
//!      ▲                              │ no
//!      └── correction ◀── conjugate gradients on D'WṼ
//! ```
//!
//! An iteration works on sums from before the absorption. If the effects explain nearly all of a
//! variable, the rounding of those sums is large relative to the residual. A correction uses the
//! residual itself, so its rounding is small. The preconditioner also changes here if the diagonal
//! converges too slowly.

use super::general::General;
use crate::estimate::absorb::linear::conjugate_gradients::{self, Ended, Goals, Limits};
use crate::estimate::absorb::options::AbsorbOptions;
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::level_sums::Totals;
use crate::estimate::absorb::sample::sizes::Sizes;
use crate::estimate::absorb::sample::tally::{Tally, WithMoments};
use crate::estimate::error::{EstimateError, Stop};

/// The largest ratio of a residual to its goal when the rows are read: the iteration's own estimate
/// is not exact.
const GOALS_MAX: f64 = 4.0;
/// The factor by which a correction must reduce a residual to be followed by another one.
const PROGRESS_MIN: f64 = 4.0;
/// The largest ratio of a residual to its goal after corrections no longer reduce it.
const ROUNDING_MAX: f64 = 64.0;
/// The largest relative error of residuals if the better preconditioner does not help.
const ERROR_MAX: f64 = 1e-7;
/// The largest share by which rounding increases a square.
const GROWTH_MAX: f64 = 1e-12;
/// The rounding of a subtraction of potentials from a value, in its last place.
const ROUNDING: f64 = 2.0 * f64::EPSILON;

/// The current state of the solution of a problem.
pub struct Refinement<'r, 'l, 'a> {
    layout: &'l Layout<'a>,
    options: &'r AbsorbOptions,
    system: General<'l, 'a>,
    /// The centred sum of squares of each variable before absorption.
    totals: Vec<f64>,
    /// The square below which so little remains of a variable that it does not count.
    pub explained: Vec<f64>,
    /// The current potentials.
    pub potentials: Totals,
    /// `Ṽ'WṼ` after the subtraction of the potentials.
    pub products: Vec<f64>,
    /// The number of iterations so far.
    pub iterations: usize,
    /// The largest relative residual of a variable that counts.
    pub relative_residual: f64,
    /// The share of the tolerance that residuals must reach.
    pub share: f64,
}

impl<'r, 'l, 'a> Refinement<'r, 'l, 'a> {
    /// Starts from the potentials of earlier iterations.
    #[must_use]
    pub fn new(
        layout: &'l Layout<'a>,
        options: &'r AbsorbOptions,
        sizes: &Sizes,
        potentials: Totals,
    ) -> Self {
        Self {
            layout,
            options,
            system: General::new(layout),
            totals: sizes.centred.clone(),
            explained: sizes.explained.clone(),
            potentials,
            products: Vec::new(),
            iterations: 0,
            relative_residual: 0.0,
            share: 1.0,
        }
    }

    /// Adds the result of iterations.
    pub fn add(&mut self, outcome: &conjugate_gradients::Outcome) {
        self.iterations += outcome.iterations;
        self.share = outcome.share;
        let each = self.potentials.values.iter_mut().zip(&outcome.solution);
        each.for_each(|(potential, correction)| *potential += correction);
    }

    /// Corrects the potentials until the residuals reach their goal, or corrections are only
    /// rounding.
    ///
    /// # Errors
    /// [`EstimateError::NotConverged`]
    pub fn run(&mut self, mut ended: Ended) -> Result<(), EstimateError> {
        let (mut last, mut look, mut fallback) = (f64::INFINITY, self.look(), None);
        loop {
            let (variable, worst) = look.worst(GOALS_MAX * self.share, self.share);
            let is_near = matches!(ended, Ended::Converged | Ended::Stagnated);
            if is_near && worst <= 1.0 {
                return Ok(());
            } else if matches!(ended, Ended::Slow | Ended::Stagnated) && !self.system.has_pairs() {
                let error_max = self.options.tolerance / self.share;
                if look.worst(GOALS_MAX, 1.0).1 <= 1.0 && error_max <= ERROR_MAX {
                    fallback = Some(self.potentials.clone());
                }
                self.system.precondition_by_pairs();
                last = f64::INFINITY;
            } else if is_near && worst * PROGRESS_MIN < last {
                last = worst;
            } else if is_near && look.worst(GOALS_MAX, ROUNDING_MAX).1 <= 1.0 {
                return Ok(());
            } else if let Some(potentials) = fallback.take() {
                self.potentials = potentials;
                self.look();
                return Ok(());
            } else {
                return Err(self.not_converged(ended, variable));
            }
            let limits = limits(self.options, self.iterations, !self.system.has_pairs());
            let before = self.potentials.clone();
            let Look { goals, sums, .. } = look;
            let outcome = conjugate_gradients::solve(&mut self.system, sums, None, &goals, limits);
            self.add(&outcome);
            (ended, look) = (outcome.ended, self.look());
            if self.take_back(&before, &goals.squares, &look.goals.squares) {
                (last, look) = (0.0, self.look());
            }
        }
    }

    /// Reads the rows with the current potentials.
    fn look(&mut self) -> Look {
        let tally = Tally::of(self.layout, Some(&self.potentials), WithMoments::No);
        let squares = tally.squares(self.layout.width);
        let sums = tally.sums.values;
        let residuals = conjugate_gradients::norms(&self.system, &sums, self.layout.width);
        let goals = self.goals(squares);
        self.products = tally.products;
        self.relative_residual = goals.relative(&residuals, &goals.squares);
        Look { goals, sums, residuals }
    }

    fn goals(&self, squares: Vec<f64>) -> Goals {
        Goals {
            squares,
            explained: self.explained.clone(),
            rounding: self.rounding(),
            tolerance: self.options.tolerance,
        }
    }

    /// Undoes corrections that increased the remainder of a variable; returns true if there were
    /// any.
    fn take_back(&mut self, before: &Totals, squares: &[f64], now: &[f64]) -> bool {
        let has_grown = squares.iter().zip(now).map(|(was, is)| *is > (1.0 + GROWTH_MAX) * was);
        let has_grown: Vec<bool> = has_grown.collect();
        let rows = self.potentials.values.chunks_exact_mut(has_grown.len());
        for (own, before) in rows.zip(before.values.chunks_exact(has_grown.len())) {
            let each = own.iter_mut().zip(before).zip(&has_grown);
            each.filter(|(_, has_grown)| **has_grown).for_each(|((own, before), _)| *own = *before);
        }
        has_grown.contains(&true)
    }
}

/// The result of reading the rows with some potentials.
struct Look {
    /// The goals from here.
    goals: Goals,
    /// `D'WṼ`
    sums: Vec<f64>,
    /// The size of `D'WṼ` for each column.
    residuals: Vec<f64>,
}

impl Look {
    /// The column with the largest ratio of residual to goal, and that ratio; tolerance and
    /// rounding are multiplied by the factors.
    fn worst(&self, of_tolerance: f64, of_rounding: f64) -> (usize, f64) {
        let goals = self.goals.scaled(of_tolerance, of_rounding);
        largest(&goals.ratios(&self.residuals, &goals.squares))
    }
}

impl Refinement<'_, '_, '_> {
    /// Runs the first iterations, on the sums over the unchanged rows.
    pub fn begin(&mut self, tally: Tally, start: Option<Vec<f64>>) -> Ended {
        let goals = self.goals(tally.squares(self.layout.width));
        let limits = limits(self.options, 0, true);
        let rhs = tally.sums.values;
        let outcome = conjugate_gradients::solve(&mut self.system, rhs, start, &goals, limits);
        self.add(&outcome);
        outcome.ended
    }

    /// The rounding of each variable after the subtraction of the potentials: an error in the last
    /// place of the value and of each potential.
    fn rounding(&self) -> Vec<f64> {
        let width = self.layout.width;
        let mut squares = vec![0.0; width];
        let levels = self.potentials.values.chunks_exact(width).zip(&self.system.weights);
        for (level, weight) in levels {
            let each = squares.iter_mut().zip(level);
            each.for_each(|(square, potential)| *square += weight * potential * potential);
        }
        squares.iter_mut().zip(&self.totals).for_each(|(square, total)| *square += total);
        squares.into_iter().map(|square| ROUNDING * square.sqrt()).collect()
    }

    fn not_converged(&self, ended: Ended, variable: usize) -> EstimateError {
        let stop = match ended {
            Ended::Limit => Stop::IterationLimit,
            Ended::NotFinite => Stop::NotFinite,
            Ended::Converged | Ended::Slow | Ended::Stagnated => Stop::Stagnated,
        };
        let variable = self.layout.design.variables[variable].name.clone();
        let (iterations, relative_residual) = (self.iterations, self.relative_residual);
        EstimateError::NotConverged { stop, iterations, relative_residual, variable }
    }
}

/// The remaining limits of the iteration after some iterations.
#[must_use]
pub fn limits(options: &AbsorbOptions, iterations: usize, stops_if_slow: bool) -> Limits {
    let iterations_max = options.iterations_max.saturating_sub(iterations);
    Limits { iterations_max, patience: options.patience, stops_if_slow }
}

/// The position and value of the largest number; NaN counts as the largest.
fn largest(values: &[f64]) -> (usize, f64) {
    let mut found = (0, 0.0);
    for (i, &value) in values.iter().enumerate() {
        if value > found.1 || value.is_nan() {
            found = (i, value);
        }
    }
    found
}
