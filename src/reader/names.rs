//! Names of cities, provinces and countries, in Chinese and English.
//!
//! Input: the recorded reference tables of a home. Output: the code of a name, and the name of a
//! code. A code always counts before a name.

use std::collections::BTreeMap;

use crate::feed::places::folded;
use crate::feed::reference::{CITIES, COUNTRIES, columns_of};
use crate::home::definition::DefinitionTexts;

/// A language of names and labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    Chinese,
    /// English.
    English,
}

/// A kind of place with codes and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// A city.
    City,
    /// A country or territory.
    Country,
}

impl PlaceKind {
    fn noun(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Country => "country",
        }
    }
}

/// The names of a home's places.
#[derive(Clone, Debug, Default)]
pub struct Names {
    cities: Vec<Place>,
    countries: Vec<Place>,
    /// The Chinese name of each province, by code.
    provinces: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct Place {
    code: String,
    chinese: String,
    english: String,
    /// ISO 3166 codes and further names.
    others: Vec<String>,
}

/// A name of several places.
#[derive(Debug, thiserror::Error)]
#[error("\"{name}\" is the name of {} places: {}; give the code", places.len(), places.join(", "))]
pub struct SeveralPlaces {
    /// The name.
    pub name: String,
    /// The places, each as name and code.
    pub places: Vec<String>,
}

/// A text that is neither a code nor a name.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no {what} \"{name}\"; give a code, an ISO code, or a name in Chinese or English{}",
    likely(near)
)]
pub struct NoPlace {
    /// The kind of place.
    pub what: &'static str,
    /// The text.
    pub name: String,
    /// Similar names, each with its code.
    pub near: Vec<String>,
}

