//! The rows of the two published tables, as integers. The dataflow and the oracle both compute
//! them.
//!
//! Two computations agree bit for bit when these rows do. [`crate::tables`] turns them into the
//! published columns, the only place where they become floating point.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::domain::span::SpanAt;
use crate::domain::types::{City, Country, Firm, Plant, Year};

/// One row of the table `city`: exporters of a city to a destination in a year.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct CityRow {
    /// The year compared with the one before.
    pub year: Year,
    /// The city.
    pub city: City,
    /// The destination.
    pub country: Country,
    /// Plants with positive exports in the year.
    pub exporters: u32,
    /// Plants with positive exports in both years, `n`.
    pub continuing: u32,
    /// Plants with positive exports in the year but not the one before.
    pub entrants: u32,
    /// Plants with positive exports in the year before but not in this one.
    pub exits: u32,
    /// Sum of the year's positive cells, in cents.
    pub export_cents: i64,
    /// Sum of the positive cells of the year before, in cents.
    pub base_cents: i64,
    /// Sum of the continuing plants' growth, `S`, in units of 2⁻³² log points.
    pub growth: i64,
}

/// One row of the table `months`: a market in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthsRow {
    /// The span.
    pub at: SpanAt,
    /// The market, with the months of the span in place of those of the year.
    pub market: CityRow,
    /// Sum of the squares of the continuing plants' growth, in units of 2⁻⁶⁴.
    pub growth_squared: i128,
}

/// A sum of growth over continuing exporters, and their number: `S` and `n`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct GrowthSum {
    /// Sum of growth in units of 2⁻³² log points.
    pub growth: i64,
    /// Number of continuing exporters.
    pub exporters: i64,
}

/// Export-weighted sums over affiliate cities, equations (16) and (17), before the division by the
/// weights.
///
/// # Units
/// `growth` and `ln_density`: cents times 2⁻³² log points, below 2⁶² · 2³⁸ · 2¹⁶ < 2¹²⁷; `cents`:
/// cents.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct WeightedSum {
    /// Sum of weight times mean growth.
    pub growth: i128,
    /// Sum of weight times log density.
    pub ln_density: i128,
    /// Sum of weights.
    pub cents: i128,
}

/// One row of the table `plant`: a plant of a multi-plant firm, a destination of its exports, a
/// year. The home stores the row's [`PlantFacts`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PlantRow {
    /// The year compared with the one before.
    pub year: Year,
    /// The plant.
    pub plant: Plant,
    /// The destination.
    pub country: Country,
    /// Exports of the plant to the destination, in cents; positive.
    pub export_cents: i64,
    /// Imports of the plant from the destination, in cents; zero if amendments leave no positive
    /// amount.
    pub import_cents: i64,
    /// Continuing exporters of the city to the destination, without the plant itself.
    pub local: GrowthSum,
    /// Continuing exporters of the affiliate cities to the destination, equation (13).
    pub affiliate: GrowthSum,
    /// Area of all affiliate cities, in square metres, equation (14).
    pub affiliate_area_m2: i64,
    /// Number of affiliate cities.
    pub affiliate_cities: u32,
    /// Equations (16) and (17).
    pub weighted: WeightedSum,
    /// Continuing exporters of the other cities of the province.
    pub province: GrowthSum,
    /// True if the plant exported to the destination in an earlier year.
    pub experience: bool,
    /// True if the plant did not export to the destination in the year before.
    pub new: bool,
    /// The number of cities from which the firm exports in the year.
    pub plants: u32,
    /// Exports of the plant to all destinations, in cents.
    pub plant_cents: i64,
    /// Exports of the firm, in cents.
    pub firm_cents: i64,
    /// Exports of the firm's largest plant, in cents.
    pub largest_plant_cents: i64,
}

/// The plant's own data of a row of `plant`, and the cities of the firm. The rest of the row
/// follows from these facts, the markets and the areas ([`crate::indicators`]).
///
/// Facts are in order of firm. Within a firm, the cities without exports in the year come first,
/// then the rows by country and city.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PlantFacts {
    /// The year compared with the one before.
    pub year: Year,
    /// The plant.
    pub plant: Plant,
    /// The destination. `None`: the firm has exported from the city before the year and does not
    /// export from it in the year; there are then no amounts.
    pub country: Option<Country>,
    /// Exports of the plant to the destination, in cents; positive.
    pub export_cents: i64,
    /// Exports in the same months of the year before, in cents; zero unless positive.
    pub base_cents: i64,
    /// Imports of the plant from the destination, in cents; zero unless positive.
    pub import_cents: i64,
    /// True if the plant exported to the destination in an earlier year.
    pub experience: bool,
    /// True if the plant did not export to the destination in the year before.
    pub new: bool,
}

impl CityRow {
    /// The row's key.
    #[must_use]
    pub fn key(&self) -> (Year, City, Country) {
        (self.year, self.city, self.country)
    }

    /// `S` and `n`.
    #[must_use]
    pub fn sum(&self) -> GrowthSum {
        GrowthSum { growth: self.growth, exporters: i64::from(self.continuing) }
    }
}

impl PlantRow {
    /// The row's key.
    #[must_use]
    pub fn key(&self) -> (Year, Plant, Country) {
        (self.year, self.plant, self.country)
    }
}

impl PlantFacts {
    /// The unique key of the facts.
    #[must_use]
    pub fn key(&self) -> (Year, Plant, Option<Country>) {
        (self.year, self.plant, self.country)
    }

    /// The order in which rows are computed from facts.
    #[must_use]
    pub fn order(&self) -> (Firm, Option<Country>, City) {
        (self.plant.firm, self.country, self.plant.city)
    }
}

/// A change of a stored row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change<Row> {
    /// The row is new, or its figures are.
    Set(Row),
    /// The row no longer exists; these are its old figures.
    Remove(Row),
}

impl<Row: Copy + PartialEq> Change<Row> {
    /// Appends the changes from one set of rows to another, each with unique keys.
    pub fn between<Key: Hash + Eq>(
        before: &[Row],
        after: &[Row],
        key: impl Fn(&Row) -> Key,
        changes: &mut Vec<Self>,
    ) {
        // In most cases figures change and keys stay.
        let same_keys = before.iter().map(&key).eq(after.iter().map(&key));
        if same_keys {
            let moved = before.iter().zip(after).filter(|(before, after)| before != after);
            changes.extend(moved.map(|(_, after)| Self::Set(*after)));
            return;
        }
        let mut gone: FxHashMap<Key, Row> = before.iter().map(|row| (key(row), *row)).collect();
        for row in after {
            if gone.remove(&key(row)) != Some(*row) {
                changes.push(Self::Set(*row));
            }
        }
        let left = before.iter().filter(|row| gone.contains_key(&key(row)));
        changes.extend(left.map(|row| Self::Remove(*row)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_from_one_table_to_another_leaves_out_what_stands() {
        let row = |country, exporters| CityRow {
            country: Country(country),
            exporters,
            ..CityRow::default()
        };
        let mut changes = Vec::new();
        let before = [row(1, 5), row(2, 5), row(3, 5)];
        let after = [row(1, 5), row(3, 6), row(4, 1)];
        Change::between(&before, &after, CityRow::key, &mut changes);
        let expected = [Change::Set(row(3, 6)), Change::Set(row(4, 1)), Change::Remove(row(2, 5))];
        assert_eq!(changes, expected);
        changes.clear();
        Change::between(&before, &[row(1, 5), row(2, 7), row(3, 5)], CityRow::key, &mut changes);
        assert_eq!(changes, [Change::Set(row(2, 7))]);
    }
}
