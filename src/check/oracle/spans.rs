//! The tables of spans in plain loops over month sums.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::{Cell, Firms, Oracle, Row, markets};
use crate::domain::calendar::Calendar;
use crate::domain::choices::Choices;
use crate::domain::geography::Geography;
use crate::domain::rows::{CityRow, GrowthSum, MonthsRow, PlantRow};
use crate::domain::series::{BREADTH_MIN, Level, PlantMean, SeriesRow, SeriesSums};
use crate::domain::span::{Span, SpanAt};
use crate::domain::types::{City, Country, Flow, Growth, Period, Plant, Shipment, Year};

/// Computes tables of spans. It holds the sums of months, and no sums of longer times.
#[derive(Debug)]
pub struct SpanOracle<'a> {
    years: Oracle<'a>,
    months: BTreeMap<(Country, Plant), BTreeMap<(Flow, Period), i64>>,
}

impl<'a> SpanOracle<'a> {
    /// An oracle without shipments.
    #[must_use]
    pub fn new(calendar: Calendar, geography: &'a Geography, choices: Choices) -> Self {
        Self { years: Oracle::new(calendar, geography, choices), months: BTreeMap::new() }
    }

    /// Adds a shipment to its month.
    pub fn add(&mut self, shipment: &Shipment) {
        let Shipment { plant, country, period, flow, cents } = *shipment;
        let months = self.months.entry((country, plant)).or_default();
        *months.entry((flow, period)).or_default() += cents;
    }

    /// The rows of `months` of one span, in order of city and country.
    #[must_use]
    pub fn markets(&self, at: SpanAt) -> Vec<MonthsRow> {
        let mut rows = Vec::new();
        for (country, plants) in self.cells(at) {
            for market in markets(at.year(), country, &plants).into_values() {
                let of_city = plants.iter().filter(|(plant, _)| plant.city == market.city);
                let growths = of_city.filter_map(|(_, cell)| cell.growth());
                let growth_squared = growths.map(|growth| i128::from(growth).pow(2)).sum();
                rows.push(MonthsRow { at, market, growth_squared });
            }
        }
        rows.sort_unstable_by_key(|row| CityRow::key(&row.market));
        rows
    }

    /// The rows of `plant` in a span, in order of key.
    #[must_use]
    pub fn plants(&self, at: SpanAt) -> Vec<PlantRow> {
        let cells = self.cells(at);
        let firms = self.firms(at, &cells);
        let mut rows = Vec::new();
        for (&country, plants) in &cells {
            let markets = markets(at.year(), country, plants);
            for (&plant, cell) in plants.iter().filter(|(_, cell)| cell.cur > 0) {
                if firms.active(plant.firm, at.year()).len() >= 2 {
                    let row = Row { oracle: &self.years, firms: &firms, markets: &markets, plants };
                    rows.push(row.of(at.year(), country, plant, cell));
                }
            }
        }
        rows.sort_unstable_by_key(PlantRow::key);
        rows
    }

    /// The rows of `series` of one span, in order of key; `units` are the units of a market.
    #[must_use]
    pub fn series(
        &self,
        at: SpanAt,
        units: impl Fn(City, Country) -> Vec<(Level, String)>,
    ) -> Vec<SeriesRow> {
        let (markets, plants) = (self.markets(at), self.plants(at));
        let of_market = |row: &MonthsRow| units(row.market.city, row.market.country);
        let all: BTreeSet<(Level, String)> = markets.iter().flat_map(of_market).collect();
        let row = |(level, key): (Level, String)| {
            let unit = (level, key.clone());
            let of_unit = |city, country| units(city, country).contains(&unit);
            let markets: Vec<&MonthsRow> =
                markets.iter().filter(|r| of_unit(r.market.city, r.market.country)).collect();
            let plants = plants.iter().filter(|row| of_unit(row.plant.city, row.country));
            let mut sums = Self::sums(level, &markets);
            plants.for_each(|row| self.add_plant(row, &mut sums));
            SeriesRow { at, level, key, sums }
        };
        all.into_iter().map(row).collect()
    }

