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
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::error::RegressionError;
use super::panels::{Kind, Panels};
use super::plant::dictionary;
use super::rauch::{Differentiated, Rauch};
use crate::archive::segment::{Fields, read_months};
use crate::archive::{ArchiveError, FileEntry};
use crate::feed::dictionary::Dictionary;
use crate::feed::record::{Record, Texts};
use crate::publish::dollars;
use crate::types::{City, Flow, Period, Year};

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
    let rows = PlantRows::of(panels, year)?;
    let (home, places) = (panels.archive.home(), &panels.home.places);
    let files = panels.files.iter().filter(|file| file.months.iter().any(|m| m.year() == year));
    let files: Vec<&FileEntry> = files.collect();
    let months: Vec<Period> = (1..=12).filter_map(|month| Period::new(year.0, month)).collect();
    let of_file = |file: &&FileEntry| {
        let city_of = |code: &str| places.city(code);
        let (texts, records) = read_months(home, &file.segment, Fields::Goods, &months, &city_of)?;
        Ok(rows.sums(year, &texts, &records))
    };
    let mut sums = Sums::default();
    for files in files.chunks(panels.n_workers.max(1)) {
        let of_files: Vec<Result<OfFile, ArchiveError>> = files.par_iter().map(of_file).collect();
        for of_file in of_files {
            sums.add(&of_file?);
        }
    }
    Ok(sums.finish(year, rauch)?)
}

/// The rows of a year's plant panel, found by what they are of.
struct PlantRows {
    rows: FxHashMap<[u32; 3], u32>,
    firms: Dictionary,
    cities: FxHashMap<City, u32>,
    countries: Dictionary,
}

/// Exports in cents by row of the plant panel and code, a row and code once or more often.
struct OfFile {
    codes: Dictionary,
    cents: Vec<(u32, u32, i64)>,
}

impl PlantRows {
    fn of(panels: &Panels<'_>, year: Year) -> Result<Self, RegressionError> {
        let mut rows = FxHashMap::default();
        let [mut firms, mut cities, mut countries] = <[Dictionary; 3]>::default();
        let mut row = 0;
        for batch in panels.rows(Kind::Plant, year, Some(&["firm", "city", "country"]))? {
            let firms = numbered(&batch, "firm", &mut firms)?;
            let cities = numbered(&batch, "city", &mut cities)?;
            let countries = numbered(&batch, "country", &mut countries)?;
            for ((firm, city), country) in firms.into_iter().zip(cities).zip(countries) {
                rows.insert([firm, city, country], row);
                row += 1;
            }
        }
        let city = |code: &str| panels.home.places.city(code);
        let cities = (0..).zip(cities.iter()).filter_map(|(at, code)| Some((city(code)?, at)));
        Ok(Self { rows, firms, cities: cities.collect(), countries })
    }

    /// The year's exports that the records of a file tell. Those of a plant to a destination stand
    /// together in a segment, so that each relation is looked up once, as each text is.
    fn sums(&self, year: Year, texts: &Texts, records: &[Record]) -> OfFile {
        let known = |own: &Dictionary, of_rows: &Dictionary| -> Vec<Option<u32>> {
            own.iter().map(|text| of_rows.position(text)).collect()
        };
        let firms = known(&texts.firms, &self.firms);
        let countries = known(&texts.countries, &self.countries);
        let mut codes = Dictionary::default();
        let code_of: Vec<Option<u32>> = texts
            .products
            .iter()
            .map(|text| text.get(..HS6).map(|code| codes.intern(code)))
            .collect();
        let row_of = |record: &Record| {
            let firm = firms[record.firm as usize]?;
            let country = countries[record.country as usize]?;
            let city = self.cities.get(&record.city?)?;
            self.rows.get(&[firm, *city, country]).copied()
        };
        let counts = |record: &&Record| {
            record.exclusion.is_none()
                && record.flow == Flow::Export
                && record.period.year() == year
        };
        let relation = |record: &Record| (record.firm, record.city, record.country);
        let mut cents = Vec::new();
        for records in records.chunk_by(|a, b| relation(a) == relation(b)) {
            let Some(row) = row_of(&records[0]) else { continue };
            for record in records.iter().filter(counts) {
                if let Some(code) = code_of[record.product as usize] {
                    cents.push((row, code, record.value_cents));
                }
            }
        }
        OfFile { codes, cents }
    }
}

/// Exports in cents by row of the plant panel and code.
#[derive(Default)]
struct Sums {
    codes: Dictionary,
    cents: FxHashMap<(u32, u32), i64>,
}

impl Sums {
    fn add(&mut self, of_file: &OfFile) {
        let codes: Vec<u32> = of_file.codes.iter().map(|code| self.codes.intern(code)).collect();
        for &(row, code, cents) in &of_file.cents {
            *self.cents.entry((row, codes[code as usize])).or_default() += cents;
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
