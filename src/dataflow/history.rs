//! The years in which a plant exported to a country: one bit for each year, summed in the
//! difference.
//!
//! A positive cell contributes 2^(year - first year) exactly once, so the sum *is* the set. A mask
//! on it gives `experience` and `new`. No reduce has to hold every year of every plant.

use differential_dataflow::VecCollection;
use differential_dataflow::operators::arrange::Arranged;
use serde::{Deserialize, Serialize};
use timely::dataflow::operators::vec::Map;

use super::cells::{Cell, CellKey};
use super::lookup::{Handle, Time, arrange_here};
use crate::domain::types::{City, Country, Firm, Year};

/// A plant and a country, in the order in which a firm's year is read.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Relation {
    /// The firm.
    pub firm: Firm,
    /// The destination.
    pub country: Country,
    /// The plant's city.
    pub city: City,
}

/// The set of years with a positive cell, as bits counted from the feed's first year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportYears {
    bits: i64,
    first: Year,
}

/// The largest number of years in a feed: the bits of a positive `i64`. `engine` refuses a longer
/// feed.
pub const YEARS_MAX: u16 = 62;

impl ExportYears {
    /// The set whose bits are the sum of [`bit`]s.
    #[must_use]
    pub fn new(bits: i64, first: Year) -> Self {
        Self { bits, first }
    }

    /// `experience`: a positive cell in some year before `year`.
    #[must_use]
    pub fn any_before(self, year: Year) -> bool {
        self.bits & (bit(year, self.first) - 1) != 0
    }

    /// A positive cell in `year`; `new` means no positive cell in the previous year.
    #[must_use]
    pub fn contains(self, year: Year) -> bool {
        year >= self.first && self.bits & bit(year, self.first) != 0
    }
}

/// The bit of a year.
///
/// # Panics
/// If the year is before the first or [`YEARS_MAX`] after it, which the calendar rules out.
#[must_use]
pub fn bit(year: Year, first: Year) -> i64 {
    assert!(year >= first && year.0 - first.0 < YEARS_MAX, "year {year} of a feed from {first}");
    1 << (year.0 - first.0)
}

/// Arranges the years in which each plant exported to each destination.
///
/// # Incremental
/// Holds one entry per plant and destination; changes only when a cell turns positive or stops
/// being so.
pub fn export_years(
    changes: VecCollection<'_, Time, (CellKey, Cell), i64>,
    first: Year,
) -> Arranged<'_, Handle<Relation, i64>> {
    let years = changes.inner.flat_map(move |((key, cell), time, sign)| {
        let CellKey { firm, country, city, .. } = key;
        let relation = Relation { firm, country, city };
        cell.exports().then(|| (relation, time, sign * bit(key.year, first)))
    });
    arrange_here(VecCollection::new(years), "export years")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experience_looks_at_all_earlier_years_and_new_at_the_last_one() {
        let first = Year(2000);
        let years = ExportYears::new(bit(Year(2001), first) + bit(Year(2003), first), first);
        assert!(!years.any_before(Year(2001)));
        assert!(years.any_before(Year(2002)));
        assert!(years.contains(Year(2003)) && !years.contains(Year(2002)));
        assert!(!years.contains(Year(1999)));
    }
}
