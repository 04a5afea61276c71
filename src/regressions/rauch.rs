//! Differentiated goods, by Rauch: from HS6 code and year.
//!
//! The edition of the Harmonized System in force in the year comes first, then the others, newest
//! first: codes outlive their edition in customs data.

use rustc_hash::FxHashMap;

use super::error::RegressionError;
use super::reference::rows;
use crate::domain::types::Year;

const TABLE: &str = include_str!("../../streams/reference/rauch_hs6.csv");

/// Editions with their first year, newest first.
const EDITIONS: [(&str, u16); 4] =
    [("HS2007", 2007), ("HS2002", 2002), ("HS1996", 1996), ("HS1992", 0)];

/// The classification of a good: true if it is neither traded on an exchange nor reference priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differentiated {
    /// The conservative classification, with fewer homogeneous goods.
    pub conservative: bool,
    /// The liberal classification, with more homogeneous goods.
    pub liberal: bool,
}

/// The classification of all editions.
#[derive(Debug)]
pub struct Rauch {
    by_edition: [FxHashMap<String, Differentiated>; EDITIONS.len()],
}

impl Rauch {
    /// The table that is part of the program.
    ///
    /// # Errors
    /// [`RegressionError::Reference`] if it is damaged.
    pub fn bundled() -> Result<Self, RegressionError> {
        let mut by_edition: [FxHashMap<String, Differentiated>; EDITIONS.len()] =
            Default::default();
        let columns = ["hs_edition", "hs6", "rauch_conservative", "rauch_liberal"];
        for [edition, hs6, conservative, liberal] in rows("rauch_hs6.csv", TABLE, columns)? {
            let place = EDITIONS.iter().position(|(name, _)| *name == edition);
            if let Some(place) = place.filter(|_| !conservative.is_empty()) {
                let goods =
                    Differentiated { conservative: conservative == "n", liberal: liberal == "n" };
                by_edition[place].insert(hs6, goods);
            }
        }
        Ok(Self { by_edition })
    }

    /// The classification of a good; `None` if no edition has it.
    pub fn of(&self, hs6: &str, year: Year) -> Option<Differentiated> {
        let in_force = EDITIONS.iter().position(|(_, first)| *first <= year.0).unwrap_or(0);
        let mut places = [in_force].into_iter().chain(0..EDITIONS.len());
        places.find_map(|place| self.by_edition[place].get(hs6)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_are_classified_by_the_edition_of_the_year_and_by_the_others_else() {
        let rauch = Rauch::bundled().expect("the table");
        let live_horses = rauch.of("010111", Year(1995)).expect("a code of 1992");
        assert!(live_horses.conservative && live_horses.liberal);
        assert_eq!(rauch.of("010111", Year(2010)), Some(live_horses), "also in later years");
        let crude_oil = rauch.of("270900", Year(2005)).expect("crude oil");
        assert!(!crude_oil.conservative && !crude_oil.liberal);
        assert_eq!(rauch.of("999999", Year(2005)), None);
    }
}
