//! Sums of a year's records by plant, destination and HS6: the product panel before its join with
//! the plant panel.
//!
//! # Incremental
//! The home stores the sums of a year with the hashes of their segments. Late records of the year
//! are added to them. If a file no longer counts, the sums are computed again from all files. Both
//! ways give the same sums, in whole cents.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray, UInt32Array,
};
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

/// The number of digits of an HS6 code.
const HS6: usize = 6;
/// The tables that store the sums of a year.
const TABLES: [&str; 4] = ["relations", "codes", "sums", MADE_OF];
/// Sums are stored again if new files add at least this fraction of them: one in 16.
const ADDED_SHARE: usize = 16;
/// Sums are also stored again if more files than this are new.
const ADDED_FILES_MAX: usize = 24;
/// Changes with the tables.
const VERSION: &str = "goods 1";

/// A firm, its city and a destination.
pub type Relation = (u32, City, u32);

/// Exports of a year in cents, amendments included, by relation and HS6.
#[derive(Debug, Default)]
pub struct Goods {
    pub(super) firms: Dictionary,
    pub(super) countries: Dictionary,
    pub(super) codes: Dictionary,
    pub(super) relations: Vec<Relation>,
    place_of: FxHashMap<Relation, u32>,
    /// Sums by position of the relation and of the code.
    pub(super) cents: FxHashMap<(u32, u32), i64>,
}

/// The sums of a year, with the data to be stored of them.
pub struct OfYear {
    /// The sums.
    pub goods: Goods,
    /// True if the home's stored sums lack enough files to be stored again.
    pub is_new: bool,
    /// The sources of the sums.
    made_of: Vec<String>,
    /// The error of reading the stored sums.
    pub unread: Option<HomeError>,
}

/// The sums of one file by relation and code; a pair may occur more than once.
struct OfFile {
    firms: Dictionary,
    countries: Dictionary,
    codes: Dictionary,
    relations: Vec<Relation>,
    /// Relation, code and cents.
    cents: Vec<(u32, u32, i64)>,
}

impl OfYear {
    /// The sums of a year: the stored sums plus those of later files.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if a segment or the manifest cannot be read.
    pub fn of(source: &Source<'_>, year: Year) -> Result<Self, RegressionError> {
        let (mut files, made_of) = source.files_of(year, VERSION);
        let (known, unread) = or_unread(kept(source, year, &made_of))?;
        let (mut goods, there) = known.unwrap_or_default();
        files.retain(|file| !there.contains(&named(file)));
        let (n_kept, mut n_added) = (goods.cents.len(), 0);
        let (home, definition) = (source.home.folder(), &source.definition);
        source.add_up(
            &files,
            |file| of_file(home, definition, file, year),
            |of_file| {
                n_added += of_file.cents.len();
                goods.add(&of_file);
            },
        )?;
        let is_new = n_added * ADDED_SHARE >= n_kept || files.len() > ADDED_FILES_MAX;
        Ok(Self { goods, is_new, made_of, unread })
    }

    /// Stores the sums in the home for the next time.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the home cannot be written.
    pub fn keep(
        &self,
        home: &mut Home,
        places: &Places,
        year: Year,
    ) -> Result<(), RegressionError> {
        let [relations, codes, sums] = self.goods.tables(places)?;
        let made_of = made_of_table(&self.made_of)?;
        let tables = TABLES.into_iter().zip([relations, codes, sums, made_of]);
        Ok(home.replace_memory(&key(year), &tables.collect::<Vec<_>>())?)
    }
}

/// The name of the memory of a year's sums.
fn key(year: Year) -> String {
    format!("goods {year}")
}

/// The home's stored sums with their sources, if all sources still count.
fn kept(
    source: &Source<'_>,
    year: Year,
    made_of: &[String],
) -> Result<Option<(Goods, BTreeSet<String>)>, HomeError> {
    let table = |name| source.home.read_memory(&key(year), name);
    let [relations, codes, sums, _] = TABLES;
    let Some(there) = source.made_of_then(&key(year), made_of)? else { return Ok(None) };
    let (relations, codes, sums) = (table(relations)?, table(codes)?, table(sums)?);
    let goods = relations.zip(codes).zip(sums).and_then(|((relations, codes), sums)| {
        Goods::of_tables([&relations, &codes, &sums], &source.definition.places)
    });
    Ok(goods.map(|goods| (goods, there)))
}

/// The exports of a year in a file. Those of a plant to a destination are adjacent in a segment.
fn of_file(
    home: &Path,
    definition: &Definition,
    file: &FileEntry,
    year: Year,
) -> Result<OfFile, HomeError> {
    let months: Vec<Period> = (1..=12).filter_map(|month| Period::new(year.0, month)).collect();
    let city_of = |code: &str| definition.places.city(code);
    let (mut texts, mut records) =
        read_months(home, &file.segment, Fields::Goods, &months, &city_of)?;
    definition.successions.carry_over(&mut texts, &mut records);
    file.retain_counting(&mut records);
    let Texts { firms, countries, products, .. } = texts;
    let mut codes = Dictionary::default();
    let code_of = |text: &str| text.get(..HS6).map(|code| codes.intern(code));
    let code_of: Vec<Option<u32>> = products.iter().map(code_of).collect();
    let counts = |record: &&Record| {
        record.exclusion.is_none() && record.flow == Flow::Export && record.period.year() == year
    };
    let relation = |record: &Record| (record.firm, record.city, record.country);
    let (mut relations, mut cents) = (Vec::new(), Vec::new());
    let mut own: Vec<(u32, i64)> = Vec::new();
    for records in records.chunk_by(|a, b| relation(a) == relation(b)) {
        let (firm, Some(city), country) = relation(&records[0]) else { continue };
        own.clear();
        for record in records.iter().filter(counts) {
            own.extend(code_of[record.product as usize].map(|code| (code, record.value_cents)));
        }
        if own.is_empty() {
            continue;
        }
        own.sort_unstable_by_key(|(code, _)| *code);
        let place = u32::try_from(relations.len()).expect("relations are fewer than records");
        relations.push((firm, city, country));
        for of_code in own.chunk_by(|(a, _), (b, _)| a == b) {
            cents.push((place, of_code[0].0, of_code.iter().map(|(_, cents)| cents).sum()));
        }
    }
    Ok(OfFile { firms, countries, codes, relations, cents })
}

