//! The table `series`: markets and plants of a span by level (METHODOLOGY, "Series").

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, StringArray, UInt8Array, UInt16Array,
    UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::columns::VALUE_TYPE;
use super::sheet::Sheet;
use crate::domain::series::{PlantMean, SeriesRow, SeriesSums};
use crate::domain::types::Growth;

/// The name, as on the command line.
pub const NAME: &str = "series";
/// The key columns.
const KEYS: [&str; 5] = ["year", "month", "span", "level", "key"];
/// The smallest number of clusters with a standard error.
const CLUSTERS_MIN: usize = 10;

type Count = (&'static str, fn(&SeriesSums) -> u64);
type Value = (&'static str, fn(&SeriesSums) -> i64);
/// A column of figures: its name and its formula.
pub type Figure = (&'static str, fn(&SeriesSums) -> Option<f64>);

const COUNTS: [Count; 5] = [
    ("markets", |sums| sums.n_markets),
    ("exporters", |sums| sums.exporters),
    ("continuing", |sums| sums.continuing),
    ("entrants", |sums| sums.entrants),
    ("exits", |sums| sums.exits),
];

const VALUES: [Value; 2] =
    [("export_value", |sums| sums.export_cents), ("base_value", |sums| sums.base_cents)];

const GROWTH: [Figure; 4] = [
    ("growth", growth),
    ("growth_se", standard_error),
    ("value_growth", value_growth),
    ("breadth", breadth),
];

const PLANTS: [Figure; 9] = [
    ("plant_coverage", coverage),
    ("affiliate_growth", |sums| mean(sums.plants.affiliate_growth)),
    ("affiliate_growth_weighted_by_exports", |sums| weighted(sums.plants.affiliate_growth)),
    ("affiliate_ln_density", |sums| mean(sums.plants.affiliate_ln_density)),
    ("affiliate_ln_density_weighted_by_exports", |sums| weighted(sums.plants.affiliate_ln_density)),
    ("local_growth_plants", |sums| mean(sums.plants.local_growth)),
    ("local_growth_weighted_by_exports", |sums| weighted(sums.plants.local_growth)),
    ("local_ln_density_plants", |sums| mean(sums.plants.local_ln_density)),
    ("local_ln_density_weighted_by_exports", |sums| weighted(sums.plants.local_ln_density)),
];

/// The number of rows of `plant` of a unit.
const PLANT_ROWS: Count = ("plant_rows", |sums| sums.plants.n_rows);

/// A column of figures by its name, with whether it needs rows of `plant`.
#[must_use]
pub fn figure(name: &str) -> Option<(Figure, NeedsPlants)> {
    let named = |figures: &[Figure]| figures.iter().copied().find(|(own, _)| *own == name);
    let of_markets = named(&GROWTH).map(|figure| (figure, NeedsPlants::No));
    of_markets.or_else(|| named(&PLANTS).map(|figure| (figure, NeedsPlants::Yes)))
}

/// Whether a figure is a mean over rows of `plant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedsPlants {
    /// It is.
    Yes,
    /// Markets are enough.
    No,
}

/// The name, keys and columns.
#[must_use]
pub fn sheet() -> Sheet {
    Sheet { name: NAME, keys: &KEYS, schema: schema() }
}

/// The columns as exported.
#[must_use]
pub fn schema() -> SchemaRef {
    let key = [
        ("year", DataType::UInt16),
        ("month", DataType::UInt8),
        ("span", DataType::Utf8),
        ("level", DataType::Utf8),
        ("key", DataType::Utf8),
    ];
    let count = |(name, _): &Count| Field::new(*name, DataType::UInt64, false);
    let value = |(name, _): &Value| Field::new(*name, VALUE_TYPE, false);
    let figure = |(name, _): &Figure| Field::new(*name, DataType::Float64, true);
    let mut fields: Vec<Field> =
        key.into_iter().map(|(name, kind)| Field::new(name, kind, false)).collect();
    fields.extend(COUNTS.iter().map(count));
    fields.extend(VALUES.iter().map(value));
    fields.extend(GROWTH.iter().map(figure));
    fields.push(count(&PLANT_ROWS));
    fields.extend(PLANTS.iter().map(figure));
    Arc::new(Schema::new(fields))
}

/// Rows as columns.
///
/// # Errors
/// Arrow's error for columns that do not fit the schema: a bug.
pub fn rows(rows: &[SeriesRow]) -> Result<RecordBatch, ArrowError> {
    let text = |of: fn(&SeriesRow) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let sums = || rows.iter().map(|row| &row.sums);
    let count =
        |(_, of): &Count| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(sums().map(of))) };
    let value = |(_, of): &Value| -> ArrayRef {
        let cents = Decimal128Array::from_iter_values(sums().map(|sums| i128::from(of(sums))));
        Arc::new(cents.with_data_type(VALUE_TYPE))
    };
    let figure =
        |(_, of): &Figure| -> ArrayRef { Arc::new(sums().map(of).collect::<Float64Array>()) };
    let years = rows.iter().map(|row| row.at.year().0);
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(UInt16Array::from_iter_values(years)),
        Arc::new(UInt8Array::from_iter_values(rows.iter().map(|row| row.at.end().month()))),
        text(|row| row.at.span().name()),
        text(|row| row.level.name()),
        text(|row| &row.key),
    ];
    columns.extend(COUNTS.iter().map(count));
    columns.extend(VALUES.iter().map(value));
    columns.extend(GROWTH.iter().map(figure));
    columns.push(count(&PLANT_ROWS));
    columns.extend(PLANTS.iter().map(figure));
    RecordBatch::try_new(schema(), columns)
}

