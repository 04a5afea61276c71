//! Reference data of places: cities with their areas, the cities of regions, and country codes.
//!
//! Input: text ([`ReferenceTexts`]), which a home can store. Output: dense cities in the order of
//! their codes. The numbering depends on the table alone.

use rustc_hash::{FxHashMap, FxHashSet};

use super::profile::CityRule;
use super::reference::{CITIES_MAX, Problem, Table};
pub use super::reference::{PlacesError, ReferenceTexts, TablesBeside};
pub use super::regions::Found;
use super::regions::Regions;
use crate::domain::types::{City, Period, Province};

/// The reference tables of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Rows in order of code; a [`City`] is a position in this list.
    cities: Vec<CityRow>,
    /// Codes of provinces by [`Province`].
    provinces: Vec<Box<str>>,
    city_of_code: FxHashMap<Box<str>, City>,
    regions: Option<Regions>,
    countries: Option<FxHashSet<Box<str>>>,
    /// Codes of countries by their other names, in lower case.
    country_names: FxHashMap<Box<str>, Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct CityRow {
    code: Box<str>,
    province: Province,
    area_m2: i64,
}

impl Places {
    /// The largest number of cities.
    pub const CITIES_MAX: usize = CITIES_MAX;

    /// Parses the tables.
    ///
    /// # Errors
    /// [`PlacesError`] with the table, the line and the problem: a missing column, a line that is
    /// not CSV, an empty or repeated code, an invalid area, or a wrong number of cities.
    pub fn parse(texts: &ReferenceTexts) -> Result<Self, PlacesError> {
        let (cities, provinces) = parse_cities(&texts.cities)?;
        let numbered = cities.iter().enumerate();
        let city_of_code: FxHashMap<_, _> =
            numbered.map(|(at, row)| (row.code.clone(), City(position(at)))).collect();
        let regions = texts.regions.as_deref();
        let regions = regions.map(|text| Regions::parse(text, &city_of_code)).transpose()?;
        let countries = texts.countries.as_deref().map(parse_countries).transpose()?;
        let country_names = texts.countries.as_deref().map(names_of_countries).unwrap_or_default();
        Ok(Self { cities, provinces, city_of_code, regions, countries, country_names })
    }

    /// The city of a code.
    #[must_use]
    pub fn city(&self, code: &str) -> Option<City> {
        self.city_of_code.get(code).copied()
    }

    /// The code of a city.
    ///
    /// # Panics
    /// If the city is not of these places. This holds for every method that takes a city.
    #[must_use]
    pub fn code(&self, city: City) -> &str {
        &self.row(city).code
    }

    /// The province of a city.
    ///
    /// # Panics
    /// If the city is not of these places.
    #[must_use]
    pub fn province(&self, city: City) -> Province {
        self.row(city).province
    }

    /// The code of a province.
    ///
    /// # Panics
    /// If the province is not of these places.
    #[must_use]
    pub fn province_code(&self, province: Province) -> &str {
        &self.provinces[usize::from(province.0)]
    }

    /// The area of a city.
    ///
    /// # Units
    /// Square metres: sums of areas are exact.
    ///
    /// # Panics
    /// If the city is not of these places.
    #[must_use]
    pub fn area_m2(&self, city: City) -> i64 {
        self.row(city).area_m2
    }

    /// All cities, in order of code.
    pub fn cities(&self) -> impl ExactSizeIterator<Item = City> + use<> {
        (0..position(self.cities.len())).map(City)
    }

    /// The number of cities.
    #[must_use]
    pub fn n_cities(&self) -> usize {
        self.cities.len()
    }

    /// The number of provinces.
    #[must_use]
    pub fn n_provinces(&self) -> usize {
        self.provinces.len()
    }

    /// The cities of a province, in order of code.
    pub fn cities_of(&self, province: Province) -> impl Iterator<Item = City> {
        self.cities().filter(move |&city| self.province(city) == province)
    }

    /// The city of a region in a month, by the profile's rule; without a month, in the last one of
    /// the tables.
    #[must_use]
    pub fn region(&self, rule: &CityRule, region: &str, month: Option<Period>) -> Found {
        let known = |code| self.city(code).map_or(Found::Unknown, Found::City);
        match *rule {
            CityRule::AsIs => known(region),
            CityRule::Prefix { digits } => {
                region.get(..usize::from(digits)).map_or(Found::Unknown, known)
            }
            CityRule::Concordance => {
                self.regions.as_ref().map_or(Found::Unknown, |table| table.find(region, month))
            }
        }
    }

    /// True if the tables support this rule: a concordance needs a table of regions.
    #[must_use]
    pub fn supports(&self, rule: &CityRule) -> bool {
        *rule != CityRule::Concordance || self.regions.is_some()
    }

    /// True if the city of a region may depend on the month.
    #[must_use]
    pub fn has_months(&self, rule: &CityRule) -> bool {
        *rule == CityRule::Concordance && self.regions.as_ref().is_some_and(Regions::is_dated)
    }

    /// True if a country code is valid. Without a table of countries, any code that is not blank
    /// is.
    #[must_use]
    pub fn country_known(&self, code: &str) -> bool {
        let known = |table: &FxHashSet<Box<str>>| table.contains(code);
        !code.trim().is_empty() && self.countries.as_ref().is_none_or(known)
    }

