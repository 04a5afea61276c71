//! Rows of the table `plant`, one firm at a time.

use super::affiliate::{Contribution, MarketMeans, subtract};
use super::markets::YearMarkets;
use crate::domain::choices::{Choices, Network, OwnPlants, Weights};
use crate::domain::geography::Geography;
use crate::domain::rows::{GrowthSum, PlantFacts, PlantRow};
use crate::domain::types::{City, Country, Growth};

/// Computes the rows of one year.
#[derive(Debug)]
pub struct PlantRows<'a> {
    markets: &'a YearMarkets,
    geography: &'a Geography,
    choices: Choices,
    firm: FirmYear,
}

/// An affiliate city of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The city.
    pub city: City,
    /// Its part of the row's sums.
    pub contribution: Contribution,
    /// Its area in square metres.
    pub area_m2: i64,
}

/// The numbers of a firm's plants that samples need.
#[derive(Clone, Debug, Default)]
pub struct FirmPlants {
    /// The most cities of one province in the firm's network.
    pub of_province: u32,
    /// The destination of each row, in order.
    of_destination: Vec<Country>,
}

impl FirmPlants {
    /// The number of plants that export to a destination.
    #[must_use]
    pub fn to(&self, country: Country) -> u32 {
        let before = self.of_destination.partition_point(|of| *of < country);
        count(self.of_destination[before..].partition_point(|of| *of == country))
    }
}

/// A firm in a year.
#[derive(Clone, Debug, Default)]
struct FirmYear {
    /// The cities from which the firm exports, with the plant's exports in cents; in order of city.
    active: Vec<(City, i64)>,
    /// The affiliate cities of all its plants together, with the exports of the plant in each; in
    /// order of city.
    affiliates: Vec<(City, i64)>,
    area_m2: i64,
    cents: i64,
    largest_plant_cents: i64,
}

impl<'a> PlantRows<'a> {
    /// A computation of rows from these markets.
    #[must_use]
    pub fn new(markets: &'a YearMarkets, geography: &'a Geography, choices: Choices) -> Self {
        Self { markets, geography, choices, firm: FirmYear::default() }
    }

    /// Appends the rows of a firm in order of country and city.
    ///
    /// `facts` are all facts of the firm in the year, in order.
    pub fn of_firm(&mut self, facts: &[PlantFacts], rows: &mut Vec<PlantRow>) {
        let n_former = facts.partition_point(|fact| fact.country.is_none());
        let (former, facts) = facts.split_at(n_former);
        self.read_firm(former, facts);
        for own in facts.chunk_by(|a, b| a.country == b.country) {
            if let Some(country) = own[0].country {
                self.push_rows(country, own, rows);
            }
        }
    }

    /// Passes each row of a firm to `each`, by its facts and with its affiliate cities. Their
    /// contributions add up to the row's sums.
    pub fn sources_of_firm(
        &mut self,
        facts: &[PlantFacts],
        mut each: impl FnMut(&PlantFacts, &[Source]),
    ) {
        let n_former = facts.partition_point(|fact| fact.country.is_none());
        let (former, facts) = facts.split_at(n_former);
        self.read_firm(former, facts);
        for own in facts.chunk_by(|a, b| a.country == b.country) {
            let Some(country) = own[0].country else { continue };
            let source = |&(city, cents): &(City, i64)| Source {
                city,
                contribution: self.contribution(country, (city, cents), own),
                area_m2: self.geography.area_m2(city),
            };
            let all: Vec<Source> = self.firm.affiliates.iter().map(source).collect();
            for fact in own {
                let others = all.iter().filter(|of| of.city != fact.plant.city).copied();
                each(fact, &others.collect::<Vec<Source>>());
            }
        }
    }

    /// The most cities of one province among a firm's cities, and the number of its plants that
    /// export to a destination, by the firm's facts.
    #[must_use]
    pub fn plants_of_firm(&self, facts: &[PlantFacts]) -> FirmPlants {
        let is_counted =
            |fact: &&PlantFacts| fact.country.is_some() || self.choices.network == Network::Founded;
        let mut cities: Vec<City> =
            facts.iter().filter(is_counted).map(|fact| fact.plant.city).collect();
        cities.sort_unstable();
        cities.dedup();
        let mut provinces: Vec<_> = cities.iter().map(|of| self.geography.province(*of)).collect();
        provinces.sort_unstable();
        let of_province = provinces.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap_or(0);
        let rows = facts.iter().filter_map(|fact| fact.country);
        let mut of_destination: Vec<Country> = rows.collect();
        of_destination.sort_unstable();
        FirmPlants { of_province: count(of_province), of_destination }
    }

    fn read_firm(&mut self, former: &[PlantFacts], facts: &[PlantFacts]) {
        let Self { geography, firm, .. } = self;
        firm.active.clear();
        for fact in facts {
            match firm.active.binary_search_by_key(&fact.plant.city, |&(city, _)| city) {
                Ok(at) => firm.active[at].1 += fact.export_cents,
                Err(at) => firm.active.insert(at, (fact.plant.city, fact.export_cents)),
            }
        }
        firm.affiliates.clone_from(&firm.active);
        if self.choices.network == Network::Founded {
            firm.affiliates.extend(former.iter().map(|fact| (fact.plant.city, 0)));
            firm.affiliates.sort_unstable();
        }
        let cents = || firm.active.iter().map(|&(_, cents)| cents);
        firm.cents = cents().sum();
        firm.largest_plant_cents = cents().max().unwrap_or_default();
        firm.area_m2 = firm.affiliates.iter().map(|&(city, _)| geography.area_m2(city)).sum();
    }

