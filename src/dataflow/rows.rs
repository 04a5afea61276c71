//! Rows of the table `plant`, read off the arrangements of one worker once an epoch is complete.
//!
//! Comes in: the arrangements, and which keys an epoch touched. Goes out: all rows of a year that
//! is published whole (its set of closed months has changed), or the rows of other years that
//! differ from what was published before. A firm's cells, plants and history are at one worker, and
//! so is a copy of every market: no row waits for another.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Arrangements;
use super::affiliate::{Contribution, MarketMeans, subtract};
use super::cells::{Cell, CellKey};
use super::firms::{Exporter, FirmYear, PlantExports, PlantYear, read_firm_year};
use super::history::{ExportYears, Relation};
use super::lookup::{Handle, Lookup, Moment, Time};
use super::markets::{MarketGrowth, MarketKey};
use crate::figures::{Change, GrowthSum, PlantRow};
use crate::geography::Geography;
use crate::options::{Definitions, Network, OwnPlants, Weights};
use crate::types::{City, Country, Firm, Plant, Province, Year};

/// What an epoch touched in a year that is not published whole.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// Firms whose totals, network or history changed: all their rows of the year.
    pub firms: FxHashSet<Firm>,
    /// Single destinations of other firms.
    pub destinations: FxHashSet<(Firm, Country)>,
    /// Markets whose `S` or `n` changed.
    pub markets: FxHashMap<Country, FxHashSet<City>>,
}

/// All markets of a year, with sums by province.
#[derive(Debug, Default)]
struct YearMarkets {
    cities: FxHashMap<(Country, City), MarketMeans>,
    provinces: FxHashMap<(Country, Province), GrowthSum>,
}

impl YearMarkets {
    fn read(
        markets: &Handle<MarketKey, MarketGrowth>,
        geography: &Geography,
        year: Year,
        epoch: Time,
        moment: Moment,
    ) -> Self {
        let mut lookup = Lookup::open(markets, epoch);
        let mut read = Self::default();
        lookup.seek(&MarketKey { year, ..MarketKey::default() });
        while let Some(&key) = lookup.key().filter(|key| key.year == year) {
            let MarketGrowth { growth, exporters } = lookup.sum(moment);
            if exporters > 0 {
                let sum = GrowthSum { growth, exporters };
                let means = MarketMeans::new(sum, geography.area_m2(key.city));
                read.cities.insert((key.country, key.city), means);
                let province = (key.country, geography.province(key.city));
                let total = read.provinces.entry(province).or_default();
                total.growth += growth;
                total.exporters += exporters;
            }
            lookup.step();
        }
        read
    }

    fn city(&self, country: Country, city: City) -> MarketMeans {
        self.cities.get(&(country, city)).copied().unwrap_or_default()
    }

    fn rest_of_province(&self, country: Country, city: City, geography: &Geography) -> GrowthSum {
        let province = geography.province(city);
        let total = self.provinces.get(&(country, province)).copied().unwrap_or_default();
        subtract(total, self.city(country, city).sum)
    }
}

/// A cell of the destination being read.
#[derive(Clone, Copy, Debug)]
struct OwnCell {
    city: City,
    cell: Cell,
    years: ExportYears,
}

impl OwnCell {
    /// The cell's own part of its market's `S` and `n`.
    fn sum(&self) -> GrowthSum {
        self.cell
            .growth()
            .map_or_else(GrowthSum::default, |growth| GrowthSum { growth: growth.0, exporters: 1 })
    }
}

/// Reads rows of one year as of one moment.
struct RowReader<'a> {
    cells: Lookup<CellKey, Cell>,
    plants: Lookup<PlantYear, PlantExports>,
    history: Lookup<Relation, i64>,
    markets: YearMarkets,
    geography: &'a Geography,
    definitions: Definitions,
    first_year: Year,
    year: Year,
    moment: Moment,
    firm_year: FirmYear,
    own: Vec<OwnCell>,
}

impl<'a> RowReader<'a> {
    fn open(arrangements: &'a Arrangements, year: Year, epoch: Time, moment: Moment) -> Self {
        let geography = &*arrangements.geography;
        Self {
            cells: Lookup::open(&arrangements.cells, epoch),
            plants: Lookup::open(&arrangements.plants, epoch),
            history: Lookup::open(&arrangements.history, epoch),
            markets: YearMarkets::read(
                &arrangements.markets_everywhere,
                geography,
                year,
                epoch,
                moment,
            ),
            geography,
            definitions: arrangements.definitions,
            first_year: arrangements.first_year,
            year,
            moment,
            firm_year: FirmYear::default(),
            own: Vec::new(),
        }
    }

