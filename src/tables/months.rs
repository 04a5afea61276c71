//! The table `months`: the markets of each span (METHODOLOGY, "Spans").

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};

use super::columns::{self, Column, Values};
use super::sheet::Sheet;
use super::{Context, ln_density, mean};
use crate::domain::rows::MonthsRow;
use crate::domain::types::Growth;

/// The name, as on the command line.
pub const NAME: &str = "months";
/// The key columns.
const KEYS: [&str; 5] = ["year", "month", "span", "city", "country"];

/// The name, keys and columns.
#[must_use]
pub fn sheet() -> Sheet {
    Sheet { name: NAME, keys: &KEYS, schema: schema() }
}

/// The columns as exported.
#[must_use]
pub fn schema() -> SchemaRef {
    columns::schema(&all())
}

/// Rows as columns.
///
/// # Errors
/// Arrow's error for columns that do not fit the schema: a bug.
pub fn rows(rows: &[MonthsRow], context: &Context<'_>) -> Result<RecordBatch, ArrowError> {
    columns::rows(&all(), rows, 0, context)
}

fn all() -> Vec<Column<MonthsRow>> {
    vec![
        column("year", Values::Year(|row| row.at.year())),
        column("month", Values::Month(|row| row.at.end().month())),
        column("span", Values::Name(|row| row.at.span().name())),
        column("city", Values::City(|row| row.market.city)),
        column("country", Values::Country(|row| row.market.country)),
        column("exporters", Values::Count(|row| row.market.exporters)),
        column("continuing", Values::Count(|row| row.market.continuing)),
        column("entrants", Values::Count(|row| row.market.entrants)),
        column("exits", Values::Count(|row| row.market.exits)),
        column("export_value", Values::Value(|row| row.market.export_cents)),
        column("base_value", Values::Value(|row| row.market.base_cents)),
        column("growth", Values::Figure(|row, _| mean(row.market.sum()))),
        column("growth_sd", Values::Figure(|row, _| deviation(row))),
        column("ln_density", Values::Figure(density)),
    ]
}

fn column(name: &'static str, values: Values<MonthsRow>) -> Column<MonthsRow> {
    Column { name, values }
}

fn density(row: &MonthsRow, context: &Context<'_>) -> Option<f64> {
    let area_m2 = context.definition.geography.area_m2(row.market.city);
    ln_density(i64::from(row.market.continuing), area_m2)
}

/// The standard deviation of growth over continuing exporters, with `n − 1`.
///
/// # Equation
/// `sqrt((n Σg² − (Σg)²) / (n (n − 1)))`. The numerator is exact: `n` is below 2²⁵ and `|g|` below
/// 2³⁸ units, so both terms are below 2¹²⁶.
#[expect(clippy::cast_precision_loss, reason = "rounding a ratio of integers moves it by 1e-16")]
fn deviation(row: &MonthsRow) -> Option<f64> {
    let (n, sum) = (i128::from(row.market.continuing), i128::from(row.market.growth));
    let numerator = n * row.growth_squared - sum * sum;
    (n > 1).then(|| libm::sqrt(numerator as f64 / (n * (n - 1)) as f64) / Growth::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::CityRow;
    use crate::domain::span::{Joint, Span, SpanAt};

    fn row(growths: &[i64]) -> MonthsRow {
        let end = "200112".parse().expect("a month");
        let at = SpanAt::new(Span::YearToDate, end, Joint::NONE).expect("a span");
        let continuing = u32::try_from(growths.len()).expect("a few");
        let growth = growths.iter().sum();
        let market = CityRow { continuing, growth, ..CityRow::default() };
        let square = |growth: &i64| i128::from(*growth) * i128::from(*growth);
        MonthsRow { at, market, growth_squared: growths.iter().map(square).sum() }
    }

    #[test]
    fn the_deviation_is_that_of_the_growths_and_needs_two() {
        let one = 1_i64 << 32;
        assert_eq!(deviation(&row(&[])), None);
        assert_eq!(deviation(&row(&[one])), None);
        assert_eq!(deviation(&row(&[one, one])), Some(0.0));
        let found = deviation(&row(&[one, 2 * one, 4 * one])).expect("three growths");
        assert!((found - libm::sqrt(7.0 / 3.0)).abs() < 1e-15, "{found}");
    }

    #[test]
    fn a_small_deviation_of_large_growths_is_exact() {
        let large = 1_i64 << 37;
        let found = deviation(&row(&[large, large + 2])).expect("two growths");
        let expected = libm::sqrt(2.0) / Growth::ONE;
        assert!((found / expected - 1.0).abs() < 1e-15, "{found:e}");
    }
}
