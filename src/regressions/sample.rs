//! The rows of a column: those with a value in every needed variable, restricted by the column's
//! rules.
//!
//! Order: rows with every variable of its formula and of the sample formula; the conditions; the
//! largest units; the extremes. Quantiles are of R's type 7; values strictly beyond a quantile are
//! dropped. The estimator drops singletons last.

use rustc_hash::FxHashMap;

use super::columns::Columns;
use super::error::RegressionError;
use crate::estimate::design::{Design, Request};
use crate::estimate::formula::Formula;
use crate::estimate::panel::{Column, MISSING};
use crate::specification::{self, DropLargest, Trim};

/// The column that excludes rows: a code for a kept row, missing for an excluded one.
pub const SAMPLE: &str = "(sample)";

/// The rows with all values that pass a column's rules.
#[derive(Debug)]
pub struct Mask {
    /// The values of [`SAMPLE`].
    pub codes: Vec<u32>,
    /// The number of rows that the rules exclude.
    pub n_excluded: usize,
}

/// The rows that pass a column's rules; `None` without rules.
///
/// # Errors
/// [`RegressionError`] if a rule names a column that is not numeric.
pub fn mask(
    columns: &Columns,
    needed: &[String],
    rules: &specification::Column,
) -> Result<Option<Mask>, RegressionError> {
    let specification::Column { keep, trim, drop_largest, .. } = rules;
    if keep.is_empty() && trim.is_empty() && drop_largest.is_empty() {
        return Ok(None);
    }
    let present: Vec<Column<'_>> = needed.iter().filter_map(|name| columns.column(name)).collect();
    let whole = |row: usize| present.iter().all(|column| column.is_present(row));
    let mut stays: Vec<bool> = (0..columns.n_rows()).map(whole).collect();
    let n_whole = stays.iter().filter(|stays| **stays).count();
    for condition in keep {
        let values = numbers(columns, &condition.variable)?;
        leave_out(&mut stays, |row| !condition.holds(values(row)));
    }
    for drop in drop_largest {
        without_largest(columns, drop, &mut stays)?;
    }
    for Trim { variable, share } in trim {
        let values = numbers(columns, variable)?;
        let rows = (0..stays.len()).filter(|&row| stays[row]);
        let mut sorted: Vec<f64> = rows.map(&values).filter(|value| value.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (low, high) = (quantile(&sorted, *share), quantile(&sorted, 1.0 - share));
        leave_out(&mut stays, |row| !(low..=high).contains(&values(row)));
    }
    let n_excluded = n_whole - stays.iter().filter(|stays| **stays).count();
    let codes = stays.into_iter().map(|stays| if stays { 0 } else { MISSING }).collect();
    Ok(Some(Mask { codes, n_excluded }))
}

/// The rows of a regression's sample without singletons, in order.
///
/// # Errors
/// [`RegressionError::Estimate`] if a column is missing, or no row is left.
pub fn rows_of(columns: &Columns, formula: &Formula) -> Result<Vec<u32>, RegressionError> {
    let panel = columns.panel(&[], &[])?;
    let mut rows = Design::build(&panel, &Request::of_formula(formula, &[], None))?.rows;
    rows.sort_unstable();
    Ok(rows)
}

fn leave_out(stays: &mut [bool], out: impl Fn(usize) -> bool) {
    for (row, stays) in stays.iter_mut().enumerate() {
        *stays = *stays && !out(row);
    }
}

/// Excludes the rows of the units with the largest values.
fn without_largest(
    columns: &Columns,
    drop: &DropLargest,
    stays: &mut [bool],
) -> Result<(), RegressionError> {
    let values = numbers(columns, &drop.variable)?;
    let units: Vec<Column<'_>> =
        drop.of.factors.iter().filter_map(|name| columns.column(name)).collect();
    let unit = |row: usize| -> Vec<u64> { units.iter().map(|column| bits(*column, row)).collect() };
    let mut by_unit: FxHashMap<Vec<u64>, f64> = FxHashMap::default();
    for row in (0..stays.len()).filter(|&row| stays[row]) {
        by_unit.entry(unit(row)).or_insert_with(|| values(row));
    }
    let mut sorted: Vec<f64> = by_unit.into_values().filter(|value| value.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let most = quantile(&sorted, 1.0 - drop.share);
    leave_out(stays, |row| values(row) > most);
    Ok(())
}

pub fn bits(column: Column<'_>, row: usize) -> u64 {
    match column {
        Column::Real(values) => values[row].to_bits(),
        Column::Integer(values) => values[row].cast_unsigned().into(),
        Column::Short(values) => values[row].cast_unsigned().into(),
        Column::Code(codes) => codes[row].into(),
    }
}

/// A column's value in each row.
///
/// # Errors
/// [`RegressionError::Estimate`] if the column holds texts.
pub fn numbers<'c>(
    columns: &'c Columns,
    name: &str,
) -> Result<impl Fn(usize) -> f64 + use<'c>, RegressionError> {
    use crate::estimate::error::EstimateError;
    let column = match columns.column(name) {
        Some(Column::Code(_)) => {
            return Err(EstimateError::NotNumeric { name: name.to_owned() }.into());
        }
        None => {
            let known = Vec::new();
            return Err(EstimateError::UnknownColumn { name: name.to_owned(), known }.into());
        }
        Some(column) => column,
    };
    Ok(move |row: usize| match column {
        Column::Real(values) => values[row],
        Column::Integer(values) => values[row].into(),
        Column::Short(values) => values[row].into(),
        Column::Code(_) => f64::NAN,
    })
}

/// A quantile of sorted values, interpolated linearly (R's type 7); NaN without values.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions among fewer than 2^32 rows"
)]
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = share * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    #[expect(clippy::float_cmp, reason = "exact by hand")]
    fn quantiles_lie_between_neighbours_in_proportion() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!((quantile(&values, 0.0), quantile(&values, 1.0)), (1.0, 8.0));
        assert_eq!((quantile(&values, 0.5), quantile(&values, 0.25)), (3.0, 1.75));
        assert_eq!(quantile(&[5.0], 0.9), 5.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
