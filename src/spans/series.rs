//! Markets and plants of the spans of a year, added up by level.
//!
//! ```text
//! one scan ─▶ markets of each span ────────────────────────┐
//! one scan ─▶ relations of firms with several cities ──────┼─▶ sums by level ─▶ rows of `series`
//!               └ span by span: facts ─▶ rows of `plant` ──┘
//! ```

use std::collections::BTreeMap;

use super::SpanError;
use super::keys::Keys;
use super::relations::YearRelations;
use super::source::SpanSource;
use crate::domain::dictionary::Dictionary;
use crate::domain::rows::{GrowthSum, MonthsRow, PlantRow};
use crate::domain::series::{Level, SeriesRow, SeriesSums};
use crate::domain::span::SpanAt;
use crate::domain::types::Growth;
use crate::feed::income_groups::IncomeGroups;
use crate::feed::reference::COUNTRIES;
use crate::home::definition::Definition;
use crate::indicators::{PlantRows, YearMarkets};
use crate::tables::{ln_density, mean};

impl SpanSource<'_> {
    /// The rows of `series` for some spans of one year, in order of key; a list for each span.
    ///
    /// # Errors
    /// - [`SpanError::Home`] if a file of the home cannot be read.
    /// - [`SpanError::Places`] if the home's table of countries cannot be read.
    pub fn series(&self, spans: &[SpanAt]) -> Result<Vec<Vec<SeriesRow>>, SpanError> {
        let Some(year) = spans.first().map(SpanAt::year) else { return Ok(Vec::new()) };
        let definition = self.definition();
        let incomes = IncomeGroups::of(definition.texts.reference(COUNTRIES))?;
        let markets = self.markets(spans)?;
        let relations = self.relations(year, spans)?;
        let keys = Keys::of(definition, &markets.countries, &incomes, year);
        let mut all = Vec::new();
        for (at, rows) in markets.spans {
            let mut sums = Sums::of(&keys);
            for row in &rows {
                sums.add(row);
            }
            for row in self.plant_rows(at, &rows, &relations, &markets.countries) {
                sums.add_plant(&row, definition);
            }
            all.push(sums.rows(at));
        }
        Ok(all)
    }

    /// The rows of `series` at one level for some spans of one year, without the means over rows of
    /// `plant`: one scan.
    ///
    /// # Errors
    /// Those of [`SpanSource::series`].
    pub fn market_series(
        &self,
        spans: &[SpanAt],
        level: Level,
    ) -> Result<Vec<Vec<SeriesRow>>, SpanError> {
        let Some(year) = spans.first().map(SpanAt::year) else { return Ok(Vec::new()) };
        let definition = self.definition();
        let incomes = IncomeGroups::of(definition.texts.reference(COUNTRIES))?;
        let markets = self.markets(spans)?;
        let keys = Keys::of(definition, &markets.countries, &incomes, year);
        let of_span = |(at, rows): (SpanAt, Vec<MonthsRow>)| {
            let mut sums = Sums::of(&keys);
            for row in &rows {
                sums.add(row);
            }
            let mut rows = sums.rows(at);
            rows.retain(|row| row.level == level);
            rows
        };
        Ok(markets.spans.into_iter().map(of_span).collect())
    }

    /// The rows of `plant` in a span, with the countries of its markets.
    fn plant_rows(
        &self,
        at: SpanAt,
        markets: &[MonthsRow],
        relations: &YearRelations,
        countries: &Dictionary,
    ) -> Vec<PlantRow> {
        let definition = self.definition();
        let rows = markets.iter().map(|row| row.market).collect();
        let markets = YearMarkets::of(rows, &definition.geography);
        let facts = relations.facts(at, countries);
        let mut made = PlantRows::new(&markets, &definition.geography, definition.choices);
        let mut rows = Vec::with_capacity(facts.len());
        for of_firm in facts.chunk_by(|a, b| a.plant.firm == b.plant.firm) {
            made.of_firm(of_firm, &mut rows);
        }
        rows
    }
}

/// The sums of each unit in a span.
struct Sums<'k> {
    keys: &'k Keys,
    units: Vec<Option<Unit>>,
}

#[derive(Default)]
struct Unit {
    sums: SeriesSums,
    clusters: BTreeMap<u16, GrowthSum>,
}

impl<'k> Sums<'k> {
    fn of(keys: &'k Keys) -> Self {
        Self { keys, units: std::iter::repeat_with(|| None).take(keys.len()).collect() }
    }

    fn unit(&mut self, unit: u32) -> &mut Unit {
        self.units[unit as usize].get_or_insert_default()
    }

    fn add(&mut self, row: &MonthsRow) {
        let keys = self.keys;
        let (city, country, sum) = (row.market.city, row.market.country, row.market.sum());
        for number in keys.of_market(city, country) {
            let unit = self.unit(number);
            unit.sums.add(row);
            let cluster = keys.cluster(number, city, country).filter(|_| sum.exporters > 0);
            if let Some(cluster) = cluster {
                let of_cluster = unit.clusters.entry(cluster).or_default();
                of_cluster.growth += sum.growth;
                of_cluster.exporters += sum.exporters;
            }
        }
    }

    fn add_plant(&mut self, row: &PlantRow, definition: &Definition) {
        let keys = self.keys;
        let variables = Variables::of(row, definition);
        for unit in keys.of_market(row.plant.city, row.country) {
            variables.add_to(&mut self.unit(unit).sums, row.export_cents);
        }
    }

    fn rows(self, at: SpanAt) -> Vec<SeriesRow> {
        let Self { keys, units } = self;
        let with_markets = (0_u32..).zip(units).filter_map(|(number, unit)| {
            let Unit { mut sums, clusters } = unit?;
            let (level, key) = keys.unit(number);
            sums.clusters = clusters.into_values().collect();
            Some(SeriesRow { at, level, key: key.to_owned(), sums })
        });
        with_markets.collect()
    }
}

/// The variables of a row of `plant` whose means are in `series`, rounded to 2⁻³².
struct Variables {
    affiliate_growth: Option<Growth>,
    affiliate_ln_density: Option<Growth>,
    local_growth: Option<Growth>,
    local_ln_density: Option<Growth>,
}

impl Variables {
    fn of(row: &PlantRow, definition: &Definition) -> Self {
        let area_m2 = definition.geography.area_m2(row.plant.city);
        let fixed = |value: Option<f64>| value.map(Growth::from_log);
        Self {
            affiliate_growth: fixed(mean(row.affiliate)),
            affiliate_ln_density: fixed(ln_density(row.affiliate.exporters, row.affiliate_area_m2)),
            local_growth: fixed(mean(row.local)),
            local_ln_density: fixed(ln_density(row.local.exporters, area_m2)),
        }
    }

    fn add_to(&self, sums: &mut SeriesSums, cents: i64) {
        let plants = &mut sums.plants;
        plants.n_rows += 1;
        plants.cents += cents;
        plants.affiliate_growth.add(cents, self.affiliate_growth);
        plants.affiliate_ln_density.add(cents, self.affiliate_ln_density);
        plants.local_growth.add(cents, self.local_growth);
        plants.local_ln_density.add(cents, self.local_ln_density);
    }
}
