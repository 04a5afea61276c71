//! Exports of every plant in a year, including plants of single-plant firms and years without
//! indicators. Table 1 derives from them, and so do networks of firms in homes of earlier versions.
//!
//! # Incremental
//! The home stores the plants of a year with their cells and the names of their files. Late records
//! of the year are added to the cells. If a file no longer counts, the cells are computed again
//! from all files.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::ArrowError;
use rustc_hash::FxHashMap;

use super::codes::{dictionary, numbered};
use super::error::RegressionError;
use super::source::{MADE_OF, Source, made_of_table, named, or_unread};
use crate::domain::dictionary::Dictionary;
use crate::domain::record::{Record, Texts};
use crate::domain::types::{City, Flow, Period, Year};
use crate::feed::places::Places;
use crate::home::definition::Definition;
use crate::home::segment::{Fields, read_months};
use crate::home::{FileEntry, Home, HomeError};

/// The tables that store the plants of a year.
const TABLES: [&str; 3] = ["plants", "cells", MADE_OF];
/// Changes with the tables.
const VERSION: &str = "plants 1";

/// A firm, its city and a destination.
type Relation = (u32, City, u32);

/// The plants with a positive cell in a year.
#[derive(Debug, Default, PartialEq)]
pub struct PlantYear {
    /// Firm identifiers.
    pub firms: Dictionary,
    /// The plants in order of firm and city.
    pub plants: Vec<PlantExports>,
}

/// A plant's exports in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlantExports {
    /// Position in the firms' dictionary.
    pub firm: u32,
    /// The city.
    pub city: City,
    /// The sum of the positive cells, in cents.
    pub cents: i64,
}

/// Exports of a year in cents, amendments included.
#[derive(Debug, Default)]
struct Cells {
    firms: Dictionary,
    countries: Dictionary,
    sums: FxHashMap<Relation, i64>,
}

/// The plants of a year, with the data to be stored of them.
pub struct OfYear {
    /// The plants.
    pub plants: PlantYear,
    /// The cells behind the plants; `None` if the home has stored all of them.
    cells: Option<Cells>,
    /// The files behind the cells.
    made_of: Vec<String>,
    /// The error of reading the stored data.
    pub unread: Option<HomeError>,
}

/// The stored data of a year in the home.
#[derive(Default)]
enum Kept {
    /// Nothing useful.
    #[default]
    Nothing,
    /// The cells of some of the files.
    Cells(Cells, BTreeSet<String>),
    /// The plants of all files.
    Plants(PlantYear),
}

impl OfYear {
    /// The plants of a year: the stored plants, or those of the stored cells and later files.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if a segment or the manifest cannot be read.
    pub fn of(source: &Source<'_>, year: Year) -> Result<Self, RegressionError> {
        let (mut files, made_of) = source.files_of(year, VERSION);
        let (kept, unread) = or_unread(kept(source, year, &made_of))?;
        let mut cells = match kept {
            Kept::Plants(plants) => return Ok(Self { plants, cells: None, made_of, unread }),
            Kept::Nothing => Cells::default(),
            Kept::Cells(cells, there) => {
                files.retain(|file| !there.contains(&named(file)));
                cells
            }
        };
        cells.add(source, &files, year)?;
        let sums = cells.sums.iter().map(|(relation, cents)| (*relation, *cents));
        let plants = PlantYear::of_cells(cells.firms.clone(), sums);
        Ok(Self { plants, cells: Some(cells), made_of, unread })
    }

    /// Stores new data in the home for the next time.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the home cannot be written.
    pub fn keep(
        &self,
        home: &mut Home,
        places: &Places,
        year: Year,
    ) -> Result<(), RegressionError> {
        let Some(cells) = &self.cells else { return Ok(()) };
        let made_of = made_of_table(&self.made_of)?;
        let tables = [self.plants.table(places)?, cells.table(places)?, made_of];
        let tables: Vec<_> = TABLES.into_iter().zip(tables).collect();
        Ok(home.replace_memory(&key(year), &tables)?)
    }
}

