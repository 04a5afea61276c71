//! The tables of spans as columns.

use arrow_array::RecordBatch;

use super::SpanError;
use super::filled::StoredSeries;
use super::source::SpanSource;
use crate::domain::dictionary::Dictionary;
use crate::domain::rows::{CityRow, MonthsRow};
use crate::domain::span::{Span, SpanAt};
use crate::domain::types::{Period, Year};
use crate::tables::export::check_year;
use crate::tables::{Context, city, columns, months};

/// The requested spans; an empty list asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanChoice {
    /// The years.
    pub years: Vec<Year>,
    /// The month.
    pub month: Option<Period>,
    /// The kind.
    pub span: Option<Span>,
}

impl SpanSource<'_> {
    /// The requested spans that exist: for each year, in order of month and name.
    ///
    /// # Errors
    /// - [`SpanError::Export`] if a requested year has no span.
    /// - The reason of [`SpanSource::span`] if a requested month has none.
    pub fn chosen(
        &self,
        table: &'static str,
        choice: &SpanChoice,
    ) -> Result<Vec<Vec<SpanAt>>, SpanError> {
        let SpanChoice { years, month, span } = choice;
        let there: Vec<Year> = self.years().collect();
        for year in years {
            check_year(table, Some(*year), there.iter().copied())?;
        }
        let is_chosen = |at: &SpanAt| {
            month.is_none_or(|month| month == at.end()) && span.is_none_or(|span| span == at.span())
        };
        let of_year = |year: &Year| {
            let mut spans = self.spans_of_year(*year);
            spans.retain(is_chosen);
            spans
        };
        let is_in = |year: &&Year| {
            (years.is_empty() || years.contains(year))
                && month.is_none_or(|month| month.year() == **year)
        };
        let spans: Vec<Vec<SpanAt>> =
            there.iter().filter(is_in).map(of_year).filter(|of| !of.is_empty()).collect();
        if let Some(month) = month.filter(|_| spans.is_empty()) {
            self.span(span.unwrap_or(Span::YearToDate), month)?;
        }
        Ok(spans)
    }

    /// The rows of `months` in order of key, a batch for each span. Each year is one scan.
    pub fn months(
        &self,
        spans: Vec<Vec<SpanAt>>,
    ) -> impl Iterator<Item = Result<RecordBatch, SpanError>> {
        spans.into_iter().flat_map(move |spans| match self.markets(&spans) {
            Ok(markets) => {
                let countries = markets.countries;
                let batches = markets.spans.into_iter().map(|(_, rows)| {
                    let context = self.context(&countries);
                    Ok(months::rows(&rows, &context)?)
                });
                batches.collect::<Vec<_>>()
            }
            Err(error) => vec![Err(error)],
        })
    }

    /// The rows of `series` in order of key, a batch for each year: stored rows while their sources
    /// are unchanged. The others of a year are two scans.
    pub fn series_rows(
        &self,
        spans: Vec<Vec<SpanAt>>,
    ) -> impl Iterator<Item = Result<RecordBatch, SpanError>> {
        let mut known = None;
        spans.into_iter().map(move |spans| {
            let stored = match &mut known {
                Some(stored) => stored,
                unknown => unknown.insert(StoredSeries::of(self)?),
            };
            self.series_of_year(stored, &spans)
        })
    }

    /// The table `city` in a span: the rows of the year of its month.
    ///
    /// # Errors
    /// [`SpanError::Home`] if a file of the home cannot be read.
    pub fn city(&self, at: SpanAt) -> Result<RecordBatch, SpanError> {
        let markets = self.markets(&[at])?;
        let rows = markets.spans.iter().flat_map(|(_, rows)| rows);
        let rows: Vec<CityRow> = rows.map(|row: &MonthsRow| row.market).collect();
        let context = self.context(&markets.countries);
        Ok(columns::rows(&city::columns(), &rows, at.n_months(), &context)?)
    }

    /// The table `plant` in a span, in order of key, a batch at a time.
    ///
    /// # Errors
    /// [`SpanError::Home`] if a file of the home cannot be read.
    pub fn plant(
        &self,
        at: SpanAt,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, SpanError>> + use<>, SpanError> {
        let rows = self.plants(at)?.rows(self.definition());
        Ok(rows.map(|batch| Ok(batch?)))
    }

    fn context<'c>(&'c self, countries: &'c Dictionary) -> Context<'c> {
        // Neither table has firms.
        Context { firms: countries, countries, definition: self.definition() }
    }
}
