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

pub(super) mod linear;
mod pieces;
mod reuse;
pub mod sample;
mod solve;

use serde::Serialize;
use thiserror::Error;

use self::linear::conjugate_gradients::Ended;
pub use self::linear::lanes::LANES;
use self::reuse::kept_pieces::Kept;
pub use self::reuse::start::Start;
use self::sample::blocks::Blocks;
use self::sample::layout::{self, Layout};
use self::sample::level_sums::Target;
use self::sample::stream::Stream;
use self::solve::problem::{Problem, Sizes};
use self::solve::refinement::Refinement;
use super::design::Design;
use super::error::EstimateError;

/// What is lost of a value that is written with 15 significant digits, at most; figures with all
/// their digits lose a fortieth of that. So much of a variable, or less, is nothing but rounding.
pub const ROUNDING: f64 = 5e-15;

/// How many times the least weight the largest may be where effects are eliminated.
const WEIGHTS_APART_MAX: f64 = 1e4;

/// When to stop.
#[derive(Debug, Clone, PartialEq)]
pub struct AbsorbOptions {
    /// The residual to reach, relative to what is left of the variable.
    pub tolerance: f64,
    /// Iterations allowed.
    pub iterations_max: usize,
    /// Iterations without a smaller residual before giving up.
    pub patience: usize,
    /// From where on a regressor is collinear with what comes before it.
    pub collinear: CollinearLimits,
    /// Which solver to use.
    pub method: Method,
    /// Whether to keep, for a later start, what was worked out inside blocks.
    pub keep: bool,
}

/// An option with a value that it does not take.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{name} is {value}; {allowed}")]
pub struct OptionError {
    /// The option.
    pub name: &'static str,
    /// The value given.
    pub value: String,
    /// The values that it takes.
    pub allowed: &'static str,
}

/// The share of a regressor's square that has to be left by what comes before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollinearLimits {
    /// By the fixed effects.
    pub with_effects: f64,
    /// By the regressors before it (fixest's).
    pub with_regressors: f64,
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
    #[error("the iterations allowed are used up; raise iterations or tolerance")]
    IterationLimit,
    /// The residual no longer falls.
    #[error("the residual no longer falls; raise patience or tolerance")]
    Stagnated,
    /// A number is infinite or not a number.
    #[error("a number is too large; measure the variable in a larger unit")]
    NotFinite,
}

/// Variables with their effects absorbed to the tolerance.
#[derive(Debug)]
#[must_use]
pub struct Absorbed<'a> {
    layout: Layout<'a>,
    options: AbsorbOptions,
    potentials: Option<Target>,
    /// `Ṽ'W Ṽ`, upper triangle by rows of the layout's width.
    products: Vec<f64>,
    sizes: Sizes,
    /// Iterations done.
    pub iterations: usize,
    /// The largest relative residual of all variables.
    pub relative_residual: f64,
    /// The share of the tolerance that residuals had to come to.
    share: f64,
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
        Self {
            tolerance: 1e-10,
            iterations_max: 10_000,
            patience: 100,
            collinear: CollinearLimits::default(),
            method: Method::default(),
            keep: false,
        }
    }
}

impl AbsorbOptions {
    /// The options, if they can be used.
    ///
    /// # Errors
    /// [`OptionError`]: the option with a value that it does not take.
    pub fn checked(self) -> Result<Self, OptionError> {
        let shares = [
            ("tolerance", self.tolerance),
            ("collinearity", self.collinear.with_effects),
            ("collinearity", self.collinear.with_regressors),
        ];
        let counts = [("iterations", self.iterations_max), ("patience", self.patience)];
        if let Some((name, share)) = shares.into_iter().find(|(_, s)| !(*s > 0.0 && *s < 1.0)) {
            let allowed = "give a number above 0 and below 1, such as 1e-10";
            return Err(OptionError { name, value: share.to_string(), allowed });
        }
        if let Some((name, count)) = counts.into_iter().find(|(_, count)| *count == 0) {
            let allowed = "give a whole number above 0";
            return Err(OptionError { name, value: count.to_string(), allowed });
        }
        Ok(self)
    }
}

impl Default for CollinearLimits {
    fn default() -> Self {
        Self { with_effects: 1e-12, with_regressors: 1e-9 }
    }
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

    /// What each variable is before anything is absorbed.
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
