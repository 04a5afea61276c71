//! The product panel: exports of plants by HS6, destination and closed year.
//!
//! | column | meaning |
//! |---|---|
//! | `row` | the row of the year's plant panel that has the plant and destination |
//! | `hs6` | the first six digits of the product code |
//! | `ln_product_export` | log of the product's exports in the year in USD, positive sums only |
//! | `differentiated`, `differentiated_liberal` | 1 for a differentiated good by Rauch, else 0 |
//!
//! The last two are absent if Rauch's table lacks the code. The plant panel's row has all other
//! variables.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use rustc_hash::FxHashMap;

use super::codes::{dictionary, numbered};
use super::goods::{Goods, Relation};
use super::rauch::{Differentiated, Rauch};
use crate::domain::dictionary::Dictionary;
use crate::domain::types::{City, Year};
use crate::feed::places::Places;
use crate::tables::dollars;

/// The columns in addition to those of the plant panel.
pub const COLUMNS: [&str; 4] =
    ["hs6", "ln_product_export", "differentiated", "differentiated_liberal"];

/// The rows of a closed year, in order of row and code.
pub fn rows(
    plants: &PlantRows,
    year: Year,
    goods: &Goods,
    rauch: &Rauch,
) -> Result<RecordBatch, ArrowError> {
    let rows = plants.of_relations(goods);
    let sums = goods.cents.iter().filter(|(_, cents)| **cents > 0);
    let sums = sums.filter_map(|(&(relation, code), &cents)| {
        Some((rows[relation as usize]?, goods.codes.text(code), cents))
    });
    let mut sums: Vec<(u32, &str, i64)> = sums.collect();
    sums.sort_unstable();
    batch(&sums, year, rauch)
}

/// The rows of a year's plant panel by plant and destination.
pub struct PlantRows {
    rows: FxHashMap<[u32; 3], u32>,
    firms: Dictionary,
    cities: FxHashMap<City, u32>,
    countries: Dictionary,
}

impl PlantRows {
    /// The columns that identify a row of a year's plant panel.
    pub const COLUMNS: [&str; 3] = ["firm", "city", "country"];

    /// Indexes these columns of the year.
    pub fn of(batches: &[RecordBatch], places: &Places) -> Result<Self, ArrowError> {
        let mut rows = FxHashMap::default();
        let [mut firms, mut cities, mut countries] = <[Dictionary; 3]>::default();
        let mut row = 0;
        for batch in batches {
            let column = |name, texts| {
                let missing = || ArrowError::SchemaError(format!("no column of codes {name}"));
                numbered(batch, name, texts).ok_or_else(missing)
            };
            let [firm, city, country] = Self::COLUMNS;
            let firms = column(firm, &mut firms)?;
            let cities = column(city, &mut cities)?;
            let countries = column(country, &mut countries)?;
            for ((firm, city), country) in firms.into_iter().zip(cities).zip(countries) {
                rows.insert([firm, city, country], row);
                row += 1;
            }
        }
        let city = |code: &str| places.city(code);
        let cities = (0..).zip(cities.iter()).filter_map(|(at, code)| Some((city(code)?, at)));
        Ok(Self { rows, firms, cities: cities.collect(), countries })
    }

    /// The row of each relation, if it has one.
    fn of_relations(&self, goods: &Goods) -> Vec<Option<u32>> {
        let known = |own: &Dictionary, of_rows: &Dictionary| -> Vec<Option<u32>> {
            own.iter().map(|text| of_rows.position(text)).collect()
        };
        let firms = known(&goods.firms, &self.firms);
        let countries = known(&goods.countries, &self.countries);
        let row = |&(firm, city, country): &Relation| {
            let (firm, country) = (firms[firm as usize]?, countries[country as usize]?);
            self.rows.get(&[firm, *self.cities.get(&city)?, country]).copied()
        };
        goods.relations.iter().map(row).collect()
    }
}

fn batch(sums: &[(u32, &str, i64)], year: Year, rauch: &Rauch) -> Result<RecordBatch, ArrowError> {
    let goods: FxHashMap<&str, Option<Differentiated>> =
        sums.iter().map(|(_, code, _)| (*code, rauch.of(code, year))).collect();
    let dummy = |of: fn(Differentiated) -> bool| -> ArrayRef {
        let value =
            |(_, code, _): &(u32, &str, i64)| goods[code].map(|g| f64::from(u8::from(of(g))));
        Arc::new(sums.iter().map(value).collect::<Float64Array>())
    };
    let logs = sums.iter().map(|(.., cents)| libm::log(dollars(*cents)));
    let columns: [(&str, ArrayRef); 5] = [
        ("row", Arc::new(UInt32Array::from_iter_values(sums.iter().map(|(row, ..)| *row)))),
        (COLUMNS[0], dictionary(sums.iter().map(|(_, code, _)| Some(*code)))),
        (COLUMNS[1], Arc::new(Float64Array::from_iter_values(logs))),
        (COLUMNS[2], dummy(|goods| goods.conservative)),
        (COLUMNS[3], dummy(|goods| goods.liberal)),
    ];
    let field = |(name, array): &(&str, ArrayRef)| {
        let kind: DataType = array.data_type().clone();
        Field::new(*name, kind, true)
    };
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, array)| array).collect())
}
