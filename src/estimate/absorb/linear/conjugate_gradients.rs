//! Preconditioned conjugate gradients for all right-hand sides at once.
//!
//! # Equation
//! `A z = b` for each column of `b`, with a preconditioner `P⁺`. `A` may be singular as long as `b`
//! lies in its range.
//!
//! The residual norm of a variable, `‖ṽ‖² = ‖Mv‖² − z'(b + r)`, falls by `γ r'P⁺r` in a step of
//! length `γ`. The distance of `ṽ` from its limit is `r'A⁺r ≈ r'P⁺r`. A column therefore stops when
//! `√(r'P⁺r) ≤ tolerance · ‖ṽ‖`: residuals are accurate relative to themselves, whatever share of
//! the variable the effects explain. A column with a residual below its limit stops at once, and no
//! column goes below its rounding.
//!
//! `P⁺` is not `A⁺`: `r'A⁺r` is at most `r'P⁺r` over the smallest eigenvalue of `P⁺A`. The steps of
//! the iteration give that eigenvalue ([`super::ritz_values`]). If it is far below one, the
//! tolerance is multiplied by its root.

use rayon::prelude::*;

use super::ritz_values::Steps;

/// The number of levels in one task.
const LEVELS_PER_PIECE: usize = 1024;
/// The smallest eigenvalue of the preconditioned system for which the preconditioner is as good as
/// the inverse.
const EIGENVALUE_NEAR: f64 = 0.25;
/// The share of the tolerance below which another preconditioner is better.
const SHARE_MIN: f64 = 0.01;
/// The number of iterations before each check of the speed.
const ITERATIONS_BEFORE_JUDGING: usize = 32;
const ITERATIONS_BETWEEN: usize = 16;
/// The number of remaining iterations above which another preconditioner costs less.
const ITERATIONS_TO_COME_MAX: f64 = 128.0;

/// A symmetric positive semidefinite system.
pub trait System: Sync {
    /// `out = A z`
    fn apply(&mut self, z: &[f64], out: &mut [f64]);
    /// `out = P⁺ residual`, rows of `width` numbers.
    fn precondition(&self, residual: &[f64], out: &mut [f64], width: usize);
}

/// The goal of each column.
#[derive(Debug, Clone, PartialEq)]
pub struct Goals {
    /// `‖Mv‖²`: the square of each variable before the first iteration.
    pub squares: Vec<f64>,
    /// The square below which so little remains that the column does not count.
    pub explained: Vec<f64>,
    /// The residual that rounding causes.
    pub rounding: Vec<f64>,
    /// The relative residual to reach.
    pub tolerance: f64,
}

/// The limits of the iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of iterations.
    pub iterations_max: usize,
    /// The number of iterations without a smaller residual before the iteration gives up.
    pub patience: usize,
    /// True if the iteration stops when another preconditioner promises to be faster.
    pub stops_if_slow: bool,
}

/// The reason why an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every column reached its goal.
    Converged,
    /// The iteration would take long, or its residual says little about the error.
    Slow,
    /// The iteration reached its limit.
    Limit,
    /// The residual no longer falls.
    Stagnated,
    /// A number is infinite or not a number.
    NotFinite,
}

/// The result of the iteration. For every reason of ending, it holds the last iterate.
#[derive(Debug)]
pub struct Outcome {
    /// The solution: `width` numbers for each level.
    pub solution: Vec<f64>,
    /// The reason for the end of the iteration.
    pub ended: Ended,
    /// The number of products with the system.
    pub iterations: usize,
    /// The square that remains of each column.
    pub left: Vec<f64>,
    /// The residual of each column.
    pub residuals: Vec<f64>,
    /// The share of the tolerance that residuals must reach.
    pub share: f64,
}

impl Goals {
    /// The goals with tolerance and rounding multiplied by two factors.
    #[must_use]
    pub fn scaled(&self, of_tolerance: f64, of_rounding: f64) -> Self {
        let rounding = self.rounding.iter().map(|rounding| of_rounding * rounding).collect();
        Self { tolerance: of_tolerance * self.tolerance, rounding, ..self.clone() }
    }

    /// The ratio of each residual to its goal; zero if too little remains of the column.
    #[must_use]
    pub fn ratios(&self, residuals: &[f64], left: &[f64]) -> Vec<f64> {
        let ratio = |((residual, left), (explained, rounding)): ((&f64, &f64), (&f64, &f64))| {
            let goal = (self.tolerance * left.sqrt()).max(*rounding);
            if !residual.is_finite() {
                f64::NAN
            } else if left > explained {
                residual / goal.max(f64::MIN_POSITIVE)
            } else {
                0.0
            }
        };
        let limits = self.explained.iter().zip(&self.rounding);
        residuals.iter().zip(left).zip(limits).map(ratio).collect()
    }

