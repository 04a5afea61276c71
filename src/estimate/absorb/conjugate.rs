//! Preconditioned conjugate gradients for all right-hand sides at once.
//!
//! # Equation
//! `A z = b` for each column of `b`, with a preconditioner `P⁺`; a column stops when
//! `√(r'P⁺r) ≤ tolerance · √(b'P⁺b)`. `A` may be singular as long as `b` lies in its range.

use rayon::prelude::*;

use super::preconditioner::Preconditioner;
use super::{AbsorbOptions, Stop};

/// Levels handled in one task.
const LEVELS_PER_PIECE: usize = 1024;
/// Iterations without a smaller residual before giving up.
const PATIENCE: usize = 100;
/// A right-hand side this small beside the variable itself is rounding.
const ROUNDING: f64 = 1e-14;

/// A symmetric positive semidefinite system.
pub trait System: Sync {
    /// `out = A z`
    fn apply(&mut self, z: &[f64], out: &mut [f64]);
    /// What takes a residual to `P⁺` times it.
    fn preconditioner(&self) -> &Preconditioner;
}

/// What came of it; whatever the reason for stopping, the last iterate.
#[derive(Debug)]
pub struct Outcome {
    /// The solution, `width` numbers for each level.
    pub solution: Vec<f64>,
    /// Why the iteration stopped.
    pub stop: Stop,
    /// Times the system was applied.
    pub iterations: usize,
    /// The relative residual of each column.
    pub relative_residuals: Vec<f64>,
}

/// Solves the system from `start` on.
///
/// # Shape
/// `rhs` and `start` have `scales.len()` numbers for each level; a scale is the size of the
/// variable that the
/// column comes from, below which nothing can be told from rounding.
pub fn solve(
    system: &mut impl System,
    rhs: Vec<f64>,
    start: Option<Vec<f64>>,
    scales: &[f64],
    options: &AbsorbOptions,
) -> Outcome {
    let width = scales.len();
    let mut image = vec![0.0; rhs.len()];
    system.preconditioner().apply(&rhs, &mut image, width);
    let norms = root(&dot(&rhs, &image, width));
    let goals: Vec<f64> = norms
        .iter()
        .zip(scales)
        .map(|(norm, scale)| (options.tolerance * norm).max(ROUNDING * scale))
        .collect();
    let mut state = State::new(system, rhs, start, image, width);
    let mut best = (f64::INFINITY, 0);
    let (stop, iterations) = loop {
        let residuals = root(&state.squares);
        let worst = residuals.iter().zip(&goals).map(|(r, goal)| r / goal.max(f64::MIN_POSITIVE));
        let worst = worst.fold(0.0, nan_or_max);
        let iteration = state.iterations;
        if worst.is_nan() {
            break (Stop::NotFinite, iteration);
        } else if worst <= 1.0 {
            break (Stop::Converged, iteration);
        } else if iteration >= options.iterations_max {
            break (Stop::IterationLimit, iteration);
        }
        if worst < best.0 {
            best = (worst, iteration);
        } else if iteration > best.1 + PATIENCE {
            break (Stop::Stagnated, iteration);
        }
        let active: Vec<bool> = residuals.iter().zip(&goals).map(|(r, goal)| r > goal).collect();
        state.step(system, &active);
    };
    let residuals = root(&state.squares);
    let relative = |((r, norm), scale): ((f64, f64), &f64)| {
        if norm <= ROUNDING * scale { 0.0 } else { r / norm }
    };
    let relative_residuals = residuals.into_iter().zip(norms).zip(scales).map(relative).collect();
    Outcome { solution: state.solution, stop, iterations, relative_residuals }
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
    iterations: usize,
}

impl State {
    fn new(
        system: &mut impl System,
        rhs: Vec<f64>,
        start: Option<Vec<f64>>,
        mut image: Vec<f64>,
        width: usize,
    ) -> Self {
        let mut residual = rhs;
        let mut iterations = 0;
        if let Some(start) = &start {
            system.apply(start, &mut image);
            iterations += 1;
            residual.iter_mut().zip(&image).for_each(|(r, image)| *r -= image);
            system.preconditioner().apply(&residual, &mut image, width);
        }
        let solution = start.unwrap_or_else(|| vec![0.0; residual.len()]);
        let squares = dot(&residual, &image, width);
        let direction = image.clone();
        Self { width, solution, residual, direction, image, squares, iterations }
    }

    /// One step of the columns that are active.
    fn step(&mut self, system: &mut impl System, active: &[bool]) {
        let width = self.width;
        system.apply(&self.direction, &mut self.image);
        let curvature = dot(&self.direction, &self.image, width);
        let ratio = |active: bool, over: f64, under: f64| if active { over / under } else { 0.0 };
        let lengths: Vec<f64> =
            (0..width).map(|j| ratio(active[j], self.squares[j], curvature[j])).collect();
        let piece = LEVELS_PER_PIECE * width;
        let moved = self.solution.par_chunks_mut(piece).zip(self.residual.par_chunks_mut(piece));
        let along = self.direction.par_chunks(piece).zip(self.image.par_chunks(piece));
        moved.zip(along).for_each(|((solution, residual), (direction, image))| {
            advance(solution, direction, &lengths, 1.0);
            advance(residual, image, &lengths, -1.0);
        });
        system.preconditioner().apply(&self.residual, &mut self.image, width);
        let squares = dot(&self.residual, &self.image, width);
        let turns: Vec<f64> =
            (0..width).map(|j| ratio(active[j], squares[j], self.squares[j])).collect();
        let turned = self.direction.par_chunks_mut(piece).zip(self.image.par_chunks(piece));
        turned.for_each(|(direction, image)| turn(direction, image, &turns));
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
    squares.iter().map(|square| square.max(0.0).sqrt()).collect()
}

/// The larger; NaN if either is.
fn nan_or_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}
