//! Models on absorbed variables: coefficients, variances and all other figures of a regression
//! table.

pub mod covariance;
pub mod degrees_of_freedom;
pub mod scores;
pub mod student_t;

use self::covariance::{Covariance, NegativeVariance};
use self::degrees_of_freedom::{ClusterCount, SmallSample};
use self::scores::{Scores, ScoresBy, sandwich, scores};
use super::absorb::Absorbed;
use super::design::codes::Codes;
use super::design::{Variable, has_constant};
use super::error::EstimateError;
use super::formula::{Formula, Interaction, Term};
use super::least_squares::{Coefficients, CrossProducts};
use super::result::{DroppedTerm, Estimate, Levels, NoStdError, TermEstimate};

/// The coverage probability of the confidence intervals.
const CONFIDENCE: f64 = 0.95;
/// The unexplained share of an outcome below which the absorption is made more accurate. An error
/// of the absorption enters the residuals and standard errors directly.
const RESIDUAL_SHARE_MIN: f64 = 1e-2;
/// The share of the scores of a cluster that absorption leaves when their sum is zero.
const SCORES_ROUNDING: f64 = 1e-9;
/// The note about a repaired matrix.
const REPAIRED: &str = "The two-way clustered variance was negative for a coefficient: negative \
                        eigenvalues of the matrix were set to zero.";
/// The smallest unexplained share that the products can show: they have half the digits.
const RESIDUAL_SHARE_KNOWN: f64 = 1e-6;

/// The computation of standard errors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inference {
    /// The kind of variance.
    pub vcov: Vcov,
    /// The small-sample corrections.
    pub small_sample: SmallSample,
    /// The treatment of a negative variance.
    pub negative_variance: NegativeVariance,
}

/// The kind of variance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Vcov {
    /// Errors are independent and identically distributed.
    #[default]
    Iid,
    /// Errors are independent.
    Hc1,
    /// Errors are independent between clusters, in one or two ways.
    Clustered(Vec<Interaction>),
}

impl Vcov {
    /// The sets of clusters.
    #[must_use]
    pub fn clusters(&self) -> &[Interaction] {
        match self {
            Self::Clustered(clusters) => clusters,
            Self::Iid | Self::Hc1 => &[],
        }
    }
}

/// Estimates models with a common sample and common effects: one pass for the coefficients, and one
/// for the variances of all models.
///
/// # Errors
/// - [`EstimateError::NotAbsorbed`]: a model has a variable that the design does not have.
/// - [`EstimateError::UnknownClusters`]: the design does not have the clusters.
///   [`EstimateError::ClusterWays`]: there are three or more ways.
/// - [`EstimateError::NotConverged`]: a model leaves so little of its outcome that the effects have
///   to be absorbed further, and that absorption did not converge.
pub fn fit(
    absorbed: &mut Absorbed<'_>,
    formulas: &[Formula],
    inference: &Inference,
) -> Result<Vec<Estimate>, EstimateError> {
    let places = formulas.iter().map(|formula| places(absorbed, formula));
    let places: Vec<(usize, Vec<usize>)> = places.collect::<Result<_, _>>()?;
    let (mut cross, mut models) = solved(absorbed, &places);
    let coarse: Vec<Coarse> =
        models.iter().filter_map(|model| Coarse::of(absorbed, &cross, model)).collect();
    if let Some(tolerance) = coarse.iter().map(|coarse| coarse.tolerance).reduce(f64::min) {
        let coarse: Vec<usize> = coarse.into_iter().flat_map(|coarse| coarse.places).collect();
        absorbed.tighten(&coarse, tolerance)?;
        (cross, models) = solved(absorbed, &places);
    }
    let absorbed = &*absorbed;
    let ways = Ways::of(absorbed, inference)?;
    let by = ways.codes();
    let by = match inference.vcov {
        Vcov::Iid => ScoresBy::Nothing,
        Vcov::Hc1 => ScoresBy::Row,
        Vcov::Clustered(_) => ScoresBy::Cluster(&by),
    };
    let scores = scores(absorbed, &models, by);
    let context = Context { absorbed, cross: &cross, inference, ways: &ways };
    let all = models.iter().zip(&scores).zip(formulas);
    Ok(all.map(|((model, scores), formula)| context.estimate(model, scores, formula)).collect())
}

/// The products and each model's coefficients.
fn solved(
    absorbed: &Absorbed<'_>,
    places: &[(usize, Vec<usize>)],
) -> (CrossProducts, Vec<Coefficients>) {
    let cross = CrossProducts::of(absorbed);
    let model = |(outcome, regressors): &(usize, Vec<usize>)| {
        Coefficients::solve(absorbed, &cross, *outcome, regressors)
    };
    let models = places.iter().map(model).collect();
    (cross, models)
}

