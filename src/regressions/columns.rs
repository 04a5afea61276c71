//! A panel in memory: the columns that some specifications read, texts as dense codes over all
//! years.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, UInt8Type, UInt16Type, UInt32Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::error::RegressionError;
use super::panels::{Kind, Panels};
use super::product;
use crate::domain::dictionary::Dictionary;
use crate::domain::types::Year;
use crate::estimate::error::EstimateError;
use crate::estimate::panel::{Column, MISSING, Panel, Part};
use crate::home::parts::Table;
use crate::tables::export::schema_of;

/// The firm and the city as one code.
pub const PLANT: &str = "plant";
/// Columns that a panel has if the options or the feed give them.
pub const OPTIONAL: [&str; 2] = ["ln_supply", "hs6"];

/// The columns of a panel.
#[derive(Debug, Default)]
pub struct Columns {
    n_rows: usize,
    by_name: Vec<(String, Values)>,
    /// The sources of each year's rows: their file and the codes of their texts.
    years: Vec<Made>,
}

#[derive(Debug)]
struct Made {
    n_rows: usize,
    of: blake3::Hasher,
}

#[derive(Debug)]
enum Values {
    Real(Vec<f64>),
    Year(Vec<i32>),
    Code(Vec<u32>, Dictionary),
}

/// The names of the columns of a panel.
pub fn names(panels: &Panels<'_>, kind: Kind) -> Vec<String> {
    let schema = schema_of(Table::Plant, panels.source.definition.supply.is_some());
    let of_table = schema.fields().iter().map(|field| field.name().clone());
    let more = ["province", "income_group", "province_plants", "destination_plants", PLANT];
    let of_products = if kind == Kind::Product { product::COLUMNS.as_slice() } else { &[] };
    of_table.chain(more.iter().chain(of_products).map(|name| (*name).to_owned())).collect()
}

impl Columns {
    /// Reads columns of prepared years; names that the panel lacks are ignored.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if a part cannot be read.
    pub fn load(
        panels: &Panels<'_>,
        kind: Kind,
        years: &[Year],
        wanted: &BTreeSet<String>,
    ) -> Result<Self, RegressionError> {
        let there = names(panels, kind);
        let read: BTreeSet<&str> = wanted
            .iter()
            .filter(|name| there.contains(name))
            .map(String::as_str)
            .flat_map(|name| if name == PLANT { vec!["firm", "city"] } else { vec![name] })
            .collect();
        let (own, of_plants): (Vec<&str>, Vec<&str>) = read
            .into_iter()
            .partition(|name| kind != Kind::Product || product::COLUMNS.contains(name));
        let of_products = kind == Kind::Product;
        let own_read: Vec<&str> = own.iter().copied().chain(of_products.then_some("row")).collect();
        let mut columns = Self::default();
        for years in years.chunks(panels.source.n_workers.max(1)) {
            let rows = panels.rows_of(kind, years, &own_read)?;
            let plants = if of_products {
                panels.rows_of(Kind::Plant, years, &of_plants)?
            } else {
                vec![Vec::new(); years.len()]
            };
            for ((&year, rows), plants) in years.iter().zip(rows).zip(plants) {
                let mut of = blake3::Hasher::new();
                of.update(panels.part_hash(kind, year)?.as_bytes());
                let before = columns.n_rows;
                columns.years.push(Made { n_rows: 0, of });
                if of_products {
                    columns.append_products(&rows, &own, &plants, &of_plants)?;
                } else {
                    for batch in &rows {
                        columns.append(batch, &own)?;
                    }
                }
                let n_rows = columns.n_rows - before;
                if let Some(made) = columns.years.last_mut() {
                    made.n_rows = n_rows;
                }
            }
        }
        if wanted.contains(PLANT) {
            columns.combine_plants();
        }
        Ok(columns)
    }

    /// Creates columns from memory: units as codes with their texts, years, and numbers by name.
    pub fn of_units<const N: usize>(
        (name, codes, texts): (&str, Vec<u32>, Dictionary),
        years: Vec<i32>,
        numbers: [(&str, Vec<f64>); N],
    ) -> Self {
        let n_rows = years.len();
        let units = (name.to_owned(), Values::Code(codes, texts));
        let years = ("year".to_owned(), Values::Year(years));
        let numbers =
            numbers.into_iter().map(|(name, values)| (name.to_owned(), Values::Real(values)));
        let by_name = [units, years].into_iter().chain(numbers).collect();
        Self { n_rows, by_name, years: Vec::new() }
    }

