//! Years of the published tables from what is stored of them: facts to rows, rows to columns.
//!
//! Rows come out in order of key, the texts of its columns compared bytewise.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use rayon::prelude::*;

use super::facts::Numbers;
use super::{Context, city, columns, plant};
use crate::domain::rows::{CityRow, PlantFacts, PlantRow};
use crate::domain::types::Year;
use crate::home::definition::Definition;
use crate::indicators::{PlantRows, YearMarkets};

/// How many facts are made rows of at a time: small against a year, large against a task.
const FACTS_AT_A_TIME: usize = 1 << 13;

/// What is stored of a year.
#[derive(Clone, Debug)]
pub struct StoredYear {
    /// The year.
    pub year: Year,
    /// How many of its months are closed.
    pub months: u8,
    /// Rows of `city`.
    pub city: Vec<RecordBatch>,
    /// Facts of `plant`; none where only the other table is wanted.
    pub plant: Vec<RecordBatch>,
}

impl Definition {
    fn context<'a>(&'a self, numbers: &'a Numbers) -> Context<'a> {
        Context { firms: &numbers.firms, countries: &numbers.countries, definition: self }
    }

    /// A year of the table `city`.
    ///
    /// # Errors
    /// What Arrow says of stored rows that are none: a damaged or foreign part.
    pub fn city_year(&self, stored: &StoredYear) -> Result<RecordBatch, ArrowError> {
        let mut numbers = Numbers::of(&stored.city, &[])?;
        let mut rows = self.city_rows(stored, &mut numbers)?;
        rows.sort_unstable_by_key(CityRow::key);
        columns::rows(&city::columns(), &rows, stored.months, &self.context(&numbers))
    }

    /// A year of the table `plant`.
    ///
    /// # Errors
    /// As for [`Definition::city_year`].
    pub fn plant_year(&self, stored: &StoredYear) -> Result<RecordBatch, ArrowError> {
        let mut numbers = Numbers::of(&stored.city, &stored.plant)?;
        let markets = YearMarkets::of(self.city_rows(stored, &mut numbers)?, &self.geography);
        let mut facts = Vec::with_capacity(stored.plant.iter().map(RecordBatch::num_rows).sum());
        for batch in &stored.plant {
            facts.extend(numbers.plant_facts(batch, stored.year, &self.places)?);
        }
        facts.sort_unstable_by_key(PlantFacts::order);
        let columns = plant::columns(self.supply.is_some());
        let context = self.context(&numbers);
        let rows = |facts: &[PlantFacts]| {
            let rows = self.plant_rows(&markets, facts);
            columns::rows(&columns, &rows, stored.months, &context)
        };
        let batches: Vec<RecordBatch> =
            portions(&facts).into_par_iter().map(rows).collect::<Result<_, _>>()?;
        concat_batches(&columns::schema(&columns), &batches)
    }

    fn city_rows(
        &self,
        stored: &StoredYear,
        numbers: &mut Numbers,
    ) -> Result<Vec<CityRow>, ArrowError> {
        let mut rows = Vec::new();
        for batch in &stored.city {
            rows.extend(numbers.city_rows(batch, stored.year, &self.places)?);
        }
        Ok(rows)
    }

    /// The rows of firms in order, each firm's in order of city and country.
    fn plant_rows(&self, markets: &YearMarkets, facts: &[PlantFacts]) -> Vec<PlantRow> {
        let mut made = PlantRows::new(markets, &self.geography, self.choices);
        let mut rows = Vec::with_capacity(facts.len());
        for of_firm in facts.chunk_by(|a, b| a.plant.firm == b.plant.firm) {
            let first = rows.len();
            made.of_firm(of_firm, &mut rows);
            rows[first..].sort_unstable_by_key(|row| (row.plant.city, row.country));
        }
        rows
    }
}

/// Facts in order of firm, cut between firms.
fn portions(facts: &[PlantFacts]) -> Vec<&[PlantFacts]> {
    let mut portions = Vec::new();
    let mut rest = facts;
    while !rest.is_empty() {
        let firm = rest[rest.len().min(FACTS_AT_A_TIME) - 1].plant.firm;
        let (portion, after) = rest.split_at(rest.partition_point(|fact| fact.plant.firm <= firm));
        portions.push(portion);
        rest = after;
    }
    portions
}