/// `ΣS / Σn`.
#[expect(clippy::cast_precision_loss, reason = "rounding a ratio of integers moves it by 1e-16")]
fn growth(sums: &SeriesSums) -> Option<f64> {
    let n = sums.continuing;
    (n > 0).then(|| sums.growth as f64 / n as f64 / Growth::ONE)
}

/// The standard error of pooled growth, clustered.
///
/// # Equation
/// `sqrt(G / (G − 1) · Σ_d (S_d − n_d · growth)²) / n` over the `G` clusters `d` with continuing
/// exporters; absent for fewer than ten. `n S_d − n_d S` is exact: below 2⁸⁹.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "residuals are exact; rounding them moves by 1e-16")]
pub fn standard_error(sums: &SeriesSums) -> Option<f64> {
    let n_clusters = sums.clusters.len();
    if n_clusters < CLUSTERS_MIN {
        return None;
    }
    let (n, sum) = (i128::from(sums.continuing), i128::from(sums.growth));
    let residual = |growth: i64, exporters: i64| {
        (n * i128::from(growth) - i128::from(exporters) * sum) as f64 / n as f64
    };
    let squares: f64 =
        sums.clusters.iter().map(|of| residual(of.growth, of.exporters)).map(|r| r * r).sum();
    let factor = n_clusters as f64 / (n_clusters - 1) as f64;
    Some(libm::sqrt(factor * squares) / n as f64 / Growth::ONE)
}

/// `ln(Σcur / Σbase)`.
#[expect(clippy::cast_precision_loss, reason = "rounding an amount above 2^53 moves by 1e-16")]
fn value_growth(sums: &SeriesSums) -> Option<f64> {
    let (cur, base) = (sums.export_cents, sums.base_cents);
    (cur > 0 && base > 0).then(|| libm::log(cur as f64 / base as f64))
}

/// The share of larger markets that grow.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn breadth(sums: &SeriesSums) -> Option<f64> {
    (sums.n_broad > 0).then(|| sums.n_growing as f64 / sums.n_broad as f64)
}

/// The share of exports in rows of `plant`.
#[expect(clippy::cast_precision_loss, reason = "rounding an amount above 2^53 moves by 1e-16")]
fn coverage(sums: &SeriesSums) -> Option<f64> {
    (sums.export_cents > 0).then(|| sums.plants.cents as f64 / sums.export_cents as f64)
}

#[expect(clippy::cast_precision_loss, reason = "rounding a ratio of integers moves it by 1e-16")]
fn mean(of: PlantMean) -> Option<f64> {
    (of.n_rows > 0).then(|| of.sum as f64 / of.n_rows as f64 / Growth::ONE)
}

#[expect(clippy::cast_precision_loss, reason = "rounding a ratio of integers moves it by 1e-16")]
fn weighted(of: PlantMean) -> Option<f64> {
    (of.cents > 0).then(|| of.weighted as f64 / of.cents as f64 / Growth::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::GrowthSum;

    const ONE: i64 = 1 << 32;

    fn sums(clusters: &[(i64, i64)]) -> SeriesSums {
        let clusters =
            clusters.iter().map(|(growth, n)| GrowthSum { growth: growth * ONE, exporters: *n });
        let clusters: Vec<GrowthSum> = clusters.collect();
        SeriesSums {
            continuing: clusters.iter().map(|of| of.exporters.cast_unsigned()).sum(),
            growth: clusters.iter().map(|of| of.growth).sum(),
            clusters,
            ..SeriesSums::default()
        }
    }

    #[test]
    fn the_standard_error_is_that_of_ten_or_more_clusters() {
        let nine = sums(&[(1, 2); 9]);
        assert_eq!((growth(&nine), standard_error(&nine)), (Some(0.5), None));
        let mut clusters = vec![(1, 2); 8];
        clusters.extend([(4, 2), (0, 2)]);
        let ten = sums(&clusters);
        // n = 20 and growth 0.6: residuals are -0.2 eight times, 2.8 and -1.2.
        let expected = libm::sqrt(10.0 / 9.0 * (8.0 * 0.04 + 7.84 + 1.44)) / 20.0;
        let found = standard_error(&ten).expect("ten clusters");
        assert!((found - expected).abs() < 1e-15, "{found}");
        assert_eq!(standard_error(&sums(&[(3, 3); 12])), Some(0.0));
    }

    #[test]
    fn figures_without_a_denominator_are_absent() {
        let none = SeriesSums::default();
        for (name, figure) in GROWTH.iter().chain(&PLANTS) {
            assert_eq!(figure(&none), None, "{name}");
        }
        let one = SeriesSums { export_cents: 300, base_cents: 100, ..SeriesSums::default() };
        assert_eq!((value_growth(&one), coverage(&one)), (Some(libm::log(3.0)), Some(0.0)));
    }
}