    /// The code of a country by another name: ISO 3166, Chinese, English, or an alias of the table.
    #[must_use]
    pub fn country_named(&self, name: &str) -> Option<&str> {
        self.country_names.get(folded(name).as_str()).map(|code| &**code)
    }

    /// The first region or country name that later tables lack or give another city or country, in
    /// a month up to `through`.
    #[must_use]
    pub fn changed_meaning(&self, later: &Self, through: Period) -> Option<String> {
        let code = |places: &Self, found: Found| match found {
            Found::City(city) => Some(Some(places.code(city).to_owned())),
            Found::WithoutCity => Some(None),
            Found::Unknown => None,
        };
        let is_same = |before, now| code(self, before) == code(later, now);
        let regions = self.regions.iter();
        let moved =
            regions.flat_map(|table| table.changed(later.regions.as_ref(), through, is_same));
        let moved = moved.map(|(region, month)| match month {
            Period::FIRST => format!("the region {region}"),
            month => format!("the region {region} from {month} on"),
        });
        let renamed = self.country_names.iter();
        let renamed = renamed.filter(|(name, code)| later.country_names.get(*name) != Some(code));
        let renamed = renamed.map(|(name, _)| format!("the country's name \"{name}\""));
        // Maps have no order: take the first by name.
        moved.chain(renamed).min()
    }

    fn row(&self, city: City) -> &CityRow {
        &self.cities[usize::from(city.0)]
    }
}

fn position(at: usize) -> u16 {
    u16::try_from(at).expect("the tables have at most CITIES_MAX cities")
}

/// The rows of the table of cities in order of code, and the codes of provinces in order of their
/// first city.
fn parse_cities(text: &str) -> Result<(Vec<CityRow>, Vec<Box<str>>), PlacesError> {
    let table = Table::parse("cities.csv", text, ["city", "province", "area_km2"])?;
    table.check_codes()?;
    let mut rows = Vec::new();
    for (line, [code, province, area]) in table.rows {
        let error = |column, problem| PlacesError::field("cities.csv", line, column, problem);
        if province.trim().is_empty() {
            return Err(error("province", Problem::Blank));
        }
        let area_m2 =
            square_metres(&area).ok_or_else(|| error("area_km2", Problem::Area(area.clone())))?;
        rows.push((code, province, area_m2));
    }
    if rows.is_empty() || rows.len() > Places::CITIES_MAX {
        return Err(PlacesError::NCities { n_cities: rows.len() });
    }
    rows.sort();
    Ok(numbered(rows.into_iter()))
}

fn numbered(sorted: impl Iterator<Item = (String, String, i64)>) -> (Vec<CityRow>, Vec<Box<str>>) {
    let mut provinces: indexmap::IndexSet<Box<str>> = indexmap::IndexSet::new();
    let cities = sorted
        .map(|(code, province, area_m2)| {
            let (at, _) = provinces.insert_full(province.into());
            CityRow { code: code.into(), province: Province(position(at)), area_m2 }
        })
        .collect();
    (cities, provinces.into_iter().collect())
}

fn parse_countries(text: &str) -> Result<FxHashSet<Box<str>>, PlacesError> {
    let table = Table::parse("countries.csv", text, ["country"])?;
    table.check_codes()?;
    Ok(table.rows.into_iter().map(|(_, [country])| country.into_boxed_str()).collect())
}

/// The codes of countries by their names in every column of names: `iso2`, `iso3`, `name`,
/// `name_en` and other languages, `aliases` separated by `|`. A name of two countries is ignored.
fn names_of_countries(text: &str) -> FxHashMap<Box<str>, Box<str>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let Ok(header) = reader.headers().cloned() else { return FxHashMap::default() };
    let Some(code_at) = header.iter().position(|name| name == "country") else {
        return FxHashMap::default();
    };
    let is_name = |column: &str| {
        matches!(column, "iso2" | "iso3" | "aliases")
            || column == "name"
            || column.starts_with("name_")
    };
    let mut names: FxHashMap<Box<str>, Option<Box<str>>> = FxHashMap::default();
    for row in reader.records().filter_map(Result::ok) {
        let code = row.get(code_at).unwrap_or_default();
        let columns = header.iter().zip(&row).filter(|(column, _)| is_name(column));
        for name in columns.flat_map(|(_, field)| field.split('|')).map(folded) {
            let known = names.entry(name.into()).or_insert_with(|| Some(code.into()));
            if known.as_deref() != Some(code) {
                *known = None;
            }
        }
    }
    names.remove("");
    names.into_iter().filter_map(|(name, code)| Some((name, code?))).collect()
}

/// A name prepared for comparison: lower case, one space between words.
#[must_use]
pub fn folded(name: &str) -> String {
    name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The surface of the Earth in square metres: no city is larger, and sums over all cities stay in
/// range.
const AREA_MAX_M2: i64 = 510_072_000 * 1_000_000;

/// Square metres of a positive decimal of square kilometres with at most six decimals; exact,
/// without floats.
fn square_metres(area_km2: &str) -> Option<i64> {
    let (whole, decimals) = area_km2.split_once('.').unwrap_or((area_km2, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let decimals: i64 = format!("{decimals:0<6}").parse().ok()?;
    whole
        .checked_mul(1_000_000)?
        .checked_add(decimals)
        .filter(|area| (1..=AREA_MAX_M2).contains(area))
}

#[cfg(test)]
mod tests;
