//! Records to indicators, incrementally: one dataflow of arrangements, read row by row when an
//! epoch is complete.
//!
//! ```text
//! amounts ─▶ annual cells ─┬─▶ markets ─┬─▶ rows of `city`
//!   (roles)   arranged     │            └─▶ markets everywhere ─┐
//!                          ├─▶ plants by year ──────────────────┤
//!                          ├─▶ export years ────────────────────┼─▶ rows of `plant`
//!                          └─▶ exporters by destination ────────┘
//! ```
//!
//! The time is the epoch, one for each publication; year and month are data. Money is cents and
//! growth fixed point, so every sum is exact and the rows do not depend on order, workers or files.

mod affiliate;
mod cells;
mod changes;
mod firms;
mod history;
mod lookup;
mod markets;
mod rows;
mod sums;
mod touched;
mod workers;
mod year_markets;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::VecCollection;
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::Probe;

use affiliate::Logs;
pub use cells::{Cell, CellKey};
use changes::changes;
use firms::{Exporter, PlantExports, PlantYear};
use history::Relation;
pub use history::YEARS_MAX;
pub use lookup::Time;
use lookup::{Handle, forget_before};
use markets::{Market, MarketGrowth, MarketKey};
pub use workers::{Epoch, Output, WorkerFailed, Workers};

use crate::geography::Geography;
use crate::options::Definitions;
use crate::types::Year;
use touched::Log;

/// What the dataflow is about: fixed when it is built.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Areas and provinces.
    pub geography: Arc<Geography>,
    /// The choices in the definition of the indicators.
    pub definitions: Definitions,
    /// The feed's first year.
    pub first_year: Year,
    /// The first year with indicators.
    pub first_indicator_year: Year,
}

/// Handles of all that rows are read from, at one worker.
pub struct Arrangements {
    geography: Arc<Geography>,
    logs: Logs,
    definitions: Definitions,
    first_year: Year,
    first_indicator_year: Year,
    cells: Handle<CellKey, Cell>,
    plants: Handle<PlantYear, PlantExports>,
    history: Handle<Relation, i64>,
    exporters: Handle<Exporter, i64>,
    markets: Handle<MarketKey, Market>,
    markets_everywhere: Handle<MarketKey, MarketGrowth>,
}

impl Arrangements {
    /// Lets all arrangements forget what an epoch replaced, once its rows have been read.
    fn forget_before(&mut self, epoch: Time) {
        forget_before(&mut self.cells, epoch);
        forget_before(&mut self.plants, epoch);
        forget_before(&mut self.history, epoch);
        forget_before(&mut self.exporters, epoch);
        forget_before(&mut self.markets, epoch);
        forget_before(&mut self.markets_everywhere, epoch);
    }
}

/// Wires every stage into one dataflow. Read top to bottom, it is the architecture.
fn build(
    amounts: VecCollection<'_, Time, CellKey, Cell>,
    subject: &Subject,
    log: &Rc<RefCell<Log>>,
    probe: &ProbeHandle<Time>,
) -> Arrangements {
    let first_indicators = subject.first_indicator_year;

    let cells = cells::totals(amounts);
    let cell_changes = changes(&cells);
    let markets = markets::totals(cell_changes.clone(), first_indicators);
    let market_changes = changes(&markets);
    let markets_everywhere = markets::everywhere(market_changes.clone());
    let plants = firms::plant_years(cell_changes.clone());
    let exporters = firms::exporters(cell_changes.clone(), first_indicators);
    let history = history::export_years(cell_changes.clone(), subject.first_year);

    touched::log_cells(cell_changes, log, probe);
    touched::log_city_rows(market_changes, log, probe);
    touched::log_markets(&markets_everywhere, log, probe);
    plants.stream.probe_with(probe);
    exporters.stream.probe_with(probe);
    history.stream.probe_with(probe);

    Arrangements {
        geography: Arc::clone(&subject.geography),
        logs: Logs::new(subject.geography.areas_m2()),
        definitions: subject.definitions,
        first_year: subject.first_year,
        first_indicator_year: first_indicators,
        cells: cells.trace,
        plants: plants.trace,
        history: history.trace,
        exporters: exporters.trace,
        markets: markets.trace,
        markets_everywhere: markets_everywhere.trace,
    }
}