/// The name of the memory of a year's plants.
fn key(year: Year) -> String {
    format!("plants {year}")
}

/// The home's stored data, if all sources still count.
fn kept(source: &Source<'_>, year: Year, made_of: &[String]) -> Result<Kept, HomeError> {
    let table = |name| source.home.read_memory(&key(year), name);
    let [plants, cells, _] = TABLES;
    let Some(there) = source.made_of_then(&key(year), made_of)? else { return Ok(Kept::Nothing) };
    if made_of.len() == there.len() {
        let known =
            table(plants)?.and_then(|table| PlantYear::of_table(&table, &source.definition.places));
        return Ok(known.map_or(Kept::Nothing, Kept::Plants));
    }
    let known = table(cells)?.and_then(|table| Cells::of_table(&table, &source.definition.places));
    Ok(known.map_or(Kept::Nothing, |cells| Kept::Cells(cells, there)))
}

impl Cells {
    /// Adds the exports in files.
    fn add(
        &mut self,
        source: &Source<'_>,
        files: &[&FileEntry],
        year: Year,
    ) -> Result<(), RegressionError> {
        let (home, definition) = (source.home.folder(), &source.definition);
        source.add_up(
            files,
            |file| of_file(home, definition, file, year),
            |(texts, sums)| {
                let numbers = |own: &Dictionary, all: &mut Dictionary| -> Vec<u32> {
                    own.iter().map(|text| all.intern(text)).collect()
                };
                let firms = numbers(&texts.firms, &mut self.firms);
                let countries = numbers(&texts.countries, &mut self.countries);
                for ((firm, city, country), cents) in sums {
                    let cell = (firms[firm as usize], city, countries[country as usize]);
                    *self.sums.entry(cell).or_default() += cents;
                }
            },
        )
    }

    fn table(&self, places: &Places) -> Result<RecordBatch, ArrowError> {
        let mut sums: Vec<(Relation, i64)> = self.sums.iter().map(|(&k, &v)| (k, v)).collect();
        sums.sort_unstable();
        let firms = sums.iter().map(|((firm, ..), _)| *firm).collect();
        let countries = sums.iter().map(|((.., country), _)| *country).collect();
        let cents: Int64Array = sums.iter().map(|(_, cents)| *cents).collect();
        RecordBatch::try_from_iter([
            ("firm", coded(&self.firms, firms)),
            ("city", dictionary(sums.iter().map(|((_, city, _), _)| Some(places.code(*city))))),
            ("country", coded(&self.countries, countries)),
            ("cents", Arc::new(cents) as ArrayRef),
        ])
    }

    /// The stored cells; `None` if they are of another version or other places.
    fn of_table(table: &RecordBatch, places: &Places) -> Option<Self> {
        let mut cells = Self::default();
        let firms = numbered(table, "firm", &mut cells.firms)?;
        let cities = cities(table, places)?;
        let countries = numbered(table, "country", &mut cells.countries)?;
        let relations = firms.into_iter().zip(cities).zip(countries);
        let relations = relations.map(|((firm, city), country)| (firm, city, country));
        cells.sums = relations.zip(cents(table)?.iter().copied()).collect();
        Some(cells)
    }
}

/// A column of texts by their numbers.
fn coded(texts: &Dictionary, numbers: UInt32Array) -> ArrayRef {
    let texts = StringArray::from_iter_values(texts.iter());
    Arc::new(DictionaryArray::new(numbers, Arc::new(texts)))
}

/// The cities of a table; `None` if a code is not a city's.
fn cities(table: &RecordBatch, places: &Places) -> Option<Vec<City>> {
    let mut codes = Dictionary::default();
    let numbers = numbered(table, "city", &mut codes)?;
    let cities: Vec<City> = codes.iter().map(|code| places.city(code)).collect::<Option<_>>()?;
    Some(numbers.into_iter().map(|number| cities[number as usize]).collect())
}

fn cents(table: &RecordBatch) -> Option<&[i64]> {
    Some(table.column_by_name("cents")?.as_primitive_opt::<Int64Type>()?.values())
}

