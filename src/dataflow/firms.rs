//! Firms: in which cities they export, how much, and to which destinations.
//!
//! Comes in: cells as data. Goes out: each plant's exports by year, from which a firm's year and
//! its network of cities are read; and which firms export to a destination in a year, to find whom
//! a market's change concerns.

use differential_dataflow::VecCollection;
use differential_dataflow::operators::arrange::Arranged;
use serde::{Deserialize, Serialize};
use timely::dataflow::operators::vec::Map;

use super::cells::{Cell, CellKey};
use super::lookup::{Handle, Lookup, Moment, Time, arrange_here};
use super::sums::amounts;
use crate::types::{City, Country, Firm, Year};

/// A plant's year.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PlantYear {
    /// The firm.
    pub firm: Firm,
    /// The year.
    pub year: Year,
    /// The plant's city.
    pub city: City,
}

amounts! {
    /// What a plant exported in a year.
    pub struct PlantExports {
        /// Sum of its positive cells, in cents.
        pub cents,
        /// How many there are.
        pub destinations,
    }
}

/// A firm that exports to a destination in a year.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Exporter {
    /// The year.
    pub year: Year,
    /// The destination.
    pub country: Country,
    /// The firm.
    pub firm: Firm,
}

/// Arranges each plant's exports by year.
///
/// # Incremental
/// Holds one entry per plant and year; work per update is the update's own.
pub fn plant_years(
    changes: VecCollection<'_, Time, (CellKey, Cell), i64>,
) -> Arranged<'_, Handle<PlantYear, PlantExports>> {
    let exports = changes.inner.flat_map(|((key, cell), time, sign)| {
        let CellKey { year, firm, city, .. } = key;
        let amounts = PlantExports { cents: cell.cur, destinations: 1 }.times(sign);
        cell.exports().then_some((PlantYear { firm, year, city }, time, amounts))
    });
    arrange_here(VecCollection::new(exports), "plants by year")
}

/// Arranges which firms export to a destination in a year with indicators.
///
/// # Incremental
/// Holds one entry per firm, destination and year.
pub fn exporters(
    changes: VecCollection<'_, Time, (CellKey, Cell), i64>,
    first_year: Year,
) -> Arranged<'_, Handle<Exporter, i64>> {
    let exporters = changes.inner.flat_map(move |((key, cell), time, sign)| {
        let CellKey { year, firm, country, .. } = key;
        (year >= first_year && cell.exports()).then_some((
            Exporter { year, country, firm },
            time,
            sign,
        ))
    });
    arrange_here(VecCollection::new(exporters), "exporters by destination")
}

/// A multi-plant firm in a year: where it exports, and where it has done so up to then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirmYear {
    /// Cities with a positive cell in the year, with the plant's exports in cents; in order of
    /// city.
    pub active: Vec<(City, i64)>,
    /// Cities with a positive cell in the year or an earlier one; in order. Of a firm with several
    /// active plants only.
    pub network: Vec<City>,
}

impl FirmYear {
    /// Multi-plant: positive cells in two or more cities in the year (METHODOLOGY, "Words").
    #[must_use]
    pub fn is_multi_plant(&self) -> bool {
        self.active.len() >= 2
    }

    /// Exports of the plant in a city to all destinations, in cents; zero where there is none.
    #[must_use]
    pub fn plant_cents(&self, city: City) -> i64 {
        self.active
            .binary_search_by_key(&city, |&(city, _)| city)
            .map_or(0, |position| self.active[position].1)
    }

    /// Exports of the firm, in cents.
    #[must_use]
    pub fn cents(&self) -> i64 {
        self.active.iter().map(|&(_, cents)| cents).sum()
    }

    /// Exports of its largest plant, in cents.
    #[must_use]
    pub fn largest_plant_cents(&self) -> i64 {
        self.active.iter().map(|&(_, cents)| cents).max().unwrap_or(0)
    }
}

/// Reads a firm's year into `firm_year`, replacing what is there; the network only of a multi-plant
/// firm, which alone has one that matters.
///
/// The year comes first: most firms have one plant, and are done without a look at their history.
pub fn read_firm_year(
    plants: &mut Lookup<PlantYear, PlantExports>,
    firm: Firm,
    year: Year,
    moment: Moment,
    firm_year: &mut FirmYear,
) {
    firm_year.active.clear();
    firm_year.network.clear();
    plants.seek(&PlantYear { firm, year, city: City(0) });
    while let Some(&key) = plants.key().filter(|key| key.firm == firm && key.year == year) {
        let exports = plants.sum(moment);
        if exports.destinations > 0 {
            firm_year.active.push((key.city, exports.cents));
        }
        plants.step();
    }
    if !firm_year.is_multi_plant() {
        return;
    }
    firm_year.network.extend(firm_year.active.iter().map(|&(city, _)| city));
    plants.seek(&PlantYear { firm, ..PlantYear::default() });
    while let Some(&key) = plants.key().filter(|key| key.firm == firm && key.year < year) {
        if let Err(at) = firm_year.network.binary_search(&key.city)
            && plants.sum(moment).destinations > 0
        {
            firm_year.network.insert(at, key.city);
        }
        plants.step();
    }
}
