//! Models on absorbed variables: coefficients, variances and everything that a table prints.

use super::absorb::Absorbed;
use super::degrees::{self, ClusterCount, SmallSample};
use super::design::codes::Codes;
use super::design::{Variable, has_constant};
use super::error::EstimateError;
use super::formula::{Formula, Interaction, Term};
use super::least_squares::{Coefficients, CrossProducts, Floors};
use super::result::{DroppedTerm, Estimate, Levels, TermEstimate};
use super::student;
use super::variance::{Scores, ScoresBy, sandwich, scores};

/// Probability that the confidence intervals hold.
const CONFIDENCE: f64 = 0.95;

/// How standard errors are worked out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inference {
    /// The kind of variance.
    pub vcov: Vcov,
    /// The small-sample corrections.
    pub small_sample: SmallSample,
}

/// The kind of variance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Vcov {
    /// Errors alike and independent.
    #[default]
    Iid,
    /// Errors independent.
    Hc1,
    /// Errors independent between clusters, in one or two ways.
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

/// Estimates models that share sample and effects: one pass for the coefficients and one for the
/// variances of all.
///
/// # Errors
/// - [`EstimateError::NotAbsorbed`]: a model has a variable that the design lacks.
/// - [`EstimateError::UnknownClusters`], [`EstimateError::ClusterWays`]: clusters that the design
///   lacks, or three.
/// - [`EstimateError::OneCluster`], [`EstimateError::NoDegreesOfFreedom`]: there is no variance.
pub fn fit(
    absorbed: &Absorbed<'_>,
    formulas: &[Formula],
    inference: &Inference,
) -> Result<Vec<Estimate>, EstimateError> {
    let cross = CrossProducts::of(absorbed);
    let floors = Floors::of(absorbed);
    let mut models = Vec::new();
    for formula in formulas {
        let (outcome, regressors) = places(absorbed, formula)?;
        models.push(Coefficients::solve(&cross, outcome, &regressors, &floors));
    }
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
    all.map(|((model, scores), formula)| context.estimate(model, scores, formula)).collect()
}

