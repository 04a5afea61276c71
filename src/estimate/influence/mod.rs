//! Influence of groups of rows, such as cities: each is left out once, and standard errors and
//! p-values follow from it.
//!
//! # Equation
//! With `b_g` the coefficients without group `g`: `CV3 = (G−1)/G Σ_g (b_g − b)(b_g − b)'`, t with
//! `G − 1`: equation (I2) of METHODOLOGY.md. Module `wild` has the bootstrap.
//!
//! A group without which a regressor is collinear is listed with that regressor and without
//! coefficients. CV3 does not exist then.

mod draws;
mod request;
mod wild;

use rayon::prelude::*;

pub use self::request::{LeaveOut, Wild};
use self::wild::Bootstrap;
use super::absorb::Absorbed;
use super::absorb::groups::Groups;
use super::design::codes::Codes;
use super::error::EstimateError;
use super::formula::Formula;
use super::inference::degrees_of_freedom::SmallSample;
use super::inference::{places, term};
use super::least_squares::{Coefficients, CrossProducts};
use super::result::{DroppedTerm, Estimate, Influence, LeftOut, NoStdError, TermEstimate};

/// Adds the influence of the groups to estimates of models on one absorption.
///
/// # Errors
/// - [`EstimateError::UnknownClusters`]: the design does not have the groups.
/// - [`EstimateError::OneGroup`]: there is one group.
/// - [`EstimateError::EffectsAcrossGroups`]: the bootstrap needs effects inside groups.
/// - [`EstimateError::NotConverged`]: an absorption without a group did not converge.
pub fn add(
    absorbed: &Absorbed<'_>,
    formulas: &[Formula],
    estimates: &mut [Estimate],
    (asked, rules): (&LeaveOut, &SmallSample),
) -> Result<(), EstimateError> {
    let design = &absorbed.layout().design;
    let name = asked.groups.to_string();
    let found = design.cluster_names.iter().position(|known| *known == name);
    let Some(found) = found else { return Err(EstimateError::UnknownClusters { name }) };
    let codes = design.clusters[found].as_ref();
    if codes.n_levels < 2 {
        return Err(EstimateError::OneGroup { name });
    }
    let groups = Groups::new(absorbed, codes);
    if asked.wild.is_some() && groups.sums().is_none() {
        return Err(EstimateError::EffectsAcrossGroups { name });
    }
    let n_variables = design.variables.len();
    let without = |group: usize| -> Result<CrossProducts, EstimateError> {
        let products = groups.products_without(group)?;
        Ok(CrossProducts::of_rows(&products, absorbed.layout().width, n_variables))
    };
    let without: Vec<CrossProducts> =
        (0..codes.n_levels).into_par_iter().map(without).collect::<Result<_, _>>()?;
    let whole = CrossProducts::of(absorbed);
    for (formula, estimate) in formulas.iter().zip(estimates) {
        let (outcome, regressors) = places(absorbed, formula)?;
        let model = Coefficients::solve(absorbed, &whole, outcome, &regressors);
        let cases = cases(absorbed, (&model, &whole), &without, codes);
        let mut influence = by_cv3(estimate, name.clone(), cases);
        if let Some((wild, sums)) = asked.wild.zip(groups.sums()) {
            let bootstrap =
                Bootstrap { absorbed, groups: &groups, sums, codes, model: &model, whole: &whole };
            influence.wild = Some(bootstrap.run(wild, estimate, *rules));
        }
        estimate.influence = Some(influence);
    }
    Ok(())
}

/// The coefficients without each group, in the order of the groups.
fn cases(
    absorbed: &Absorbed<'_>,
    (model, whole): (&Coefficients, &CrossProducts),
    without: &[CrossProducts],
    codes: &Codes,
) -> Vec<LeftOut> {
    let design = &absorbed.layout().design;
    let mut first = vec![usize::MAX; codes.n_levels];
    for (&group, &row) in codes.of_row.iter().zip(&design.rows) {
        let first = &mut first[group as usize];
        *first = (*first).min(row as usize);
    }
    let case = |((cross, n_rows), row): ((&CrossProducts, u32), usize)| {
        let (estimates, collinear) = match model.on(absorbed, cross, whole) {
            Ok(mut estimates) => {
                model.uncentre(&design.variables, &mut estimates);
                (Some(estimates), Vec::new())
            }
            Err(dropped) => (None, dropped),
        };
        let collinear = collinear.into_iter().map(|(place, collinear)| DroppedTerm {
            term: design.variables[place].name.clone(),
            collinear,
        });
        LeftOut {
            key: String::new(),
            row,
            n_obs: n_rows as usize,
            estimates,
            collinear: collinear.collect(),
        }
    };
    without.iter().zip(codes.counts()).zip(first).map(case).collect()
}

/// Inference by CV3.
fn by_cv3(estimate: &Estimate, groups: String, cases: Vec<LeftOut>) -> Influence {
    let (k, n_groups) = (estimate.terms.len(), cases.len());
    let mut covariance = vec![0.0; k * k];
    let factor = real(n_groups - 1) / real(n_groups);
    let mut is_whole = true;
    for case in &cases {
        let Some(without) = &case.estimates else {
            is_whole = false;
            continue;
        };
        let pairs = without.iter().zip(&estimate.terms);
        let shifts: Vec<f64> = pairs.map(|(own, term)| own - term.estimate).collect();
        for (at, cell) in covariance.iter_mut().enumerate() {
            *cell += factor * shifts[at / k] * shifts[at % k];
        }
    }
    let df_t = n_groups - 1;
    let own = |(place, of): (usize, &TermEstimate)| {
        let reason = match of.std_error_reason {
            Some(reason @ (NoStdError::OutcomeConstant | NoStdError::ResidualsZero)) => {
                Some(reason)
            }
            _ if !is_whole => Some(NoStdError::GroupNeeded),
            _ => None,
        };
        if let Some(reason) = reason {
            return TermEstimate::bare(of.term.clone(), of.estimate, reason);
        }
        let std_error = covariance[place * k + place].sqrt();
        term(of.term.clone(), of.estimate, std_error, df_t)
    };
    let terms = estimate.terms.iter().enumerate().map(own).collect();
    let covariance = is_whole.then_some(covariance);
    Influence { groups, cases, terms, covariance, df_t, wild: None }
}

#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn real(count: usize) -> f64 {
    count as f64
}
