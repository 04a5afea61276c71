//! Years of the published tables from stored facts: facts to rows, rows to columns.
//!
//! Rows are sorted by key; texts of key columns are compared bytewise.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{BooleanArray, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use rayon::prelude::*;

use super::facts::Numbers;
use super::{Context, city, columns, plant};
use crate::domain::dictionary::Dictionary;
use crate::domain::rows::{CityRow, PlantFacts, PlantRow};
use crate::domain::types::Year;
use crate::home::HomeError;
use crate::home::definition::Definition;
use crate::indicators::{PlantRows, YearMarkets};

/// The number of facts that become rows at a time: small against a year, large against a task.
const FACTS_AT_A_TIME: usize = 1 << 13;

/// The number of facts in a portion of firms, unless one firm has more. The selection holds up to
/// twice as many.
const FACTS_OF_PORTION: usize = 1 << 17;

/// The reason why a year cannot be computed from its stored rows.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// The stored rows cannot be read.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The stored rows do not fit the table: a damaged or foreign part.
    #[error(transparent)]
    Rows(#[from] ArrowError),
}

/// The stored rows of a year of `city`.
#[derive(Clone, Debug)]
pub struct StoredYear {
    /// The year.
    pub year: Year,
    /// The number of closed months of the year.
    pub months: u8,
    /// Rows of `city`.
    pub city: Vec<RecordBatch>,
}

impl Definition {
    fn context<'a>(&'a self, numbers: &'a Numbers) -> Context<'a> {
        Context { firms: &numbers.firms, countries: &numbers.countries, definition: self }
    }