/// Places of the outcome and the regressors among the absorbed variables.
fn places(
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

/// The ways of clustering; of two also their intersection.
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
            if own[own.len() - 1].n_levels < 2 {
                return Err(EstimateError::OneCluster { name: name.clone() });
            }
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

struct Context<'f, 'a> {
    absorbed: &'f Absorbed<'a>,
    cross: &'f CrossProducts,
    inference: &'f Inference,
    ways: &'f Ways<'f>,
}

impl Context<'_, '_> {
    fn estimate(
        &self,
        model: &Coefficients,
        scores: &Scores,
        formula: &Formula,
    ) -> Result<Estimate, EstimateError> {
        let design = &self.absorbed.layout().design;
        let n_obs = design.n_obs();
        let effects: Vec<&Codes> = design.effects.iter().map(AsRef::as_ref).collect();
        let k = degrees::parameters(
            model.kept.len(),
            &effects,
            &self.ways.own,
            &self.inference.small_sample,
        );
        let Some(df_residual) = n_obs.checked_sub(k).filter(|&df| df > 0) else {
            return Err(EstimateError::NoDegreesOfFreedom { n_obs, k });
        };
        let df_t = self.ways.n_clusters().map_or(df_residual, |n| n - 1);
        let mut covariance = self.covariance(model, scores, df_residual);
        let mut estimates = refined(model, scores);
        uncentre(&design.variables, model, &mut estimates, &mut covariance);
        let name = |place: usize| design.variables[place].name.clone();
        let terms = model.kept.iter().zip(estimates).enumerate().map(|(i, (&place, estimate))| {
            let variance = covariance[i * model.kept.len() + i];
            term(name(place), estimate, variance, df_t)
        });
        let levels =
            |name: &String, codes: &Codes| Levels { name: name.clone(), levels: codes.n_levels };
        let within = self.cross.at(model.outcome, model.outcome);
        Ok(Estimate {
            formula: formula.to_string(),
            terms: terms.collect(),
            dropped: model
                .dropped
                .iter()
                .map(|&(place, collinear)| DroppedTerm { term: name(place), collinear })
                .collect(),
            n_obs,
            n_missing: design.n_missing,
            n_singletons: design.n_singletons,
            n_clusters: self.ways.n_clusters(),
            clusters: self
                .ways
                .names
                .iter()
                .zip(&self.ways.own)
                .map(|(n, c)| levels(n, c))
                .collect(),
            k,
            df_residual,
            df_t,
            r2: share(scores.rss, self.absorbed.totals[model.outcome]),
            r2_within: share(scores.rss, within).filter(|_| !effects.is_empty()),
            rss: scores.rss,
            fixed_effects: formula
                .effects
                .iter()
                .zip(&effects)
                .map(|(effect, codes)| levels(&effect.to_string(), codes))
                .collect(),
            vcov: self.vcov(),
            covariance: Some(covariance),
            iterations: self.absorbed.iterations,
            relative_residual: self.absorbed.relative_residual,
            warm_start: self.absorbed.warm_start,
        })
    }

    fn vcov(&self) -> String {
        match self.inference.vcov {
            Vcov::Iid => "iid".into(),
            Vcov::Hc1 => "hc1".into(),
            Vcov::Clustered(_) => self.ways.names.join(" + "),
        }
    }

    /// The variance matrix with its small-sample factors.
    fn covariance(&self, model: &Coefficients, scores: &Scores, df_residual: usize) -> Vec<f64> {
        let rules = &self.inference.small_sample;
        let n_obs = real(self.absorbed.layout().design.n_obs());
        let over = |n: f64| if rules.k_adj { n / real(df_residual) } else { 1.0 };
        let size = model.kept.len();
        match self.inference.vcov {
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
        }
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

/// From deviations back to values: with origins `o`, the constant is `β₀ + o_y − Σ o_j β_j`.
fn uncentre(
    variables: &[Variable<'_>],
    model: &Coefficients,
    estimates: &mut [f64],
    covariance: &mut [f64],
) {
    let constant = model.kept.iter().position(|&place| variables[place].is_constant());
    let Some(constant) = constant else { return };
    let origins: Vec<f64> = model.kept.iter().map(|&place| variables[place].origin()).collect();
    let k = origins.len();
    let shift: f64 = origins.iter().zip(&*estimates).map(|(origin, b)| origin * b).sum();
    estimates[constant] += variables[model.outcome].origin() - shift;
    for column in 0..k {
        let shift: f64 = (0..k).map(|row| origins[row] * covariance[row * k + column]).sum();
        covariance[constant * k + column] -= shift;
    }
    for row in covariance.chunks_exact_mut(k) {
        let shift: f64 = origins.iter().zip(&*row).map(|(origin, cell)| origin * cell).sum();
        row[constant] -= shift;
    }
}

/// The coefficients with one step of refinement: `β + B X̃'We`.
fn refined(model: &Coefficients, scores: &Scores) -> Vec<f64> {
    let k = model.kept.len();
    let step = |i: usize| -> f64 {
        model.inverse[i * k..(i + 1) * k].iter().zip(&scores.gradient).map(|(b, g)| b * g).sum()
    };
    model.estimates.iter().enumerate().map(|(i, estimate)| estimate + step(i)).collect()
}

fn term(name: String, estimate: f64, variance: f64, df: usize) -> TermEstimate {
    let std_error = (variance > 0.0 && variance.is_finite()).then(|| variance.sqrt());
    let statistic = std_error.map(|error| estimate / error).filter(|t| t.is_finite());
    let margin = std_error.zip(student::critical_value(CONFIDENCE, real(df))).map(|(e, c)| e * c);
    TermEstimate {
        term: name,
        estimate,
        std_error,
        statistic,
        p_value: statistic.and_then(|t| student::p_value(t, real(df))),
        conf_low: margin.map(|margin| estimate - margin),
        conf_high: margin.map(|margin| estimate + margin),
    }
}

/// `1 − rest/whole`, where there is a whole.
fn share(rest: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| 1.0 - rest / whole).filter(|share| share.is_finite())
}

#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn real(count: usize) -> f64 {
    count as f64
}
