//! Income groups of destinations: H, UM, LM, L.
//!
//! A group in the home's `countries.csv` holds for all years. Otherwise the country's iso3 code,
//! from there or from the customs' table, gives the World Bank's group of the year.

use rustc_hash::FxHashMap;

use super::error::RegressionError;
use crate::domain::types::Year;
use crate::feed::reference::columns_of;

const CUSTOMS: &str = include_str!("../../streams/reference/countries.csv");
const WORLD_BANK: &str = include_str!("../../streams/reference/income_groups.csv");

/// The group of a country in a year.
#[derive(Debug, Default)]
pub struct Incomes {
    by_country: FxHashMap<String, Country>,
    by_year: FxHashMap<(String, u16), String>,
}

#[derive(Debug, Default)]
struct Country {
    group: Option<String>,
    iso3: Option<String>,
}

impl Incomes {
    /// Income groups by the home's `countries.csv`, or by the customs' if the home has none.
    ///
    /// # Errors
    /// [`RegressionError::Reference`] if a line is not CSV.
    pub fn of(countries: Option<&str>) -> Result<Self, RegressionError> {
        let mut incomes = Self::default();
        for [country, iso3, group] in rows(
            "countries.csv",
            countries.unwrap_or(CUSTOMS),
            ["country", "iso3", "income_group"],
        )? {
            let filled = |text: String| Some(text).filter(|text| !text.is_empty());
            let known = Country { group: filled(group), iso3: filled(iso3) };
            incomes.by_country.insert(country, known);
        }
        for [iso3, year, group] in
            rows("income_groups.csv", WORLD_BANK, ["iso3", "year", "income_group"])?
        {
            if let Ok(year) = year.parse() {
                incomes.by_year.insert((iso3, year), group);
            }
        }
        Ok(incomes)
    }

    /// The group; `None` if it is unknown.
    pub fn group(&self, country: &str, year: Year) -> Option<&str> {
        let Country { group, iso3 } = self.by_country.get(country)?;
        let of_year = || self.by_year.get(&(iso3.clone()?, year.0));
        group.as_ref().or_else(of_year).map(String::as_str).filter(|group| !group.is_empty())
    }
}

/// Columns of a reference table by name; a missing column is empty.
pub(super) fn rows<const N: usize>(
    table: &'static str,
    text: &str,
    columns: [&str; N],
) -> Result<Vec<[String; N]>, RegressionError> {
    let bad = |error: &csv::Error| RegressionError::Reference {
        table,
        line: error.position().map_or(1, csv::Position::line),
        what: "it is not CSV with as many fields as the header",
    };
    columns_of(text, columns).map_err(|error| bad(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_the_feed_comes_before_that_of_the_year() {
        let text = "country,iso3,income_group\na,CHN,H\nb,CHN,\nc,,\n";
        let incomes = Incomes::of(Some(text)).expect("a table");
        let group = |country, year| incomes.group(country, Year(year));
        assert_eq!(group("a", 2005), Some("H"));
        assert_eq!((group("b", 1998), group("b", 2005)), (Some("L"), Some("LM")));
        assert_eq!((group("c", 2005), group("d", 2005)), (None, None));
    }

    #[test]
    fn customs_codes_lead_to_groups() {
        let incomes = Incomes::of(None).expect("the customs' table");
        assert_eq!(incomes.group("502", Year(2005)), Some("H"), "the United States");
    }
}
