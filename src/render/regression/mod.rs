//! Regressions in the form of economics: models side by side, standard errors in brackets under the
//! coefficients.
//!
//! ```text
//! [Model] ─┬─▶ Grid ─▶ text │ markdown │ latex │ html
//!          ├─▶ tidy rows ─▶ csv, and the table `estimates`
//!          └─▶ {"models": […]} ─▶ json
//! ```
//! A missing number is blank, empty or null; never NaN.

pub mod beside;
pub mod entries;
mod grid;
mod html;
mod latex;
mod text;
pub mod tidy;

use std::fmt;

use serde_json::{Value, json};

use crate::domain::types::Vintage;
use crate::estimate::least_squares::Collinear;
use crate::estimate::result::{DroppedTerm, Estimate, TermEstimate};

/// A model in a table.
#[derive(Clone, Copy, Debug)]
pub struct Model<'m> {
    /// The name, such as `3.1`.
    pub name: &'m str,
    /// The label that describes how the model differs.
    pub label: &'m str,
    /// The estimate.
    pub estimate: &'m Estimate,
    /// The time of the estimation, in seconds.
    pub seconds: f64,
    /// The newest vintage in its data.
    pub vintage: Option<Vintage>,
}

/// Models side by side.
#[derive(Clone, Debug, Default)]
pub struct RegressionTable<'m> {
    /// The title; may be empty.
    pub title: &'m str,
    /// The models.
    pub models: Vec<Model<'m>>,
    /// Notes on the figures.
    pub notes: Vec<String>,
}

/// The format of a laid-out table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Text, aligned with blanks.
    Text,
    /// A pipe table.
    Markdown,
    /// A `table` with `booktabs` rules.
    Latex,
    /// A `table` element.
    Html,
}

impl RegressionTable<'_> {
    /// Lays out the table.
    #[must_use]
    pub fn laid_out(&self, layout: Layout) -> String {
        grid::Grid::of(self).laid_out(layout)
    }
}

/// Lays out rows of figures like a regression table: tables 1 and 2. The first row is the header; a
/// note is below.
#[must_use]
pub fn plain_table(
    title: &str,
    rows: &[Vec<String>],
    note: Option<String>,
    layout: Layout,
) -> String {
    grid::Grid::plain(title, rows, note).laid_out(layout)
}

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

/// A count with thousands separators.
#[must_use]
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A figure with four significant digits.
#[must_use]
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-4..1e7).contains(&size) {
        let decimals = if size >= 1000.0 {
            1
        } else if size >= 100.0 {
            2
        } else if size >= 10.0 {
            3
        } else {
            4
        };
        let text = format!("{value:.decimals$}");
        if size < 0.001 { format!("{value:.6}") } else { text }
    } else {
        format!("{value:.2e}")
    }
}

#[cfg(test)]
mod tests;
