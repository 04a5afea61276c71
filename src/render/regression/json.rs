//! Models as JSON. A missing number is null; never NaN.

use std::fmt;

use serde_json::{Value, json};

use super::model::Model;
use crate::domain::types::Vintage;
use crate::estimate::least_squares::Collinear;
use crate::estimate::result::{DroppedTerm, Estimate, TermEstimate};

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
    } = estimate;
    json!({
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
    })
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
