//! The panel of ordinary trade: the whole computation on the records with a trade mode of ordinary
//! trade, which is 10 unless the profile names others.
//!
//! The home's records go through a separate dataflow, in one epoch. Firms, networks, markets and
//! growth are those of ordinary trade alone.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::error::RegressionError;
use super::networks::Networks;
use super::plant;
use super::source::{Source, closed_years};
use crate::dataflow::{Epoch, Output, Subject, Workers};
use crate::domain::calendar::Calendar;
use crate::domain::choices::Network;
use crate::domain::rows::{CityRow, PlantFacts};
use crate::domain::types::{City, Firm, Period, Year};
use crate::engine::Names;
use crate::engine::amounts::Amounts;
use crate::home::parts::Table;
use crate::home::segment::Fields;
use crate::indicators::{PlantRows, YearMarkets};
use crate::tables::columns::rows as columns_of;
use crate::tables::export::schema_of;
use crate::tables::sorted::by_key;
use crate::tables::{Context, plant as table};

/// The number of updates per message to a worker.
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
        network: source.definition.choices.network,
        first_year: first.year(),
        first_indicator_year: calendar.first_indicator_year(),
    };
    let mut workers = Workers::start(source.n_workers, subject)?;
    feed(source, calendar, &mut names, &mut workers)?;

    let mut found: BTreeMap<Year, Found> =
        years.iter().map(|year| (*year, Found::default())).collect();
    // Whole years are the last years of the calendar.
    let from = years.iter().copied().min().unwrap_or(last);
    let whole = closed_years(&calendar).into_iter().filter(|year| *year >= from).collect();
    let epoch = Epoch { whole, last, publish: true };
    workers.complete(&epoch, |output| -> Result<(), RegressionError> {
        match output {
            Output::CityRows(year, rows) => {
                found.entry(year).and_modify(|found| found.city.extend(rows));
            }
            Output::PlantFacts(year, facts) => {
                found.entry(year).and_modify(|found| found.plant.extend(facts));
            }
            _ => {}
        }
        Ok(())
    })?;
    let networks = match source.definition.choices.network {
        Network::Founded => Some(networks(&mut workers, &names)?),
        Network::Active => None,
    };
    let rows = |(year, found): (Year, Found)| {
        let rows = in_order(source, &names, found)?;
        Ok((year, plant::extended(source, year, &rows, networks.as_ref())?))
    };
    found.into_iter().map(rows).collect()
}

/// The output of the dataflow for a year.
#[derive(Default)]
struct Found {
    city: Vec<CityRow>,
    plant: Vec<PlantFacts>,
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

/// Feeds all accepted records with the trade mode in their roles.
fn feed(
    source: &Source<'_>,
    calendar: Calendar,
    names: &mut Names,
    workers: &mut Workers,
) -> Result<(), RegressionError> {
    let mut amounts = Amounts::default();
    let city_of = |code: &str| source.definition.places.city(code);
    let modes: Vec<&str> = source.definition.profile.ordinary_modes().collect();
    let mut n_records = 0;
    for file in &source.files {
        let (mut texts, mut records) =
            source.home.segment(file.vintage, Fields::Goods, &city_of)?;
        source.definition.successions.carry_over(&mut texts, &mut records);
        file.retain_counting(&mut records);
        records.retain(|record| modes.contains(&texts.trade_modes.text(record.trade_mode)));
        n_records += records.len();
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
    if n_records == 0 {
        let modes = modes.into_iter().map(str::to_owned).collect();
        return Err(RegressionError::NoOrdinaryTrade { modes });
    }
    Ok(workers.feed(amounts.take(0))?)
}

/// The rows of a year in order of key.
fn in_order(
    source: &Source<'_>,
    names: &Names,
    mut found: Found,
) -> Result<RecordBatch, RegressionError> {
    let definition = &*source.definition;
    let markets = YearMarkets::of(found.city, &definition.geography);
    let mut made = PlantRows::new(&markets, &definition.geography, definition.choices);
    found.plant.sort_unstable_by_key(PlantFacts::order);
    let mut rows = Vec::with_capacity(found.plant.len());
    for facts in found.plant.chunk_by(|a, b| a.plant.firm == b.plant.firm) {
        made.of_firm(facts, &mut rows);
    }
    let context = Context { firms: &names.firms, countries: &names.countries, definition };
    let with_supply = definition.supply.is_some();
    let rows = columns_of(&table::columns(with_supply), &rows, 12, &context)?;
    Ok(by_key(&schema_of(Table::Plant, with_supply), &[rows], &table::KEY)?)
}
