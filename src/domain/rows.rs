//! The rows of the two published tables, as integers: what the dataflow and the oracle both
//! compute.
//!
//! Two computations agree bit for bit when these rows do. [`crate::tables`] turns them into the
//! published columns, the only place where they become floating point.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

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

/// One row of the table `plant`: a plant of a multi-plant firm, a destination it exports to, a
/// year. What is stored of it are its [`PlantFacts`].
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
    /// Imports of the plant from the destination, in cents; zero where amendments leave nothing
    /// positive.
    pub import_cents: i64,
    /// The city's continuing exporters to the destination, without the plant itself.
    pub local: GrowthSum,
    /// The same over the affiliate cities, equation (13).
    pub affiliate: GrowthSum,
    /// Area of all affiliate cities, in square metres, equation (14).
    pub affiliate_area_m2: i64,
    /// Number of affiliate cities.
    pub affiliate_cities: u32,
    /// Equations (16) and (17).
    pub weighted: WeightedSum,
    /// Continuing exporters of the other cities of the province.
    pub province: GrowthSum,
    /// Whether the plant exported to the destination in an earlier year.
    pub experience: bool,
    /// Whether it did not in the year before.
    pub new: bool,
    /// Cities in which the firm exports in the year.
    pub plants: u32,
    /// Exports of the plant to all destinations, in cents.
    pub plant_cents: i64,
    /// Exports of the firm, in cents.
    pub firm_cents: i64,
    /// Exports of the firm's largest plant, in cents.
    pub largest_plant_cents: i64,
}

/// What of a row of `plant` is the plant's own, and what a firm has been to: everything else of the
/// row follows from these, the markets and the areas ([`crate::indicators`]).
///
/// In order of firm; of a firm first the cities that it is not active in, then its rows by country
/// and city.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PlantFacts {
    /// The year compared with the one before.
    pub year: Year,
    /// The plant.
    pub plant: Plant,
    /// The destination; none: the firm has exported from the city before the year, and does not in
    /// it. Then there are no amounts.
    pub country: Option<Country>,
    /// Exports of the plant to the destination, in cents; positive.
    pub export_cents: i64,
    /// Exports in the same months of the year before, in cents; zero unless positive.
    pub base_cents: i64,
    /// Imports of the plant from the destination, in cents; zero unless positive.
    pub import_cents: i64,
    /// Whether the plant exported to the destination in an earlier year.
    pub experience: bool,
    /// Whether it did not in the year before.
    pub new: bool,
}

impl CityRow {
    /// The row's key.
    #[must_use]
    pub fn key(&self) -> (Year, City, Country) {
        (self.year, self.city, self.country)
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
    /// What tells it from others.
    #[must_use]
    pub fn key(&self) -> (Year, Plant, Option<Country>) {
        (self.year, self.plant, self.country)
    }

    /// The order in which rows are made of them.
    #[must_use]
    pub fn order(&self) -> (Firm, Option<Country>, City) {
        (self.plant.firm, self.country, self.plant.city)
    }
}

/// How what is stored moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change<Row> {
    /// The row is new, or its figures are.
    Set(Row),
    /// The row, as it stood, is there no more.
    Remove(Row),
}

impl<Row: Copy + PartialEq> Change<Row> {
    /// Appends what leads from one set of rows to another, each with unique keys.
    pub fn between<Key: Hash + Eq>(
        before: &[Row],
        after: &[Row],
        key: impl Fn(&Row) -> Key,
        changes: &mut Vec<Self>,
    ) {
        // Nearly always figures move and keys stay.
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
