//! Tables 1 and 2: statistics of variables, over units or over the sample of a regression.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use super::columns::{Columns, names};
use super::error::RegressionError;
use super::panels::Kind;
use super::run::Regressions;
use super::sample::{numbers, quantile, rows_of};
use crate::estimate::panel::Column;
use crate::specification::{Statistic, Summary, Units};

/// The statistics of one variable, for one value of `by` or for all rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The value of `by`, such as the year.
    pub by: Option<f64>,
    /// The variable.
    pub variable: String,
    /// The figures in the order of the summary; `None` without a value.
    pub figures: Vec<Option<f64>>,
}

/// Computes the figures of a summary: for each value of `by`, variables in the summary's order.
///
/// # Errors
/// [`RegressionError`] if the panel cannot be read, or lacks a column.
pub fn summarise(
    regressions: &mut Regressions<'_>,
    summary: &Summary,
) -> Result<Vec<Statistics>, RegressionError> {
    let names = reads(summary);
    let columns = match summary.panel {
        Units::Plant => regressions.read(regressions.plant_panel(), &names)?,
        Units::Firm => regressions.firms()?,
    };
    all_there(regressions, summary.panel, &columns, &names)?;
    let rows = rows(&columns, summary)?;
    let by = summary.by.as_ref().map(|name| numbers(&columns, name)).transpose()?;
    let mut figures = BTreeMap::new();
    for (place, variable) in summary.variables.iter().enumerate() {
        let factors = variable.factors.iter().map(|name| numbers(&columns, name));
        let factors = factors.collect::<Result<Vec<_>, _>>()?;
        let value = |row: usize| factors.iter().map(|factor| factor(row)).product::<f64>();
        let mut groups: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for &row in &rows {
            // Years and counts are positive: their bits have the order of the numbers.
            let group = by.as_ref().map_or(0, |by| by(row).to_bits());
            groups.entry(group).or_default().push(value(row));
        }
        for (group, mut values) in groups {
            values.retain(|value| value.is_finite());
            values.sort_unstable_by(f64::total_cmp);
            let all = summary.statistics.iter().map(|of| statistic(*of, &values)).collect();
            let by = by.as_ref().map(|_| f64::from_bits(group));
            let variable = variable.to_string();
            figures.insert((group, place), Statistics { by, variable, figures: all });
        }
    }
    Ok(figures.into_values().collect())
}

/// The columns that a summary reads.
fn reads(summary: &Summary) -> BTreeSet<String> {
    let variables = summary.variables.iter().flat_map(|variable| variable.factors.clone());
    let mut names: BTreeSet<String> = variables.collect();
    names.extend(summary.by.clone());
    names.extend(summary.of.iter().flat_map(|of| of.factors.clone()));
    let sample = summary.sample.iter().flat_map(|formula| formula.columns());
    names.extend(sample.map(str::to_owned));
    names
}

/// Checks that the columns exist.
fn all_there(
    regressions: &Regressions<'_>,
    panel: Units,
    columns: &Columns,
    wanted: &BTreeSet<String>,
) -> Result<(), RegressionError> {
    let Some(column) = wanted.iter().find(|name| columns.column(name).is_none()) else {
        return Ok(());
    };
    let (panel, there) = match panel {
        Units::Plant => ("plant", names(&regressions.panels, Kind::Plant)),
        Units::Firm => ("firm", columns.names().map(str::to_owned).collect()),
    };
    Err(RegressionError::NoColumn { panel, column: column.clone(), there })
}

/// The rows that count: those of the sample, and only the first of each unit.
fn rows(columns: &Columns, summary: &Summary) -> Result<Vec<usize>, RegressionError> {
    let mut rows: Vec<usize> = match &summary.sample {
        Some(formula) => rows_of(columns, formula)?.into_iter().map(|row| row as usize).collect(),
        None => (0..columns.n_rows()).collect(),
    };
    if let Some(of) = &summary.of {
        let keys: Vec<Column<'_>> =
            of.factors.iter().filter_map(|name| columns.column(name)).collect();
        let mut seen: FxHashSet<Vec<u64>> = FxHashSet::default();
        let key =
            |row: usize| keys.iter().map(|column| super::sample::bits(*column, row)).collect();
        rows.retain(|&row| seen.insert(key(row)));
    }
    Ok(rows)
}

/// A statistic of sorted values.
#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn statistic(of: Statistic, sorted: &[f64]) -> Option<f64> {
    let n = sorted.len() as f64;
    let mean = || sorted.iter().sum::<f64>() / n;
    let figure = match of {
        Statistic::N => n,
        Statistic::Mean => mean(),
        Statistic::Median => quantile(sorted, 0.5),
        Statistic::Sd => {
            let mean = mean();
            let squares: f64 = sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
            (squares / (n - 1.0)).sqrt()
        }
        Statistic::Min => *sorted.first()?,
        Statistic::Max => *sorted.last()?,
    };
    Some(figure).filter(|figure| figure.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_four_values() {
        let values = [1.0, 2.0, 3.0, 6.0];
        let all =
            [Statistic::N, Statistic::Mean, Statistic::Median, Statistic::Min, Statistic::Max];
        let figures: Vec<_> = all.iter().map(|of| statistic(*of, &values)).collect();
        assert_eq!(figures, [4.0, 3.0, 2.5, 1.0, 6.0].map(Some));
        let sd = statistic(Statistic::Sd, &values).expect("four values");
        assert!((sd * sd - 14.0 / 3.0).abs() < 1e-12);
        assert_eq!(statistic(Statistic::Sd, &values[..1]), None);
        assert_eq!(
            (statistic(Statistic::Mean, &[]), statistic(Statistic::N, &[])),
            (None, Some(0.0))
        );
    }
}