    /// The rows of one destination, from the firm's facts about it.
    fn push_rows(&self, country: Country, own: &[PlantFacts], rows: &mut Vec<PlantRow>) {
        let Self { firm, geography, .. } = self;
        let mut all = Contribution::default();
        for &affiliate in &firm.affiliates {
            all.add(&self.contribution(country, affiliate, own));
        }
        for fact in own {
            let city = fact.plant.city;
            let plant_cents = firm.plant_cents(city);
            let affiliate = all.without(&self.contribution(country, (city, plant_cents), own));
            rows.push(PlantRow {
                year: fact.year,
                plant: fact.plant,
                country,
                export_cents: fact.export_cents,
                import_cents: fact.import_cents,
                local: subtract(self.markets.city(country, city).sum, sum_of(fact)),
                affiliate: affiliate.sum,
                affiliate_area_m2: firm.area_m2 - geography.area_m2(city),
                affiliate_cities: count(firm.affiliates.len() - 1),
                weighted: affiliate.weighted,
                province: self.rest_of_province(country, city, own),
                experience: fact.experience,
                new: fact.new,
                plants: count(firm.active.len()),
                plant_cents,
                firm_cents: firm.cents,
                largest_plant_cents: firm.largest_plant_cents,
            });
        }
    }

    fn contribution(
        &self,
        country: Country,
        (city, plant_cents): (City, i64),
        own: &[PlantFacts],
    ) -> Contribution {
        let fact = || own.iter().find(|fact| fact.plant.city == city);
        let mut means = self.markets.city(country, city);
        if self.choices.own_plants == OwnPlants::Exclude
            && let Some(fact) = fact()
        {
            let sum = subtract(means.sum, sum_of(fact));
            means = MarketMeans::new(sum, city, self.markets.logs());
        }
        let weight_cents = match self.choices.weights {
            Weights::Total => plant_cents,
            Weights::Destination => fact().map_or(0, |fact| fact.export_cents),
        };
        Contribution::new(&means, weight_cents)
    }

    /// `S` and `n` of the other cities of the province, under the option `own_plants`.
    fn rest_of_province(&self, country: Country, city: City, own: &[PlantFacts]) -> GrowthSum {
        let mut sum = self.markets.rest_of_province(country, city, self.geography);
        if self.choices.own_plants == OwnPlants::Exclude {
            let province = self.geography.province(city);
            for fact in own.iter().filter(|fact| fact.plant.city != city) {
                if self.geography.province(fact.plant.city) == province {
                    sum = subtract(sum, sum_of(fact));
                }
            }
        }
        sum
    }
}

impl FirmYear {
    fn plant_cents(&self, city: City) -> i64 {
        let found = self.active.binary_search_by_key(&city, |&(city, _)| city);
        found.map_or(0, |position| self.active[position].1)
    }
}

/// The plant's own contribution to its market's `S` and `n`.
fn sum_of(fact: &PlantFacts) -> GrowthSum {
    let continues = fact.export_cents > 0 && fact.base_cents > 0;
    let growth = || Growth::between(fact.base_cents, fact.export_cents).0;
    if continues { GrowthSum { growth: growth(), exporters: 1 } } else { GrowthSum::default() }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("a firm has at most 2^16 cities")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::CityRow;
    use crate::domain::types::{Firm, Plant, Province, Year};

    fn fact(city: u16, country: Option<u16>, export_cents: i64) -> PlantFacts {
        PlantFacts {
            year: Year(2001),
            plant: Plant { firm: Firm(0), city: City(city) },
            country: country.map(Country),
            export_cents,
            ..PlantFacts::default()
        }
    }

    /// The firm has left city 2, where others stay; its plants are in cities 0 and 1.
    #[test]
    fn a_city_that_the_firm_has_left_stays_an_affiliate_unless_the_network_is_the_active_one() {
        let geography = Geography::new([5, 7, 11].map(|area| (Province(0), area)));
        let market = CityRow {
            city: City(2),
            country: Country(1),
            exporters: 4,
            continuing: 4,
            growth: 40,
            ..CityRow::default()
        };
        let markets = YearMarkets::of(vec![market], &geography);
        let facts = [fact(2, None, 0), fact(0, Some(1), 300), fact(1, Some(1), 100)];
        for (network, exporters, cities, area_m2) in
            [(Network::Founded, 4, 2, 18), (Network::Active, 0, 1, 7)]
        {
            let choices = Choices { network, ..Choices::default() };
            let mut rows = Vec::new();
            PlantRows::new(&markets, &geography, choices).of_firm(&facts, &mut rows);
            assert_eq!(rows.len(), 2);
            let first = &rows[0];
            assert_eq!((first.plants, first.firm_cents, first.largest_plant_cents), (2, 400, 300));
            let found =
                (first.affiliate.exporters, first.affiliate_cities, first.affiliate_area_m2);
            assert_eq!(found, (exporters, cities, area_m2), "{network:?}");
        }
    }
}
