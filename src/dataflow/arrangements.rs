//! The arrangements of one worker: the indexed state that its rows are read from.

use super::cells::{Cell, CellKey};
use super::firms::PlantYear;
use super::history::Relation;
use super::lookup::{Handle, Time, forget_before};
use super::markets::{Market, MarketKey};
use crate::domain::choices::Network;
use crate::domain::types::Year;

/// Handles of all arrangements that one worker reads.
pub struct Arrangements {
    pub(super) network: Network,
    pub(super) first_year: Year,
    pub(super) first_indicator_year: Year,
    pub(super) cells: Handle<CellKey, Cell>,
    pub(super) plants: Handle<PlantYear, i64>,
    pub(super) history: Handle<Relation, i64>,
    pub(super) markets: Handle<MarketKey, Market>,
}

impl Arrangements {
    /// Compacts the history of all arrangements before an epoch, after its rows have been read.
    pub(super) fn forget_before(&mut self, epoch: Time) {
        forget_before(&mut self.cells, epoch);
        forget_before(&mut self.plants, epoch);
        forget_before(&mut self.history, epoch);
        forget_before(&mut self.markets, epoch);
    }
}
