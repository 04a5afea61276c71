//! The reference tables as texts and as rows, before their interpretation.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::later::FirstMonth;
use super::profile::{CityRule, CountryCodes, Profile};
use crate::domain::types::Period;
use crate::files;
use crate::files::trouble::remark;

/// The largest number of cities in the tables.
pub const CITIES_MAX: usize = u16::MAX as usize;

/// The file of the cities.
pub const CITIES: &str = "cities.csv";
/// The file of the regions.
pub const REGIONS: &str = "regions.csv";
/// The file of the countries.
pub const COUNTRIES: &str = "countries.csv";
/// The file of renumbered firms.
pub const FIRMS: &str = "firms.csv";
/// The file of the groups of cities and destinations.
pub const GROUPS: &str = "groups.csv";

/// The reference tables in the folder of a feed; each may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TablesBeside {
    /// `cities.csv`.
    pub cities: Option<String>,
    /// `regions.csv`.
    pub regions: Option<String>,
    /// `countries.csv`.
    pub countries: Option<String>,
    /// `firms.csv`.
    pub firms: Option<String>,
    /// `groups.csv`.
    pub groups: Option<String>,
}

/// The texts of the reference tables, which a home stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceTexts {
    /// `cities.csv`: `city, province, area_km2`; other columns are ignored.
    pub cities: String,
    /// `regions.csv`: `region, city`; an empty city is a region without one. `valid_from` and
    /// `valid_to` limit a row to some months.
    pub regions: Option<String>,
    /// `countries.csv`: `country`; without it every country code is valid.
    pub countries: Option<String>,
    /// `firms.csv`: `firm_id, successor, from`; without it no firm is renumbered.
    pub firms: Option<String>,
}

/// A reference table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    /// The file exists but cannot be read.
    #[error("cannot read the reference table {}{}", path.display(), remark(path, source))]
    Io {
        /// The table's file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A line is not CSV of as many columns as the header.
    #[error("{table} is not a table; mend the line")]
    Csv {
        /// The table.
        table: &'static str,
        /// The line and the cause.
        source: csv::Error,
    },
    /// The header lacks a column.
    #[error(
        "{table}, line 1: no column \"{column}\"; its header must have {}",
        required.join(", ")
    )]
    MissingColumn {
        /// The table.
        table: &'static str,
        /// The column that is missing.
        column: &'static str,
        /// All columns that are needed.
        required: Vec<&'static str>,
    },
    /// A field is invalid.
    #[error("{table}, line {line}, column {column}: {problem}")]
    Field {
        /// The table.
        table: &'static str,
        /// The line, counted from the header as 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// The problem and its remedy.
        problem: Problem,
    },
    /// The number of cities is 0 or too large.
    #[error("cities.csv has {n_cities} cities; it must have 1 to {CITIES_MAX}")]
    NCities {
        /// The number of cities.
        n_cities: usize,
    },
}

/// A problem with a field of a reference table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The field is blank.
    #[error("is blank; give it a code or remove the line")]
    Blank,
    /// The same code is on an earlier line.
    #[error("\"{code}\" is given twice, first on line {first_line}; keep one")]
    Twice {
        /// The code.
        code: String,
        /// The line of its first use.
        first_line: u64,
    },
    /// The text is not a kind of group.
    #[error("\"{0}\" is neither city nor country; write one of them")]
    Kind(String),
    /// The tables of places lack the code of a member.
    #[error("no {kind} has the code \"{code}\"; correct the code or remove the line")]
    NoMember {
        /// `city` or `country`.
        kind: String,
        /// The code.
        code: String,
    },
    /// The text is not an area.
    #[error(
        "\"{0}\" is not an area; write km² as a positive decimal with at most six decimals, up \
                 to 510072000"
    )]
    Area(String),
    /// The text is not a month.
    #[error("\"{0}\" is not a month; write it as 200501 or 2005-01")]
    Month(String),
    /// The last month is before the first one.
    #[error("is before the first month, {first}; correct one of them")]
    BeforeFirst {
        /// The first month.
        first: Period,
    },
    /// A code has another row for the same month.
    #[error("the months of \"{code}\" overlap with those of line {line}; correct the months")]
    Overlap {
        /// The code.
        code: String,
        /// The line of the other row.
        line: u64,
    },
    /// An identifier succeeds itself, over other identifiers or none.
    #[error("\"{firm}\" succeeds itself, by line {line}; remove one of these rows")]
    Circle {
        /// The identifier.
        firm: String,
        /// The line that closes the circle.
        line: u64,
    },
    /// An identifier ends before it begins.
    #[error("\"{firm}\" exists only from {from} on, by line {line}; correct one of the months")]
    NotLater {
        /// The identifier.
        firm: String,
        /// Its first month.
        from: Period,
        /// The line with that month.
        line: u64,
    },
}

/// A month of a reference table.
pub(super) fn month(text: &str) -> Option<Period> {
    FirstMonth::try_from(text.to_owned()).ok().map(|month| month.0)
}

impl PlacesError {
    pub(super) fn field(
        table: &'static str,
        line: u64,
        column: &'static str,
        problem: Problem,
    ) -> Self {
        Self::Field { table, line, column, problem }
    }
}

impl TablesBeside {
    /// Reads the tables in a folder.
    ///
    /// # Errors
    /// [`PlacesError::Io`] if a table exists but cannot be read.
    pub fn of(folder: &Path) -> Result<Self, PlacesError> {
        let table = |name: &str| text_of(&folder.join(name));
        let (cities, regions, countries) = (table(CITIES)?, table(REGIONS)?, table(COUNTRIES)?);
        let (firms, groups) = (table(FIRMS)?, table(GROUPS)?);
        Ok(Self { cities, regions, countries, firms, groups })
    }