/// The sums of adjacent exports of a year in a file: those of a plant to a destination are adjacent
/// in a segment, except for late ones.
fn of_file(
    home: &Path,
    definition: &Definition,
    file: &FileEntry,
    year: Year,
) -> Result<(Texts, Vec<(Relation, i64)>), HomeError> {
    let months: Vec<Period> = (1..=12).filter_map(|month| Period::new(year.0, month)).collect();
    let city_of = |code: &str| definition.places.city(code);
    let (mut texts, mut records) =
        read_months(home, &file.segment, Fields::Figures, &months, &city_of)?;
    definition.successions.carry_over(&mut texts, &mut records);
    file.retain_counting(&mut records);
    let counts = |record: &&Record| {
        record.exclusion.is_none() && record.flow == Flow::Export && record.period.year() == year
    };
    let mut sums: Vec<(Relation, i64)> = Vec::new();
    for record in records.iter().filter(counts) {
        let Some(city) = record.city else { continue };
        let relation = (record.firm, city, record.country);
        match sums.last_mut() {
            Some((last, cents)) if *last == relation => *cents += record.value_cents,
            _ => sums.push((relation, record.value_cents)),
        }
    }
    Ok((texts, sums))
}

impl PlantYear {
    /// The plants of cells; only positive cells count.
    pub fn of_cells(firms: Dictionary, cells: impl IntoIterator<Item = (Relation, i64)>) -> Self {
        let positive = cells.into_iter().filter(|(_, cents)| *cents > 0);
        let mut plants: Vec<PlantExports> =
            positive.map(|((firm, city, _), cents)| PlantExports { firm, city, cents }).collect();
        plants.sort_unstable();
        plants.dedup_by(|next, first| {
            let is_same = (first.firm, first.city) == (next.firm, next.city);
            if is_same {
                first.cents += next.cents;
            }
            is_same
        });
        Self { firms, plants }
    }

    /// The plants of each firm with plants.
    pub fn by_firm(&self) -> impl Iterator<Item = (&str, &[PlantExports])> {
        let firms = self.plants.chunk_by(|a, b| a.firm == b.firm);
        firms.map(|plants| (self.firms.text(plants[0].firm), plants))
    }

    /// The firm and the city of each plant.
    pub fn cities(&self) -> impl Iterator<Item = (&str, City)> {
        self.plants.iter().map(|plant| (self.firms.text(plant.firm), plant.city))
    }

    fn table(&self, places: &Places) -> Result<RecordBatch, ArrowError> {
        let plants = || self.plants.iter();
        let cents: Int64Array = plants().map(|plant| plant.cents).collect();
        RecordBatch::try_from_iter([
            ("firm", coded(&self.firms, plants().map(|plant| plant.firm).collect())),
            ("city", dictionary(plants().map(|plant| Some(places.code(plant.city))))),
            ("cents", Arc::new(cents) as ArrayRef),
        ])
    }

    /// The stored plants; `None` if they are of another version or other places.
    fn of_table(table: &RecordBatch, places: &Places) -> Option<Self> {
        let mut firms = Dictionary::default();
        let of_firms = numbered(table, "firm", &mut firms)?;
        let rows = of_firms.into_iter().zip(cities(table, places)?).zip(cents(table)?);
        let plants = rows.map(|((firm, city), &cents)| PlantExports { firm, city, cents });
        Some(Self { plants: plants.collect(), firms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plant_has_its_positive_cells_and_none_without_one() {
        let mut firms = Dictionary::default();
        let (f, g) = (firms.intern("f"), firms.intern("g"));
        let cells = [
            ((g, City(1), 0), 5),
            ((f, City(2), 0), 70),
            ((f, City(2), 1), -30),
            ((f, City(1), 1), 0),
            ((f, City(2), 2), 8),
        ];
        let year = PlantYear::of_cells(firms, cells);
        let plants: Vec<_> = year.by_firm().collect();
        let plant = |firm, city, cents| PlantExports { firm, city: City(city), cents };
        assert_eq!(plants, [("f", &[plant(f, 2, 78)][..]), ("g", &[plant(g, 1, 5)][..])]);
    }
}
