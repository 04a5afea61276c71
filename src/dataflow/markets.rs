//! Markets: a city's exporters to a destination in a year, and their growth (METHODOLOGY
//! (L1)–(L3)).
//!
//! Input: cells as data. Output: the totals of each market, as differences that add up, and the
//! rows of the table `city`.

use differential_dataflow::VecCollection;
use differential_dataflow::operators::arrange::Arranged;
use serde::{Deserialize, Serialize};
use timely::dataflow::operators::vec::Map;

use super::cells::{Cell, CellKey};
use super::lookup::{Handle, Lookup, Moment, Time};
use super::sums::amounts;
use crate::domain::rows::CityRow;
use crate::domain::types::{City, Country, Year};

/// A city's exports to a destination in a year.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct MarketKey {
    /// The year compared with the one before.
    pub year: Year,
    /// The destination.
    pub country: Country,
    /// The city.
    pub city: City,
}

amounts! {
    /// The sums of the cells of a market.
    pub struct Market {
        /// Plants with `cur > 0`.
        pub exporters,
        /// Plants with `cur > 0` and `base > 0`: `n`.
        pub continuing,
        /// Plants with `cur > 0` only.
        pub entrants,
        /// Plants with `base > 0` only.
        pub exits,
        /// Sum of positive `cur`, in cents.
        pub export_cents,
        /// Sum of positive `base`, in cents.
        pub base_cents,
        /// Sum of growth over `n`, in units of 2⁻³² log points: `S`.
        pub growth,
    }
}

/// The contribution of one cell to its market.
#[must_use]
pub fn contribution(cell: Cell) -> Market {
    let (cur, base) = (cell.cur > 0, cell.base > 0);
    Market {
        exporters: i64::from(cur),
        continuing: i64::from(cur && base),
        entrants: i64::from(cur && !base),
        exits: i64::from(base && !cur),
        export_cents: cell.cur.max(0),
        base_cents: cell.base.max(0),
        growth: cell.growth().map_or(0, |growth| growth.0),
    }
}

/// Adds up the markets of the years with indicators.
///
/// # Incremental
/// Holds one entry per market (cities × destinations × years at most); the work of an update does
/// not depend on the other markets.
pub fn totals(
    changes: VecCollection<'_, Time, (CellKey, Cell), i64>,
    first_year: Year,
) -> Arranged<'_, Handle<MarketKey, Market>> {
    let contributions = changes.inner.flat_map(move |((key, cell), time, sign)| {
        let CellKey { year, country, city, .. } = key;
        (year >= first_year)
            .then(|| (MarketKey { year, country, city }, time, contribution(cell).times(sign)))
    });
    VecCollection::new(contributions).arrange_by_self_named("markets")
}

/// The row of the table `city` for a market's totals; `None` if no amount is positive.
#[must_use]
pub fn city_row(key: MarketKey, market: Market) -> Option<CityRow> {
    let count = |n: i64| u32::try_from(n).expect("a market has fewer than 2^32 plants");
    let row = CityRow {
        year: key.year,
        city: key.city,
        country: key.country,
        exporters: count(market.exporters),
        continuing: count(market.continuing),
        entrants: count(market.entrants),
        exits: count(market.exits),
        export_cents: market.export_cents,
        base_cents: market.base_cents,
        growth: market.growth,
    };
    (row.exporters > 0 || row.exits > 0).then_some(row)
}

/// The number of rows in a message to the publisher.
const ROWS_AT_A_TIME: usize = 4096;

/// Reads all rows of a year from the markets of this worker, and passes them on in portions.
pub fn of_year(
    markets: &Handle<MarketKey, Market>,
    year: Year,
    epoch: Time,
    mut publish: impl FnMut(Vec<CityRow>),
) {
    let mut lookup = Lookup::open(markets, epoch);
    let mut rows = Vec::new();
    lookup.seek(&MarketKey { year, ..MarketKey::default() });
    while let Some(&key) = lookup.key().filter(|key| key.year == year) {
        rows.extend(city_row(key, lookup.sum(Moment::After)));
        lookup.step();
        if rows.len() >= ROWS_AT_A_TIME {
            publish(std::mem::take(&mut rows));
        }
    }
    if !rows.is_empty() {
        publish(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_counts_once_as_continuing_entrant_or_exit() {
        let of = |cur, base| contribution(Cell { cur, base, import: 9 });
        let kinds = |m: Market| (m.exporters, m.continuing, m.entrants, m.exits);
        assert_eq!(kinds(of(20, 10)), (1, 1, 0, 0));
        assert_eq!(kinds(of(20, 0)), (1, 0, 1, 0));
        assert_eq!(kinds(of(-3, 10)), (0, 0, 0, 1));
        assert_eq!(kinds(of(0, -1)), (0, 0, 0, 0));
        assert_eq!((of(-3, 10).export_cents, of(-3, 10).base_cents), (0, 10));
    }

    #[test]
    fn a_market_with_nothing_positive_has_no_row() {
        assert_eq!(city_row(MarketKey::default(), contribution(Cell::default())), None);
        let exit = contribution(Cell { cur: 0, base: 5, import: 0 });
        assert_eq!(city_row(MarketKey::default(), exit).map(|row| row.exits), Some(1));
    }
}