    fn sums(level: Level, rows: &[&MonthsRow]) -> SeriesSums {
        let sum = |of: fn(&CityRow) -> u32| rows.iter().map(|row| u64::from(of(&row.market))).sum();
        let cents = |of: fn(&CityRow) -> i64| rows.iter().map(|row| of(&row.market)).sum();
        let broad = || rows.iter().filter(|row| row.market.continuing >= BREADTH_MIN);
        let cluster = |row: &CityRow| match level {
            Level::ProvinceCountry => None,
            Level::Country | Level::CountryGroup => Some(u32::from(row.city.0)),
            _ => Some(u32::from(row.country.0)),
        };
        let mut clusters: BTreeMap<u32, GrowthSum> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.market.continuing > 0) {
            if let Some(cluster) = cluster(&row.market) {
                let of_cluster = clusters.entry(cluster).or_default();
                of_cluster.growth += row.market.growth;
                of_cluster.exporters += i64::from(row.market.continuing);
            }
        }
        SeriesSums {
            n_markets: rows.len() as u64,
            exporters: sum(|row| row.exporters),
            continuing: sum(|row| row.continuing),
            entrants: sum(|row| row.entrants),
            exits: sum(|row| row.exits),
            export_cents: cents(|row| row.export_cents),
            base_cents: cents(|row| row.base_cents),
            n_broad: broad().count() as u64,
            n_growing: broad().filter(|row| row.market.growth > 0).count() as u64,
            clusters: clusters.into_values().collect(),
            growth: cents(|row| row.growth),
            ..SeriesSums::default()
        }
    }

    /// Adds a row of `plant` to the means of a unit.
    fn add_plant(&self, row: &PlantRow, sums: &mut SeriesSums) {
        let own_area_m2 = self.years.geography.area_m2(row.plant.city);
        let plants = &mut sums.plants;
        plants.n_rows += 1;
        plants.cents += row.export_cents;
        let means: [(&mut PlantMean, Option<f64>); 4] = [
            (&mut plants.affiliate_growth, mean(row.affiliate)),
            (&mut plants.affiliate_ln_density, density(row.affiliate, row.affiliate_area_m2)),
            (&mut plants.local_growth, mean(row.local)),
            (&mut plants.local_ln_density, density(row.local, own_area_m2)),
        ];
        for (mean, value) in means {
            if let Some(value) = value {
                let value = i128::from(Growth::from_log(value).0);
                mean.n_rows += 1;
                mean.sum += value;
                mean.cents += i128::from(row.export_cents);
                mean.weighted += i128::from(row.export_cents) * value;
            }
        }
    }

    /// The cells of a span.
    fn cells(&self, at: SpanAt) -> BTreeMap<Country, BTreeMap<Plant, Cell>> {
        let mut cells: BTreeMap<Country, BTreeMap<Plant, Cell>> = BTreeMap::new();
        for (&(country, plant), months) in &self.months {
            let cell = Cell {
                cur: sum(months, Flow::Export, &at.cur()),
                base: sum(months, Flow::Export, &at.base()),
                import: sum(months, Flow::Import, &at.cur()),
            };
            cells.entry(country).or_default().insert(plant, cell);
        }
        cells
    }

    /// The firms of a span, as if each block of months before it were a year.
    fn firms(&self, at: SpanAt, cells: &BTreeMap<Country, BTreeMap<Plant, Cell>>) -> Firms {
        let mut firms = Firms::default();
        for (&country, plants) in cells {
            for (&plant, cell) in plants.iter().filter(|(_, cell)| cell.cur > 0) {
                let exports = firms.exports.entry((plant.firm, at.year())).or_default();
                *exports.entry(plant.city).or_default() += cell.cur;
                let years = firms.years.entry((plant, country)).or_default();
                *years = self.block_years(at, (country, plant));
                years.insert(at.year());
                found(&mut firms, plant, at.year());
            }
        }
        for (&(_, plant), months) in &self.months {
            let mut years = self.calendar_years(at);
            if years.any(|year| sum(months, Flow::Export, &year) > 0) {
                found(&mut firms, plant, at.year());
            }
        }
        firms
    }

    /// The years before the span's in whose block of months a relation has a positive cell.
    fn block_years(&self, at: SpanAt, relation: (Country, Plant)) -> BTreeSet<Year> {
        let first = self.years.calendar.first();
        let (mut years, mut year) = (BTreeSet::new(), at.year());
        while year >= first.year() {
            year = year.previous();
            let block = match at.span() {
                Span::YearToDate | Span::Month => month(year, 1)..=month(year, 12),
                Span::TwelveMonths => {
                    let end = month(year, at.end().month());
                    end.year_before().next()..=end
                }
            };
            if sum(&self.months[&relation], Flow::Export, &block) > 0 {
                years.insert(year);
            }
        }
        years
    }

    /// The calendar years up to the span's month.
    fn calendar_years(&self, at: SpanAt) -> impl Iterator<Item = RangeInclusive<Period>> {
        let years = (self.years.calendar.first().year().0..=at.year().0).map(Year);
        years.map(move |year| month(year, 1)..=month(year, 12).min(at.end()))
    }
}

/// Records that a firm has exported from a city.
fn found(firms: &mut Firms, plant: Plant, year: Year) {
    let cities: &mut BTreeMap<City, Year> = firms.founded.entry(plant.firm).or_default();
    cities.insert(plant.city, year);
}

#[expect(clippy::cast_precision_loss, reason = "rounding a sum moves a mean by 1e-16 of it")]
fn mean(sum: GrowthSum) -> Option<f64> {
    (sum.exporters > 0).then(|| sum.growth as f64 / sum.exporters as f64 / Growth::ONE)
}

#[expect(clippy::cast_precision_loss, reason = "counts and areas are below 2^53")]
fn density(sum: GrowthSum, area_m2: i64) -> Option<f64> {
    (sum.exporters > 0).then(|| libm::log(sum.exporters as f64 / (area_m2 as f64 / 1e6)))
}

fn month(year: Year, month: u8) -> Period {
    Period::new(year.0, month).expect("a month of the calendar")
}

fn sum(months: &BTreeMap<(Flow, Period), i64>, flow: Flow, range: &RangeInclusive<Period>) -> i64 {
    months.range((flow, *range.start())..=(flow, *range.end())).map(|(_, cents)| cents).sum()
}
