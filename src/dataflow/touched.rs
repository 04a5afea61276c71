//! The keys that an epoch touched, in years that are not published whole.
//!
//! A year with another set of closed months is read entirely and needs no log; this is the usual
//! month. The log has late records and corrections: their cells, and the rows of the markets of
//! these cells.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use differential_dataflow::VecCollection;
use rustc_hash::FxHashMap;
use timely::dataflow::ProbeHandle;
use timely::dataflow::operators::{Inspect, Probe};

use super::cells::{Cell, CellKey};
use super::facts::Touched;
use super::lookup::Time;
use super::markets::{Market, MarketKey, city_row};
use crate::domain::rows::{Change, CityRow};
use crate::domain::types::Year;

/// The changes that the operators of one worker saw in the current epoch.
#[derive(Debug, Default)]
pub struct Log {
    /// The first of the years that are published whole; `None` if the epoch publishes nothing and
    /// logs nothing.
    whole_from: Option<Year>,
    cells: Vec<(CellKey, Cell, i64)>,
    city_rows: Vec<(MarketKey, Market, i64)>,
}

impl Log {
    /// Starts an epoch; years from `whole_from` on are published whole.
    pub fn begin(&mut self, whole_from: Option<Year>) {
        *self = Self { whole_from, ..Self::default() };
    }

    fn wants(&self, year: Year) -> bool {
        self.whole_from.is_some_and(|whole| year < whole)
    }

    /// Takes the changes of the epoch in the table `city`, by year.
    pub fn take_city_changes(&mut self) -> BTreeMap<Year, Vec<Change<CityRow>>> {
        let mut before: FxHashMap<MarketKey, CityRow> = FxHashMap::default();
        let mut after = before.clone();
        for (key, market, sign) in std::mem::take(&mut self.city_rows) {
            let side = if sign < 0 { &mut before } else { &mut after };
            side.extend(city_row(key, market).map(|row| (key, row)));
        }
        let mut changes: BTreeMap<Year, Vec<_>> = BTreeMap::new();
        for (key, row) in &after {
            if before.get(key) != Some(row) {
                changes.entry(key.year).or_default().push(Change::Set(*row));
            }
        }
        for (key, row) in before {
            if !after.contains_key(&key) {
                changes.entry(key.year).or_default().push(Change::Remove(row));
            }
        }
        changes
    }

    /// Takes the keys whose facts the epoch may have changed, by year with indicators.
    pub fn take_touched(&mut self, first: Year, last: Year) -> BTreeMap<Year, Touched> {
        let Some(whole_from) = self.whole_from else { return BTreeMap::new() };
        let last = last.min(whole_from.previous());
        let mut touched: BTreeMap<Year, Touched> = BTreeMap::new();
        let mut moves: FxHashMap<CellKey, (Cell, Cell)> = FxHashMap::default();
        for (key, cell, sign) in std::mem::take(&mut self.cells) {
            let (before, after) = moves.entry(key).or_default();
            *(if sign < 0 { before } else { after }) = cell;
        }
        for (key, (before, after)) in moves {
            if before.exports() == after.exports() {
                if key.year >= first {
                    let year = touched.entry(key.year).or_default();
                    year.destinations.insert((key.firm, key.country));
                }
                continue;
            }
            // A cell that turns positive, or stops being positive, is in the network and the
            // history of later years.
            for year in key.year.max(first).0..=last.0 {
                touched.entry(Year(year)).or_default().firms.insert(key.firm);
            }
        }
        touched
    }
}

/// Logs the changed cells.
pub fn log_cells(
    changes: VecCollection<'_, Time, (CellKey, Cell), i64>,
    log: &Rc<RefCell<Log>>,
    probe: &ProbeHandle<Time>,
) {
    let log = Rc::clone(log);
    let stream = changes.inner.inspect(move |((key, cell), _, sign)| {
        let mut log = log.borrow_mut();
        if log.wants(key.year) {
            log.cells.push((*key, *cell, *sign));
        }
    });
    stream.probe_with(probe);
}

/// Logs the changed rows of the table `city`.
pub fn log_city_rows(
    changes: VecCollection<'_, Time, (MarketKey, Market), i64>,
    log: &Rc<RefCell<Log>>,
    probe: &ProbeHandle<Time>,
) {
    let log = Rc::clone(log);
    let stream = changes.inner.inspect(move |((key, market), _, sign)| {
        let mut log = log.borrow_mut();
        if log.wants(key.year) {
            log.city_rows.push((*key, *market, *sign));
        }
    });
    stream.probe_with(probe);
}