    /// The largest residual relative to its remaining column, among the columns that count.
    #[must_use]
    pub fn relative(&self, residuals: &[f64], left: &[f64]) -> f64 {
        let counted = residuals.iter().zip(left.iter().zip(&self.explained));
        let counted = counted.filter(|(_, (left, explained))| left > explained);
        counted.map(|(residual, (left, _))| residual / left.sqrt()).fold(0.0, f64::max)
    }
}

/// `√(r'P⁺r)` of each column of a residual.
#[must_use]
pub fn norms(system: &impl System, residual: &[f64], width: usize) -> Vec<f64> {
    let mut image = vec![0.0; residual.len()];
    system.precondition(residual, &mut image, width);
    root(&dot(residual, &image, width))
}

/// Solves the system, starting at `start`.
///
/// # Shape
/// `rhs` and `start` have as many numbers for each level as there are goals.
pub fn solve(
    system: &mut impl System,
    rhs: Vec<f64>,
    start: Option<Vec<f64>>,
    goals: &Goals,
    limits: Limits,
) -> Outcome {
    let mut state = State::new(system, rhs, start, goals);
    let (mut progress, mut share) = (Progress::default(), 1.0);
    let ended = loop {
        let residuals = root(&state.squares);
        let ratios_with = |share: f64| {
            let ratios = goals.scaled(share, share).ratios(&residuals, &state.left);
            let worst = ratios.iter().copied().fold(0.0, nan_or_max);
            (ratios, worst)
        };
        let (mut ratios, mut worst) = ratios_with(share);
        if worst <= 1.0 {
            share = state.share().min(share);
            if limits.stops_if_slow && share < SHARE_MIN {
                break Ended::Slow;
            }
            (ratios, worst) = ratios_with(share);
        }
        if let Some(ended) = progress.judge(worst, state.iterations, limits) {
            break ended;
        }
        let active: Vec<bool> = ratios.iter().map(|&ratio| ratio > 1.0).collect();
        state.step(system, &active);
    };
    let residuals = root(&state.squares);
    let State { solution, left, iterations, .. } = state;
    Outcome { solution, ended, iterations, left, residuals, share }
}

/// The decrease of the largest ratio of a residual to its goal.
#[derive(Default)]
struct Progress {
    first: Option<f64>,
    best: f64,
    best_at: usize,
}

impl Progress {
    /// Decides whether to end, given the current largest ratio.
    fn judge(&mut self, worst: f64, iteration: usize, limits: Limits) -> Option<Ended> {
        let first = *self.first.get_or_insert(worst);
        if worst.is_nan() {
            return Some(Ended::NotFinite);
        } else if worst <= 1.0 {
            return Some(Ended::Converged);
        } else if iteration >= limits.iterations_max {
            return Some(Ended::Limit);
        }
        if iteration == 0 || worst < self.best {
            (self.best, self.best_at) = (worst, iteration);
        } else if iteration > self.best_at + limits.patience {
            return Some(Ended::Stagnated);
        }
        let judges = limits.stops_if_slow
            && iteration >= ITERATIONS_BEFORE_JUDGING
            && iteration.is_multiple_of(ITERATIONS_BETWEEN);
        let to_come = real(iteration) * libm::log(self.best) / libm::log(first / self.best);
        (judges && to_come > ITERATIONS_TO_COME_MAX).then_some(Ended::Slow)
    }
}

struct State {
    width: usize,
    solution: Vec<f64>,
    residual: Vec<f64>,
    direction: Vec<f64>,
    /// `A` times the direction, or `P⁺` times the residual.
    image: Vec<f64>,
    /// `r'P⁺r` of each column.
    squares: Vec<f64>,
    /// `‖ṽ‖²` of each column.
    left: Vec<f64>,
    steps: Vec<Steps>,
    iterations: usize,
}

