//! A year of the plant panel up to a month: the rows of `plant` in the span `ytd` at the month,
//! with the further columns of the plant panel. At month 12 they are the rows of the closed year.

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;

use super::error::RegressionError;
use super::networks::Networks;
use super::plant::extended;
use super::source::Source;
use crate::domain::choices::Network;
use crate::domain::span::{Joint, Span};
use crate::domain::types::Period;
use crate::home::parts::Table;
use crate::spans::{PlantsOfSpan, SpanSource};
use crate::tables::export::sheet_of;

/// The rows of the months of a year up to one, in order of key.
///
/// # Errors
/// [`RegressionError`] if a file of the home cannot be read, or the month is not closed.
pub fn rows(source: &Source<'_>, month: Period) -> Result<RecordBatch, RegressionError> {
    // Joint months do not matter: only the span `month` has them.
    let spans = SpanSource::at(source.home, None, Joint::NONE)?;
    let plants = spans.plants(spans.span(Span::YearToDate, month)?)?;
    let definition = spans.definition();
    let of_founding = definition.choices.network == Network::Founded;
    let networks = of_founding.then(|| networks(&plants));
    let schema = sheet_of(Table::Plant, definition).schema;
    let batches = plants.rows(definition).collect::<Result<Vec<_>, _>>()?;
    let rows = concat_batches(&schema, &batches)?;
    Ok(extended(source, month.year(), &rows, networks.as_ref())?)
}

/// The networks of the multi-plant firms of a span: cities that export, and cities that a firm has
/// left.
fn networks(plants: &PlantsOfSpan) -> Networks {
    let year = plants.at.year();
    let firms = &plants.numbers.firms;
    let cities = plants.facts.iter().map(|fact| fact.plant);
    Networks::of(cities.map(|plant| (firms.text(plant.firm.0), plant.city, year)))
}