    /// The next firm of the year at or after `firm`.
    fn firm_from(&mut self, firm: Firm) -> Option<Firm> {
        self.cells.seek(&CellKey { year: self.year, firm, ..CellKey::default() });
        self.cells.key().filter(|key| key.year == self.year).map(|key| key.firm)
    }

    /// Appends the rows of a firm, of all destinations or of one.
    fn read_firm(&mut self, firm: Firm, country: Option<Country>, rows: &mut Vec<PlantRow>) {
        let mut firm_year = std::mem::take(&mut self.firm_year);
        read_firm_year(&mut self.plants, firm, self.year, self.moment, &mut firm_year);
        if firm_year.is_multi_plant() {
            let first = country.unwrap_or_default();
            self.cells.seek(&CellKey { year: self.year, firm, country: first, city: City(0) });
            while let Some(found) = self.next_destination(firm) {
                if country.is_some_and(|country| country != found) {
                    break;
                }
                self.read_own(firm, found);
                self.push_rows(&firm_year, firm, found, rows);
            }
        }
        self.firm_year = firm_year;
    }

    fn next_destination(&self, firm: Firm) -> Option<Country> {
        let key = self.cells.key().filter(|key| key.year == self.year && key.firm == firm)?;
        Some(key.country)
    }

    /// Reads the firm's positive cells of a destination into `own`, leaving the cursor behind them.
    fn read_own(&mut self, firm: Firm, country: Country) {
        self.own.clear();
        while let Some(&key) = self
            .cells
            .key()
            .filter(|key| key.year == self.year && key.firm == firm && key.country == country)
        {
            let cell = self.cells.sum(self.moment);
            if cell.exports() {
                let relation = Relation { firm, country, city: key.city };
                let bits = self.history.sum_of(&relation, self.moment);
                let years = ExportYears::new(bits, self.first_year);
                self.own.push(OwnCell { city: key.city, cell, years });
            }
            self.cells.step();
        }
    }

    /// The affiliate cities of all the firm's plants together, own city included.
    fn cities(&self, firm_year: &FirmYear) -> Vec<City> {
        match self.definitions.network {
            Network::Founded => firm_year.network.clone(),
            Network::Active => firm_year.active.iter().map(|&(city, _)| city).collect(),
        }
    }

    fn contribution(&self, firm_year: &FirmYear, country: Country, city: City) -> Contribution {
        let own = self.own.iter().find(|own| own.city == city);
        let mut means = self.markets.city(country, city);
        if let (OwnPlants::Exclude, Some(own)) = (self.definitions.own_plants, own) {
            let others = subtract(means.sum, own.sum());
            means = MarketMeans::new(others, self.geography.area_m2(city));
        }
        let weight_cents = match self.definitions.weights {
            Weights::Total => firm_year.plant_cents(city),
            Weights::Destination => own.map_or(0, |own| own.cell.cur),
        };
        Contribution::new(&means, weight_cents)
    }

    /// `S` and `n` of the other cities of the province, as the option `own_plants` has it.
    fn rest_of_province(&self, country: Country, city: City) -> GrowthSum {
        let mut sum = self.markets.rest_of_province(country, city, self.geography);
        if self.definitions.own_plants == OwnPlants::Exclude {
            let province = self.geography.province(city);
            for own in self.own.iter().filter(|own| own.city != city) {
                if self.geography.province(own.city) == province {
                    sum = subtract(sum, own.sum());
                }
            }
        }
        sum
    }