/// A model with so little unexplained variation that the error of the absorption is large against
/// it.
struct Coarse {
    /// The positions of its variables.
    places: Vec<usize>,
    /// The tolerance that its variables need.
    tolerance: f64,
}

impl Coarse {
    fn of(absorbed: &Absorbed<'_>, cross: &CrossProducts, model: &Coefficients) -> Option<Self> {
        let outcome = model.outcome;
        let norm = |place: usize| cross.at(place, place).sqrt();
        let each = || model.kept.iter().zip(&model.estimates);
        let size = norm(outcome) + each().map(|(&j, b)| b.abs() * norm(j)).sum::<f64>();
        let fitted: f64 = each().map(|(&j, b)| b * cross.at(j, outcome)).sum();
        let left = (cross.at(outcome, outcome) - fitted).max(0.0).sqrt();
        let sizes = absorbed.sizes();
        let is_explained = cross.at(outcome, outcome) <= sizes.explained[outcome];
        if size == 0.0 || !(is_explained || left < RESIDUAL_SHARE_MIN * size) {
            return None;
        }
        let share = if is_explained { 0.0 } else { left / size };
        let share = if share < RESIDUAL_SHARE_KNOWN { 0.0 } else { share };
        let places = model.kept.iter().copied().chain([outcome]).collect();
        Some(Self { places, tolerance: share * absorbed.tolerance() })
    }
}

/// The positions of the outcome and the regressors among the absorbed variables.
pub(super) fn places(
    absorbed: &Absorbed<'_>,
    formula: &Formula,
) -> Result<(usize, Vec<usize>), EstimateError> {
    let variables = &absorbed.layout().design.variables;
    let place = |term: &Term| {
        let name = Variable::name_of(term);
        let found = variables.iter().position(|variable| variable.name == name);
        found.ok_or(EstimateError::NotAbsorbed { name })
    };
    let outcome = place(&Term { factors: vec![formula.outcome.clone()] })?;
    let constant = has_constant(formula).then(|| Term { factors: Vec::new() });
    let regressors = constant.iter().chain(&formula.terms).map(place);
    Ok((outcome, regressors.collect::<Result<_, _>>()?))
}

/// The ways of clustering; for two ways also their intersection.
struct Ways<'d> {
    own: Vec<&'d Codes>,
    names: Vec<String>,
    both: Option<Codes>,
}

impl<'d> Ways<'d> {
    fn of(absorbed: &'d Absorbed<'_>, inference: &Inference) -> Result<Self, EstimateError> {
        let design = &absorbed.layout().design;
        let clusters = inference.vcov.clusters();
        if clusters.len() > 2 || matches!(inference.vcov, Vcov::Clustered(_)) && clusters.is_empty()
        {
            return Err(EstimateError::ClusterWays { n: clusters.len() });
        }
        let names: Vec<String> = clusters.iter().map(Interaction::to_string).collect();
        let mut own: Vec<&Codes> = Vec::new();
        for name in &names {
            let found = design.cluster_names.iter().position(|known| known == name);
            let codes = found.map(|i| design.clusters[i].as_ref());
            own.push(codes.ok_or_else(|| EstimateError::UnknownClusters { name: name.clone() })?);
        }
        let both = if let [a, b] = own[..] { Some(a.intersect(b)) } else { None };
        Ok(Self { own, names, both })
    }

    fn codes(&self) -> Vec<&Codes> {
        self.own.iter().copied().chain(&self.both).collect()
    }

    fn n_clusters(&self) -> Option<usize> {
        self.own.iter().map(|codes| codes.n_levels).min()
    }
}

/// The printed figures of a model's coefficients.
struct Figures {
    terms: Vec<TermEstimate>,
    covariance: Option<Vec<f64>>,
    notes: Vec<String>,
}

struct Context<'f, 'a> {
    absorbed: &'f Absorbed<'a>,
    cross: &'f CrossProducts,
    inference: &'f Inference,
    ways: &'f Ways<'f>,
}

