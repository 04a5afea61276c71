//! The panel of ordinary trade: the whole computation on the records with trade mode 10.
//!
//! The archive's records go through a dataflow of their own, in one epoch; firms, networks, markets
//! and growth are those of ordinary trade alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;

use super::error::RegressionError;
use super::networks::Networks;
use super::plant;
use super::source::{Source, closed_years};
use crate::archive::parts::Table;
use crate::archive::segment::Fields;
use crate::calendar::Calendar;
use crate::dataflow::{Epoch, Output, Subject, Workers};
use crate::engine::Names;
use crate::engine::amounts::Amounts;
use crate::options::Network;
use crate::publish::columns::{REMOVED, rows as columns_of};
use crate::publish::export::schema_of;
use crate::publish::sorted::by_key;
use crate::publish::{Context, plant as table};
use crate::types::{City, Firm, Period, Year};

/// The code of ordinary trade.
const ORDINARY: &str = "10";
/// How many updates go to a worker at a time.
const UPDATES_AT_A_TIME: usize = 1 << 16;

/// The rows of closed years.
pub fn rows(
    source: &Source<'_>,
    years: &[Year],
) -> Result<BTreeMap<Year, RecordBatch>, RegressionError> {
    let mut names = Names::default();
    let last = closed_years(&source.calendar).into_iter().max().unwrap_or_default();
    let first = source.calendar.first();
    let calendar = Calendar::closed_through(first, Period::new(last.0, 12));
    let subject = Subject {
        geography: Arc::clone(&source.home.geography),
        definitions: source.home.settings.definitions(),
        first_year: first.year(),
        first_indicator_year: calendar.first_indicator_year(),
    };
    let mut workers = Workers::start(source.n_workers, &subject)?;
    feed(source, calendar, &mut names, &mut workers)?;

    let columns = table::columns(source.home.supply.is_some());
    let context = Context {
        firms: &names.firms,
        countries: &names.countries,
        places: &source.home.places,
        geography: &source.home.geography,
        supply: source.home.supply.as_ref(),
    };
    let mut batches: BTreeMap<Year, Vec<RecordBatch>> =
        years.iter().map(|year| (*year, Vec::new())).collect();
    // Whole years are the last ones of the calendar.
    let from = years.iter().copied().min().unwrap_or(last);
    let whole = closed_years(&calendar).into_iter().filter(|year| *year >= from).collect();
    let epoch = Epoch { whole, last, publish: true };
    workers.complete(&epoch, |output| -> Result<(), RegressionError> {
        if let Output::PlantRows(year, rows) = output
            && let Some(batches) = batches.get_mut(&year)
        {
            batches.push(columns_of(&columns, &rows, 12, &context)?);
        }
        Ok(())
    })?;
    let networks = match source.home.settings.network {
        Network::Founded => Some(networks(&mut workers, &names)?),
        Network::Active => None,
    };
    let sorted = |(year, batches): (Year, Vec<RecordBatch>)| {
        let rows = in_order(source, &batches)?;
        Ok((year, plant::extended(source, year, &rows, networks.as_ref())?))
    };
    batches.into_iter().map(sorted).collect()
}

/// The networks of firms in ordinary trade, from the cells of the last epoch.
fn networks(workers: &mut Workers, names: &Names) -> Result<Networks, RegressionError> {
    let mut founded = Vec::new();
    workers.cells(|output| -> Result<(), RegressionError> {
        if let Output::Cells(cells) = output {
            let exports = cells.into_iter().filter(|(_, cell)| cell.exports());
            founded.extend(exports.map(|(key, _)| (key.firm, key.city, key.year)));
        }
        Ok(())
    })?;
    let text = |(firm, city, year): (Firm, City, Year)| (names.firms.text(firm.0), city, year);
    Ok(Networks::of(founded.into_iter().map(text)))
}

/// All records with the trade mode that count, in the roles they have.
fn feed(
    source: &Source<'_>,
    calendar: Calendar,
    names: &mut Names,
    workers: &mut Workers,
) -> Result<(), RegressionError> {
    let mut amounts = Amounts::default();
    let city_of = |code: &str| source.home.places.city(code);
    for file in &source.files {
        let (texts, mut records) = source.archive.segment(file.vintage, Fields::Goods, &city_of)?;
        records.retain(|record| texts.trade_modes.text(record.trade_mode) == ORDINARY);
        let mut fed = Ok(());
        names.shipments(&texts, &records, |shipment| {
            amounts.add(&shipment, calendar.roles(shipment.period), 1);
            let updates = amounts.take(UPDATES_AT_A_TIME);
            if !updates.is_empty() && fed.is_ok() {
                fed = workers.feed(updates);
            }
        });
        fed?;
    }
    Ok(workers.feed(amounts.take(0))?)
}

/// The rows of a year in order of key, without the column that says they stand.
fn in_order(source: &Source<'_>, batches: &[RecordBatch]) -> Result<RecordBatch, RegressionError> {
    let schema = schema_of(Table::Plant, source.home.supply.is_some());
    let Some(first) = batches.first() else { return Ok(RecordBatch::new_empty(schema)) };
    let mut rows = concat_batches(&first.schema(), batches)?;
    rows.remove_column(rows.schema().index_of(REMOVED)?);
    Ok(by_key(&schema, &[rows], &table::KEY)?)
}