impl State {
    fn new(
        system: &mut impl System,
        rhs: Vec<f64>,
        start: Option<Vec<f64>>,
        goals: &Goals,
    ) -> Self {
        let width = goals.squares.len();
        let mut image = vec![0.0; rhs.len()];
        let (mut residual, mut left, mut iterations) = (rhs, goals.squares.clone(), 0);
        if let Some(start) = &start {
            let of_rhs = dot(start, &residual, width);
            system.apply(start, &mut image);
            iterations += 1;
            residual.iter_mut().zip(&image).for_each(|(r, image)| *r -= image);
            let explained = of_rhs.into_iter().zip(dot(start, &residual, width));
            left.iter_mut().zip(explained).for_each(|(left, (b, r))| *left -= b + r);
        }
        system.precondition(&residual, &mut image, width);
        let solution = start.unwrap_or_else(|| vec![0.0; residual.len()]);
        let squares = dot(&residual, &image, width);
        let direction = image.clone();
        let steps = vec![Steps::default(); width];
        Self { width, solution, residual, direction, image, squares, left, steps, iterations }
    }

    /// The share of the tolerance that a residual must reach so that the error is within the
    /// tolerance.
    fn share(&self) -> f64 {
        let least = self.steps.iter().map(Steps::least).fold(1.0, f64::min);
        (least / EIGENVALUE_NEAR).sqrt().min(1.0)
    }

    /// One step of the active columns.
    fn step(&mut self, system: &mut impl System, active: &[bool]) {
        let width = self.width;
        system.apply(&self.direction, &mut self.image);
        let curvature = dot(&self.direction, &self.image, width);
        let ratio = |active: bool, over: f64, under: f64| {
            if active && under != 0.0 { over / under } else { 0.0 }
        };
        let lengths: Vec<f64> =
            (0..width).map(|j| ratio(active[j], self.squares[j], curvature[j])).collect();
        for (left, (length, square)) in self.left.iter_mut().zip(lengths.iter().zip(&self.squares))
        {
            *left = (*left - length * square).max(0.0);
        }
        let piece = LEVELS_PER_PIECE * width;
        let moved = self.solution.par_chunks_mut(piece).zip(self.residual.par_chunks_mut(piece));
        let along = self.direction.par_chunks(piece).zip(self.image.par_chunks(piece));
        moved.zip(along).for_each(|((solution, residual), (direction, image))| {
            advance(solution, direction, &lengths, 1.0);
            advance(residual, image, &lengths, -1.0);
        });
        system.precondition(&self.residual, &mut self.image, width);
        let squares = dot(&self.residual, &self.image, width);
        let turns: Vec<f64> =
            (0..width).map(|j| ratio(active[j], squares[j], self.squares[j])).collect();
        let turned = self.direction.par_chunks_mut(piece).zip(self.image.par_chunks(piece));
        turned.for_each(|(direction, image)| turn(direction, image, &turns));
        let each = self.steps.iter_mut().zip(lengths.iter().zip(&turns));
        each.for_each(|(steps, (length, turn))| steps.push(*length, *turn));
        self.squares = squares;
        self.iterations += 1;
    }
}

/// `out += sign · lengths ∘ along`, row by row.
fn advance(out: &mut [f64], along: &[f64], lengths: &[f64], sign: f64) {
    let width = lengths.len();
    for (out, along) in out.chunks_exact_mut(width).zip(along.chunks_exact(width)) {
        for ((out, along), length) in out.iter_mut().zip(along).zip(lengths) {
            *out += sign * length * along;
        }
    }
}

/// `direction = image + turns ∘ direction`, row by row.
fn turn(direction: &mut [f64], image: &[f64], turns: &[f64]) {
    let width = turns.len();
    for (direction, image) in direction.chunks_exact_mut(width).zip(image.chunks_exact(width)) {
        for ((direction, image), turn) in direction.iter_mut().zip(image).zip(turns) {
            *direction = image + turn * *direction;
        }
    }
}

fn dot(a: &[f64], b: &[f64], width: usize) -> Vec<f64> {
    let piece = LEVELS_PER_PIECE * width;
    let pieces: Vec<Vec<f64>> = a
        .par_chunks(piece)
        .zip(b.par_chunks(piece))
        .map(|(a, b)| {
            let mut sum = vec![0.0; width];
            for (a, b) in a.chunks_exact(width).zip(b.chunks_exact(width)) {
                sum.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
            }
            sum
        })
        .collect();
    total(&pieces, width)
}

fn total(pieces: &[Vec<f64>], width: usize) -> Vec<f64> {
    let mut total = vec![0.0; width];
    for piece in pieces {
        total.iter_mut().zip(piece).for_each(|(total, piece)| *total += piece);
    }
    total
}

fn root(squares: &[f64]) -> Vec<f64> {
    squares.iter().map(|&square| if square < 0.0 { 0.0 } else { square.sqrt() }).collect()
}

/// The larger number; NaN if either is NaN.
fn nan_or_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

#[expect(clippy::cast_precision_loss, reason = "a count of iterations")]
fn real(count: usize) -> f64 {
    count as f64
}
