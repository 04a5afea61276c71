//! The firms behind units of a level: their number, and the share of the largest change.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::SpanError;
use super::keys::Keys;
use super::scan::Wanted;
use super::source::SpanSource;
use crate::domain::series::Level;
use crate::domain::span::SpanAt;
use crate::feed::income_groups::IncomeGroups;
use crate::feed::reference::COUNTRIES;
use crate::indicators::{Cumulative, Months};

/// The firms behind a unit in a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitFirms {
    /// The number of firms with positive exports in the span.
    pub n_firms: u64,
    /// The sum over firms of |exports − exports a year before|, in cents.
    pub change_cents: i128,
    /// The largest of these.
    pub largest_change_cents: i128,
}

impl SpanSource<'_> {
    /// The firms behind units of a level in a span, from two scans. Only the units that are asked
    /// for are held.
    ///
    /// # Errors
    /// - [`SpanError::Home`] if a file of the home cannot be read.
    /// - [`SpanError::Places`] if the home's table of countries cannot be read.
    pub fn firms_of_units(
        &self,
        at: SpanAt,
        level: Level,
        units: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, UnitFirms>, SpanError> {
        let definition = self.definition();
        let incomes = IncomeGroups::of(definition.texts.reference(COUNTRIES))?;
        // Scans of the same months number countries alike.
        let countries = self.markets(&[at])?.countries;
        let keys = Keys::of(definition, &countries, &incomes, at.year());
        let exports = *at.base().start()..=at.end();
        let months = Months::of(&exports);
        let (cur, base) = (months.bounds(&at.cur()), months.bounds(&at.base()));
        let mut sums = Cumulative::default();
        let mut of_units: FxHashMap<u32, FxHashMap<u32, [i64; 2]>> = FxHashMap::default();
        self.scan(&Wanted { exports, imports: None }, |market, relations| {
            let is_asked = |unit: &u32| {
                let (own, key) = keys.unit(*unit);
                own == level && units.contains(key)
            };
            let asked: Vec<u32> =
                keys.of_market(market.city, market.country).filter(is_asked).collect();
            for (firm, months) in relations.iter().filter(|_| !asked.is_empty()) {
                if !sums.read(months) {
                    continue;
                }
                // A negative cell is no export.
                let cells = [sums.sum(cur).max(0), sums.sum(base).max(0)];
                for unit in &asked {
                    let own = of_units.entry(*unit).or_default().entry(firm.0).or_default();
                    own[0] += cells[0];
                    own[1] += cells[1];
                }
            }
        })?;
        let of_unit = |(unit, firms): (u32, FxHashMap<u32, [i64; 2]>)| {
            (keys.unit(unit).1.to_owned(), summed(firms.into_values()))
        };
        Ok(of_units.into_iter().map(of_unit).collect())
    }
}

fn summed(firms: impl Iterator<Item = [i64; 2]>) -> UnitFirms {
    let mut sum = UnitFirms::default();
    for [cur, base] in firms {
        let change = (i128::from(cur) - i128::from(base)).abs();
        sum.n_firms += u64::from(cur > 0);
        sum.change_cents += change;
        sum.largest_change_cents = sum.largest_change_cents.max(change);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firms_count_with_exports_and_changes_are_absolute() {
        let sum = summed([[500, 100], [0, 300], [50, 50]].into_iter());
        let expected = UnitFirms { n_firms: 2, change_cents: 700, largest_change_cents: 400 };
        assert_eq!(sum, expected);
    }
}
