//! Annual cells: exports and imports of a plant with a country in a year.
//!
//! Input: amounts by plant, country, year and role (METHODOLOGY, "The calendar"). Output: the
//! arrangement that everything else derives from, and its changes as data. The arrangement itself
//! computes the sums.

use differential_dataflow::VecCollection;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use serde::{Deserialize, Serialize};

use super::lookup::{Handle, KeyTrace, Lookup, Moment, Time, arrange_by_firm};
use super::sums::amounts;
use crate::domain::types::{City, Country, Firm, Growth, Plant, Year};

/// A plant, a country and a year, in the order in which rows are read: the keys of a firm's year
/// are contiguous.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct CellKey {
    /// The year of the amounts.
    pub year: Year,
    /// The firm.
    pub firm: Firm,
    /// The partner country.
    pub country: Country,
    /// The city of the plant.
    pub city: City,
}

impl CellKey {
    /// The plant.
    #[must_use]
    pub fn plant(self) -> Plant {
        Plant { firm: self.firm, city: self.city }
    }
}

amounts! {
    /// The amounts of a cell over the closed months of its year, in cents.
    pub struct Cell {
        /// `x(i,m,t,K_t)`: exports of the year.
        pub cur,
        /// `x(i,m,t-1,K_t)`: exports in the same months of the year before.
        pub base,
        /// Imports of the year.
        pub import,
    }
}

impl Cell {
    /// True if the plant exports in the year: amendments can leave no positive amount.
    #[must_use]
    pub fn exports(self) -> bool {
        self.cur > 0
    }

    /// `g_i = ln cur - ln base` if the plant exports in both years.
    #[must_use]
    pub fn growth(self) -> Option<Growth> {
        (self.cur > 0 && self.base > 0).then(|| Growth::between(self.base, self.cur))
    }
}

/// Arranges the cells by their key, at the worker of their firm.
///
/// # Incremental
/// Holds one entry per cell (about 40 bytes); the work of an update does not depend on the other
/// cells.
pub fn totals(amounts: VecCollection<'_, Time, CellKey, Cell>) -> CellTotals<'_> {
    arrange_by_firm(amounts, "annual cells", |key| key.firm)
}

/// The arranged cells.
pub type CellTotals<'scope> = Arranged<'scope, TraceAgent<KeyTrace<CellKey, Cell>>>;

/// The number of cells in a portion.
const CELLS_AT_A_TIME: usize = 1 << 16;

/// Passes on all cells of this worker in order of their keys, without cells whose amounts cancel.
pub fn portions(
    cells: &Handle<CellKey, Cell>,
    epoch: Time,
    mut take: impl FnMut(Vec<(CellKey, Cell)>),
) {
    let mut lookup = Lookup::open(cells, epoch);
    lookup.seek(&CellKey::default());
    let mut portion = Vec::new();
    while let Some(&key) = lookup.key() {
        let cell = lookup.sum(Moment::After);
        if cell != Cell::default() {
            portion.push((key, cell));
        }
        if portion.len() == CELLS_AT_A_TIME {
            take(std::mem::take(&mut portion));
        }
        lookup.step();
    }
    if !portion.is_empty() {
        take(portion);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cell_positive_in_both_years_has_growth() {
        let cell = |cur, base| Cell { cur, base, import: 0 };
        assert_eq!(cell(200, 100).growth(), Some(Growth::between(100, 200)));
        for absent in [cell(200, 0), cell(0, 100), cell(-5, 100), cell(200, -1)] {
            assert_eq!(absent.growth(), None);
        }
    }
}
