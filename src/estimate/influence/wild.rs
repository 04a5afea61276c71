//! The wild cluster bootstrap with the hypothesis imposed, without an absorption for each draw.
//!
//! # Equation
//! For the hypothesis `β_j = 0`: `ẽ` are the residuals of the model without regressor `j`, and a
//! draw has the outcome `y − ẽ + v_g ẽ` with a random sign `v_g` for each group (Rademacher). With
//! `B = (X̃'WX̃)⁻¹`, `u_g = B_j'X̃_g'Wẽ_g` and `s_g = X̃_g'Wẽ_g`, the coefficient of the draw is
//! `Σ_g u_g v_g`, and its score of group `g`, projected on `B_j`, is `Σ_h T_gh v_h`:
//!
//! `T_gh = 1{g=h} u_g − (G_g'WX̃_g B_j)'S⁺(G_h'Wẽ_h) − B_j'X̃_g'WX̃_g B s_h`
//!
//! The second part is what the shared effect absorbs of the draw; effects inside groups absorb
//! nothing of it. The statistic is `Σ_g u_g v_g / √Σ_g (Σ_h T_gh v_h)²`, and its p-value the share
//! of the draws in which its size is larger than in the sample: equations (I4) and (I5) of
//! METHODOLOGY.md.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use rayon::prelude::*;

use super::draws::Signs;
use super::request::Wild;
use crate::estimate::absorb::Absorbed;
use crate::estimate::absorb::groups::{GroupSums, Groups};
use crate::estimate::design::codes::Codes;
use crate::estimate::inference::degrees_of_freedom::{SmallSample, parameters};
use crate::estimate::least_squares::{Coefficients, CrossProducts};
use crate::estimate::result::{Estimate, NoStdError, WildBootstrap, WildTerm};

/// The number of draws in one product.
const DRAWS_PER_PRODUCT: usize = 256;
/// The share by which a squared statistic is larger than another one if it is not equal except for
/// rounding.
const LARGER: f64 = 1e-9;

/// A model whose coefficients are tested.
pub struct Bootstrap<'b, 's, 'a> {
    pub absorbed: &'b Absorbed<'a>,
    pub groups: &'b Groups<'s, 'a>,
    pub sums: &'b GroupSums,
    pub codes: &'b Codes,
    pub model: &'b Coefficients,
    pub whole: &'b CrossProducts,
}

/// The hypothesis that one coefficient is zero.
struct Hypothesis {
    /// The weights of the variables in the residual `ẽ`, by their places.
    residual: Vec<f64>,
    /// `B_j`, by places of variables.
    direction: Vec<f64>,
}

