//! The markets of one year, for the rows of plants.

use rustc_hash::FxHashMap;

use super::affiliate::{Logs, MarketMeans, subtract};
use crate::domain::geography::Geography;
use crate::domain::rows::{CityRow, GrowthSum};
use crate::domain::types::{City, Country, Province};

/// All markets of a year with continuing exporters, and sums by province.
#[derive(Debug)]
pub struct YearMarkets {
    logs: Logs,
    /// The first market of each country.
    starts: Vec<usize>,
    /// The cities of the markets, in order of country and city.
    cities: Vec<City>,
    means: Vec<MarketMeans>,
    provinces: FxHashMap<(Country, Province), GrowthSum>,
}

impl YearMarkets {
    /// The markets of a year, from the rows of `city` of that year in any order.
    #[must_use]
    pub fn of(mut rows: Vec<CityRow>, geography: &Geography) -> Self {
        rows.sort_unstable_by_key(|row| (row.country, row.city));
        let mut markets = Self {
            logs: Logs::new(geography.areas_m2()),
            starts: Vec::new(),
            cities: Vec::with_capacity(rows.len()),
            means: Vec::with_capacity(rows.len()),
            provinces: FxHashMap::default(),
        };
        for row in rows {
            markets.push(&row, geography);
        }
        markets
    }

    /// Adds a market after the others.
    fn push(&mut self, row: &CityRow, geography: &Geography) {
        if row.continuing == 0 {
            return;
        }
        while self.starts.len() <= usize::from(row.country.0) {
            self.starts.push(self.cities.len());
        }
        let sum = GrowthSum { growth: row.growth, exporters: i64::from(row.continuing) };
        self.cities.push(row.city);
        self.means.push(MarketMeans::new(sum, row.city, &self.logs));
        let province = (row.country, geography.province(row.city));
        let total = self.provinces.entry(province).or_default();
        total.growth += sum.growth;
        total.exporters += sum.exporters;
    }

    pub(super) fn logs(&self) -> &Logs {
        &self.logs
    }

    /// A city's market in a country; zeros if there is none.
    pub(super) fn city(&self, country: Country, city: City) -> MarketMeans {
        let at = usize::from(country.0);
        let Some(&start) = self.starts.get(at) else { return MarketMeans::default() };
        let end = self.starts.get(at + 1).copied().unwrap_or(self.cities.len());
        let found = self.cities[start..end].binary_search(&city);
        found.map_or_else(|_| MarketMeans::default(), |position| self.means[start + position])
    }

    /// `S` and `n` of the other cities of the city's province.
    pub(super) fn rest_of_province(
        &self,
        country: Country,
        city: City,
        geography: &Geography,
    ) -> GrowthSum {
        let province = geography.province(city);
        let total = self.provinces.get(&(country, province)).copied().unwrap_or_default();
        subtract(total, self.city(country, city).sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_is_found_by_country_and_city_and_the_rest_of_its_province_adds_up() {
        let geography = Geography::new([(Province(0), 5), (Province(1), 5), (Province(0), 5)]);
        let row = |growth, (country, city)| CityRow {
            country: Country(country),
            city: City(city),
            exporters: 3,
            continuing: 2,
            growth,
            ..CityRow::default()
        };
        let gone = CityRow { continuing: 0, ..row(9, (2, 1)) };
        let rows = vec![row(3, (4, 1)), row(2, (1, 2)), row(1, (1, 0)), gone];
        let markets = YearMarkets::of(rows, &geography);
        let growth = |country, city| markets.city(Country(country), City(city)).sum.growth;
        let found = [(0, 0), (1, 0), (1, 1), (1, 2), (2, 1), (3, 1), (4, 1), (4, 2), (9, 0)];
        assert_eq!(found.map(|(country, city)| growth(country, city)), [0, 1, 0, 2, 0, 0, 3, 0, 0]);
        let rest = markets.rest_of_province(Country(1), City(0), &geography);
        assert_eq!(rest, GrowthSum { growth: 2, exporters: 2 });
    }
}
