//! Rows of the table `plant`, read off the arrangements of one worker once an epoch is complete.
//!
//! Comes in: the arrangements, and which keys an epoch touched. Goes out: all rows of a year that
//! is published whole (its set of closed months has changed), or the rows of other years that
//! differ from what was published before. A firm's cells, plants and history are at one worker, and
//! so is a copy of every market: no row waits for another.

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Arrangements;
use super::affiliate::{Contribution, Logs, MarketMeans, subtract};
use super::cells::{Cell, CellKey};
use super::firms::{Exporter, FirmYear, PlantExports, PlantYear, read_firm_year};
use super::history::{ExportYears, Relation};
use super::lookup::{Lookup, Moment, Time};
use super::year_markets::YearMarkets;
use crate::figures::{Change, GrowthSum, PlantRow};
use crate::geography::Geography;
use crate::options::{Definitions, Network, OwnPlants, Weights};
use crate::types::{City, Country, Firm, Plant, Year};

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
    geography: &'a Geography,
    logs: &'a Logs,
    definitions: Definitions,
    first_year: Year,
    year: Year,
    moment: Moment,
    firm_year: FirmYear,
    /// The affiliate cities of all the firm's plants together, with what the plant in each exports;
    /// in order of city.
    affiliates: Vec<(City, i64)>,
    own: Vec<OwnCell>,
}

impl<'a> RowReader<'a> {
    fn open(arrangements: &'a Arrangements, year: Year, epoch: Time, moment: Moment) -> Self {
        Self {
            cells: Lookup::open(&arrangements.cells, epoch),
            plants: Lookup::open(&arrangements.plants, epoch),
            history: Lookup::open(&arrangements.history, epoch),
            geography: &arrangements.geography,
            logs: &arrangements.logs,
            definitions: arrangements.definitions,
            first_year: arrangements.first_year,
            year,
            moment,
            firm_year: FirmYear::default(),
            affiliates: Vec::new(),
            own: Vec::new(),
        }
    }

    /// The next firm of the year at or after `firm`.
    fn firm_from(&mut self, firm: Firm) -> Option<Firm> {
        self.cells.seek(&CellKey { year: self.year, firm, ..CellKey::default() });
        self.cells.key().filter(|key| key.year == self.year).map(|key| key.firm)
    }