/// The reason why a text is not a code.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// More than one place has the name.
    #[error(transparent)]
    Several(#[from] SeveralPlaces),
    /// No place has the name.
    #[error(transparent)]
    NoPlace(#[from] NoPlace),
}

fn likely(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; similar: {}", near.join(", ")) }
}

/// Endings of the names of Chinese prefectures that people leave out.
const ENDINGS: [&str; 4] = ["自治州", "地区", "市", "盟"];

/// The least similarity of a suggested name, from 0 to 1.
const LIKENESS_MIN: f64 = 0.6;

impl Names {
    /// The names in a home's reference tables.
    #[must_use]
    pub fn of(texts: &DefinitionTexts) -> Self {
        let cities = rows(texts.reference(CITIES), ["city", "province", "province_name"]);
        let provinces =
            cities.into_iter().map(|[_, code, name]| (code, name)).filter(|(_, n)| !n.is_empty());
        Self {
            provinces: provinces.collect(),
            cities: places(texts.reference(CITIES), "city"),
            countries: places(texts.reference(COUNTRIES), "country"),
        }
    }

    /// The code of a text: a code, an ISO 3166 code or a name. Without a reference table of
    /// countries, every text is a code.
    ///
    /// # Errors
    /// [`NameError`] if the text is neither a code nor a name, or is the name of several places.
    pub fn code(&self, kind: PlaceKind, asked: &str) -> Result<String, NameError> {
        let places = self.places(kind);
        if places.is_empty() || places.iter().any(|place| place.code == asked) {
            return Ok(asked.to_owned());
        }
        let wanted = folded(asked);
        let found: Vec<&Place> = places.iter().filter(|place| place.is_called(&wanted)).collect();
        match &found[..] {
            [place] => Ok(place.code.clone()),
            [] => {
                let (what, name) = (kind.noun(), asked.to_owned());
                Err(NoPlace { what, name, near: near(places, &wanted) }.into())
            }
            several => {
                let places = several.iter().map(|place| place.shown()).collect();
                Err(SeveralPlaces { name: asked.to_owned(), places }.into())
            }
        }
    }

    /// The name of a code, or its name in the other language if this one is missing.
    #[must_use]
    pub fn name(&self, kind: PlaceKind, code: &str, language: Language) -> Option<&str> {
        let places = self.places(kind);
        let place = &places[places.binary_search_by(|place| place.code.as_str().cmp(code)).ok()?];
        let names = match language {
            Language::Chinese => [&place.chinese, &place.english],
            Language::English => [&place.english, &place.chinese],
        };
        names.into_iter().find(|name| !name.is_empty()).map(String::as_str)
    }

    /// The Chinese name of a province.
    #[must_use]
    pub fn province(&self, code: &str) -> Option<&str> {
        self.provinces.get(code).map(String::as_str)
    }

    fn places(&self, kind: PlaceKind) -> &[Place] {
        match kind {
            PlaceKind::City => &self.cities,
            PlaceKind::Country => &self.countries,
        }
    }
}

impl Place {
    fn is_called(&self, wanted: &str) -> bool {
        let names = [&self.chinese, &self.english].into_iter().chain(&self.others);
        let is_it = |name: &String| !name.is_empty() && folded(name) == wanted;
        let short = ENDINGS.iter().find_map(|ending| self.chinese.strip_suffix(ending));
        names.into_iter().any(is_it) || short.is_some_and(|short| short == wanted)
    }

    fn shown(&self) -> String {
        let names = [self.chinese.as_str(), &self.english];
        let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        format!("{} ({})", names.join(" "), self.code)
    }
}

/// The places most like a name, the most similar first.
fn near(places: &[Place], wanted: &str) -> Vec<String> {
    let likeness = |place: &Place| {
        let names = [&place.chinese, &place.english].into_iter().chain(&place.others);
        let likeness =
            names.map(|name| strsim::normalized_damerau_levenshtein(wanted, &folded(name)));
        likeness.fold(0.0, f64::max)
    };
    let mut near: Vec<(f64, &Place)> =
        places.iter().map(|place| (likeness(place), place)).collect();
    near.retain(|(likeness, _)| *likeness >= LIKENESS_MIN);
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.into_iter().take(3).map(|(_, place)| place.shown()).collect()
}

/// The places of a table, in order of code.
fn places(table: Option<&str>, code: &str) -> Vec<Place> {
    let columns = [code, "name", "name_en", "iso3", "iso2", "aliases"];
    let place = |[code, chinese, english, iso3, iso2, aliases]: [String; 6]| {
        let aliases = aliases.split('|').map(str::to_owned);
        let others = [iso3, iso2].into_iter().chain(aliases).filter(|name| !name.is_empty());
        Place { code, chinese, english, others: others.collect() }
    };
    let mut places: Vec<Place> = rows(table, columns).into_iter().map(place).collect();
    places.sort_by(|a, b| a.code.cmp(&b.code));
    places
}

/// The columns of a table by name. The table was checked when it was recorded.
fn rows<const N: usize>(table: Option<&str>, columns: [&str; N]) -> Vec<[String; N]> {
    columns_of(table.unwrap_or_default(), columns).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Names {
        let references = [
            (CITIES, include_str!("../../streams/reference/cities.csv")),
            (COUNTRIES, include_str!("../../streams/reference/countries.csv")),
        ];
        let references = references.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        Names::of(&DefinitionTexts { options: String::new(), references })
    }

    #[test]
    fn a_country_is_found_by_code_iso_code_and_name() {
        let names = shipped();
        for asked in ["304", "德国", "Germany", "germany", "DEU", "de"] {
            assert_eq!(names.code(PlaceKind::Country, asked).expect(asked), "304", "{asked}");
        }
        assert_eq!(names.name(PlaceKind::Country, "304", Language::Chinese), Some("德国"));
        assert_eq!(names.name(PlaceKind::Country, "304", Language::English), Some("Germany"));
        assert_eq!(names.name(PlaceKind::Country, "999999", Language::English), None);
    }

    #[test]
    fn a_city_is_found_with_and_without_its_ending() {
        let names = shipped();
        for asked in ["4419", "东莞市", "东莞"] {
            assert_eq!(names.code(PlaceKind::City, asked).expect(asked), "4419", "{asked}");
        }
        assert_eq!(names.province("44"), Some("广东省"));
    }

    #[test]
    fn names_of_several_places_and_of_none_are_refused_with_what_they_may_mean() {
        let names = shipped();
        let several = names.code(PlaceKind::City, "Suzhou").expect_err("two cities").to_string();
        assert!(several.contains("is the name of 2 places: "), "{several}");
        assert!(several.contains("苏州市") && several.contains("宿州市"), "{several}");
        let none = names.code(PlaceKind::Country, "Germani").expect_err("no country").to_string();
        assert!(none.contains("there is no country \"Germani\""), "{none}");
        assert!(none.contains("Germany (304)"), "{none}");
    }
}
