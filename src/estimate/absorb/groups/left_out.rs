//! The part of the products that the shared effect explains again without one group.
//!
//! # Equation
//! `(S − S_g) δ = s_g`, by conjugate gradients with `S⁺` as the preconditioner. All residuals are
//! zero outside the levels of the group, and so is `S p` of every direction `p`. The iteration
//! updates `S p`, so it needs no product with `S`. With the remaining residual `r`, `s'δ + r'δ`
//! differs from `s'(S − S_g)⁺s` by the square of the error of `δ`.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::shared::SharedEffect;
use super::sums::GroupSums;
use crate::estimate::absorb::linear::weighted_products::add_product;
use crate::estimate::absorb::sample::level_sums::Sums;
use crate::estimate::absorb::solve::structured::Work;

/// The error of `δ` to reach, relative to `δ`.
const TOLERANCE: f64 = 1e-8;
/// The residual, relative to the variable, that rounding leaves.
const ROUNDING: f64 = 1e-13;
/// The share of a direction below which the group has all of its information.
const CURVATURE_MIN: f64 = 1e-14;
/// The number of iterations after which the sample without the group is absorbed again.
const ITERATIONS_MAX: usize = 400;

/// The vectors of the iteration: a row of the width for each level of the group.
struct State {
    delta: Vec<f64>,
    residual: Vec<f64>,
    /// `p` on the levels of the group.
    direction: Vec<f64>,
    /// `S p`, zero on all other levels.
    image: Vec<f64>,
    /// `r'S⁺r` of each column.
    squares: Vec<f64>,
}

impl SharedEffect<'_, '_> {
    /// `s_g'(S − S_g)⁺ s_g`, by rows of the width; `None` if the iteration does not converge.
    /// `whole` has the products of the whole sample.
    #[must_use]
    pub fn explained_without(
        &self,
        group: usize,
        sums: &GroupSums,
        whole: &[f64],
    ) -> Option<Vec<f64>> {
        let (levels, width) = (sums.levels(group), self.system.layout.width);
        let places = sums.places(group);
        let rhs = &sums.scattered[places.start * width..places.end * width];
        let n = levels.len();
        let inverse =
            Mat::from_fn(n, n, |i, j| self.inverse[(levels[i] as usize, levels[j] as usize)]);
        let precondition = |residual: &[f64]| {
            let mut out = vec![0.0; residual.len()];
            let residual = MatRef::from_row_major_slice(residual, n, width);
            let to = MatMut::from_row_major_slice_mut(&mut out, n, width);
            matmul(to, Accum::Replace, &inverse, residual, 1.0, Par::Seq);
            out
        };
        let direction = precondition(rhs);
        let squares = dot(rhs, &direction, width);
        let goals: Vec<f64> = squares
            .iter()
            .enumerate()
            .map(|(j, square)| {
                let rounding = ROUNDING * ROUNDING * whole[j * width + j];
                (TOLERANCE * TOLERANCE * square).max(rounding)
            })
            .collect();
        let mut state = State {
            delta: vec![0.0; rhs.len()],
            residual: rhs.to_vec(),
            direction,
            image: rhs.to_vec(),
            squares,
        };
        let mut product = GroupProduct::new(self, group, levels);
        for _ in 0..ITERATIONS_MAX {
            let active: Vec<bool> =
                state.squares.iter().zip(&goals).map(|(square, goal)| square > goal).collect();
            if !active.contains(&true) {
                return Some(state.explained(rhs, width));
            }
            if !state.step(&mut product, &precondition, &active) {
                return None;
            }
        }
        None
    }
}

