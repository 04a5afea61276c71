//! Firms: the cities from which they export in a year.
//!
//! Input: cells as data. Output: each plant's years, which give a firm's year and its network of
//! cities.

use differential_dataflow::VecCollection;
use differential_dataflow::operators::arrange::Arranged;
use serde::{Deserialize, Serialize};
use timely::dataflow::operators::vec::Map;

use super::cells::{Cell, CellKey};
use super::lookup::{Handle, Lookup, Moment, Time, arrange_here};
use crate::domain::types::{City, Firm, Year};

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

/// Arranges the plants by year, with the number of destinations of each.
///
/// # Incremental
/// Holds one entry per plant and year; changes only when a cell turns positive or stops being so.
pub fn plant_years(
    changes: VecCollection<'_, Time, (CellKey, Cell), i64>,
) -> Arranged<'_, Handle<PlantYear, i64>> {
    let exports = changes.inner.flat_map(|((key, cell), time, sign)| {
        let CellKey { year, firm, city, .. } = key;
        cell.exports().then_some((PlantYear { firm, year, city }, time, sign))
    });
    arrange_here(VecCollection::new(exports), "plants by year")
}

/// A firm in a year: the cities from which it exports, and those of earlier years.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirmYear {
    /// Cities with a positive cell in the year; in order.
    active: Vec<City>,
    /// Cities with a positive cell in the year or an earlier one, in order. Filled only for a firm
    /// with several active plants.
    network: Vec<City>,
}

impl FirmYear {
    /// Multi-plant: positive cells in two or more cities in the year (METHODOLOGY, "Words").
    #[must_use]
    pub fn is_multi_plant(&self) -> bool {
        self.active.len() >= 2
    }

    /// The cities of the network from which the firm does not export in the year, in order.
    pub fn former(&self) -> impl Iterator<Item = City> {
        let is_former = |city: &&City| self.active.binary_search(city).is_err();
        self.network.iter().filter(is_former).copied()
    }
}

/// Reads a firm's year into `firm_year` and replaces its content. The network is read for a
/// multi-plant firm only; other firms do not need it.
///
/// The year is read first: most firms have one plant, and their history is never read.
pub fn read_firm_year(
    plants: &mut Lookup<PlantYear, i64>,
    firm: Firm,
    year: Year,
    moment: Moment,
    firm_year: &mut FirmYear,
) {
    firm_year.active.clear();
    firm_year.network.clear();
    plants.seek(&PlantYear { firm, year, city: City(0) });
    while let Some(&key) = plants.key().filter(|key| key.firm == firm && key.year == year) {
        if plants.sum(moment) > 0 {
            firm_year.active.push(key.city);
        }
        plants.step();
    }
    if !firm_year.is_multi_plant() {
        return;
    }
    firm_year.network.extend_from_slice(&firm_year.active);
    plants.seek(&PlantYear { firm, ..PlantYear::default() });
    while let Some(&key) = plants.key().filter(|key| key.firm == firm && key.year < year) {
        if let Err(at) = firm_year.network.binary_search(&key.city)
            && plants.sum(moment) > 0
        {
            firm_year.network.insert(at, key.city);
        }
        plants.step();
    }
}
