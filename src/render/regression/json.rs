//! Models as JSON. A missing number is null; never NaN.

use std::fmt;

use serde_json::{Value, json};

use super::model::Model;
use crate::domain::types::Vintage;
use crate::estimate::least_squares::Collinear;
use crate::estimate::result::{DroppedTerm, Estimate, Influence, LeftOut, TermEstimate};

/// A model as JSON: the estimate with its name, seconds and vintage. The covariance matrix is in
/// another table.
#[must_use]
pub fn model_json(
    name: &str,
    estimate: &Estimate,
    seconds: f64,
    vintage: Option<Vintage>,
) -> Value {
    let Estimate {
        formula,
        terms,
        dropped,
        n_obs,
        n_missing,
        n_singletons,
        n_clusters,
        clusters,
        k,
        df_residual,
        df_t,
        r2,
        r2_within,
        rss,
        fixed_effects,
        vcov,
        covariance: _,
        iterations,
        relative_residual,
        warm_start,
        notes,
        influence,
    } = estimate;
    let mut json = json!({
        "name": name,
        "formula": formula,
        "terms": terms.iter().map(term_json).collect::<Vec<_>>(),
        "dropped": dropped.iter().map(dropped_json).collect::<Vec<_>>(),
        "n_obs": n_obs,
        "n_missing": n_missing,
        "n_singletons": n_singletons,
        "n_clusters": n_clusters,
        "clusters": clusters,
        "k": k,
        "df_residual": df_residual,
        "df_t": df_t,
        "r2": r2,
        "r2_within": r2_within,
        "rss": rss,
        "fixed_effects": fixed_effects,
        "vcov": vcov,
        "iterations": iterations,
        "relative_residual": relative_residual,
        "warm_start": warm_start,
        "notes": notes,
        "seconds": seconds,
        "vintage": vintage.map(|vintage| vintage.0),
    });
    if let Some(influence) = influence {
        json["influence"] = influence_json(influence);
    }
    json
}

fn term_json(of: &TermEstimate) -> Value {
    let TermEstimate {
        term,
        estimate,
        std_error,
        std_error_reason,
        statistic,
        p_value,
        conf_low,
        conf_high,
    } = of;
    json!({
        "term": term,
        "estimate": estimate,
        "std_error": std_error,
        "std_error_reason": std_error_reason,
        "statistic": statistic,
        "p_value": p_value,
        "conf_low": conf_low,
        "conf_high": conf_high,
    })
}

fn dropped_json(of: &DroppedTerm) -> Value {
    json!({ "term": of.term, "collinear": of.collinear })
}

/// The influence of groups as JSON.
fn influence_json(of: &Influence) -> Value {
    let Influence { groups, cases, terms, covariance: _, df_t, wild } = of;
    let case = |case: &LeftOut| {
        json!({
            "group": case.key,
            "n_obs": case.n_obs,
            "estimates": case.estimates,
            "collinear": case.collinear.iter().map(dropped_json).collect::<Vec<_>>(),
        })
    };
    json!({
        "groups": groups,
        "n_groups": cases.len(),
        "vcov": "CV3",
        "df_t": df_t,
        "terms": terms.iter().map(term_json).collect::<Vec<_>>(),
        "wild_bootstrap": wild.as_ref().map(|wild| json!({
            "weights": "rademacher",
            "null_imposed": true,
            "draws": wild.n_draws,
            "all_combinations": wild.are_all,
            "seed": wild.seed,
            "terms": wild.terms,
        })),
        "cases": cases.iter().map(case).collect::<Vec<_>>(),
    })
}

/// All models as one JSON document.
#[must_use]
pub fn models_json<'m>(models: impl Iterator<Item = Model<'m>>) -> Value {
    let json = |m: Model<'_>| model_json(m.name, m.estimate, m.seconds, m.vintage);
    json!({ "models": models.map(json).collect::<Vec<_>>() })
}

impl fmt::Display for Collinear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithFixedEffects => "the fixed effects",
            Self::WithRegressors => "the regressors before it",
        })
    }
}