    /// These tables, completed by those of another folder.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            cities: self.cities.or(other.cities),
            regions: self.regions.or(other.regions),
            countries: self.countries.or(other.countries),
            firms: self.firms.or(other.firms),
            groups: self.groups.or(other.groups),
        }
    }

    /// The existing tables, each with the name of its file.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tables = [
            (CITIES, &self.cities),
            (REGIONS, &self.regions),
            (COUNTRIES, &self.countries),
            (FIRMS, &self.firms),
            (GROUPS, &self.groups),
        ];
        tables.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)))
    }
}

impl ReferenceTexts {
    /// The tables of a feed: those in its folder, completed by the shipped ones that its profile
    /// needs. These are the Chinese prefectures, the customs' places of production for a profile
    /// with a concordance, and the customs' country codes.
    #[must_use]
    pub fn of(beside: TablesBeside, profile: &Profile) -> Self {
        let has_concordance = profile.city == CityRule::Concordance;
        let has_customs_codes = profile.countries == Some(CountryCodes::Customs);
        let shipped = |asked: bool, text: &str| asked.then(|| text.to_owned());
        let cities = include_str!("../../streams/reference/cities.csv");
        let regions = include_str!("../../streams/reference/regions.csv");
        let countries = include_str!("../../streams/reference/countries.csv");
        Self {
            cities: beside.cities.unwrap_or_else(|| cities.to_owned()),
            regions: beside.regions.or_else(|| shipped(has_concordance, regions)),
            countries: beside.countries.or_else(|| shipped(has_customs_codes, countries)),
            firms: beside.firms,
        }
    }

    /// The existing tables, each with the name of its file.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tables = [
            (CITIES, Some(&self.cities)),
            (REGIONS, self.regions.as_ref()),
            (COUNTRIES, self.countries.as_ref()),
            (FIRMS, self.firms.as_ref()),
        ];
        tables.into_iter().filter_map(|(name, text)| Some((name, text?.as_str())))
    }
}

/// The first row of a table that a later table lacks or changes; `None` if the later table has the
/// same rows and possibly more.
#[must_use]
pub fn changed_row(before: &str, after: &str) -> Option<String> {
    let read = |text: &str| {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().cloned().unwrap_or_default();
        let rows: Vec<csv::StringRecord> = reader.records().filter_map(Result::ok).collect();
        (header, rows)
    };
    let ((names, rows), (names_after, rows_after)) = (read(before), read(after));
    let mut columns = Vec::with_capacity(names.len());
    for name in &names {
        match names_after.iter().position(|other| other == name) {
            Some(at) => columns.push(at),
            None => return Some(format!("the column {name} is gone")),
        }
    }
    let project = |row: &csv::StringRecord| -> Vec<String> {
        columns.iter().map(|at| row.get(*at).unwrap_or_default().to_owned()).collect()
    };
    let after: rustc_hash::FxHashSet<Vec<String>> = rows_after.iter().map(project).collect();
    let is_gone = |row: &&csv::StringRecord| {
        let row: Vec<String> = row.iter().map(str::to_owned).collect();
        !after.contains(&row)
    };
    let gone = rows.iter().find(is_gone)?;
    let row: Vec<&str> = gone.iter().collect();
    Some(format!("the row \"{}\" is gone or changed", row.join(",")))
}

fn text_of(path: &Path) -> Result<Option<String>, PlacesError> {
    match files::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PlacesError::Io { path: path.to_owned(), source }),
    }
}

/// The needed columns of a table, line by line.
pub(super) struct Table<const N: usize> {
    name: &'static str,
    columns: [&'static str; N],
    pub(super) rows: Vec<(u64, [String; N])>,
}

impl<const N: usize> Table<N> {
    pub(super) fn parse(
        table: &'static str,
        text: &str,
        columns: [&'static str; N],
    ) -> Result<Self, PlacesError> {
        let csv_error = |source| PlacesError::Csv { table, source };
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().map_err(csv_error)?;
        let mut at = [0; N];
        for (at, column) in at.iter_mut().zip(columns) {
            *at = header.iter().position(|name| name == column).ok_or_else(|| {
                PlacesError::MissingColumn { table, column, required: columns.to_vec() }
            })?;
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(csv_error)?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, at.map(|at| record[at].to_owned())));
        }
        Ok(Self { name: table, columns, rows })
    }

    /// Checks that the first column holds codes: not blank, and different on every line.
    pub(super) fn check_codes(&self) -> Result<(), PlacesError> {
        let mut lines = FxHashMap::default();
        for (line, fields) in &self.rows {
            let (line, code) = (*line, fields[0].as_str());
            let problem = match lines.insert(code, line) {
                _ if code.trim().is_empty() => Problem::Blank,
                Some(first_line) => Problem::Twice { code: code.to_owned(), first_line },
                None => continue,
            };
            return Err(PlacesError::field(self.name, line, self.columns[0], problem));
        }
        Ok(())
    }
}

/// The columns of a reference table by name; a missing column is empty.
///
/// # Errors
/// [`csv::Error`] at the first line that has not as many fields as the header.
pub fn columns_of<const N: usize>(
    text: &str,
    columns: [&str; N],
) -> Result<Vec<[String; N]>, csv::Error> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let places = columns.map(|column| header.iter().position(|name| name == column));
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record?;
        let field = |at| record.get(at).unwrap_or_default().to_owned();
        Ok(places.map(|place| place.map_or_else(String::new, field)))
    };
    reader.records().map(row).collect()
}
