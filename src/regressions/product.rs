//! The product panel: exports of plants by HS6, destination and closed year.
//!
//! | column | is |
//! |---|---|
//! | `row` | the row of the year's plant panel that has the plant and destination |
//! | `hs6` | the first six digits of the product code |
//! | `ln_product_export` | log of the year's exports of it in USD, positive sums only |
//! | `differentiated`, `differentiated_liberal` | 1 for a differentiated good by Rauch, else 0 |
//!
//! The last two are absent where Rauch's table lacks the code.
//! Whatever else a regression reads stands in the plant panel's row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use rustc_hash::FxHashMap;

use super::error::RegressionError;
use super::panels::{Kind, Panels};
use super::plant::dictionary;
use super::rauch::{Differentiated, Rauch};
use crate::archive::segment::{Fields, read_months};
use crate::feed::dictionary::Dictionary;
use crate::feed::record::{Record, Texts};
use crate::publish::dollars;
use crate::types::{Flow, Period, Year};

/// The columns that the plant panel does not have.
pub const COLUMNS: [&str; 4] =
    ["hs6", "ln_product_export", "differentiated", "differentiated_liberal"];
/// Digits of a heading.
const HS6: usize = 6;

/// The rows of a closed year, in order of row and code.
pub fn rows(
    panels: &Panels<'_>,
    year: Year,
    rauch: &Rauch,
) -> Result<RecordBatch, RegressionError> {
    let mut sums = Sums::of(panels, year)?;
    let months: Vec<Period> = (1..=12).filter_map(|month| Period::new(year.0, month)).collect();
    let city_of = |code: &str| panels.home.places.city(code);
    for file in panels.files.iter().filter(|file| file.months.iter().any(|m| m.year() == year)) {
        let (texts, records) =
            read_months(panels.archive.home(), &file.segment, Fields::Goods, &months, &city_of)?;
        sums.add(panels, year, &texts, &records);
    }
    Ok(sums.finish(year, rauch)?)
}

/// Exports in cents by row of the plant panel and code.
struct Sums {
    rows: FxHashMap<[u32; 3], u32>,
    firms: Dictionary,
    cities: Dictionary,
    countries: Dictionary,
    codes: Dictionary,
    cents: FxHashMap<(u32, u32), i64>,
}

impl Sums {
    /// None yet, of the plant panel's rows.
    fn of(panels: &Panels<'_>, year: Year) -> Result<Self, RegressionError> {
        let mut sums = Self {
            rows: FxHashMap::default(),
            firms: Dictionary::default(),
            cities: Dictionary::default(),
            countries: Dictionary::default(),
            codes: Dictionary::default(),
            cents: FxHashMap::default(),
        };
        let mut row = 0;
        for batch in panels.rows(Kind::Plant, year, Some(&["firm", "city", "country"]))? {
            let firms = numbered(&batch, "firm", &mut sums.firms)?;
            let cities = numbered(&batch, "city", &mut sums.cities)?;
            let countries = numbered(&batch, "country", &mut sums.countries)?;
            for ((firm, city), country) in firms.into_iter().zip(cities).zip(countries) {
                sums.rows.insert([firm, city, country], row);
                row += 1;
            }
        }
        Ok(sums)
    }

    fn add(&mut self, panels: &Panels<'_>, year: Year, texts: &Texts, records: &[Record]) {
        let places = &panels.home.places;
        let codes: Vec<Option<u32>> = (0..texts.products.len())
            .map(|at| texts.products.text(u32::try_from(at).expect("as many as there are texts")))
            .map(|text| text.get(..HS6).map(|code| self.codes.intern(code)))
            .collect();
        for record in records {
            let counts = record.exclusion.is_none()
                && record.flow == Flow::Export
                && record.period.year() == year;
            let (true, Some(city)) = (counts, record.city) else { continue };
            let firm = self.firms.position(texts.firms.text(record.firm));
            let country = self.countries.position(texts.countries.text(record.country));
            let city = self.cities.position(places.code(city));
            let (Some(firm), Some(city), Some(country)) = (firm, city, country) else { continue };
            let row = self.rows.get(&[firm, city, country]);
            if let (Some(&row), Some(code)) = (row, codes[record.product as usize]) {
                *self.cents.entry((row, code)).or_default() += record.value_cents;
            }
        }
    }

    fn finish(self, year: Year, rauch: &Rauch) -> Result<RecordBatch, arrow_schema::ArrowError> {
        let codes = &self.codes;
        let mut sums: Vec<(u32, &str, i64)> = self
            .cents
            .into_iter()
            .filter(|(_, cents)| *cents > 0)
            .map(|((row, code), cents)| (row, codes.text(code), cents))
            .collect();
        sums.sort_unstable();
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
}

/// A column of codes, numbered in a dictionary of all batches.
fn numbered(
    batch: &RecordBatch,
    name: &str,
    texts: &mut Dictionary,
) -> Result<Vec<u32>, arrow_schema::ArrowError> {
    let column = batch.column(batch.schema().index_of(name)?).as_dictionary::<UInt32Type>();
    let values = column.values().as_string::<i32>();
    let numbers: Vec<u32> =
        values.iter().map(|text| texts.intern(text.unwrap_or_default())).collect();
    Ok(column.keys().values().iter().map(|&key| numbers[key as usize]).collect())
}
