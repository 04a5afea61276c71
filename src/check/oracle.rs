//! The definitions of METHODOLOGY.md in plain loops over all records.
//!
//! Shares only words and the shape of its rows with the dataflow. Tests compare the two at every
//! vintage, and `verify` recomputes a home with the oracle. If they differ, one of them is wrong.

mod spans;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use spans::SpanOracle;

use crate::domain::calendar::Calendar;
use crate::domain::choices::{Choices, Network, OwnPlants, Weights};
use crate::domain::geography::Geography;
use crate::domain::rows::{CityRow, GrowthSum, PlantRow, WeightedSum};
use crate::domain::types::{City, Country, Firm, Flow, Growth, Plant, Shipment, Year};

/// Both tables, in order of key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// The table `city`.
    pub city: Vec<CityRow>,
    /// The table `plant`.
    pub plant: Vec<PlantRow>,
}

/// A plant in a market, with its growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exporter {
    /// The plant.
    pub plant: Plant,
    /// Exports in the same months of the year before, in cents.
    pub base_cents: i64,
    /// Exports in the year, in cents.
    pub cur_cents: i64,
    /// The growth in units of 2⁻³² log points, if the plant exports in both years.
    pub growth: Option<i64>,
}

/// An affiliate city of a row, with its contribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affiliate {
    /// The city.
    pub city: City,
    /// The city's `S` and `n`, under the option `own_plants`.
    pub sum: GrowthSum,
    /// The city's weight in equations (16) and (17), in cents.
    pub weight_cents: i64,
}

/// `x(i,m,t,K_t)`, `x(i,m,t-1,K_t)` and imports, of one plant, country and year.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    cur: i64,
    base: i64,
    import: i64,
}

impl Cell {
    fn growth(&self) -> Option<i64> {
        (self.cur > 0 && self.base > 0).then(|| Growth::between(self.base, self.cur).0)
    }
}

type Cells = BTreeMap<(Year, Country), BTreeMap<Plant, Cell>>;

/// Computes both tables in plain loops. Cells add up one shipment at a time, so that a caller need
/// not hold all shipments.
#[derive(Debug)]
pub struct Oracle<'a> {
    calendar: Calendar,
    geography: &'a Geography,
    choices: Choices,
    cells: Cells,
}

impl<'a> Oracle<'a> {
    /// An oracle without shipments.
    #[must_use]
    pub fn new(calendar: Calendar, geography: &'a Geography, choices: Choices) -> Self {
        Self { calendar, geography, choices, cells: Cells::new() }
    }

    /// Adds a shipment to the years in which it counts.
    pub fn add(&mut self, shipment: &Shipment) {
        let Shipment { plant, country, period, flow, cents } = *shipment;
        let (year, next) = (period.year(), period.year().next());
        if self.calendar.is_closed(period) {
            let cell = self.cell(year, country, plant);
            match flow {
                Flow::Export => cell.cur += cents,
                Flow::Import => cell.import += cents,
            }
        }
        if flow == Flow::Export && self.calendar.is_closed(period.year_after()) {
            self.cell(next, country, plant).base += cents;
        }
    }

    /// The plants of a city with exports to a destination in a year or the one before, in order of
    /// plant.
    #[must_use]
    pub fn exporters(&self, year: Year, country: Country, city: City) -> Vec<Exporter> {
        let Some(plants) = self.cells.get(&(year, country)) else { return Vec::new() };
        let of_city = plants
            .iter()
            .filter(|(plant, cell)| plant.city == city && (cell.cur > 0 || cell.base > 0));
        let exporter = |(&plant, cell): (&Plant, &Cell)| Exporter {
            plant,
            base_cents: cell.base,
            cur_cents: cell.cur,
            growth: cell.growth(),
        };
        of_city.map(exporter).collect()
    }

    /// The affiliate cities of a plant, with their contributions to the row of a destination and
    /// year.
    #[must_use]
    pub fn affiliates(&self, year: Year, country: Country, plant: Plant) -> Vec<Affiliate> {
        let firms = Firms::of(&self.cells);
        let Some(plants) = self.cells.get(&(year, country)) else { return Vec::new() };
        let markets = markets(year, country, plants);
        let row = Row { oracle: self, firms: &firms, markets: &markets, plants };
        let active = firms.active(plant.firm, year);
        let affiliate = |city| Affiliate {
            city,
            sum: row.affiliate_market(city, plant.firm),
            weight_cents: row.weight_cents(city, plant.firm, active),
        };
        row.affiliates(plant, year).into_iter().map(affiliate).collect()
    }

