//! Names of cities, provinces and countries, in Chinese and English.
//!
//! Input: the recorded reference tables of a home. Output: the code of a name, and the name of a
//! code. A code always counts before a name.

use std::collections::BTreeMap;

use crate::feed::places::folded;
use crate::feed::reference::{CITIES, COUNTRIES, columns_of};
use crate::home::definition::DefinitionTexts;
pub use crate::tables::meanings::Language;

/// A kind of thing with codes and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// A firm.
    Firm,
    /// A city.
    City,
    /// A country or territory.
    Country,
}

impl PlaceKind {
    fn noun(self) -> &'static str {
        match self {
            Self::Firm => "firm",
            Self::City => "city",
            Self::Country => "country",
        }
    }

    /// The forms in which a thing can be given.
    fn forms(self) -> &'static str {
        match self {
            Self::Firm => "an identifier, or a name as in the records",
            Self::City => "a code, or a name in Chinese or English",
            Self::Country => "a code, an ISO code, or a name in Chinese or English",
        }
    }
}

/// The names of a home's places.
#[derive(Clone, Debug, Default)]
pub struct Names {
    firms: Vec<Place>,
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

/// A code with its names; an empty text for a missing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameEntry<'n> {
    /// The code.
    pub code: &'n str,
    /// The Chinese name; of a firm, its name in the records.
    pub chinese: &'n str,
    /// The English name.
    pub english: &'n str,
    /// ISO 3166 codes and further names.
    pub others: &'n [String],
}

/// A name of several places, or of several firms.
#[derive(Debug, thiserror::Error)]
#[error(
    "\"{name}\" is the name of {} {}: {}; give the code",
    places.len(),
    if *what == "firm" { "firms" } else { "places" },
    places.join(", ")
)]
pub struct SeveralPlaces {
    /// The kind of thing.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// The places, each as name and code.
    pub places: Vec<String>,
}

/// A text that is neither a code nor a name.
#[derive(Debug, thiserror::Error)]
#[error("there is no {what} \"{name}\"; give {forms}{}", likely(near))]
pub struct NoPlace {
    /// The kind of thing.
    pub what: &'static str,
    /// The forms in which it can be given.
    pub forms: &'static str,
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

/// The English names of provinces by their Chinese ones; reference tables have the Chinese names.
const PROVINCES: [(&str, &str); 31] = [
    ("北京市", "Beijing"),
    ("天津市", "Tianjin"),
    ("河北省", "Hebei"),
    ("山西省", "Shanxi"),
    ("内蒙古自治区", "Inner Mongolia"),
    ("辽宁省", "Liaoning"),
    ("吉林省", "Jilin"),
    ("黑龙江省", "Heilongjiang"),
    ("上海市", "Shanghai"),
    ("江苏省", "Jiangsu"),
    ("浙江省", "Zhejiang"),
    ("安徽省", "Anhui"),
    ("福建省", "Fujian"),
    ("江西省", "Jiangxi"),
    ("山东省", "Shandong"),
    ("河南省", "Henan"),
    ("湖北省", "Hubei"),
    ("湖南省", "Hunan"),
    ("广东省", "Guangdong"),
    ("广西壮族自治区", "Guangxi"),
    ("海南省", "Hainan"),
    ("重庆市", "Chongqing"),
    ("四川省", "Sichuan"),
    ("贵州省", "Guizhou"),
    ("云南省", "Yunnan"),
    ("西藏自治区", "Tibet"),
    ("陕西省", "Shaanxi"),
    ("甘肃省", "Gansu"),
    ("青海省", "Qinghai"),
    ("宁夏回族自治区", "Ningxia"),
    ("新疆维吾尔自治区", "Xinjiang"),
];

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
            firms: Vec::new(),
            provinces: provinces.collect(),
            cities: places(texts.reference(CITIES), "city"),
            countries: places(texts.reference(COUNTRIES), "country"),
        }
    }

    /// The names with those of firms, by identifier.
    #[must_use]
    pub fn with_firms(self, firms: BTreeMap<String, String>) -> Self {
        let place = |(code, chinese)| {
            let (english, others) = (String::new(), Vec::new());
            Place { code, chinese, english, others }
        };
        Self { firms: firms.into_iter().map(place).collect(), ..self }
    }

    /// The code of a text: a code, an ISO 3166 code or a name. Without a reference table of
    /// countries, every text is a code; so is each text for a firm without names of firms.
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
                let (what, forms, name) = (kind.noun(), kind.forms(), asked.to_owned());
                Err(NoPlace { what, forms, name, near: near(places, &wanted) }.into())
            }
            several => {
                let places = several.iter().map(|place| place.shown()).collect();
                let (what, name) = (kind.noun(), asked.to_owned());
                Err(SeveralPlaces { what, name, places }.into())
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

    /// The name of a province; in Chinese if its English one is unknown.
    #[must_use]
    pub fn province(&self, code: &str, language: Language) -> Option<&str> {
        let chinese = self.provinces.get(code)?.as_str();
        let english = PROVINCES.iter().find(|(own, _)| *own == chinese).map(|(_, name)| *name);
        match language {
            Language::Chinese => Some(chinese),
            Language::English => english.or(Some(chinese)),
        }
    }

    /// The codes of the provinces, in order.
    pub fn province_codes(&self) -> impl Iterator<Item = &str> {
        self.provinces.keys().map(String::as_str)
    }

    /// Every name of a kind, in order of code.
    pub fn entries(&self, kind: PlaceKind) -> impl Iterator<Item = NameEntry<'_>> {
        self.places(kind).iter().map(|place| NameEntry {
            code: &place.code,
            chinese: &place.chinese,
            english: &place.english,
            others: &place.others,
        })
    }

    fn places(&self, kind: PlaceKind) -> &[Place] {
        match kind {
            PlaceKind::Firm => &self.firms,
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
        assert_eq!(names.province("44", Language::Chinese), Some("广东省"));
        assert_eq!(names.province("44", Language::English), Some("Guangdong"));
        for code in names.provinces.keys() {
            let english = names.province(code, Language::English).expect("a name");
            assert!(english.is_ascii(), "province {code} has no English name");
        }
    }

    #[test]
    fn the_identifier_of_a_firm_counts_before_names_and_a_shared_name_is_refused() {
        let firms = [("F1", "F2"), ("F2", "恒达厂"), ("F3", "恒达厂"), ("F4", "Baoli Co")];
        let firms = firms.map(|(code, name)| (code.to_owned(), name.to_owned())).into();
        let names = Names::default().with_firms(firms);
        let code = |asked| names.code(PlaceKind::Firm, asked).map_err(|error| error.to_string());
        assert_eq!(code("F2"), Ok("F2".to_owned()), "an identifier, although a name of F1");
        assert_eq!(code("baoli co"), Ok("F4".to_owned()));
        let several = "\"恒达厂\" is the name of 2 firms: 恒达厂 (F2), 恒达厂 (F3); give the code";
        assert_eq!(code("恒达厂"), Err(several.to_owned()));
        let none = "there is no firm \"Baoly Co\"; give an identifier, or a name as in the \
                    records; similar: Baoli Co (F4)";
        assert_eq!(code("Baoly Co"), Err(none.to_owned()));
        assert_eq!(names.name(PlaceKind::Firm, "F4", Language::Chinese), Some("Baoli Co"));
        let without = Names::default().code(PlaceKind::Firm, "any");
        assert_eq!(without.expect("an identifier"), "any");
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
