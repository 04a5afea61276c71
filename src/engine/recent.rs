//! Exports of months whose next year is still open. When `(t,k)` closes, the exports of `(t-1,k)`
//! become its base without another read of segments.

use std::collections::BTreeMap;

use crate::domain::types::{City, Country, Firm, Flow, Period, Plant, Shipment};

/// Exports by month, for the months that this process has seen completely.
///
/// Bounded by a year: a month leaves when the same month of the next year closes.
#[derive(Debug, Default)]
pub struct Recent {
    /// The last month whose exports are not held.
    not_kept: Option<Period>,
    months: BTreeMap<Period, Month>,
}

/// The exports of a month, in chunks: a late export does not move earlier chunks.
#[derive(Debug, Default)]
struct Month {
    chunks: Vec<Vec<Export>>,
}

/// The number of exports in a chunk.
const CHUNK_LEN: usize = 1 << 12;

/// An export without its month; there are millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Export {
    cents: i64,
    firm: Firm,
    city: City,
    country: Country,
}

impl Recent {
    /// Drops all months up to `month`: their exports were not seen completely, or were withdrawn.
    pub fn forget_through(&mut self, month: Period) {
        self.not_kept = self.not_kept.max(Some(month));
        self.months.retain(|kept, _| Some(*kept) > self.not_kept);
    }

    /// True if all exports of a month are held.
    #[must_use]
    pub fn has(&self, month: Period) -> bool {
        Some(month) > self.not_kept
    }

    /// Adds an export.
    pub fn add(&mut self, shipment: &Shipment) {
        if shipment.flow == Flow::Export && self.has(shipment.period) {
            let Shipment { plant: Plant { firm, city }, country, cents, .. } = *shipment;
            let export = Export { cents, firm, city, country };
            self.months.entry(shipment.period).or_default().add(export);
        }
    }

    /// Takes the exports of a month; `None` if they are not held completely.
    pub fn take(&mut self, month: Period) -> Option<impl Iterator<Item = Shipment> + use<>> {
        let kept = self.has(month).then(|| self.months.remove(&month).unwrap_or_default());
        self.forget_through(month);
        kept.map(|kept| kept.chunks.into_iter().flatten().map(move |export| export.of(month)))
    }
}

impl Month {
    fn add(&mut self, export: Export) {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK_LEN => chunk.push(export),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK_LEN);
                chunk.push(export);
                self.chunks.push(chunk);
            }
        }
    }
}

impl Export {
    fn of(self, period: Period) -> Shipment {
        let Self { cents, firm, city, country } = self;
        Shipment { plant: Plant { firm, city }, country, period, flow: Flow::Export, cents }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipment(yyyymm: u32, flow: Flow) -> Shipment {
        let period = Period::from_yyyymm(yyyymm).expect("a month");
        let plant = Plant { firm: Firm(1), city: City(2) };
        Shipment { plant, country: Country(3), period, flow, cents: 70 }
    }

    #[test]
    fn a_month_is_given_away_once_and_not_if_part_of_it_was_not_seen() {
        let month = |yyyymm| Period::from_yyyymm(yyyymm).expect("a month");
        let mut recent = Recent::default();
        recent.forget_through(month(200_101));
        for shipment in [
            shipment(200_101, Flow::Export),
            shipment(200_102, Flow::Export),
            shipment(200_102, Flow::Import),
            shipment(200_103, Flow::Export),
        ] {
            recent.add(&shipment);
        }
        assert!(recent.take(month(200_101)).is_none());
        let kept: Vec<_> = recent.take(month(200_102)).expect("it was seen whole").collect();
        assert_eq!(kept, [shipment(200_102, Flow::Export)]);
        assert!(recent.take(month(200_102)).is_none());
        recent.forget_through(month(200_103));
        assert!(!recent.has(month(200_103)) && recent.has(month(200_104)));
    }
}