    fn cell(&mut self, year: Year, country: Country, plant: Plant) -> &mut Cell {
        self.cells.entry((year, country)).or_default().entry(plant).or_default()
    }

    /// Computes both tables.
    #[must_use]
    pub fn tables(&self) -> Tables {
        let firms = Firms::of(&self.cells);
        let mut tables = Tables::default();
        for year in self.calendar.indicator_years() {
            let of_year = self.cells.range((year, Country(0))..=(year, Country(u16::MAX)));
            for (&(_, country), plants) in of_year {
                let markets = markets(year, country, plants);
                for (&plant, cell) in plants.iter().filter(|(_, cell)| cell.cur > 0) {
                    if firms.active(plant.firm, year).len() >= 2 {
                        let row = Row { oracle: self, firms: &firms, markets: &markets, plants };
                        tables.plant.push(row.of(year, country, plant, cell));
                    }
                }
                tables.city.extend(markets.into_values());
            }
        }
        tables.city.sort_unstable_by_key(CityRow::key);
        tables.plant.sort_unstable_by_key(PlantRow::key);
        tables
    }
}

/// The rows of `city` of one year and destination.
fn markets(
    year: Year,
    country: Country,
    plants: &BTreeMap<Plant, Cell>,
) -> BTreeMap<City, CityRow> {
    let mut markets: BTreeMap<City, CityRow> = BTreeMap::new();
    for (plant, cell) in plants {
        if cell.cur <= 0 && cell.base <= 0 {
            continue;
        }
        let row = markets.entry(plant.city).or_default();
        (row.year, row.city, row.country) = (year, plant.city, country);
        if cell.cur > 0 {
            row.exporters += 1;
            row.export_cents += cell.cur;
        }
        if cell.base > 0 {
            row.base_cents += cell.base;
        }
        match cell.growth() {
            Some(growth) => {
                row.continuing += 1;
                row.growth += growth;
            }
            None if cell.cur > 0 => row.entrants += 1,
            None => row.exits += 1,
        }
    }
    markets
}

/// The exports, years and founding years of firms, over all years.
#[derive(Debug, Default)]
struct Firms {
    /// Exports of each plant by firm and year, positive cells only.
    exports: HashMap<(Firm, Year), BTreeMap<City, i64>>,
    /// The years in which a plant exported to a country.
    years: HashMap<(Plant, Country), BTreeSet<Year>>,
    /// The first year in which a plant exported at all.
    founded: HashMap<Firm, BTreeMap<City, Year>>,
}

impl Firms {
    fn of(cells: &Cells) -> Self {
        let mut firms = Self::default();
        for (&(year, country), plants) in cells {
            for (&plant, cell) in plants.iter().filter(|(_, cell)| cell.cur > 0) {
                let exports = firms.exports.entry((plant.firm, year)).or_default();
                *exports.entry(plant.city).or_default() += cell.cur;
                firms.years.entry((plant, country)).or_default().insert(year);
                let founded = firms.founded.entry(plant.firm).or_default();
                let first = founded.entry(plant.city).or_insert(year);
                *first = year.min(*first);
            }
        }
        firms
    }

    fn active(&self, firm: Firm, year: Year) -> &BTreeMap<City, i64> {
        static NOWHERE: BTreeMap<City, i64> = BTreeMap::new();
        self.exports.get(&(firm, year)).unwrap_or(&NOWHERE)
    }
}

/// The input of one row of `plant`.
struct Row<'a> {
    oracle: &'a Oracle<'a>,
    firms: &'a Firms,
    markets: &'a BTreeMap<City, CityRow>,
    plants: &'a BTreeMap<Plant, Cell>,
}

