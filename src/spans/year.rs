//! The rows of `plant` in several spans of one year, from two scans.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SpanError;
use super::keys::Keys;
use super::relations::YearRelations;
use super::source::SpanSource;
use crate::domain::dictionary::Dictionary;
use crate::domain::rows::{CityRow, MonthsRow, PlantFacts};
use crate::domain::span::SpanAt;
use crate::domain::types::{City, Country, Year};
use crate::feed::income_groups::IncomeGroups;
use crate::feed::reference::COUNTRIES;
use crate::home::definition::Definition;
use crate::indicators::{PlantRows, YearMarkets};

/// The markets and the facts of multi-plant firms in some spans of a year.
pub struct YearPlants {
    definition: Arc<Definition>,
    keys: Keys,
    incomes: IncomeGroups,
    year: Year,
    /// Countries in order of their codes.
    countries: Dictionary,
    markets: BTreeMap<SpanAt, Vec<CityRow>>,
    relations: YearRelations,
}

impl SpanSource<'_> {
    /// The plants of some spans of one year. Imports and experience are left out.
    ///
    /// # Errors
    /// - [`SpanError::Home`] if a file of the home cannot be read.
    /// - [`SpanError::Places`] if the home's table of countries cannot be read.
    pub fn year_plants(&self, year: Year, spans: &[SpanAt]) -> Result<YearPlants, SpanError> {
        let definition = Arc::clone(self.definition());
        let incomes = IncomeGroups::of(definition.texts.reference(COUNTRIES))?;
        let markets = self.markets(spans)?;
        let relations = self.relations(year, spans)?;
        let keys = Keys::of(&definition, &markets.countries, &incomes, year);
        let of_span = |rows: Vec<MonthsRow>| rows.into_iter().map(|row| row.market).collect();
        let countries = markets.countries;
        let markets = markets.spans.into_iter().map(|(at, rows)| (at, of_span(rows))).collect();
        Ok(YearPlants { definition, keys, incomes, year, countries, markets, relations })
    }
}

impl YearPlants {
    /// The definition of the figures.
    #[must_use]
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// Firms in order of their codes.
    #[must_use]
    pub fn firms(&self) -> &Dictionary {
        &self.relations.firms
    }

    /// Countries in order of their codes.
    #[must_use]
    pub fn countries(&self) -> &Dictionary {
        &self.countries
    }

    /// The units of all levels.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The income group of a destination in the year.
    #[must_use]
    pub fn income_group(&self, country: Country) -> Option<&str> {
        self.incomes.group(self.countries.text(u32::from(country.0)), self.year)
    }

    /// The markets of a span with their exports in cents.
    pub fn exports(&self, at: SpanAt) -> impl Iterator<Item = (City, Country, i64)> {
        let rows = self.markets.get(&at).into_iter().flatten();
        rows.map(|row| (row.city, row.country, row.export_cents))
    }

    /// Passes the facts of each multi-plant firm of a span to `each`, in order of firm, with the
    /// computation of its rows.
    pub fn each_firm(&self, at: SpanAt, mut each: impl FnMut(&[PlantFacts], &mut PlantRows<'_>)) {
        let definition = &self.definition;
        let markets = self.markets.get(&at).cloned().unwrap_or_default();
        let markets = YearMarkets::of(markets, &definition.geography);
        let facts = self.relations.facts(at, &self.countries);
        let mut made = PlantRows::new(&markets, &definition.geography, definition.choices);
        for of_firm in facts.chunk_by(|a, b| a.plant.firm == b.plant.firm) {
            each(of_firm, &mut made);
        }
    }
}
