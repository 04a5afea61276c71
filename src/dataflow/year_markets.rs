//! The markets of one year, as the rows of plants read them: read off their arrangement once, for
//! all firms.

use rustc_hash::FxHashMap;

use super::Arrangements;
use super::affiliate::{MarketMeans, subtract};
use super::lookup::{Lookup, Moment, Time};
use super::markets::{MarketGrowth, MarketKey};
use crate::figures::GrowthSum;
use crate::geography::Geography;
use crate::types::{City, Country, Province, Year};

/// All markets of a year that have continuing exporters, with sums by province.
#[derive(Debug, Default)]
pub struct YearMarkets {
    /// Where each country's markets begin.
    starts: Vec<usize>,
    /// In order of country and city.
    cities: Vec<City>,
    means: Vec<MarketMeans>,
    provinces: FxHashMap<(Country, Province), GrowthSum>,
}

impl YearMarkets {
    /// Reads a year's markets as of several moments. What stays between them is computed once.
    pub fn read<const N: usize>(
        arrangements: &Arrangements,
        year: Year,
        epoch: Time,
        moments: [Moment; N],
    ) -> [Self; N] {
        let Arrangements { geography, logs, markets_everywhere, .. } = arrangements;
        let mut lookup = Lookup::open(markets_everywhere, epoch);
        let mut read = moments.map(|_| Self::default());
        lookup.seek(&MarketKey { year, ..MarketKey::default() });
        while let Some(&key) = lookup.key().filter(|key| key.year == year) {
            let mut means = MarketMeans::default();
            for (markets, moment) in read.iter_mut().zip(moments) {
                let MarketGrowth { growth, exporters } = lookup.sum(moment);
                let sum = GrowthSum { growth, exporters };
                if means.sum != sum {
                    means = MarketMeans::new(sum, key.city, logs);
                }
                markets.push(key, means, geography);
            }
            lookup.step();
        }
        read
    }

    /// Adds a market behind those that are there.
    fn push(&mut self, key: MarketKey, means: MarketMeans, geography: &Geography) {
        if means.sum.exporters <= 0 {
            return;
        }
        while self.starts.len() <= usize::from(key.country.0) {
            self.starts.push(self.cities.len());
        }
        self.cities.push(key.city);
        self.means.push(means);
        let province = (key.country, geography.province(key.city));
        let total = self.provinces.entry(province).or_default();
        total.growth += means.sum.growth;
        total.exporters += means.sum.exporters;
    }

    /// A city's market in a country; nothing where it has none.
    #[must_use]
    pub fn city(&self, country: Country, city: City) -> MarketMeans {
        let at = usize::from(country.0);
        let Some(&start) = self.starts.get(at) else { return MarketMeans::default() };
        let end = self.starts.get(at + 1).copied().unwrap_or(self.cities.len());
        let found = self.cities[start..end].binary_search(&city);
        found.map_or_else(|_| MarketMeans::default(), |position| self.means[start + position])
    }

    /// `S` and `n` of the other cities of the city's province.
    #[must_use]
    pub fn rest_of_province(
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
    use crate::dataflow::affiliate::Logs;

    #[test]
    fn a_market_is_found_by_country_and_city_and_the_rest_of_its_province_adds_up() {
        let geography = Geography::new([(Province(0), 5), (Province(1), 5), (Province(0), 5)]);
        let logs = Logs::new(geography.areas_m2());
        let mut markets = YearMarkets::default();
        let keys = [(1, 0), (1, 2), (4, 1)];
        for (growth, (country, city)) in (1..).zip(keys) {
            let key = MarketKey { country: Country(country), city: City(city), year: Year(2001) };
            let sum = GrowthSum { growth, exporters: 2 };
            markets.push(key, MarketMeans::new(sum, key.city, &logs), &geography);
        }
        let growth = |country, city| markets.city(Country(country), City(city)).sum.growth;
        let found = [(0, 0), (1, 0), (1, 1), (1, 2), (3, 1), (4, 1), (4, 2), (9, 0)];
        assert_eq!(found.map(|(country, city)| growth(country, city)), [0, 1, 0, 2, 0, 3, 0, 0]);
        let rest = markets.rest_of_province(Country(1), City(0), &geography);
        assert_eq!(rest, GrowthSum { growth: 2, exporters: 2 });
    }
}