    /// Appends the rows of a firm, of all destinations or of one, for each state of the markets.
    fn read_firm(
        &mut self,
        firm: Firm,
        country: Option<Country>,
        states: &mut [(&YearMarkets, &mut Vec<PlantRow>)],
    ) {
        let mut firm_year = std::mem::take(&mut self.firm_year);
        read_firm_year(&mut self.plants, firm, self.year, self.moment, &mut firm_year);
        if firm_year.is_multi_plant() {
            self.read_affiliates(&firm_year);
            let first = country.unwrap_or_default();
            self.cells.seek(&CellKey { year: self.year, firm, country: first, city: City(0) });
            while let Some(found) = self.next_destination(firm) {
                if country.is_some_and(|country| country != found) {
                    break;
                }
                self.read_own(firm, found);
                for (markets, rows) in &mut *states {
                    self.push_rows(&firm_year, (firm, found), markets, rows);
                }
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

    fn read_affiliates(&mut self, firm_year: &FirmYear) {
        self.affiliates.clear();
        match self.definitions.network {
            Network::Founded => {
                let cents = |city: &City| (*city, firm_year.plant_cents(*city));
                self.affiliates.extend(firm_year.network.iter().map(cents));
            }
            Network::Active => self.affiliates.extend(&firm_year.active),
        }
    }

    fn contribution(
        &self,
        country: Country,
        (city, plant_cents): (City, i64),
        markets: &YearMarkets,
    ) -> Contribution {
        let own = || self.own.iter().find(|own| own.city == city);
        let mut means = markets.city(country, city);
        if self.definitions.own_plants == OwnPlants::Exclude
            && let Some(own) = own()
        {
            means = MarketMeans::new(subtract(means.sum, own.sum()), city, self.logs);
        }
        let weight_cents = match self.definitions.weights {
            Weights::Total => plant_cents,
            Weights::Destination => own().map_or(0, |own| own.cell.cur),
        };
        Contribution::new(&means, weight_cents)
    }

    /// `S` and `n` of the other cities of the province, as the option `own_plants` has it.
    fn rest_of_province(&self, country: Country, city: City, markets: &YearMarkets) -> GrowthSum {
        let mut sum = markets.rest_of_province(country, city, self.geography);
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
        (firm, country): (Firm, Country),
        markets: &YearMarkets,
        rows: &mut Vec<PlantRow>,
    ) {
        if self.own.is_empty() {
            return;
        }
        let Self { affiliates, geography, .. } = self;
        let area_m2: i64 = affiliates.iter().map(|&(city, _)| geography.area_m2(city)).sum();
        let mut all = Contribution::default();
        for &affiliate in affiliates {
            all.add(&self.contribution(country, affiliate, markets));
        }
        let (firm_cents, largest_plant_cents) =
            (firm_year.cents(), firm_year.largest_plant_cents());
        for own in &self.own {
            let plant_cents = firm_year.plant_cents(own.city);
            let affiliate =
                all.without(&self.contribution(country, (own.city, plant_cents), markets));
            let market = markets.city(country, own.city).sum;
            rows.push(PlantRow {
                year: self.year,
                plant: Plant { firm, city: own.city },
                country,
                export_cents: own.cell.cur,
                import_cents: own.cell.import.max(0),
                local: subtract(market, own.sum()),
                affiliate: affiliate.sum,
                affiliate_area_m2: area_m2 - geography.area_m2(own.city),
                affiliate_cities: count(affiliates.len() - 1),
                weighted: affiliate.weighted,
                province: self.rest_of_province(country, own.city, markets),
                experience: own.years.any_before(self.year),
                new: !own.years.contains(self.year.previous()),
                plants: count(firm_year.active.len()),
                plant_cents,
                firm_cents,
                largest_plant_cents,
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
    let [markets] = YearMarkets::read(arrangements, year, epoch, [Moment::After]);
    let mut reader = RowReader::open(arrangements, year, epoch, Moment::After);
    let mut rows = Vec::new();
    let mut next = reader.firm_from(Firm(0));
    while let Some(firm) = next {
        reader.read_firm(firm, None, &mut [(&markets, &mut rows)]);
        if rows.len() >= ROWS_AT_A_TIME {
            publish(std::mem::take(&mut rows));
        }
        next = firm.0.checked_add(1).and_then(|after| reader.firm_from(Firm(after)));
    }
    if !rows.is_empty() {
        publish(rows);
    }
}

/// Reads the rows of a year that an epoch changed, and hands them on in portions.
pub fn changed(
    arrangements: &Arrangements,
    year: Year,
    epoch: Time,
    touched: &Touched,
    mut publish: impl FnMut(Vec<Change<PlantRow>>),
) {
    let concerned = concerned(arrangements, year, epoch, touched);
    if concerned.is_empty() {
        return;
    }
    let [markets_before, markets_after] =
        YearMarkets::read(arrangements, year, epoch, [Moment::Before, Moment::After]);
    let mut before = RowReader::open(arrangements, year, epoch, Moment::Before);
    let mut after = RowReader::open(arrangements, year, epoch, Moment::After);
    let (mut old, mut new, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for Concerned { firm, country, by_its_own } in concerned {
        old.clear();
        new.clear();
        if by_its_own {
            before.read_firm(firm, country, &mut [(&markets_before, &mut old)]);
            after.read_firm(firm, country, &mut [(&markets_after, &mut new)]);
        } else {
            let states = &mut [(&markets_before, &mut old), (&markets_after, &mut new)];
            after.read_firm(firm, country, states);
        }
        Change::between(&old, &new, PlantRow::key, &mut changes);
        if changes.len() >= ROWS_AT_A_TIME {
            publish(std::mem::take(&mut changes));
        }
    }
    if !changes.is_empty() {
        publish(changes);
    }
}

/// Rows that may have changed.
#[derive(Clone, Copy, Debug)]
struct Concerned {
    firm: Firm,
    /// None: all destinations.
    country: Option<Country>,
    /// Whether the firm's own cells have changed; else only markets that it reads have.
    by_its_own: bool,
}

/// Which rows may have changed, in order of firm and destination.
fn concerned(
    arrangements: &Arrangements,
    year: Year,
    epoch: Time,
    touched: &Touched,
) -> Vec<Concerned> {
    let own = touched.firms.iter().map(|&firm| (firm, None));
    let own = own.chain(touched.destinations.iter().map(|&(firm, country)| (firm, Some(country))));
    let mut concerned: Vec<_> =
        own.map(|(firm, country)| Concerned { firm, country, by_its_own: true }).collect();
    let mut exporters = Lookup::open(&arrangements.exporters, epoch);
    let mut networks = Networks::open(arrangements, year, epoch);
    for (&country, cities) in &touched.markets {
        let provinces = networks.provinces_of(cities);
        exporters.seek(&Exporter { year, country, firm: Firm(0) });
        while let Some(&Exporter { firm, .. }) =
            exporters.key().filter(|key| key.year == year && key.country == country)
        {
            exporters.step();
            if networks.provinces(firm) & provinces != 0 {
                concerned.push(Concerned { firm, country: Some(country), by_its_own: false });
            }
        }
    }
    concerned.retain(|rows| rows.country.is_none() || !touched.firms.contains(&rows.firm));
    concerned.sort_unstable_by_key(|rows| (rows.firm, rows.country, Reverse(rows.by_its_own)));
    concerned.dedup_by_key(|rows| (rows.firm, rows.country));
    concerned
}

/// The provinces that multi-plant firms read, each firm's looked up once for all its destinations.
///
/// Provinces are bits, which some share where there are more than 64 of them: then rows are read
/// that did not change, and are found not to have.
struct Networks<'a> {
    geography: &'a Geography,
    plants: Lookup<PlantYear, PlantExports>,
    year: Year,
    firm_year: FirmYear,
    known: FxHashMap<Firm, u64>,
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

    fn provinces_of<'c>(&self, cities: impl IntoIterator<Item = &'c City>) -> u64 {
        let bit = |city: &City| 1 << (self.geography.province(*city).0 % 64);
        cities.into_iter().fold(0, |provinces, city| provinces | bit(city))
    }

    /// None of a firm that is not multi-plant.
    fn provinces(&mut self, firm: Firm) -> u64 {
        if let Some(&provinces) = self.known.get(&firm) {
            return provinces;
        }
        read_firm_year(&mut self.plants, firm, self.year, Moment::After, &mut self.firm_year);
        let provinces = self.provinces_of(&self.firm_year.network);
        self.known.insert(firm, provinces);
        provinces
    }
}
