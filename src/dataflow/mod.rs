//! Records to facts, incrementally: one dataflow of arrangements, read row by row at the end of an
//! epoch.
//!
//! ```text
//! amounts ─▶ annual cells ─┬─▶ markets ─────────▶ rows of `city`
//!   (roles)   arranged     ├─▶ plants by year ─┐
//!                          ├─▶ export years ───┼─▶ facts of `plant`
//!                          └───────────────────┘
//! ```
//!
//! The time is the epoch, one for each publication; year and month are data. Money is cents and
//! growth fixed point, so every sum is exact and the rows do not depend on order, workers or files.

mod arrangements;
mod cells;
mod changes;
mod facts;
mod firms;
mod history;
mod lookup;
mod markets;
mod sums;
mod touched;
mod workers;

use std::cell::RefCell;
use std::rc::Rc;

use differential_dataflow::VecCollection;
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::Probe;

pub use arrangements::Arrangements;
pub use cells::{Cell, CellKey};
use changes::changes;
pub use history::YEARS_MAX;
pub use lookup::Time;
pub use workers::{Epoch, Output, WorkerFailed, Workers};

use crate::domain::choices::Network;
use crate::domain::types::Year;
use touched::Log;

/// The fixed parameters of a dataflow.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The option that decides whether cities that a firm has left are among its facts.
    pub network: Network,
    /// The feed's first year.
    pub first_year: Year,
    /// The first year with indicators.
    pub first_indicator_year: Year,
}

/// Builds all stages into one dataflow. Its order is the order of the architecture.
fn build(
    amounts: VecCollection<'_, Time, CellKey, Cell>,
    subject: Subject,
    log: &Rc<RefCell<Log>>,
    probe: &ProbeHandle<Time>,
) -> Arrangements {
    let first_indicators = subject.first_indicator_year;

    let cells = cells::totals(amounts);
    let cell_changes = changes(&cells);
    let markets = markets::totals(cell_changes.clone(), first_indicators);
    let plants = firms::plant_years(cell_changes.clone());
    let history = history::export_years(cell_changes.clone(), subject.first_year);

    touched::log_cells(cell_changes, log, probe);
    touched::log_city_rows(changes(&markets), log, probe);
    plants.stream.probe_with(probe);
    history.stream.probe_with(probe);

    Arrangements {
        network: subject.network,
        first_year: subject.first_year,
        first_indicator_year: first_indicators,
        cells: cells.trace,
        plants: plants.trace,
        history: history.trace,
        markets: markets.trace,
    }
}
