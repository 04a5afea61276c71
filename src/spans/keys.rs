//! The units of each level, and those of a market.

use std::collections::BTreeMap;

use crate::domain::dictionary::Dictionary;
use crate::domain::series::{Clusters, Level};
use crate::domain::types::{City, Country, Year};
use crate::feed::income_groups::IncomeGroups;
use crate::home::definition::Definition;

/// The key of the nation.
const NATION: &str = "all";

/// The units of all levels of a year, numbered in order of level and key.
pub struct Keys {
    units: Vec<(Level, String)>,
    nation: u32,
    /// The units of each city: its province, itself and its groups.
    of_city: Vec<Vec<u32>>,
    /// The units of each destination: itself, its income group and its groups.
    of_country: Vec<Vec<u32>>,
    /// The units of provinces by destination.
    of_province: BTreeMap<(u16, Country), u32>,
    provinces: Vec<u16>,
}

impl Keys {
    /// The units of the cities of a definition and of some countries.
    pub(super) fn of(
        definition: &Definition,
        countries: &Dictionary,
        incomes: &IncomeGroups,
        year: Year,
    ) -> Self {
        let (places, groups) = (&definition.places, &definition.groups);
        let own = |level, keys: Vec<&str>| {
            keys.into_iter().map(move |key| (level, key.to_owned())).collect::<Vec<_>>()
        };
        let province = |city| places.province_code(places.province(city));
        let of_city = |city: City| {
            let code = places.code(city);
            let groups = groups.of_city(code).collect();
            [
                own(Level::City, vec![code]),
                own(Level::CityGroup, groups),
                own(Level::Province, vec![province(city)]),
            ]
            .concat()
        };
        let of_country = |code: &str| {
            let groups = groups.of_country(code).collect();
            let income = incomes.group(code, year).into_iter().collect();
            [
                own(Level::Country, vec![code]),
                own(Level::CountryGroup, groups),
                own(Level::IncomeGroup, income),
            ]
            .concat()
        };
        let of_city: Vec<Vec<(Level, String)>> = places.cities().map(of_city).collect();
        let of_country: Vec<Vec<(Level, String)>> = countries.iter().map(of_country).collect();
        let provinces: Vec<u16> = places.cities().map(|city| places.province(city).0).collect();
        let mut of_province = BTreeMap::new();
        for city in places.cities() {
            for (country, code) in (0..).map(Country).zip(countries.iter()) {
                let key = (places.province(city).0, country);
                of_province.entry(key).or_insert_with(|| format!("{}^{code}", province(city)));
            }
        }
        let by_pair = of_province.values().map(|key| (Level::ProvinceCountry, key.clone()));
        let mut units: Vec<(Level, String)> =
            of_city.iter().chain(&of_country).flatten().cloned().chain(by_pair).collect();
        units.push((Level::Nation, NATION.to_owned()));
        units.sort_unstable();
        units.dedup();
        let number = |unit: &(Level, String)| {
            let at = units.binary_search(unit).expect("each unit is in the list");
            u32::try_from(at).expect("fewer units than 2^32")
        };
        let numbers = |of: &Vec<(Level, String)>| of.iter().map(number).collect();
        let (of_city, of_country) =
            (of_city.iter().map(numbers).collect(), of_country.iter().map(numbers).collect());
        let pair = |key: String| number(&(Level::ProvinceCountry, key));
        let of_province = of_province.into_iter().map(|(of, key)| (of, pair(key))).collect();
        let nation = number(&(Level::Nation, NATION.to_owned()));
        Self { units, nation, of_city, of_country, of_province, provinces }
    }

    /// The number of units.
    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// The level and the key of a unit.
    #[must_use]
    pub fn unit(&self, unit: u32) -> (Level, &str) {
        let (level, key) = &self.units[unit as usize];
        (*level, key)
    }

    /// The units of a market.
    pub fn of_market(&self, city: City, country: Country) -> impl Iterator<Item = u32> + use<'_> {
        let pair = (self.provinces[usize::from(city.0)], country);
        let of_city = self.of_city[usize::from(city.0)].iter();
        let of_country = self.of_country[usize::from(country.0)].iter();
        let units = of_city.chain(of_country).copied();
        units.chain([self.nation]).chain(self.of_province.get(&pair).copied())
    }

    /// The cluster of a market in a unit.
    pub(super) fn cluster(&self, unit: u32, city: City, country: Country) -> Option<u16> {
        match self.unit(unit).0.clusters() {
            Clusters::Country => Some(country.0),
            Clusters::City => Some(city.0),
            Clusters::None => None,
        }
    }
}
