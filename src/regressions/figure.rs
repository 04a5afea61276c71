//! Figure 1: a binned scatter with absorbed effects.
//!
//! If the figure names a sample, its rows are those of that regression without singletons. Outcome
//! and variable are residualised on the effects, and their means over the sample are added. Rows in
//! order of the variable are cut into bins of equal size, and a bin is shown at its means. The line
//! is the regression of all rows, not of the bins.

use std::collections::BTreeSet;
use std::slice;

use super::columns::Columns;
use super::error::RegressionError;
use super::run::Regressions;
use super::sample::{SAMPLE, rows_of};
use crate::estimate::absorb::{AbsorbOptions, Absorbed};
use crate::estimate::design::{Design, Request};
use crate::estimate::formula::Formula;
use crate::estimate::inference;
use crate::estimate::panel::{Column, MISSING};
use crate::specification::Figure;

/// A binned scatter.
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// The outcome.
    pub outcome: String,
    /// The variable.
    pub variable: String,
    /// The bins, in order of the variable.
    pub bins: Vec<Bin>,
    /// The slope of the regression.
    pub slope: f64,
    /// Its standard error, if it has one.
    pub std_error: Option<f64>,
    /// Its confidence interval of 95 %, if it has a standard error.
    pub interval: Option<[f64; 2]>,
    /// The intercept of the regression.
    pub intercept: f64,
    /// The number of rows.
    pub n_obs: usize,
}

/// The means of a bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The mean of the variable.
    pub x: f64,
    /// The mean of the outcome.
    pub y: f64,
    /// The number of rows.
    pub n: usize,
}

/// Computes the scatter of a figure.
///
/// # Errors
/// [`RegressionError`] if the panel cannot be read, lacks a column, or no rows are left.
pub fn scatter(
    regressions: &mut Regressions<'_>,
    figure: &Figure,
) -> Result<Scatter, RegressionError> {
    let formulas = [&figure.formula].into_iter().chain(&figure.sample);
    let clusters = figure.inference.vcov.clusters();
    let of_clusters = clusters.iter().flat_map(|interaction| &interaction.factors);
    let names: BTreeSet<String> = formulas
        .flat_map(|formula| formula.columns())
        .map(str::to_owned)
        .chain(of_clusters.cloned())
        .collect();
    let columns = regressions.read(regressions.plant_panel(), &names)?;
    let mask = figure.sample.as_ref().map(|formula| mask_of(&columns, formula)).transpose()?;
    let mut instead: Vec<(String, Column<'_>)> = Vec::new();
    let mut request = Request::of_formula(&figure.formula, clusters, None);
    if let Some(mask) = &mask {
        instead.push((SAMPLE.to_owned(), Column::Code(mask)));
        request.required.push(SAMPLE.to_owned());
    }
    let panel = columns.panel(&instead, &[])?;
    let design = Design::build(&panel, &request)?;
    let variables = &design.variables;
    let (y, x) = (&variables[0], &variables[variables.len() - 1]);
    let n_obs = design.n_obs();
    let mean = |of: &dyn Fn(usize) -> f64| {
        design.rows.iter().map(|&row| of(row as usize)).sum::<f64>() / real(n_obs)
    };
    // Variables far from zero are stored as deviations from their origins.
    let (mean_y, mean_x) =
        (y.origin() + mean(&|row| y.at(row)), x.origin() + mean(&|row| x.at(row)));
    let place = variables.len() - 1;
    let mut absorbed = Absorbed::solve(design, &AbsorbOptions::default(), None)?;
    let estimates =
        inference::fit(&mut absorbed, slice::from_ref(&figure.formula), &figure.inference)?;
    let estimate = estimates.into_iter().flat_map(|estimate| estimate.terms).next();
    let residuals = residuals(&absorbed, place);
    let xy: f64 = residuals.iter().map(|(x, y)| x * y).sum();
    let xx: f64 = residuals.iter().map(|(x, _)| x * x).sum();
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    let mut points: Vec<(f64, f64)> =
        residuals.into_iter().map(|(x, y)| (x + mean_x, y + mean_y)).collect();
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    Ok(Scatter {
        outcome: figure.formula.outcome.clone(),
        variable: figure.formula.terms[0].to_string(),
        bins: bins(&points, figure.bins),
        slope,
        std_error: estimate.as_ref().and_then(|term| term.std_error),
        interval: estimate.and_then(|term| Some([term.conf_low?, term.conf_high?])),
        intercept: mean_y - slope * mean_x,
        n_obs,
    })
}

/// A column with a missing value in each row outside of a regression's sample.
fn mask_of(columns: &Columns, formula: &Formula) -> Result<Vec<u32>, RegressionError> {
    let mut mask = vec![MISSING; columns.n_rows()];
    for row in rows_of(columns, formula)? {
        mask[row as usize] = 0;
    }
    Ok(mask)
}

/// The residuals of variable and outcome in each row.
fn residuals(absorbed: &Absorbed<'_>, variable: usize) -> Vec<(f64, f64)> {
    let width = absorbed.layout().width;
    let stream = absorbed.residuals();
    let mut pairs = Vec::new();
    for part in absorbed.layout().parts.iter().cloned() {
        stream.visit(
            part,
            |_, _| {},
            |_, block| {
                pairs.extend(block.chunks_exact(width).map(|row| (row[variable], row[0])));
            },
        );
    }
    pairs
}

/// Cuts points into bins whose sizes differ by at most one.
fn bins(points: &[(f64, f64)], n_bins: usize) -> Vec<Bin> {
    let edge = |bin: usize| bin * points.len() / n_bins;
    let bin = |bin: usize| {
        let own = &points[edge(bin)..edge(bin + 1)];
        let n = real(own.len());
        let (x, y) = own.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        (!own.is_empty()).then_some(Bin { x: x / n, y: y / n, n: own.len() })
    };
    (0..n_bins).filter_map(bin).collect()
}

#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_as_many_points_each() {
        let points: Vec<(f64, f64)> = (0..10).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        let found = bins(&points, 3);
        assert_eq!(found.iter().map(|bin| bin.n).collect::<Vec<_>>(), [3, 3, 4]);
        assert_eq!(found[0], Bin { x: 1.0, y: 2.0, n: 3 });
        assert_eq!(bins(&points[..2], 5).len(), 2);
    }
}
