//! The table `plant`: plants of multi-plant firms by destination and year (METHODOLOGY,
//! "Local indicators" to "Further columns").

use super::columns::{Column, Values};
use super::{Context, dollars, ln_density, mean};
use crate::domain::rows::{PlantRow, WeightedSum};
use crate::domain::types::Growth;

/// The key columns of a row, after the year.
pub const KEY: [&str; 3] = ["firm", "city", "country"];

/// The columns, in order, with `ln_supply` if a firm-year file is given.
#[must_use]
pub fn columns(with_supply: bool) -> Vec<Column<PlantRow>> {
    let mut columns = key();
    columns.extend(spillovers());
    columns.extend(plant_and_firm());
    if with_supply {
        columns.push(figure("ln_supply", |row, context| {
            context
                .definition
                .supply
                .as_ref()?
                .ln_supply(context.firms.text(row.plant.firm.0), row.year)
        }));
    }
    columns
}

fn column(name: &'static str, values: Values<PlantRow>) -> Column<PlantRow> {
    Column { name, values }
}

fn figure(
    name: &'static str,
    formula: fn(&PlantRow, &Context<'_>) -> Option<f64>,
) -> Column<PlantRow> {
    column(name, Values::Figure(formula))
}

fn key() -> Vec<Column<PlantRow>> {
    vec![
        column("year", Values::Year(|row| row.year)),
        column("months", Values::Months),
        column("firm", Values::Firm(|row| row.plant.firm)),
        column("city", Values::City(|row| row.plant.city)),
        column("country", Values::Country(|row| row.country)),
    ]
}

fn spillovers() -> Vec<Column<PlantRow>> {
    vec![
        figure("local_growth", |row, _| mean(row.local)),
        column("local_exporters", Values::Count(|row| count(row.local.exporters))),
        figure("local_ln_density", |row, context| {
            ln_density(row.local.exporters, context.definition.geography.area_m2(row.plant.city))
        }),
        figure("affiliate_growth", |row, _| mean(row.affiliate)),
        figure("affiliate_ln_density", |row, _| {
            ln_density(row.affiliate.exporters, row.affiliate_area_m2)
        }),
        figure("affiliate_growth_weighted", |row, _| weighted(row.weighted.growth, row.weighted)),
        figure("affiliate_ln_density_weighted", |row, _| {
            weighted(row.weighted.ln_density, row.weighted)
        }),
        figure("province_growth", |row, _| Some(mean(row.province).unwrap_or(0.0))),
        figure("province_ln_density", |row, context| {
            let area_m2 = context.definition.geography.rest_of_province_m2(row.plant.city);
            Some(ln_density(row.province.exporters, area_m2).unwrap_or(0.0))
        }),
    ]
}

fn plant_and_firm() -> Vec<Column<PlantRow>> {
    vec![
        column("export_value", Values::Value(|row| row.export_cents)),
        figure("ln_export", |row, _| ln_value(row.export_cents)),
        figure("ln_import", |row, _| Some(libm::log1p(dollars(row.import_cents)))),
        column("experience", Values::Flag(|row| row.experience)),
        column("new", Values::Flag(|row| row.new)),
        column("plants", Values::Count(|row| row.plants)),
        column("affiliate_cities", Values::Count(|row| row.affiliate_cities)),
        column("affiliate_exporters", Values::Count(|row| count(row.affiliate.exporters))),
        figure("ln_firm_export", |row, _| ln_value(row.firm_cents)),
        figure("largest_plant_share", |row, _| {
            Some(dollars(row.largest_plant_cents) / dollars(row.firm_cents))
        }),
        figure("ln_export_elsewhere", |row, _| ln_value(row.plant_cents - row.export_cents)),
    ]
}

fn count(n: i64) -> u32 {
    u32::try_from(n).expect("continuing exporters are counted, never negative")
}

/// The log of an amount in dollars; absent if there is no amount.
fn ln_value(cents: i64) -> Option<f64> {
    (cents > 0).then(|| libm::log(dollars(cents)))
}

/// A mean over affiliate cities, equations (16) and (17).
#[expect(
    clippy::cast_precision_loss,
    reason = "both sums keep 53 bits, far below 1e-9 of their ratio"
)]
fn weighted(sum: i128, weights: WeightedSum) -> Option<f64> {
    (weights.cents > 0).then(|| sum as f64 / weights.cents as f64 / Growth::ONE)
}
