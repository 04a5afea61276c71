//! The concordance: `regions.csv` gives the city of each region's code.
//!
//! A code may mean different cities in different months: `valid_from` and `valid_to` give the first
//! and the last month of a row. Without them a row is valid in every month.

use rustc_hash::FxHashMap;

use super::reference::{PlacesError, Problem, REGIONS, Table, columns_of, month};
use crate::domain::types::{City, Period};

/// The columns of months.
const MONTHS: [&str; 2] = ["valid_from", "valid_to"];

/// The city of a region according to the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The region is in this city.
    City(City),
    /// The region is known and in no city: the remainder of a province, or a city without a row in
    /// the table of cities.
    WithoutCity,
    /// The tables do not contain the region.
    Unknown,
}

/// The cities of regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Regions {
    meanings: FxHashMap<Box<str>, Vec<Meaning>>,
    /// True if a code has a row that is not valid in every month.
    is_dated: bool,
}

/// The city of a code in some months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meaning {
    first: Period,
    last: Period,
    city: Option<City>,
}

/// A row of the table.
struct Row {
    line: u64,
    region: String,
    meaning: Meaning,
}

impl Regions {
    /// Parses the table; the cities of codes come from the table of cities.
    ///
    /// # Errors
    /// [`PlacesError`] with the line and the problem: a missing column, a line that is not CSV, a
    /// blank code, an invalid month, or a code with two rows for one month.
    pub(super) fn parse(
        text: &str,
        cities: &FxHashMap<Box<str>, City>,
    ) -> Result<Self, PlacesError> {
        let table = Table::parse(REGIONS, text, ["region", "city"])?;
        let csv_error = |source| PlacesError::Csv { table: REGIONS, source };
        let months = columns_of(text, MONTHS).map_err(csv_error)?;
        let mut rows = Vec::with_capacity(table.rows.len());
        for ((line, [region, city]), months) in table.rows.into_iter().zip(months) {
            let error = |column, problem| PlacesError::field(REGIONS, line, column, problem);
            if region.trim().is_empty() {
                return Err(error("region", Problem::Blank));
            }
            // A city without a row has no area and so no density: its regions count as regions
            // without a city.
            let city = cities.get(city.as_str()).copied();
            let [first, last] =
                bounds(&months).map_err(|(at, problem)| error(MONTHS[at], problem))?;
            rows.push(Row { line, region, meaning: Meaning { first, last, city } });
        }
        let is_dated = rows.iter().any(|row| !row.meaning.is_for_ever());
        let mut meanings: FxHashMap<Box<str>, Vec<Meaning>> = FxHashMap::default();
        for row in once_a_month(rows)? {
            meanings.entry(row.region.into()).or_default().push(row.meaning);
        }
        Ok(Self { meanings, is_dated })
    }

    /// True if the city of a code may depend on the month.
    pub(super) fn is_dated(&self) -> bool {
        self.is_dated
    }

    /// The city of a region in a month; without a month, in the last one with a row.
    pub(super) fn find(&self, region: &str, month: Option<Period>) -> Found {
        let meanings = self.meanings.get(region).map_or(&[][..], Vec::as_slice);
        let meaning = match month {
            Some(month) => meanings.iter().find(|meaning| meaning.has(month)),
            None => meanings.last(),
        };
        match meaning {
            None => Found::Unknown,
            Some(Meaning { city: None, .. }) => Found::WithoutCity,
            Some(Meaning { city: Some(city), .. }) => Found::City(*city),
        }
    }

    /// The codes with a month, up to a last one, in which a later table lacks the code or gives it
    /// another city; `is_same` compares cities of both tables.
    pub(super) fn changed<'r>(
        &'r self,
        later: Option<&'r Self>,
        through: Period,
        is_same: impl Fn(Found, Found) -> bool + 'r,
    ) -> impl Iterator<Item = (&'r str, Period)> + 'r {
        self.meanings.iter().filter_map(move |(region, meanings)| {
            let after = later.and_then(|later| later.meanings.get(region));
            let after = after.map_or(&[][..], Vec::as_slice);
            // Between these months no meaning begins or ends.
            let all = meanings.iter().chain(after);
            let months = all.flat_map(|meaning| [meaning.first, meaning.last.next()]);
            let is_changed = |month: &Period| {
                let before = self.find(region, Some(*month));
                let now = later.map_or(Found::Unknown, |later| later.find(region, Some(*month)));
                *month <= through && before != Found::Unknown && !is_same(before, now)
            };
            Some((&**region, months.filter(is_changed).min()?))
        })
    }
}

impl Meaning {
    fn has(&self, month: Period) -> bool {
        (self.first..=self.last).contains(&month)
    }

    fn is_for_ever(&self) -> bool {
        (self.first, self.last) == (Period::FIRST, Period::LAST)
    }
}

/// The first and the last month of a row, or the position of the column at fault.
fn bounds(months: &[String; 2]) -> Result<[Period; 2], (usize, Problem)> {
    let mut bounds = [Period::FIRST, Period::LAST];
    for (at, (bound, text)) in bounds.iter_mut().zip(months).enumerate() {
        let text = text.trim();
        if !text.is_empty() {
            *bound = month(text).ok_or_else(|| (at, Problem::Month(text.to_owned())))?;
        }
    }
    let [first, last] = bounds;
    if last < first {
        return Err((1, Problem::BeforeFirst { first }));
    }
    Ok(bounds)
}

/// Rows in order of region and month, of which no two are valid in the same month.
fn once_a_month(mut rows: Vec<Row>) -> Result<Vec<Row>, PlacesError> {
    rows.sort_by(|a, b| {
        (&a.region, a.meaning.first, a.line).cmp(&(&b.region, b.meaning.first, b.line))
    });
    // If any two rows overlap, two neighbours do.
    for pair in rows.windows(2) {
        let [a, b] = pair else { continue };
        if a.region != b.region || a.meaning.last < b.meaning.first {
            continue;
        }
        let (earlier, later) = if a.line < b.line { (a, b) } else { (b, a) };
        let (code, first_line) = (later.region.clone(), earlier.line);
        let problem = if a.meaning.is_for_ever() && b.meaning.is_for_ever() {
            Problem::Twice { code, first_line }
        } else {
            Problem::Overlap { code, line: first_line }
        };
        return Err(PlacesError::field(REGIONS, later.line, "region", problem));
    }
    Ok(rows)
}

/// True if a table of regions has columns of months.
#[must_use]
pub fn has_months(text: &str) -> bool {
    let header = csv::Reader::from_reader(text.as_bytes()).headers().cloned().unwrap_or_default();
    header.iter().any(|name| MONTHS.contains(&name))
}
