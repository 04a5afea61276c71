//! The table `city`: exporters of a city to a destination in a year (METHODOLOGY, "Local
//! indicators").

use super::columns::{Column, Values};
use super::{Context, ln_density, mean};
use crate::domain::rows::CityRow;

/// The key columns of a row, after the year.
pub const KEY: [&str; 2] = ["city", "country"];

/// The columns, in order.
#[must_use]
pub fn columns() -> Vec<Column<CityRow>> {
    vec![
        column("year", Values::Year(|row| row.year)),
        column("months", Values::Months),
        column("city", Values::City(|row| row.city)),
        column("country", Values::Country(|row| row.country)),
        column("exporters", Values::Count(|row| row.exporters)),
        column("continuing", Values::Count(|row| row.continuing)),
        column("entrants", Values::Count(|row| row.entrants)),
        column("exits", Values::Count(|row| row.exits)),
        column("export_value", Values::Value(|row| row.export_cents)),
        column("base_value", Values::Value(|row| row.base_cents)),
        column("growth", Values::Figure(|row, _| mean(row.sum()))),
        column("ln_density", Values::Figure(density)),
    ]
}

fn column(name: &'static str, values: Values<CityRow>) -> Column<CityRow> {
    Column { name, values }
}

fn density(row: &CityRow, context: &Context<'_>) -> Option<f64> {
    ln_density(i64::from(row.continuing), context.definition.geography.area_m2(row.city))
}