    fn append(&mut self, batch: &RecordBatch, names: &[&str]) -> Result<(), RegressionError> {
        for name in names {
            let array = batch.column(batch.schema().index_of(name)?);
            if let Some(codes) = self.values(name, array.data_type()).append(array)? {
                self.made_of(&codes);
            }
        }
        self.n_rows += batch.num_rows();
        Ok(())
    }

    /// Appends rows of a year of the product panel, each with its row of the plant panel.
    fn append_products(
        &mut self,
        rows: &[RecordBatch],
        own: &[&str],
        plant_rows: &[RecordBatch],
        of_plants: &[&str],
    ) -> Result<(), RegressionError> {
        let mut plants = Self::default();
        for batch in plant_rows {
            plants.append(batch, of_plants)?;
        }
        for batch in rows {
            self.append(batch, own)?;
            let rows = batch.column(batch.schema().index_of("row")?).as_primitive::<UInt32Type>();
            for (name, values) in &plants.by_name {
                if let Some(codes) = self.values_like(name, values).gather(values, rows.values()) {
                    self.made_of(&codes);
                }
            }
        }
        Ok(())
    }

    /// Adds the codes of the current year's texts to the sources of its rows.
    fn made_of(&mut self, codes: &[u32]) {
        if let Some(made) = self.years.last_mut() {
            for code in codes {
                made.of.update(&code.to_le_bytes());
            }
        }
    }

    fn values(&mut self, name: &str, kind: &DataType) -> &mut Values {
        let empty = || match kind {
            DataType::Dictionary(..) => Values::Code(Vec::new(), Dictionary::default()),
            _ if name == "year" => Values::Year(Vec::new()),
            _ => Values::Real(Vec::new()),
        };
        self.entry(name, empty)
    }

    fn values_like(&mut self, name: &str, other: &Values) -> &mut Values {
        self.entry(name, || match other {
            Values::Real(_) => Values::Real(Vec::new()),
            Values::Year(_) => Values::Year(Vec::new()),
            Values::Code(..) => Values::Code(Vec::new(), Dictionary::default()),
        })
    }

    fn entry(&mut self, name: &str, empty: impl FnOnce() -> Values) -> &mut Values {
        let found = self.by_name.iter().position(|(own, _)| own == name);
        let place = found.unwrap_or(self.by_name.len());
        if found.is_none() {
            self.by_name.push((name.to_owned(), empty()));
        }
        &mut self.by_name[place].1
    }

    fn combine_plants(&mut self) {
        let code = |name: &str| match self.find(name) {
            Some(Values::Code(codes, _)) => codes.as_slice(),
            _ => &[],
        };
        let mut numbers: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut number = |pair| {
            let next = u32::try_from(numbers.len()).expect("fewer plants than rows");
            *numbers.entry(pair).or_insert(next)
        };
        let pairs = code("firm").iter().copied().zip(code("city").iter().copied());
        let plants: Vec<u32> = pairs.map(&mut number).collect();
        let mut rest = plants.as_slice();
        for made in &mut self.years {
            let (own, after) = rest.split_at(made.n_rows);
            for code in own {
                made.of.update(&code.to_le_bytes());
            }
            rest = after;
        }
        self.by_name.push((PLANT.to_owned(), Values::Code(plants, Dictionary::default())));
    }

    fn find(&self, name: &str) -> Option<&Values> {
        self.by_name.iter().find(|(own, _)| own == name).map(|(_, values)| values)
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The names of the columns that were read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.iter().map(|(name, _)| name.as_str())
    }

