//! A year of a linear feed: its cells and the rows of the sample.

use super::cells::Cell;
use super::rows::Row;
use crate::domain::types::Flow;
use crate::simulate::exporting::{AnnualCell, FirmYear, Trade};
use crate::simulate::population::Firm;
use crate::simulate::random::Stream;

/// A year of the panel.
#[derive(Debug)]
pub struct Year {
    pub number: u16,
    pub cells: Vec<Cell>,
    /// The rows of the regressions' sample.
    pub rows: Vec<Row>,
    /// The first cell of each slot, and the end.
    pub starts: Vec<usize>,
}

impl Trade for Year {
    fn of_firm(&self, slot: usize, _firm: &Firm, _stream: &mut Stream, year: &mut FirmYear) {
        for cell in &self.cells[self.starts[slot]..self.starts[slot + 1]] {
            let Cell { plant, market: destination, export_cents, import_cents, .. } = *cell;
            let (export, import) = (Flow::Export, Flow::Import);
            year.cells.push(AnnualCell { plant, flow: export, destination, cents: export_cents });
            if import_cents > 0 {
                let bought = AnnualCell { plant, flow: import, destination, cents: import_cents };
                year.cells.push(bought);
            }
        }
    }
}