    fn push_rows(
        &self,
        firm_year: &FirmYear,
        firm: Firm,
        country: Country,
        rows: &mut Vec<PlantRow>,
    ) {
        if self.own.is_empty() {
            return;
        }
        let cities = self.cities(firm_year);
        let area_m2: i64 = cities.iter().map(|&city| self.geography.area_m2(city)).sum();
        let mut all = Contribution::default();
        for &city in &cities {
            all.add(&self.contribution(firm_year, country, city));
        }
        for own in &self.own {
            let affiliate = all.without(&self.contribution(firm_year, country, own.city));
            let market = self.markets.city(country, own.city).sum;
            rows.push(PlantRow {
                year: self.year,
                plant: Plant { firm, city: own.city },
                country,
                export_cents: own.cell.cur,
                import_cents: own.cell.import.max(0),
                local: subtract(market, own.sum()),
                affiliate: affiliate.sum,
                affiliate_area_m2: area_m2 - self.geography.area_m2(own.city),
                affiliate_cities: count(cities.len() - 1),
                weighted: affiliate.weighted,
                province: self.rest_of_province(country, own.city),
                experience: own.years.any_before(self.year),
                new: !own.years.contains(self.year.previous()),
                plants: count(firm_year.active.len()),
                plant_cents: firm_year.plant_cents(own.city),
                firm_cents: firm_year.cents(),
                largest_plant_cents: firm_year.largest_plant_cents(),
            });
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("a firm has at most 2^16 cities")
}

/// How many rows go to the publisher at a time: small against a year, large against a message.
const ROWS_AT_A_TIME: usize = 4096;

/// Reads all rows of a year, in order of firm, and hands them on in portions.
pub fn of_year(
    arrangements: &Arrangements,
    year: Year,
    epoch: Time,
    mut publish: impl FnMut(Vec<PlantRow>),
) {
    let mut reader = RowReader::open(arrangements, year, epoch, Moment::After);
    let mut rows = Vec::new();
    let mut next = reader.firm_from(Firm(0));
    while let Some(firm) = next {
        reader.read_firm(firm, None, &mut rows);
        if rows.len() >= ROWS_AT_A_TIME {
            publish(std::mem::take(&mut rows));
        }
        next = firm.0.checked_add(1).and_then(|after| reader.firm_from(Firm(after)));
    }
    if !rows.is_empty() {
        publish(rows);
    }
}

/// Reads the rows of a year that an epoch changed.
pub fn changed(
    arrangements: &Arrangements,
    year: Year,
    epoch: Time,
    touched: &Touched,
) -> Vec<Change<PlantRow>> {
    let concerned = concerned(arrangements, year, epoch, touched);
    if concerned.is_empty() {
        return Vec::new();
    }
    let mut before = RowReader::open(arrangements, year, epoch, Moment::Before);
    let mut after = RowReader::open(arrangements, year, epoch, Moment::After);
    let (mut old, mut new, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for (firm, country) in concerned {
        old.clear();
        new.clear();
        before.read_firm(firm, country, &mut old);
        after.read_firm(firm, country, &mut new);
        Change::between(&old, &new, PlantRow::key, &mut changes);
    }
    changes
}

/// Which rows may have changed: a firm's (none given: all its destinations), in order.
fn concerned(
    arrangements: &Arrangements,
    year: Year,
    epoch: Time,
    touched: &Touched,
) -> Vec<(Firm, Option<Country>)> {
    let mut destinations = touched.destinations.clone();
    let mut exporters = Lookup::open(&arrangements.exporters, epoch);
    let mut networks = Networks::open(arrangements, year, epoch);
    for (&country, cities) in &touched.markets {
        let provinces: FxHashSet<Province> =
            cities.iter().map(|&city| arrangements.geography.province(city)).collect();
        exporters.seek(&Exporter { year, country, firm: Firm(0) });
        while let Some(&Exporter { firm, .. }) =
            exporters.key().filter(|key| key.year == year && key.country == country)
        {
            exporters.step();
            if networks.provinces(firm).iter().any(|province| provinces.contains(province)) {
                destinations.insert((firm, country));
            }
        }
    }
    let single = destinations.into_iter().filter(|(firm, _)| !touched.firms.contains(firm));
    let mut concerned: Vec<_> = single.map(|(firm, country)| (firm, Some(country))).collect();
    concerned.extend(touched.firms.iter().map(|&firm| (firm, None)));
    concerned.sort_unstable();
    concerned
}

/// The provinces that multi-plant firms read, each firm's looked up once for all its destinations.
struct Networks<'a> {
    geography: &'a Geography,
    plants: Lookup<PlantYear, PlantExports>,
    year: Year,
    firm_year: FirmYear,
    known: FxHashMap<Firm, Vec<Province>>,
}

impl<'a> Networks<'a> {
    fn open(arrangements: &'a Arrangements, year: Year, epoch: Time) -> Self {
        Self {
            geography: &arrangements.geography,
            plants: Lookup::open(&arrangements.plants, epoch),
            year,
            firm_year: FirmYear::default(),
            known: FxHashMap::default(),
        }
    }

    /// None of a firm that is not multi-plant.
    fn provinces(&mut self, firm: Firm) -> &[Province] {
        let Self { geography, plants, year, firm_year, known } = self;
        known.entry(firm).or_insert_with(|| {
            read_firm_year(plants, firm, *year, Moment::After, firm_year);
            let mut provinces: Vec<_> =
                firm_year.network.iter().map(|&city| geography.province(city)).collect();
            provinces.sort_unstable();
            provinces.dedup();
            provinces
        })
    }
}