impl Bootstrap<'_, '_, '_> {
    /// Tests each regressor except the constant.
    pub fn run(&self, asked: Wild, estimate: &Estimate, rules: SmallSample) -> WildBootstrap {
        let variables = &self.absorbed.layout().design.variables;
        let signs = Signs::new(self.codes.n_levels, asked.n_draws, asked.seed);
        let is_fitted = estimate.terms.iter().any(|term| {
            let constant = Some(NoStdError::OutcomeConstant);
            [constant, Some(NoStdError::ResidualsZero)].contains(&term.std_error_reason)
        });
        let tested: Vec<usize> = (0..self.model.kept.len())
            .filter(|&j| !variables[self.model.kept[j]].is_constant() && !is_fitted)
            .collect();
        let hypotheses: Vec<Hypothesis> = tested.iter().map(|&j| self.hypothesis(j)).collect();
        let couplings = self.couplings(&hypotheses);
        let factor = self.factor(rules);
        let test = |((&j, hypothesis), coupling): ((&usize, &Hypothesis), Vec<f64>)| {
            let statistic = self.statistic(j, &hypothesis.direction);
            let p_value = self.p_value(hypothesis, &coupling, statistic, &signs);
            (j, statistic * factor, p_value)
        };
        let tests: Vec<(usize, f64, f64)> =
            tested.iter().zip(&hypotheses).zip(couplings).map(test).collect();
        let terms = estimate.terms.iter().enumerate().map(|(place, term)| {
            let found = tests.iter().find(|(j, ..)| *j == place);
            let found = found.filter(|(_, statistic, _)| statistic.is_finite());
            WildTerm {
                term: term.term.clone(),
                statistic: found.map(|(_, statistic, _)| *statistic),
                p_value: found.map(|(.., p_value)| *p_value),
            }
        });
        WildBootstrap {
            n_draws: signs.n_draws,
            are_all: signs.are_all,
            seed: asked.seed,
            terms: terms.collect(),
        }
    }

    /// One over the root of the small-sample factor of the variance clustered by group.
    fn factor(&self, rules: SmallSample) -> f64 {
        let design = &self.absorbed.layout().design;
        let effects: Vec<&Codes> = design.effects.iter().map(AsRef::as_ref).collect();
        let k = parameters(self.model.kept.len(), &effects, &[self.codes], &rules);
        let (n_groups, n_obs) = (real(self.codes.n_levels), real(design.n_obs()));
        let of_groups = if rules.g_adj { n_groups / (n_groups - 1.0) } else { 1.0 };
        let of_parameters = if rules.k_adj { (n_obs - 1.0) / (n_obs - real(k)) } else { 1.0 };
        1.0 / (of_groups * of_parameters).sqrt()
    }

    fn hypothesis(&self, j: usize) -> Hypothesis {
        let (model, n_variables) = (self.model, self.absorbed.layout().design.variables.len());
        let k = model.kept.len();
        let others: Vec<usize> = (0..k).filter(|&i| i != j).map(|i| model.kept[i]).collect();
        let mut residual = vec![0.0; n_variables];
        residual[model.outcome] = 1.0;
        for (place, b) in others.iter().zip(self.whole.solution(model.outcome, &others).0) {
            residual[*place] -= b;
        }
        let mut direction = vec![0.0; n_variables];
        for (i, place) in model.kept.iter().enumerate() {
            direction[*place] = model.inverse[j * k + i];
        }
        Hypothesis { residual, direction }
    }

    /// The part of `T` that the shared effect absorbs, for each hypothesis.
    fn couplings(&self, hypotheses: &[Hypothesis]) -> Vec<Vec<f64>> {
        let width = self.absorbed.layout().width;
        let each = |of: fn(&Hypothesis) -> &Vec<f64>| -> Vec<f64> {
            let rows = self.sums.scattered.chunks_exact(width);
            rows.flat_map(|row| hypotheses.iter().map(move |one| combined(row, of(one)))).collect()
        };
        let (a, b) = (each(|of| &of.direction), each(|of| &of.residual));
        self.groups.couplings(&a, &b, hypotheses.len())
    }

    /// `β_j / √Σ_g (B_j'X̃_g'We_g)²`
    fn statistic(&self, j: usize, direction: &[f64]) -> f64 {
        let mut residual = vec![0.0; direction.len()];
        residual[self.model.outcome] = 1.0;
        for (&place, b) in self.model.kept.iter().zip(&self.model.estimates) {
            residual[place] -= b;
        }
        let each = (0..self.codes.n_levels).map(|g| self.form(g, direction, &residual).powi(2));
        self.model.estimates[j] / each.sum::<f64>().sqrt()
    }

    /// `a'E_g b`
    fn form(&self, group: usize, a: &[f64], b: &[f64]) -> f64 {
        let rows = self.sums.products[group].chunks_exact(self.absorbed.layout().width);
        rows.zip(a).map(|(row, a)| a * combined(row, b)).sum()
    }

    /// The share of draws with a larger statistic.
    fn p_value(&self, of: &Hypothesis, coupling: &[f64], statistic: f64, signs: &Signs) -> f64 {
        let (n_groups, kept) = (self.codes.n_levels, &self.model.kept);
        let unit = |place: usize| {
            let mut unit = vec![0.0; of.direction.len()];
            unit[place] = 1.0;
            unit
        };
        let units: Vec<Vec<f64>> = kept.iter().map(|&place| unit(place)).collect();
        let k = kept.len();
        // s_h, and B_j'E_g B for each regressor.
        let forms = |a: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..n_groups * k).map(|at| a(at / k, at % k)).collect()
        };
        let scores = forms(&|h, i| self.form(h, &units[i], &of.residual));
        let crossed = forms(&|g, i| self.form(g, &of.direction, &units[i]));
        let own: Vec<f64> =
            (0..n_groups).map(|g| self.form(g, &of.direction, &of.residual)).collect();
        let moved = |g: usize, h: usize| -> f64 {
            let rows = self.model.inverse.chunks_exact(k).zip(&crossed[g * k..][..k]);
            rows.map(|(row, crossed)| crossed * combined(&scores[h * k..][..k], row)).sum()
        };
        let matrix = Mat::from_fn(n_groups, n_groups, |g, h| {
            let own = if g == h { own[g] } else { 0.0 };
            own - coupling[g * n_groups + h] - moved(g, h)
        });
        let limit = statistic * statistic * (1.0 + LARGER);
        let count = |chunk: usize| {
            let first = chunk * DRAWS_PER_PRODUCT;
            let n = DRAWS_PER_PRODUCT.min(signs.n_draws - first);
            let mut drawn = Mat::<f64>::zeros(n_groups, n);
            for place in 0..n {
                signs.fill(first + place, drawn.col_as_slice_mut(place));
            }
            let mut scores = Mat::<f64>::zeros(n_groups, n);
            matmul(scores.as_mut(), Accum::Replace, &matrix, &drawn, 1.0, Par::Seq);
            let is_larger = |place: &usize| {
                let coefficient = combined(&own, drawn.col_as_slice(*place));
                let variance: f64 =
                    scores.col_as_slice(*place).iter().map(|score| score * score).sum();
                coefficient * coefficient > limit * variance
            };
            (0..n).filter(is_larger).count()
        };
        let n_chunks = signs.n_draws.div_ceil(DRAWS_PER_PRODUCT);
        let larger: usize = (0..n_chunks).into_par_iter().map(count).sum();
        real(larger) / real(signs.n_draws)
    }
}

/// `Σ a b`, over the shorter of both.
fn combined(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn real(count: usize) -> f64 {
    count as f64
}
