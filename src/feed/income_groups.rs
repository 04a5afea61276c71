//! Income groups of destinations: H, UM, LM, L.
//!
//! A group in the home's `countries.csv` holds for all years. Otherwise the country's iso3 code,
//! from there or from the customs' table, gives the World Bank's group of the year.

use rustc_hash::FxHashMap;

use super::reference::{COUNTRIES, PlacesError, columns_of};
use crate::domain::types::Year;

const CUSTOMS: &str = include_str!("../../streams/reference/countries.csv");
const WORLD_BANK: &str = include_str!("../../streams/reference/income_groups.csv");

/// The group of a country in a year.
#[derive(Debug, Default)]
pub struct IncomeGroups {
    by_country: FxHashMap<String, Country>,
    by_year: FxHashMap<(String, u16), String>,
}

#[derive(Debug, Default)]
struct Country {
    group: Option<String>,
    iso3: Option<String>,
}

impl IncomeGroups {
    /// Income groups by the home's `countries.csv`, or by the customs' if the home has none.
    ///
    /// # Errors
    /// [`PlacesError::Csv`] if a line is not CSV.
    pub fn of(countries: Option<&str>) -> Result<Self, PlacesError> {
        let mut incomes = Self::default();
        let bad = |table| move |source| PlacesError::Csv { table, source };
        let columns = ["country", "iso3", "income_group"];
        let text = countries.unwrap_or(CUSTOMS);
        for [country, iso3, group] in columns_of(text, columns).map_err(bad(COUNTRIES))? {
            let filled = |text: String| Some(text).filter(|text| !text.is_empty());
            let known = Country { group: filled(group), iso3: filled(iso3) };
            incomes.by_country.insert(country, known);
        }
        let columns = ["iso3", "year", "income_group"];
        let rows = columns_of(WORLD_BANK, columns).map_err(bad("income_groups.csv"))?;
        for [iso3, year, group] in rows {
            if let Ok(year) = year.parse() {
                incomes.by_year.insert((iso3, year), group);
            }
        }
        Ok(incomes)
    }

    /// The group; `None` if it is unknown.
    #[must_use]
    pub fn group(&self, country: &str, year: Year) -> Option<&str> {
        let Country { group, iso3 } = self.by_country.get(country)?;
        let of_year = || self.by_year.get(&(iso3.clone()?, year.0));
        group.as_ref().or_else(of_year).map(String::as_str).filter(|group| !group.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_the_feed_comes_before_that_of_the_year() {
        let text = "country,iso3,income_group\na,CHN,H\nb,CHN,\nc,,\n";
        let incomes = IncomeGroups::of(Some(text)).expect("a table");
        let group = |country, year| incomes.group(country, Year(year));
        assert_eq!(group("a", 2005), Some("H"));
        assert_eq!((group("b", 1998), group("b", 2005)), (Some("L"), Some("LM")));
        assert_eq!((group("c", 2005), group("d", 2005)), (None, None));
    }

    #[test]
    fn customs_codes_lead_to_groups() {
        let incomes = IncomeGroups::of(None).expect("the customs' table");
        assert_eq!(incomes.group("502", Year(2005)), Some("H"), "the United States");
    }
}