impl Context<'_, '_> {
    fn estimate(&self, model: &Coefficients, scores: &Scores, formula: &Formula) -> Estimate {
        let design = &self.absorbed.layout().design;
        let effects: Vec<&Codes> = design.effects.iter().map(AsRef::as_ref).collect();
        let rules = &self.inference.small_sample;
        let k = degrees_of_freedom::parameters(model.kept.len(), &effects, &self.ways.own, rules);
        let df_residual = design.n_obs().saturating_sub(k);
        let df_t = self.ways.n_clusters().map_or(df_residual, |n| n - 1);
        let Figures { terms, covariance, notes } = match self.no_variance(model, scores, k) {
            Some(reason) => self.without_errors(model, scores, reason, k),
            None => self.with_errors(model, scores, df_residual, df_t),
        };
        let dropped = model.dropped.iter().map(|&(place, collinear)| DroppedTerm {
            term: design.variables[place].name.clone(),
            collinear,
        });
        let levels =
            |name: &String, codes: &Codes| Levels { name: name.clone(), levels: codes.n_levels };
        let clusters = self.ways.names.iter().zip(&self.ways.own);
        let fixed_effects = formula.effects.iter().zip(&effects);
        let within = self.cross.at(model.outcome, model.outcome);
        let sizes = self.absorbed.sizes();
        let share = |whole| share(scores.rss, whole, self.absorbed.rounding(model.outcome));
        Estimate {
            formula: formula.to_string(),
            terms,
            dropped: dropped.collect(),
            n_obs: design.n_obs(),
            n_missing: design.n_missing,
            n_singletons: design.n_singletons,
            n_clusters: self.ways.n_clusters(),
            clusters: clusters.map(|(name, codes)| levels(name, codes)).collect(),
            k,
            df_residual,
            df_t,
            r2: share(sizes.centred[model.outcome]),
            r2_within: share(within).filter(|_| !effects.is_empty()),
            rss: scores.rss,
            fixed_effects: fixed_effects
                .map(|(effect, codes)| levels(&effect.to_string(), codes))
                .collect(),
            vcov: self.vcov(),
            covariance,
            iterations: self.absorbed.iterations,
            relative_residual: self.absorbed.relative_residual,
            warm_start: self.absorbed.warm_start,
            notes,
            influence: None,
        }
    }

    /// The reason why no coefficient of a model has a standard error.
    fn no_variance(&self, model: &Coefficients, scores: &Scores, k: usize) -> Option<NoStdError> {
        let rounding = |place: usize| self.absorbed.rounding(place).sqrt();
        let fitted = model.kept.iter().zip(&model.estimates);
        let fitted: f64 = fitted.map(|(&place, b)| b.abs() * rounding(place)).sum();
        if scores.rss.sqrt() <= rounding(model.outcome) + fitted {
            let spread = self.absorbed.sizes().centred[model.outcome].sqrt();
            let is_constant = spread <= rounding(model.outcome);
            let (constant, zero) = (NoStdError::OutcomeConstant, NoStdError::ResidualsZero);
            return Some(if is_constant { constant } else { zero });
        }
        if self.ways.n_clusters() == Some(1) {
            return Some(NoStdError::OneCluster);
        }
        let counts = self.inference.small_sample.k_adj || self.ways.own.is_empty();
        let n_obs = self.absorbed.layout().design.n_obs();
        (counts && n_obs <= k).then_some(NoStdError::NoDegreesOfFreedom)
    }

    /// Coefficients without standard errors, with the reason.
    fn without_errors(
        &self,
        model: &Coefficients,
        scores: &Scores,
        reason: NoStdError,
        k: usize,
    ) -> Figures {
        let n_obs = self.absorbed.layout().design.n_obs();
        let why = match reason {
            NoStdError::NoDegreesOfFreedom => {
                format!("{reason}: {k} parameters are counted for {n_obs} observations")
            }
            NoStdError::OneCluster => {
                let one = self.ways.own.iter().position(|codes| codes.n_levels == 1);
                format!("{reason} in {}", one.map_or("", |one| self.ways.names[one].as_str()))
            }
            _ => reason.to_string(),
        };
        let terms = self.coefficients(model, scores);
        let terms = terms.map(|(name, estimate)| TermEstimate::bare(name, estimate, reason));
        let notes = vec![format!("No standard errors: {why}.")];
        Figures { terms: terms.collect(), covariance: None, notes }
    }

    /// Coefficients with their standard errors, if these exist.
    fn with_errors(
        &self,
        model: &Coefficients,
        scores: &Scores,
        df_residual: usize,
        df_t: usize,
    ) -> Figures {
        let mut covariance = self.covariance(model, scores, df_residual);
        covariance.uncentre(&self.absorbed.layout().design.variables, model);
        covariance.make_symmetric();
        let mut notes = Vec::new();
        if self.inference.negative_variance == NegativeVariance::Repaired && covariance.repair() {
            notes.push(REPAIRED.to_owned());
        }
        let terms =
            self.coefficients(model, scores).enumerate().map(|(place, (name, estimate))| {
                covariance.std_error(place).map_or_else(
                    |reason| {
                        notes.push(format!("No standard error of {name}: {reason}."));
                        TermEstimate::bare(name.clone(), estimate, reason)
                    },
                    |error| term(name.clone(), estimate, error, df_t),
                )
            });
        Figures { terms: terms.collect(), covariance: Some(covariance.values), notes }
    }

