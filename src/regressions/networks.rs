//! Networks of firms: the cities from which a firm exported up to a year.

use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_schema::ArrowError;
use rustc_hash::FxHashSet;

use super::error::RegressionError;
use super::source::Source;
use crate::domain::dictionary::Dictionary;
use crate::domain::types::{City, Year};
use crate::home::parts::{Layout, Table, YearStream};

/// The cities of firms, each with the first year in which the firm had a positive cell there.
#[derive(Debug, Default)]
pub struct Networks {
    firms: Dictionary,
    /// The cities in order, each city of a firm once.
    founded: Vec<Founded>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Founded {
    firm: u32,
    city: City,
    year: Year,
}

impl Networks {
    /// The networks of a year's multi-plant firms, from the stored facts of `plant`: cities that
    /// export, and cities that a firm has left. `None` if the home stores figures.
    pub fn of_facts(source: &Source<'_>, year: Year) -> Result<Option<Self>, RegressionError> {
        let chains = source.home.chains(Table::Plant, None)?.unwrap_or_default();
        let chain = chains.iter().find(|chain| chain.year == year);
        let Some(chain) = chain.filter(|chain| chain.layout == Layout::Facts) else {
            return Ok(None);
        };
        let places = &source.definition.places;
        let mut firms = Dictionary::default();
        let mut founded = FxHashSet::default();
        for batch in YearStream::open(source.home.folder(), Table::Plant, chain)? {
            let batch = batch?;
            let text = |name: &str| -> Result<&StringArray, ArrowError> {
                let column = batch.column_by_name(name).and_then(|column| column.as_string_opt());
                column.ok_or_else(|| ArrowError::SchemaError(format!("no text column {name}")))
            };
            for (firm, city) in text("firm")?.iter().flatten().zip(text("city")?.iter().flatten()) {
                let unknown =
                    || ArrowError::InvalidArgumentError(format!("no city has the code \"{city}\""));
                let city = places.city(city).ok_or_else(unknown)?;
                founded.insert(Founded { firm: firms.intern(firm), city, year });
            }
        }
        let mut founded: Vec<Founded> = founded.into_iter().collect();
        founded.sort_unstable();
        Ok(Some(Self { firms, founded }))
    }

    /// Networks from the cities in which firms had a positive cell, in any order of years.
    pub fn of<'f>(cities: impl IntoIterator<Item = (&'f str, City, Year)>) -> Self {
        let mut firms = Dictionary::default();
        let founded = cities.into_iter().map(|(firm, city, year)| {
            let firm = firms.intern(firm);
            Founded { firm, city, year }
        });
        let mut founded: Vec<Founded> = founded.collect();
        founded.sort_unstable();
        founded.dedup_by_key(|of| (of.firm, of.city));
        Self { firms, founded }
    }

    /// The cities of a firm in a year: those in which it had a positive cell in that year or an
    /// earlier one, in order.
    pub fn cities(&self, firm: &str, year: Year) -> impl Iterator<Item = City> {
        let own = self.firms.position(firm).map_or(&[][..], |firm| {
            let first = self.founded.partition_point(|of| of.firm < firm);
            let n = self.founded[first..].partition_point(|of| of.firm == firm);
            &self.founded[first..first + n]
        });
        own.iter().filter(move |of| of.year <= year).map(|of| of.city)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_grows_with_the_years_and_keeps_its_cities() {
        let (f, g) = ("f", "g");
        let networks = Networks::of([
            (g, City(2), Year(2001)),
            (f, City(3), Year(2001)),
            (f, City(1), Year(2001)),
            (f, City(3), Year(2000)),
            (g, City(1), Year(2000)),
        ]);
        let cities =
            |firm, t| networks.cities(firm, Year(t)).map(|city| city.0).collect::<Vec<_>>();
        assert_eq!((cities("f", 2000), cities("f", 2001)), (vec![3], vec![1, 3]));
        assert_eq!((cities("g", 2000), cities("g", 2002)), (vec![1], vec![1, 2]));
        assert_eq!((cities("h", 2001), cities("f", 1999)), (vec![], vec![]));
    }
}
