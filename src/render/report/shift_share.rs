//! Shift-share standard errors as a table and as data.

use serde_json::{Value, json};

use crate::estimate::result::TermEstimate;
use crate::regressions::ShiftShare;
use crate::render::number::grouped;
use crate::render::regression::Grid;
use crate::render::style::Style;

/// The affiliate terms with their shift-share errors.
pub fn grid(of: &ShiftShare, style: &Style) -> Grid {
    let figure =
        |value: Option<f64>| value.map_or_else(String::new, |value| style.digits.figure(value));
    let error = style.text("shift-share std. error", "份额移动标准误");
    let header = ["", style.text("estimate", "估计值"), error, "z", "p"];
    let row = |term: &TermEstimate| {
        let (estimate, std_error) = match term.std_error {
            Some(std_error) => style.digits.pair(term.estimate, std_error),
            None => (style.digits.figure(term.estimate), String::new()),
        };
        let (z, p) = (figure(term.statistic), figure(term.p_value));
        vec![style.term(&term.term), estimate, std_error, z, p]
    };
    let rows: Vec<Vec<String>> = std::iter::once(header.map(str::to_owned).to_vec())
        .chain(of.terms.iter().map(row))
        .collect();
    let (n_obs, n_shocks) = (grouped(of.n_obs), grouped(of.n_shocks));
    let (title, note) = match style.text("en", "zh") {
        "en" => (
            format!("({}) with shift-share standard errors", of.model),
            format!(
                "{n_shocks} shocks (affiliate city, destination, year) in {n_obs} rows; shares are \
                 the exporters of each affiliate city."
            ),
        ),
        _ => (
            format!("（{}）份额移动标准误", of.model),
            format!(
                "{n_obs} 行中有 {n_shocks} 个冲击（关联城市、目的地、年份）；份额为各关联城市的出口企业数占比。"
            ),
        ),
    };
    Grid::plain(&title, &rows, Some(note)).named(&of.model, style.language)
}

/// The terms as data.
pub fn rows(of: &ShiftShare) -> Vec<Vec<String>> {
    let header = [
        "model",
        "through",
        "vintage",
        "term",
        "estimate",
        "std_error",
        "statistic",
        "p_value",
        "conf_low",
        "conf_high",
        "n_obs",
        "n_shocks",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for term in &of.terms {
        let mut row = vec![
            of.model.clone(),
            of.through.to_string(),
            of.vintage.to_string(),
            term.term.clone(),
            term.estimate.to_string(),
        ];
        let figures = [term.std_error, term.statistic, term.p_value, term.conf_low, term.conf_high];
        row.extend(figures.map(number));
        row.extend([of.n_obs.to_string(), of.n_shocks.to_string()]);
        rows.push(row);
    }
    rows
}

/// The terms as JSON.
pub fn document(of: &ShiftShare) -> Value {
    let term = |of: &TermEstimate| {
        json!({
            "term": of.term,
            "estimate": of.estimate,
            "std_error": of.std_error,
            "statistic": of.statistic,
            "p_value": of.p_value,
            "conf_low": of.conf_low,
            "conf_high": of.conf_high,
        })
    };
    json!({
        "model": of.model,
        "identity": of.identity,
        "through": of.through.0,
        "vintage": of.vintage.0,
        "vcov": "shift-share",
        "n_obs": of.n_obs,
        "n_shocks": of.n_shocks,
        "terms": of.terms.iter().map(term).collect::<Vec<_>>(),
    })
}
