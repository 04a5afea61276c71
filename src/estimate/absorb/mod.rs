//! Absorbs fixed effects from variables: potentials for each level, residuals row by row.
//!
//! ```text
//! Design ─▶ Layout ─▶ right-hand sides ─▶ conjugate gradients ─▶ potentials ─▶ Stream of residuals
//!           (groups)   (one pass)          (levels only)          (per level)   (one pass each)
//! ```
//!
//! The effect with most levels is swept exactly whenever rows are read. Only the other effects have
//! potentials. Residuals are never stored; users stream over the rows.

pub mod groups;
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

/// The largest ratio of weights for which effects are eliminated.
const WEIGHTS_APART_MAX: f64 = 1e4;

/// Variables whose effects are absorbed to the tolerance.
#[derive(Debug)]
#[must_use]
pub struct Absorbed<'a> {
    layout: Layout<'a>,
    options: AbsorbOptions,
    potentials: Option<Totals>,
    /// `Ṽ'W Ṽ`, upper triangle by rows of the layout's width.
    products: Vec<f64>,
    sizes: Sizes,
    /// The number of iterations.
    pub iterations: usize,
    /// The largest relative residual of all variables.
    pub relative_residual: f64,
    /// The share of the tolerance that residuals must reach.
    share: f64,
    /// True if an earlier solution started the iteration, or stored pieces were used.
    pub warm_start: bool,
    /// The elimination within blocks, if effects were eliminated.
    pub elimination: Option<Eliminated>,
    /// The blocks, if effects were eliminated within them.
    blocks: Option<Blocks>,
    kept: Kept,
}

impl<'a> Absorbed<'a> {
    /// Absorbs the design's effects from all its variables at once.
    ///
    /// # Errors
    /// - [`EstimateError::Option`]: an option is invalid.
    /// - [`EstimateError::NotConverged`]: the tolerance was not reached, with the reason.
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
            blocks: blocks.filter(|_| solved.elimination.is_some()),
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

    /// `Ṽ'W Ṽ` of the residuals, both halves, by rows of the layout's width.
    #[must_use]
    pub fn symmetric_products(&self) -> Vec<f64> {
        let width = self.layout.width;
        let cell = |at: usize| {
            let (i, j) = (at / width, at % width);
            self.products[i.min(j) * width + i.max(j)]
        };
        (0..width * width).map(cell).collect()
    }

    /// The size of each variable before absorption.
    #[must_use]
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The square of a variable that rounding may leave.
    #[must_use]
    pub fn rounding(&self, place: usize) -> f64 {
        ROUNDING * ROUNDING * self.sizes.whole[place]
    }

    /// The requested tolerance.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.options.tolerance
    }

    /// The limits below which regressors are collinear with earlier ones.
    #[must_use]
    pub fn collinear(&self) -> CollinearLimits {
        self.options.collinear
    }

    /// Reduces the residuals of some variables to another tolerance, for a model with little
    /// unexplained variation of its outcome. The share that the effects leave of the variables does
    /// not matter here.
    ///
    /// # Errors
    /// [`EstimateError::NotConverged`]: the tolerance was not reached, with the reason.
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

    /// The residuals, in parts.
    #[must_use]
    pub fn residuals(&self) -> Stream<'_, 'a> {
        Stream::new(&self.layout, self.potentials.as_ref())
    }

    /// The potentials of one iterated effect, `width` numbers for each level.
    ///
    /// # Panics
    /// If there are fewer iterated effects.
    #[must_use]
    pub fn potentials(&self, iterated: usize) -> &[f64] {
        self.potentials.as_ref().map_or(&[], |potentials| potentials.effect(iterated))
    }

    /// The potentials as a start of a later solution.
    #[must_use]
    pub fn start(&self) -> Start {
        let left = self.elimination.as_ref().map(|blocks| blocks.iterated);
        Start::new(&self.layout, self.potentials.as_ref(), left, self.kept.clone())
    }
}

/// The blocks of the effects, without effects that a finer one explains. `None` if weights differ
/// so much that the level of a light row next to a heavy one looks collinear.
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