impl State {
    /// One step of the active columns; false if a direction has no information outside the group.
    fn step(
        &mut self,
        product: &mut GroupProduct<'_, '_, '_>,
        precondition: &impl Fn(&[f64]) -> Vec<f64>,
        active: &[bool],
    ) -> bool {
        let width = active.len();
        let mut along = product.of(&self.direction);
        along.iter_mut().zip(&self.image).for_each(|(own, whole)| *own = whole - *own);
        let curvature = dot(&self.direction, &along, width);
        let of_whole = dot(&self.direction, &self.image, width);
        let mut lengths = vec![0.0; width];
        for j in (0..width).filter(|&j| active[j]) {
            if curvature[j] <= CURVATURE_MIN * of_whole[j] || curvature[j].is_nan() {
                return false;
            }
            lengths[j] = self.squares[j] / curvature[j];
        }
        advance(&mut self.delta, &self.direction, &lengths);
        let back: Vec<f64> = lengths.iter().map(|length| -length).collect();
        advance(&mut self.residual, &along, &back);
        let conditioned = precondition(&self.residual);
        let squares = dot(&self.residual, &conditioned, width);
        let turn = |j: usize| if active[j] { squares[j] / self.squares[j] } else { 0.0 };
        let turns: Vec<f64> = (0..width).map(turn).collect();
        for (direction, new) in
            [(&mut self.direction, &conditioned), (&mut self.image, &self.residual)]
        {
            for (own, new) in direction.chunks_exact_mut(width).zip(new.chunks_exact(width)) {
                let each = own.iter_mut().zip(new).zip(&turns);
                each.for_each(|((own, new), turn)| *own = new + turn * *own);
            }
        }
        for j in (0..width).filter(|&j| active[j]) {
            self.squares[j] = squares[j];
        }
        true
    }

    /// `s'δ + r'δ`, symmetric.
    fn explained(&self, rhs: &[f64], width: usize) -> Vec<f64> {
        let mut sum = vec![0.0; width * width];
        add_product(&mut sum, rhs, &self.delta, 1.0, width);
        add_product(&mut sum, &self.residual, &self.delta, 1.0, width);
        let cell = |at: usize| {
            let (i, j) = (at / width, at % width);
            f64::midpoint(sum[i * width + j], sum[j * width + i])
        };
        (0..width * width).map(cell).collect()
    }
}

/// Products with `S_g` from the pieces of the group's blocks.
struct GroupProduct<'g, 's, 'a> {
    effect: &'g SharedEffect<'s, 'a>,
    group: usize,
    levels: &'g [u32],
    /// A row of the width for each level of the effect; zero outside the group.
    whole: Vec<f64>,
    work: Work,
}

impl<'g, 's, 'a> GroupProduct<'g, 's, 'a> {
    fn new(effect: &'g SharedEffect<'s, 'a>, group: usize, levels: &'g [u32]) -> Self {
        let whole = vec![0.0; effect.inverse.nrows() * effect.system.layout.width];
        Self { effect, group, levels, whole, work: Work::default() }
    }

    /// `S_g p` on the levels of the group.
    fn of(&mut self, direction: &[f64]) -> Vec<f64> {
        let (system, width) = (&self.effect.system, self.effect.system.layout.width);
        for (&level, values) in self.levels.iter().zip(direction.chunks_exact(width)) {
            self.whole[level as usize * width..][..width].copy_from_slice(values);
        }
        let (first, last) = (self.levels[0], self.levels[self.levels.len() - 1]);
        let mut sums = Sums::new(std::iter::once(first as usize..last as usize + 1), width);
        for &block in &self.effect.blocks_of[self.group] {
            system.add_product(&system.blocks[block], &self.whole, &mut self.work, &mut sums);
        }
        self.levels.iter().flat_map(|&level| sums.level(0, level).to_vec()).collect()
    }
}

/// `out += lengths ∘ along`, row by row.
fn advance(out: &mut [f64], along: &[f64], lengths: &[f64]) {
    let width = lengths.len();
    for (out, along) in out.chunks_exact_mut(width).zip(along.chunks_exact(width)) {
        let each = out.iter_mut().zip(along).zip(lengths);
        each.for_each(|((out, along), length)| *out += length * along);
    }
}

fn dot(a: &[f64], b: &[f64], width: usize) -> Vec<f64> {
    let mut sum = vec![0.0; width];
    for (a, b) in a.chunks_exact(width).zip(b.chunks_exact(width)) {
        sum.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    sum
}