    /// A year of the table `city`.
    ///
    /// # Errors
    /// Arrow's error for invalid stored rows: a damaged or foreign part.
    pub fn city_year(&self, stored: &StoredYear) -> Result<RecordBatch, ArrowError> {
        let mut numbers = Numbers::of(&stored.city, &[])?;
        let mut rows = self.city_rows(stored, &mut numbers)?;
        rows.sort_unstable_by_key(CityRow::key);
        columns::rows(&city::columns(), &rows, stored.months, &self.context(&numbers))
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

    /// The rows of firms in order of key, as columns. `facts` are all facts of these firms, in
    /// order.
    ///
    /// # Errors
    /// Arrow's error for columns that do not fit the schema: a bug.
    pub fn plant_batch(
        &self,
        markets: &YearMarkets,
        facts: &[PlantFacts],
        months: u8,
        numbers: &Numbers,
    ) -> Result<RecordBatch, ArrowError> {
        let columns = plant::columns(self.supply.is_some());
        let rows = self.plant_rows(markets, facts);
        columns::rows(&columns, &rows, months, &self.context(numbers))
    }

    /// The rows of firms in order; within a firm by city and country.
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

/// A year of the table `plant`, a batch at a time.
///
/// Memory is bounded by the markets of the year and a portion of its firms. Stored facts are in the
/// order in which workers delivered them. Each portion therefore reads all facts and takes the next
/// firms; a year of one portion is read once.
pub struct PlantYear<Open> {
    definition: Arc<Definition>,
    year: Year,
    months: u8,
    markets: YearMarkets,
    countries: Dictionary,
    /// Opens the facts at their beginning.
    open: Open,
    n_facts_max: usize,
    /// The last firm of the portions so far.
    after: Option<String>,
    is_last: bool,
    portion: Portion,
    ready: VecDeque<RecordBatch>,
}

/// Facts of some firms, in order.
struct Portion {
    numbers: Numbers,
    facts: Vec<PlantFacts>,
    /// The position of the first fact that is not a row yet.
    at: usize,
}

impl<Open, Facts> PlantYear<Open>
where
    Open: FnMut() -> Result<Facts, HomeError>,
    Facts: Iterator<Item = Result<RecordBatch, HomeError>>,
{
    /// A year from its markets and its facts.
    ///
    /// # Errors
    /// Arrow's error for invalid stored rows: a damaged or foreign part.
    pub fn new(
        definition: &Arc<Definition>,
        stored: &StoredYear,
        open: Open,
    ) -> Result<Self, ArrowError> {
        let mut numbers = Numbers::of(&stored.city, &[])?;
        let rows = definition.city_rows(stored, &mut numbers)?;
        let markets = YearMarkets::of(rows, &definition.geography);
        let countries = numbers.countries.clone();
        let portion = Portion { numbers, facts: Vec::new(), at: 0 };
        Ok(Self {
            definition: Arc::clone(definition),
            year: stored.year,
            months: stored.months,
            markets,
            countries,
            open,
            n_facts_max: FACTS_OF_PORTION,
            after: None,
            is_last: false,
            portion,
            ready: VecDeque::new(),
        })
    }

    /// Reads the next portion of firms.
    fn next_portion(&mut self) -> Result<(), DeriveError> {
        let mut chosen = Chosen::after(self.after.take(), self.n_facts_max);
        for batch in (self.open)()? {
            chosen.add(batch?)?;
        }
        let mut numbers =
            Numbers { countries: self.countries.clone(), ..Numbers::of(&[], &chosen.batches)? };
        let mut facts = Vec::with_capacity(chosen.n_rows);
        for batch in &chosen.batches {
            facts.extend(numbers.plant_facts(batch, self.year, &self.definition.places)?);
        }
        if numbers.countries.len() != self.countries.len() {
            let what = "a plant exports to a country that no row of city has".to_owned();
            return Err(ArrowError::InvalidArgumentError(what).into());
        }
        facts.sort_unstable_by_key(PlantFacts::order);
        self.portion = Portion { numbers, facts, at: 0 };
        self.is_last = chosen.last.is_none();
        self.after = chosen.last;
        Ok(())
    }

    /// Converts facts to rows, as many batches as there are threads.
    fn make_rows(&mut self) -> Result<(), ArrowError> {
        let Self { definition, markets, months, portion, .. } = self;
        let tasks = portions(&portion.facts[portion.at..], rayon::current_num_threads());
        portion.at += tasks.iter().map(|facts| facts.len()).sum::<usize>();
        let rows = |facts: &[PlantFacts]| {
            definition.plant_batch(markets, facts, *months, &portion.numbers)
        };
        let batches = tasks.into_par_iter().map(rows);
        self.ready.extend(batches.collect::<Result<Vec<_>, _>>()?);
        Ok(())
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, DeriveError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            if self.portion.at < self.portion.facts.len() {
                self.make_rows()?;
            } else if self.is_last {
                return Ok(None);
            } else {
                self.next_portion()?;
            }
        }
    }
}

impl<Open, Facts> Iterator for PlantYear<Open>
where
    Open: FnMut() -> Result<Facts, HomeError>,
    Facts: Iterator<Item = Result<RecordBatch, HomeError>>,
{
    type Item = Result<RecordBatch, DeriveError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.next_batch();
        if batch.is_err() {
            (self.is_last, self.portion.at) = (true, self.portion.facts.len());
        }
        batch.transpose()
    }
}

/// The facts of the first firms after a given one, in order of firm identifiers.
struct Chosen {
    after: Option<String>,
    /// The last chosen firm, if more may follow.
    last: Option<String>,
    batches: Vec<RecordBatch>,
    n_rows: usize,
    n_rows_max: usize,
    /// The number of held rows above which firms move to the next portion.
    n_rows_held_max: usize,
}

impl Chosen {
    fn after(after: Option<String>, n_rows_max: usize) -> Self {
        let n_rows_held_max = 2 * n_rows_max;
        let (last, batches, n_rows) = (None, Vec::new(), 0);
        Self { after, last, batches, n_rows, n_rows_max, n_rows_held_max }
    }

    fn add(&mut self, batch: RecordBatch) -> Result<(), ArrowError> {
        let batch = self.within(batch)?;
        self.n_rows += batch.num_rows();
        self.batches.push(batch);
        if self.n_rows > self.n_rows_held_max { self.cut() } else { Ok(()) }
    }