    /// A column; `None` if it was not read.
    pub fn column(&self, name: &str) -> Option<Column<'_>> {
        self.find(name).map(|values| match values {
            Values::Real(numbers) => Column::Real(numbers),
            Values::Year(years) => Column::Integer(years),
            Values::Code(codes, _) => Column::Code(codes),
        })
    }

    /// The texts of a column of codes, in the order of the codes.
    ///
    /// # Panics
    /// If the column was not read, or has no codes.
    pub fn texts_of(&self, name: &str) -> &Dictionary {
        match self.find(name) {
            Some(Values::Code(_, texts)) => texts,
            _ => panic!("{name} is a column of codes"),
        }
    }

    /// The values of columns in a row as one text, joined by `^`.
    pub fn texts(&self, names: &[String], row: usize) -> String {
        let text = |name: &String| match self.find(name) {
            Some(Values::Code(codes, _)) if codes[row] == MISSING => String::new(),
            Some(Values::Code(codes, texts)) => texts.text(codes[row]).to_owned(),
            Some(Values::Year(years)) => years[row].to_string(),
            Some(Values::Real(numbers)) => numbers[row].to_string(),
            None => String::new(),
        };
        names.iter().map(text).collect::<Vec<_>>().join("^")
    }

    /// True if a column has no value in any row, and rows exist.
    pub fn is_absent(&self, name: &str) -> bool {
        let none = |column: Column<'_>| !(0..self.n_rows).any(|row| column.is_present(row));
        self.n_rows > 0 && self.column(name).is_some_and(none)
    }

    /// True if a column lacks a value in some row.
    pub fn has_gap(&self, name: &str) -> bool {
        match self.column(name) {
            Some(Column::Real(values)) => values.par_iter().any(|value| !value.is_finite()),
            Some(Column::Code(codes)) => codes.par_iter().any(|code| *code == MISSING),
            Some(Column::Integer(_) | Column::Short(_)) | None => false,
        }
    }

    /// The panel, with columns of `instead` replacing those of the same name; `constants`
    /// identifies the computation of the replacements.
    ///
    /// # Errors
    /// [`EstimateError::TooManyRows`] if row numbers would not fit.
    pub fn panel<'c>(
        &'c self,
        instead: &[(String, Column<'c>)],
        constants: &[u8],
    ) -> Result<Panel<'c>, EstimateError> {
        let own =
            self.by_name.iter().filter_map(|(name, _)| Some((name.clone(), self.column(name)?)));
        // Of two columns with one name, the first counts.
        let panel = Panel::new(instead.iter().cloned().chain(own).collect())?;
        if panel.n_rows() != self.n_rows {
            return Ok(panel); // No column was read that the panel has.
        }
        let part = |made: &Made| {
            let mut of = made.of.clone();
            of.update(constants);
            let hash = of.finalize();
            let bytes = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
            Part { n_rows: made.n_rows, fingerprint: u64::from_le_bytes(*bytes) }
        };
        Ok(panel.in_parts(self.years.iter().map(part).collect()))
    }
}

impl Values {
    /// Appends a batch's values; for texts, returns their codes.
    fn append(&mut self, array: &ArrayRef) -> Result<Option<Vec<u32>>, RegressionError> {
        match self {
            Self::Real(numbers) => append_numbers(numbers, array)?,
            Self::Year(years) => {
                let values = array.as_primitive::<UInt16Type>().values();
                years.extend(values.iter().copied().map(i32::from));
            }
            Self::Code(codes, texts) => {
                let column = array.as_dictionary::<UInt32Type>();
                let values = column.values().as_string::<i32>();
                let known: Vec<u32> =
                    values.iter().map(|text| texts.intern(text.unwrap_or_default())).collect();
                let code = |key: Option<u32>| key.map_or(MISSING, |key| known[key as usize]);
                codes.extend(column.keys().iter().map(code));
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// Appends rows of other values; for texts, returns their codes.
    fn gather(&mut self, from: &Self, rows: &[u32]) -> Option<Vec<u32>> {
        match (self, from) {
            (Self::Real(to), Self::Real(from)) => {
                to.extend(rows.iter().map(|&row| from[row as usize]));
            }
            (Self::Year(to), Self::Year(from)) => {
                to.extend(rows.iter().map(|&row| from[row as usize]));
            }
            (Self::Code(to, texts), Self::Code(from, of_year)) => {
                let known: Vec<u32> = of_year.iter().map(|text| texts.intern(text)).collect();
                to.extend(rows.iter().map(|&row| match from[row as usize] {
                    MISSING => MISSING,
                    code => known[code as usize],
                }));
                return Some(known);
            }
            _ => unreachable!("a column of a panel keeps its type"),
        }
        None
    }
}

fn append_numbers(numbers: &mut Vec<f64>, array: &ArrayRef) -> Result<(), RegressionError> {
    match array.data_type() {
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            numbers.extend(values.iter().map(|value| value.unwrap_or(f64::NAN)));
        }
        DataType::UInt8 => {
            numbers
                .extend(array.as_primitive::<UInt8Type>().values().iter().map(|&n| f64::from(n)));
        }
        DataType::UInt16 => {
            numbers
                .extend(array.as_primitive::<UInt16Type>().values().iter().map(|&n| f64::from(n)));
        }
        DataType::UInt32 => {
            numbers
                .extend(array.as_primitive::<UInt32Type>().values().iter().map(|&n| f64::from(n)));
        }
        #[expect(clippy::cast_precision_loss, reason = "a regressor is a float")]
        DataType::Decimal128(_, 2) => {
            let values = array.as_primitive::<Decimal128Type>().values();
            numbers.extend(values.iter().map(|&cents| cents as f64 / 100.0));
        }
        other => {
            let text = format!("a panel has no column of {other}");
            return Err(arrow_schema::ArrowError::SchemaError(text).into());
        }
    }
    Ok(())
}
