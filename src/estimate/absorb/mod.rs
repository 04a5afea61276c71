//! Absorbs fixed effects from variables: potentials for each level, residuals row by row.
//!
//! ```text
//! Design ─▶ Layout ─▶ right-hand sides ─▶ conjugate gradients ─▶ potentials ─▶ Stream of residuals
//!           (groups)   (one pass)          (levels only)          (per level)   (one pass each)
//! ```
//!
//! The effect with most levels is swept exactly whenever rows are read. Only the other effects have
//! potentials. Residuals are never stored; users stream over the rows.

pub(super) mod linear;
mod options;
mod pieces;
pub(super) mod reuse;
pub mod sample;
mod solve;

use self::linear::conjugate_gradients::Ended;
pub use self::linear::lanes::LANES;
pub use self::options::{AbsorbOptions, CollinearLimits, Method};
use self::reuse::kept_pieces::Kept;
pub use self::reuse::start::Start;
use self::sample::blocks::Blocks;
use self::sample::layout::{self, Layout};
use self::sample::level_sums::Totals;
use self::sample::sizes::{ROUNDING, Sizes};
use self::sample::stream::Stream;
pub use self::solve::problem::Eliminated;
use self::solve::problem::Problem;
use self::solve::refinement::Refinement;
use super::design::Design;
use super::error::EstimateError;

/// How many times the least weight the largest may be where effects are eliminated.
const WEIGHTS_APART_MAX: f64 = 1e4;

/// Variables with their effects absorbed to the tolerance.
#[derive(Debug)]
#[must_use]
pub struct Absorbed<'a> {
    layout: Layout<'a>,
    options: AbsorbOptions,
    potentials: Option<Totals>,
    /// `Ṽ'W Ṽ`, upper triangle by rows of the layout's width.
    products: Vec<f64>,
    sizes: Sizes,
    /// Iterations done.
    pub iterations: usize,
    /// The largest relative residual of all variables.
    pub relative_residual: f64,
    /// The share of the tolerance that residuals must reach.
    share: f64,
    /// Whether an earlier solution started the iteration, or its pieces were not read again.
    pub warm_start: bool,
    /// How the effects were eliminated within blocks, if they were.
    pub elimination: Option<Eliminated>,
    kept: Kept,
}

impl<'a> Absorbed<'a> {
    /// Absorbs the design's effects from all its variables at once.
    ///
    /// # Errors
    /// - [`EstimateError::Option`]: an option that cannot be used.
    /// - [`EstimateError::NotConverged`]: the tolerance was not reached, and why.
    pub fn solve(
        design: Design<'a>,
        options: &AbsorbOptions,
        start: Option<&Start>,
    ) -> Result<Self, EstimateError> {
        let options = options.clone().checked()?;
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
        let problem = Problem { layout: &layout, options: &options, start, earlier };
        let solved = match &blocks {
            Some(blocks) => problem.structured(blocks),
            None => problem.general(),
        }?;
        Ok(Self {
            options,
            potentials: solved.potentials,
            products: solved.products,
            sizes: solved.sizes,
            iterations: solved.iterations,
            relative_residual: solved.relative_residual,
            share: solved.share,
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
    pub fn products(&self) -> &[f64] {
        &self.products
    }

    /// The size of each variable before absorption.
    #[must_use]
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The square that rounding may leave of a variable.
    #[must_use]
    pub fn rounding(&self, place: usize) -> f64 {
        ROUNDING * ROUNDING * self.sizes.whole[place]
    }

    /// The tolerance asked for.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.options.tolerance
    }

    /// Which regressors are collinear with what comes before them.
    #[must_use]
    pub fn collinear(&self) -> CollinearLimits {
        self.options.collinear
    }

    /// Brings the residual of some variables down to another tolerance: for a model that leaves
    /// little of its outcome. How much the effects leave of them does not matter.
    ///
    /// # Errors
    /// [`EstimateError::NotConverged`]: the tolerance was not reached, and why.
    pub fn tighten(&mut self, places: &[usize], tolerance: f64) -> Result<(), EstimateError> {
        let Some(potentials) = self.potentials.take() else { return Ok(()) };
        let options = AbsorbOptions { tolerance, ..self.options.clone() };
        let mut refinement = Refinement::new(&self.layout, &options, &self.sizes, potentials);
        for (place, explained) in refinement.explained.iter_mut().enumerate() {
            *explained = if places.contains(&place) { 0.0 } else { f64::INFINITY };
        }
        (refinement.iterations, refinement.share) = (self.iterations, self.share);
        refinement.run(Ended::Converged)?;
        self.iterations = refinement.iterations;
        self.products = refinement.products;
        self.potentials = Some(refinement.potentials);
        Ok(())
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

/// The blocks that the effects fall into, those that a finer one explains aside; none where
/// weights differ so much that a level beside a heavy row looks like one that others explain.
fn blocks_of(design: &Design<'_>) -> Option<Blocks> {
    let weights = design.weights.as_deref().unwrap_or_default();
    let widen = |(least, most): (f64, f64), &weight: &f64| (least.min(weight), most.max(weight));
    let (least, most) = weights.iter().fold((f64::INFINITY, 0.0), widen);
    if most > WEIGHTS_APART_MAX * least {
        return None;
    }
    let swept = layout::swept_effect(design)?;
    let redundant = layout::redundant(design);
    let others: Vec<usize> =
        (0..redundant.len()).filter(|&i| i != swept && !redundant[i]).collect();
    Blocks::find(design, swept, &others)
}