    /// The rows of a batch whose firms are in the current selection.
    fn within(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let (after, last) = (self.after.as_deref(), self.last.as_deref());
        if after.is_none() && last.is_none() {
            return Ok(batch);
        }
        let is_in = |firm: &str| {
            after.is_none_or(|after| firm > after) && last.is_none_or(|last| firm <= last)
        };
        let is_in: Vec<bool> = firms(&batch)?.iter().map(|firm| firm.is_some_and(is_in)).collect();
        filter_record_batch(&batch, &BooleanArray::from(is_in))
    }

    /// Moves the last firms to the next portion.
    fn cut(&mut self) -> Result<(), ArrowError> {
        let batches = std::mem::take(&mut self.batches);
        let rows = concat_batches(&batches[0].schema(), &batches)?;
        drop(batches);
        let last = {
            let mut firms: Vec<&str> = firms(&rows)?.iter().flatten().collect();
            let (_, last, _) = firms.select_nth_unstable(self.n_rows_max - 1);
            last.to_owned()
        };
        self.last = Some(last);
        let rows = self.within(rows)?;
        self.n_rows = rows.num_rows();
        self.n_rows_held_max = self.n_rows_held_max.max(2 * self.n_rows);
        self.batches.push(rows);
        Ok(())
    }
}

fn firms(batch: &RecordBatch) -> Result<&StringArray, ArrowError> {
    let column = batch.column_by_name("firm").and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| ArrowError::SchemaError("no text column firm".to_owned()))
}

/// The first facts in order of firm, split between firms into at most `n_max` tasks.
#[must_use]
pub fn portions(facts: &[PlantFacts], n_max: usize) -> Vec<&[PlantFacts]> {
    let mut portions = Vec::new();
    let mut rest = facts;
    while !rest.is_empty() && portions.len() < n_max {
        let firm = rest[rest.len().min(FACTS_AT_A_TIME) - 1].plant.firm;
        let (portion, after) = rest.split_at(rest.partition_point(|fact| fact.plant.firm <= firm));
        portions.push(portion);
        rest = after;
    }
    portions
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, StringArray};

    use super::*;

    fn batch(firms: &[&str]) -> RecordBatch {
        let firms: ArrayRef = Arc::new(StringArray::from_iter_values(firms));
        RecordBatch::try_from_iter([("firm", firms)]).expect("a column")
    }

    /// The portions of some facts, each with its firms in order.
    fn portions_of(batches: &[RecordBatch], n_rows_max: usize) -> Vec<Vec<String>> {
        let (mut portions, mut after) = (Vec::new(), None);
        loop {
            let mut chosen = Chosen::after(after, n_rows_max);
            for batch in batches {
                chosen.add(batch.clone()).expect("rows of facts");
            }
            let texts = chosen.batches.iter().flat_map(|batch| firms(batch).expect("firms"));
            let mut portion: Vec<String> = texts.flatten().map(str::to_owned).collect();
            assert_eq!(portion.len(), chosen.n_rows);
            portion.sort();
            portions.push(portion);
            after = chosen.last;
            if after.is_none() {
                return portions;
            }
        }
    }

    #[test]
    fn portions_are_whole_firms_in_order_and_hold_each_fact_once() {
        let batches = [
            batch(&["d", "b", "b", "z"]),
            batch(&["a", "c", "z", "z"]),
            batch(&["b", "a", "z", "z", "z", "z"]),
        ];
        let mut all: Vec<&str> =
            batches.iter().flat_map(|batch| firms(batch).expect("firms")).flatten().collect();
        all.sort_unstable();
        for n_rows_max in 1..16 {
            let portions = portions_of(&batches, n_rows_max);
            assert_eq!(portions.concat(), all, "{n_rows_max}");
            for pair in portions.windows(2).filter(|pair| !pair[1].is_empty()) {
                assert!(pair[0].last() < pair[1].first(), "{n_rows_max}: {portions:?}");
            }
            // The last firm of a portion may take it past the limit.
            let is_small = |portion: &Vec<String>| {
                let of_last = portion.iter().filter(|firm| Some(*firm) == portion.last());
                portion.len() - of_last.count() <= 2 * n_rows_max
            };
            assert!(portions.iter().all(is_small), "{n_rows_max}: {portions:?}");
        }
        assert_eq!(portions_of(&batches, 7).len(), 1, "twice as many are no portion");
    }
}
