//! Pure numerics: least squares with fixed effects absorbed, slices in, estimates out.
//!
//! ```text
//! Formula ─▶ Request ─┐
//!                     ├▶ Design ─▶ Absorbed ─▶ Estimate, one for each model on the same sample
//! Panel ──────────────┘  (rows,    (potentials,  (coefficients, variances)
//!                         levels)   residuals)
//! ```
//!
//! Results are equal to the last bit for any number of threads. The data alone decide the cut of
//! rows into parts, and sums are added in the order of the parts.

pub mod absorb;
pub mod design;
pub mod error;
pub mod fixed_effects;
pub mod formula;
pub mod inference;
pub mod influence;
pub mod least_squares;
pub mod memory;
pub mod panel;
pub mod partial;
pub mod result;

use self::absorb::{AbsorbOptions, Absorbed, Eliminated, Start};
use self::design::singletons::Singletons;
use self::design::{Design, Request};
use self::error::EstimateError;
use self::fixed_effects::EffectLevel;
use self::formula::{Formula, Interaction};
use self::inference::Inference;
use self::influence::LeaveOut;
use self::memory::Memory;
use self::panel::Panel;
use self::result::Estimate;

/// The options of an estimation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// The column of weights.
    pub weights: Option<String>,
    /// Further columns in which a row must have a value, although no formula reads them: the
    /// columns of other models with a common sample.
    pub required: Vec<String>,
    /// The treatment of rows alone in a level of a fixed effect.
    pub singletons: Singletons,
    /// The computation of standard errors.
    pub inference: Inference,
    /// The groups of rows to leave out, one after another.
    pub leave_out: Option<LeaveOut>,
    /// The options of the absorption.
    pub absorb: AbsorbOptions,
}

impl Options {
    /// The request of one formula with these options.
    fn request(&self, formula: &Formula) -> Request {
        let request = Request::of_formula(formula, &self.clusters(), self.weights.as_deref());
        Request { singletons: self.singletons, ..request }
    }

    /// The sets of clusters, and the groups to leave out.
    fn clusters(&self) -> Vec<Interaction> {
        let groups = self.leave_out.iter().map(|leave_out| &leave_out.groups);
        self.inference.vcov.clusters().iter().chain(groups).cloned().collect()
    }

    /// Estimates models on an absorbed sample.
    fn fit(
        &self,
        absorbed: &mut Absorbed<'_>,
        formulas: &[Formula],
    ) -> Result<Vec<Estimate>, EstimateError> {
        let mut estimates = inference::fit(absorbed, formulas, &self.inference)?;
        if let Some(asked) = &self.leave_out {
            let asked = (asked, &self.inference.small_sample);
            influence::add(absorbed, formulas, &mut estimates, asked)?;
        }
        Ok(estimates)
    }
}

/// Estimates one formula on a panel.
///
/// # Errors
/// [`EstimateError`]: see its variants; an estimation that does not converge returns no estimate.
///
/// # Panics
/// Never: one formula gives one estimate.
///
/// # Examples
/// ```
/// use spillover::estimate::{Options, estimate, formula::Formula, panel::{Column, Panel}};
/// let (y, x) = ([1.0, 3.0, 2.0, 4.5], [0.0, 1.0, 0.0, 1.0]);
/// let panel = Panel::new(vec![
///     ("y".into(), Column::Real(&y)),
///     ("x".into(), Column::Real(&x)),
///     ("f".into(), Column::Integer(&[1, 1, 2, 2])),
/// ])?;
/// let formula = Formula::parse("y ~ x | f")?;
/// let estimate = estimate(&panel, &formula, &Options::default(), None)?;
/// assert!((estimate.terms[0].estimate - 2.25).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn estimate(
    panel: &Panel<'_>,
    formula: &Formula,
    options: &Options,
    start: Option<&Start>,
) -> Result<Estimate, EstimateError> {
    let design = Design::build(panel, &options.request(formula))?;
    let mut absorbed = Absorbed::solve(design, &options.absorb, start)?;
    let mut estimates = options.fit(&mut absorbed, std::slice::from_ref(formula))?;
    Ok(estimates.pop().expect("a formula gives an estimate"))
}

/// Estimates one formula, and the value of each level of its fixed effects.
///
/// # Errors
/// [`EstimateError`]: see its variants.
///
/// # Panics
/// Never: one formula gives one estimate.
pub fn estimate_with_effects(
    panel: &Panel<'_>,
    formula: &Formula,
    options: &Options,
) -> Result<(Estimate, Vec<EffectLevel>), EstimateError> {
    let design = Design::build(panel, &options.request(formula))?;
    let mut absorbed = Absorbed::solve(design, &options.absorb, None)?;
    let formulas = std::slice::from_ref(formula);
    let estimates = options.fit(&mut absorbed, formulas)?;
    let estimate = estimates.into_iter().next().expect("a formula gives an estimate");
    let levels = fixed_effects::levels(&absorbed, formula, &estimate)?;
    Ok((estimate, levels))
}

/// The estimates of several formulas, and the start of the next estimation.
#[derive(Debug, Clone)]
#[must_use]
pub struct Estimated {
    /// The estimates, in the order of the formulas.
    pub estimates: Vec<Estimate>,
    /// The standard deviation of each outcome and regressor over the sample, by name.
    pub deviations: Vec<(String, f64)>,
    /// The memory for a later estimation of the same formulas on a changed panel.
    pub memory: Memory,
    /// The elimination within blocks of the data, and the number of reused pieces.
    pub elimination: Option<Eliminated>,
}

/// Estimates formulas with the same fixed effects on one sample: the rows with all variables of all
/// formulas. The effects are absorbed once, from the union of the variables.
///
/// # Incremental
/// With the memory of an earlier estimation, unchanged pieces of the sample (a city's year) are not
/// read. Their stored figures are equal bit for bit to those of another reading. If few levels are
/// new, the iteration starts from the last solution. The start changes the estimates only within
/// the tolerance.
///
/// # Errors
/// [`EstimateError`]: see its variants; [`EstimateError::EffectsDiffer`] if the formulas do not
/// share their effects.
pub fn estimate_all(
    panel: &Panel<'_>,
    formulas: &[Formula],
    options: &Options,
    memory: Option<&Memory>,
) -> Result<Estimated, EstimateError> {
    let weights = options.weights.as_deref();
    let mut request = Request::of_formulas(formulas, &options.clusters(), weights)?;
    request.required.clone_from(&options.required);
    request.singletons = options.singletons;
    let design = Design::build(panel, &request)?;
    let keeping = AbsorbOptions { keep: true, ..options.absorb.clone() };
    let mut absorbed = Absorbed::solve(design, &keeping, memory.map(Memory::start))?;
    let estimates = options.fit(&mut absorbed, formulas)?;
    let elimination = absorbed.elimination.clone();
    let deviations = deviations(&absorbed);
    Ok(Estimated { estimates, deviations, memory: Memory::of(&absorbed), elimination })
}

/// The standard deviation of each variable, with n − 1.
fn deviations(absorbed: &Absorbed<'_>) -> Vec<(String, f64)> {
    let design = &absorbed.layout().design;
    #[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
    let degrees = design.n_obs() as f64 - 1.0;
    let of = |(variable, total): (&design::Variable<'_>, &f64)| {
        (variable.name.clone(), (total / degrees).sqrt())
    };
    design.variables.iter().zip(&absorbed.sizes().centred).map(of).collect()
}