impl Goods {
    fn add(&mut self, of: &OfFile) {
        let numbers = |own: &Dictionary, all: &mut Dictionary| -> Vec<u32> {
            own.iter().map(|text| all.intern(text)).collect()
        };
        let firms = numbers(&of.firms, &mut self.firms);
        let countries = numbers(&of.countries, &mut self.countries);
        let codes = numbers(&of.codes, &mut self.codes);
        let relations = of.relations.iter().map(|&(firm, city, country)| {
            let relation = (firms[firm as usize], city, countries[country as usize]);
            place(&mut self.place_of, &mut self.relations, relation)
        });
        let relations: Vec<u32> = relations.collect();
        for &(relation, code, cents) in &of.cents {
            let key = (relations[relation as usize], codes[code as usize]);
            *self.cents.entry(key).or_default() += cents;
        }
    }

    /// The relations, the codes, and the sums by the positions of both.
    fn tables(&self, places: &Places) -> Result<[RecordBatch; 3], ArrowError> {
        let dictionary_of = |texts: &Dictionary, keys: UInt32Array| -> ArrayRef {
            let texts = StringArray::from_iter_values(texts.iter());
            Arc::new(DictionaryArray::new(keys, Arc::new(texts)))
        };
        let relations = || self.relations.iter();
        let cities = relations().map(|(_, city, _)| Some(places.code(*city)));
        let relations = RecordBatch::try_from_iter([
            ("firm", dictionary_of(&self.firms, relations().map(|(firm, ..)| *firm).collect())),
            ("city", dictionary(cities)),
            ("country", dictionary_of(&self.countries, relations().map(|(.., at)| *at).collect())),
        ])?;
        let codes: ArrayRef = Arc::new(StringArray::from_iter_values(self.codes.iter()));
        let codes = RecordBatch::try_from_iter([("hs6", codes)])?;
        let mut sums: Vec<((u32, u32), i64)> = self.cents.iter().map(|(&k, &v)| (k, v)).collect();
        sums.sort_unstable();
        let numbers = |of: fn(&((u32, u32), i64)) -> u32| -> ArrayRef {
            Arc::new(sums.iter().map(of).collect::<UInt32Array>())
        };
        let cents: Int64Array = sums.iter().map(|(_, cents)| *cents).collect();
        let cents: ArrayRef = Arc::new(cents);
        let sums = RecordBatch::try_from_iter([
            ("relation", numbers(|((relation, _), _)| *relation)),
            ("code", numbers(|((_, code), _)| *code)),
            ("cents", cents),
        ])?;
        Ok([relations, codes, sums])
    }

    /// The stored sums; `None` if they are of another version or other places.
    fn of_tables([relations, codes, sums]: [&RecordBatch; 3], places: &Places) -> Option<Self> {
        let mut goods = Self::default();
        let mut cities = Dictionary::default();
        let firms = numbered(relations, "firm", &mut goods.firms)?;
        let of_cities = numbered(relations, "city", &mut cities)?;
        let countries = numbered(relations, "country", &mut goods.countries)?;
        let cities: Vec<Option<City>> = cities.iter().map(|code| places.city(code)).collect();
        for ((firm, city), country) in firms.into_iter().zip(of_cities).zip(countries) {
            let relation = (firm, cities[city as usize]?, country);
            place(&mut goods.place_of, &mut goods.relations, relation);
        }
        let codes = codes.column_by_name("hs6")?.as_string_opt::<i32>()?;
        for code in codes.iter().flatten() {
            goods.codes.intern(code);
        }
        let column = |name| sums.column_by_name(name)?.as_primitive_opt::<UInt32Type>();
        let (of_relations, of_codes) = (column("relation")?.values(), column("code")?.values());
        let cents = sums.column_by_name("cents")?.as_primitive_opt::<Int64Type>()?.values();
        let are_there = |numbers: &[u32], n: usize| numbers.iter().all(|&at| (at as usize) < n);
        // A repeated relation would have shifted the following ones.
        let fits = goods.relations.len() == relations.num_rows()
            && goods.codes.len() == codes.len()
            && are_there(of_relations, goods.relations.len())
            && are_there(of_codes, goods.codes.len());
        let keys = of_relations.iter().copied().zip(of_codes.iter().copied());
        goods.cents = keys.zip(cents.iter().copied()).collect();
        fits.then_some(goods)
    }
}

/// The position of a relation; a new one is added at the end.
fn place(of: &mut FxHashMap<Relation, u32>, list: &mut Vec<Relation>, relation: Relation) -> u32 {
    *of.entry(relation).or_insert_with(|| {
        list.push(relation);
        u32::try_from(list.len() - 1).expect("relations are fewer than records")
    })
}
