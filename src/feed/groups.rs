//! `groups.csv`: groups of cities and destinations of the user's own, such as deltas or ASEAN.
//!
//! Columns: `kind` (`city` or `country`), `member` (a code), `group` (a name). A member may be in
//! several groups.

use std::collections::{BTreeMap, BTreeSet};

use super::places::Places;
use super::reference::{GROUPS, PlacesError, Problem, Table};

const COLUMNS: [&str; 3] = ["kind", "member", "group"];

/// The groups of each city and destination, by code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    cities: BTreeMap<String, BTreeSet<String>>,
    countries: BTreeMap<String, BTreeSet<String>>,
}

impl Groups {
    /// Parses the table.
    ///
    /// # Errors
    /// [`PlacesError`] with the line and the problem: a missing column, a line that is not CSV, a
    /// blank field, another kind, or a code that the tables of places lack.
    pub fn parse(text: &str, places: &Places) -> Result<Self, PlacesError> {
        let table = Table::parse(GROUPS, text, COLUMNS)?;
        let mut groups = Self::default();
        for (line, fields) in table.rows {
            let [kind, member, group] = fields.map(|field| field.trim().to_owned());
            let bad = |column, problem| Err(PlacesError::field(GROUPS, line, column, problem));
            let (of, is_known) = match &*kind {
                "city" => (&mut groups.cities, places.city(&member).is_some()),
                "country" => (&mut groups.countries, places.country_known(&member)),
                _ => return bad("kind", Problem::Kind(kind)),
            };
            if member.is_empty() || group.is_empty() {
                return bad(if member.is_empty() { "member" } else { "group" }, Problem::Blank);
            }
            if !is_known {
                return bad("member", Problem::NoMember { kind, code: member });
            }
            of.entry(member).or_default().insert(group);
        }
        Ok(groups)
    }

    /// The groups of a city, in order.
    pub fn of_city(&self, code: &str) -> impl Iterator<Item = &str> {
        self.cities.get(code).into_iter().flatten().map(String::as_str)
    }

    /// The groups of a destination, in order.
    pub fn of_country(&self, code: &str) -> impl Iterator<Item = &str> {
        self.countries.get(code).into_iter().flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::reference::ReferenceTexts;

    fn parse(text: &str) -> Result<Groups, PlacesError> {
        let places = Places::parse(&ReferenceTexts {
            cities: "city,province,area_km2\n1101,11,1\n3101,31,1\n".to_owned(),
            regions: None,
            countries: Some("country\n116\n502\n".to_owned()),
            firms: None,
        });
        Groups::parse(text, &places.expect("tables"))
    }

    #[test]
    fn a_member_may_be_in_several_groups_and_a_code_in_both_kinds() {
        let text = "group,member,kind\nDelta,3101,city\nEast, 3101 ,city\nEast,3101,city\nAsia,116,\
                    country\n";
        let groups = parse(text).expect("groups");
        assert_eq!(groups.of_city("3101").collect::<Vec<_>>(), ["Delta", "East"]);
        assert_eq!(groups.of_country("116").collect::<Vec<_>>(), ["Asia"]);
        assert_eq!(groups.of_city("1101").count() + groups.of_country("3101").count(), 0);
    }

    #[test]
    fn a_line_that_is_no_membership_is_named() {
        for (line, message) in [
            (
                "town,3101,a",
                "groups.csv, line 2, column kind: \"town\" is neither city nor country",
            ),
            ("city,9999,a", "column member: no city has the code \"9999\""),
            ("country,999,a", "column member: no country has the code \"999\""),
            ("city,,a", "column member: is blank"),
            ("city,3101, ", "column group: is blank"),
        ] {
            let error = parse(&format!("kind,member,group\n{line}\n")).expect_err(line).to_string();
            assert!(error.contains(message), "{error}");
        }
        let error = parse("kind,member\n").expect_err("a column").to_string();
        assert!(error.contains("no column \"group\""), "{error}");
    }
}