impl Row<'_> {
    fn of(&self, year: Year, country: Country, plant: Plant, cell: &Cell) -> PlantRow {
        let active = self.firms.active(plant.firm, year);
        let history = &self.firms.years[&(plant, country)];
        let affiliates = self.affiliates(plant, year);
        let area_m2 = |city: &City| self.oracle.geography.area_m2(*city);
        PlantRow {
            year,
            plant,
            country,
            export_cents: cell.cur,
            import_cents: cell.import.max(0),
            local: self.market_without(plant.city, Some(plant.firm)),
            affiliate: self.sum(affiliates.iter().copied(), plant.firm),
            affiliate_area_m2: affiliates.iter().map(area_m2).sum(),
            affiliate_cities: u32::try_from(affiliates.len()).expect("fewer cities than 2^32"),
            weighted: self.weighted(&affiliates, plant.firm, active),
            province: self.province(plant),
            experience: history.iter().any(|&earlier| earlier < year),
            new: !history.contains(&year.previous()),
            plants: u32::try_from(active.len()).expect("fewer cities than 2^32"),
            plant_cents: active[&plant.city],
            firm_cents: active.values().sum(),
            largest_plant_cents: active.values().copied().max().unwrap_or_default(),
        }
    }

    /// `C`: the firm's other cities.
    fn affiliates(&self, plant: Plant, year: Year) -> Vec<City> {
        let cities: Vec<City> = match self.oracle.choices.network {
            Network::Active => self.firms.active(plant.firm, year).keys().copied().collect(),
            Network::Founded => self.firms.founded[&plant.firm]
                .iter()
                .filter(|&(_, &founded)| founded <= year)
                .map(|(&city, _)| city)
                .collect(),
        };
        cities.into_iter().filter(|&city| city != plant.city).collect()
    }

    /// `S` and `n` of a city, without the plant of `firm` if given.
    fn market_without(&self, city: City, firm: Option<Firm>) -> GrowthSum {
        let mut sum = self.markets.get(&city).map_or_else(GrowthSum::default, |row| GrowthSum {
            growth: row.growth,
            exporters: i64::from(row.continuing),
        });
        let own = firm.and_then(|firm| self.plants.get(&Plant { firm, city })?.growth());
        if let Some(growth) = own {
            sum.growth -= growth;
            sum.exporters -= 1;
        }
        sum
    }

    /// `S` and `n` of an affiliate city, under the option `own_plants`.
    fn affiliate_market(&self, city: City, firm: Firm) -> GrowthSum {
        match self.oracle.choices.own_plants {
            OwnPlants::Include => self.market_without(city, None),
            OwnPlants::Exclude => self.market_without(city, Some(firm)),
        }
    }

    fn sum(&self, cities: impl Iterator<Item = City>, firm: Firm) -> GrowthSum {
        let mut sum = GrowthSum::default();
        for city in cities {
            let market = self.affiliate_market(city, firm);
            sum.growth += market.growth;
            sum.exporters += market.exporters;
        }
        sum
    }

    fn weighted(&self, cities: &[City], firm: Firm, active: &BTreeMap<City, i64>) -> WeightedSum {
        let mut sum = WeightedSum::default();
        for &city in cities {
            let market = self.affiliate_market(city, firm);
            if market.exporters == 0 {
                continue;
            }
            let cents = self.weight_cents(city, firm, active);
            let mean = nearest(market.growth, market.exporters);
            let ln_density = self.ln_density(city, market.exporters);
            sum.growth += i128::from(cents) * i128::from(mean);
            sum.ln_density += i128::from(cents) * i128::from(ln_density);
            sum.cents += i128::from(cents);
        }
        sum
    }

    fn weight_cents(&self, city: City, firm: Firm, active: &BTreeMap<City, i64>) -> i64 {
        match self.oracle.choices.weights {
            Weights::Total => active.get(&city).copied().unwrap_or(0),
            Weights::Destination => {
                self.plants.get(&Plant { firm, city }).map_or(0, |cell| cell.cur.max(0))
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts and areas are below 2^53")]
    fn ln_density(&self, city: City, exporters: i64) -> i64 {
        let area_km2 = self.oracle.geography.area_m2(city) as f64 / 1e6;
        Growth::from_log(libm::log(exporters as f64) - libm::log(area_km2)).0
    }

    /// `S` and `n` of the other cities of the province, under the option `own_plants`.
    fn province(&self, plant: Plant) -> GrowthSum {
        let geography = self.oracle.geography;
        let others = self.markets.keys().copied().filter(|&other| {
            other != plant.city && geography.province(other) == geography.province(plant.city)
        });
        self.sum(others, plant.firm)
    }
}

/// `sum / n` to the nearest integer, halves away from zero.
fn nearest(sum: i64, n: i64) -> i64 {
    let (quotient, remainder) = (sum / n, sum % n);
    if 2 * remainder.abs() >= n { quotient + remainder.signum() } else { quotient }
}