    /// The coefficients with their names, after one step of refinement `β + B X̃'We`.
    fn coefficients<'s>(
        &'s self,
        model: &'s Coefficients,
        scores: &Scores,
    ) -> impl Iterator<Item = (String, f64)> + 's {
        let variables = &self.absorbed.layout().design.variables;
        let k = model.kept.len();
        let step = |i: usize| -> f64 {
            let row = &model.inverse[i * k..(i + 1) * k];
            row.iter().zip(&scores.gradient).map(|(b, g)| b * g).sum()
        };
        let estimates = model.estimates.iter().enumerate();
        let mut estimates: Vec<f64> = estimates.map(|(i, estimate)| estimate + step(i)).collect();
        model.uncentre(variables, &mut estimates);
        model.kept.iter().map(|&place| variables[place].name.clone()).zip(estimates)
    }

    fn vcov(&self) -> String {
        match self.inference.vcov {
            Vcov::Iid => "iid".into(),
            Vcov::Hc1 => "hc1".into(),
            Vcov::Clustered(_) => self.ways.names.join(" + "),
        }
    }

    /// The variance matrix with its small-sample factors.
    fn covariance(&self, model: &Coefficients, scores: &Scores, df_residual: usize) -> Covariance {
        let rules = &self.inference.small_sample;
        let n_obs = real(self.absorbed.layout().design.n_obs());
        let over = |n: f64| if rules.k_adj { n / real(df_residual) } else { 1.0 };
        let size = model.kept.len();
        let values = match self.inference.vcov {
            Vcov::Iid => {
                let variance = scores.rss / (n_obs - 1.0) * over(n_obs - 1.0);
                model.inverse.iter().map(|cell| cell * variance).collect()
            }
            Vcov::Hc1 => {
                let meat: Vec<f64> =
                    scores.meats[0].iter().map(|cell| cell * over(n_obs)).collect();
                sandwich(&model.inverse, &meat, size)
            }
            Vcov::Clustered(_) => {
                let mut meat = vec![0.0; size * size];
                let ways = self.ways.codes();
                for (way, (codes, own)) in ways.iter().zip(&scores.meats).enumerate() {
                    let sign = if way == 2 { -1.0 } else { 1.0 };
                    let factor = sign * over(n_obs - 1.0) * self.cluster_factor(codes);
                    meat.iter_mut().zip(own).for_each(|(sum, own)| *sum += factor * own);
                }
                sandwich(&model.inverse, &meat, size)
            }
        };
        let of_residuals = (self.absorbed.rounding(model.outcome) / n_obs).sqrt();
        let is_summed = if self.ways.own.is_empty() { 0.0 } else { SCORES_ROUNDING };
        let of_scores: Vec<f64> =
            scores.squares.iter().map(|square| is_summed * square.sqrt()).collect();
        Covariance::new(values, &model.inverse, &of_scores, of_residuals)
    }

    /// `G/(G−1)`
    fn cluster_factor(&self, codes: &Codes) -> f64 {
        let rules = &self.inference.small_sample;
        let counted = match rules.g_df {
            ClusterCount::Min => self.ways.n_clusters().unwrap_or(codes.n_levels),
            ClusterCount::Conventional => codes.n_levels,
        };
        if rules.g_adj { real(counted) / (real(counted) - 1.0) } else { 1.0 }
    }
}

/// A coefficient with its inference by Student's t.
#[must_use]
pub fn term(name: String, estimate: f64, std_error: f64, df: usize) -> TermEstimate {
    let statistic = Some(estimate / std_error).filter(|t| t.is_finite());
    let margin = student_t::critical_value(CONFIDENCE, real(df)).map(|value| value * std_error);
    TermEstimate {
        term: name,
        estimate,
        std_error: Some(std_error),
        std_error_reason: None,
        statistic,
        p_value: statistic.and_then(|t| student_t::p_value(t, real(df))),
        conf_low: margin.map(|margin| estimate - margin),
        conf_high: margin.map(|margin| estimate + margin),
    }
}

/// `1 − rest/whole`; `None` if the whole is only rounding.
fn share(rest: f64, whole: f64, rounding: f64) -> Option<f64> {
    (whole > rounding).then(|| 1.0 - rest / whole).filter(|share| share.is_finite())
}

#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn real(count: usize) -> f64 {
    count as f64
}
