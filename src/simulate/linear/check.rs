//! Reads a linear feed back and checks it against its truth, in plain loops over the definitions of
//! METHODOLOGY.
//!
//! The check shares only the sum of equation (15) with the simulation of the feed. It computes
//! cells, networks and indicators again from the monthly files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::cells::ln_usd;
use super::rows::{Indicators, ln_import};
use super::truth::TruthFile;
use crate::files;
use crate::simulate::error::SimulateError;
use crate::simulate::files::at;

/// The result of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Check {
    /// The number of rows of the sample, computed from the feed.
    pub rows: u64,
    /// The number of rows that are only in the truth or only in the feed.
    pub unmatched: u64,
    /// The largest absolute difference between log exports and the sum of the equation's parts.
    pub gap_max: f64,
}

/// Firm, city and country.
type Key = (String, String, String);
/// Cents of a year by key.
type Cells = BTreeMap<Key, i64>;

/// The feed, summed.
#[derive(Default)]
struct Feed {
    exports: BTreeMap<u16, Cells>,
    imports: BTreeMap<u16, Cells>,
    areas: BTreeMap<String, f64>,
}

/// The truth: effects by kind, city or firm and city, country and year; residuals.
struct Known {
    truth: TruthFile,
    effects: BTreeMap<[String; 5], f64>,
    residuals: BTreeMap<(u16, Key), f64>,
}

/// Reads a linear feed and its truth, computes the indicators again and compares.
///
/// # Errors
/// - [`SimulateError::File`] if a file cannot be read.
/// - [`SimulateError::Content`] if a file differs from the simulator's format.
pub fn check(feed: &Path) -> Result<Check, SimulateError> {
    let known = read_truth(feed)?;
    let feed = read_feed(feed)?;
    let mut found = Check::default();
    for (&year, cells) in feed.exports.iter().skip(1) {
        for key in cells.keys() {
            let Some(indicators) = indicators(&feed, year, key) else { continue };
            found.rows += 1;
            let Some(residual) = known.residuals.get(&(year, key.clone())) else {
                found.unmatched += 1;
                continue;
            };
            let explained = indicators.times(&known.truth.coefficients);
            let gap = ln_usd(cells[key]) - explained - known.effects_of(year, key) - residual;
            found.gap_max = found.gap_max.max(gap.abs());
        }
    }
    let matched = found.rows - found.unmatched;
    found.unmatched += (known.residuals.len() as u64).saturating_sub(matched);
    Ok(found)
}

impl Known {
    fn effects_of(&self, year: u16, (firm, city, country): &Key) -> f64 {
        let year = year.to_string();
        let level = |effect: &str, firm: &str, city: &str, country: &str, year: &str| {
            let key = [effect, firm, city, country, year].map(str::to_owned);
            self.effects.get(&key).copied().unwrap_or(f64::NAN)
        };
        level("plant^year", firm, city, "", &year)
            + level("country^year", "", "", country, &year)
            + level("city^country", "", city, country, "")
    }
}

/// The indicators of a cell, if all exist and its firm is multi-plant.
fn indicators(feed: &Feed, year: u16, key: &Key) -> Option<Indicators> {
    let (firm, city, country) = key;
    let active = cities(feed, year..=year, firm);
    if active.len() < 2 {
        return None;
    }
    let mut affiliates = cities(feed, 0..=year, firm);
    affiliates.remove(city);
    let (mut sum, mut n) = market(feed, year, city, country);
    if let Some(own) = growth(feed, year, key) {
        (sum, n) = (sum - own, n - 1.0);
    }
    let (mut far_sum, mut far_n, mut far_area) = (0.0, 0.0, 0.0);
    for affiliate in &affiliates {
        let there = market(feed, year, affiliate, country);
        (far_sum, far_n) = (far_sum + there.0, far_n + there.1);
        far_area += feed.areas[affiliate];
    }
    let earlier = feed.exports.range(..year).any(|(_, cells)| cells.contains_key(key));
    let imported = feed.imports.get(&year).and_then(|cells| cells.get(key));
    (n > 0.0 && far_n > 0.0).then(|| Indicators {
        affiliate_growth: far_sum / far_n,
        affiliate_ln_density: libm::log(far_n / far_area),
        local_growth: sum / n,
        local_ln_density: libm::log(n / feed.areas[city]),
        ln_import: ln_import(imported.copied().unwrap_or(0)),
        experience: f64::from(u8::from(earlier)),
    })
}

/// The cities in which a firm has a cell in some of the years.
fn cities(feed: &Feed, years: std::ops::RangeInclusive<u16>, firm: &str) -> BTreeSet<String> {
    let from = (firm.to_owned(), String::new(), String::new());
    let of_firm = |cells: &Cells| {
        let own = cells.range(from.clone()..).take_while(|((other, ..), _)| other == firm);
        own.map(|((_, city, _), _)| city.clone()).collect::<Vec<_>>()
    };
    feed.exports.range(years).flat_map(|(_, cells)| of_firm(cells)).collect()
}

/// The sum of growth and the number of the continuing exporters of a city to a country.
fn market(feed: &Feed, year: u16, city: &str, country: &str) -> (f64, f64) {
    let here = |key: &&Key| key.1 == city && key.2 == country;
    let growths = feed.exports[&year].keys().filter(here).filter_map(|key| growth(feed, year, key));
    growths.fold((0.0, 0.0), |(sum, n), growth| (sum + growth, n + 1.0))
}

fn growth(feed: &Feed, year: u16, key: &Key) -> Option<f64> {
    let base = feed.exports.get(&(year - 1))?.get(key)?;
    let cur = feed.exports[&year].get(key)?;
    Some(ln_usd(*cur) - ln_usd(*base))
}

fn read_feed(directory: &Path) -> Result<Feed, SimulateError> {
    let mut feed = Feed::default();
    for row in read_csv(&directory.join("cities.csv"))? {
        feed.areas.insert(row.text(0)?, row.number(2)?);
    }
    for entry in std::fs::read_dir(directory).map_err(|source| at(directory, source))? {
        let path = entry.map_err(|source| at(directory, source))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if stem.len() == 6 && stem.bytes().all(|byte| byte.is_ascii_digit()) {
            for row in read_csv(&path)? {
                add_record(&mut feed, &row)?;
            }
        }
    }
    Ok(feed)
}

fn add_record(feed: &mut Feed, row: &Line) -> Result<(), SimulateError> {
    let year = row.number::<u32>(0)? / 100;
    let year = u16::try_from(year).map_err(|_| row.bad())?;
    let cents: i64 = row.text(8)?.replace('.', "").parse().map_err(|_| row.bad())?;
    let city: String = row.text(4)?.chars().take(4).collect();
    let key = (row.text(2)?, city, row.text(5)?);
    let flows = if row.text(1)? == "E" { &mut feed.exports } else { &mut feed.imports };
    *flows.entry(year).or_default().entry(key).or_default() += cents;
    Ok(())
}

fn read_truth(directory: &Path) -> Result<Known, SimulateError> {
    let path = directory.join("truth.toml");
    let text = files::read_text(&path).map_err(|source| at(&path, source))?;
    let truth = toml::from_str(&text)
        .map_err(|_| SimulateError::Content { path: path.clone(), line: 0 })?;
    let (mut effects, mut residuals) = (BTreeMap::new(), BTreeMap::new());
    for row in read_csv(&directory.join("truth_effects.csv"))? {
        let key = [row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?];
        effects.insert(key, row.number(5)?);
    }
    for row in read_csv(&directory.join("truth_residuals.csv"))? {
        let key = (row.text(0)?, row.text(1)?, row.text(2)?);
        residuals.insert((row.number(3)?, key), row.number(4)?);
    }
    Ok(Known { truth, effects, residuals })
}

/// A line of a file, with its position.
struct Line {
    path: std::path::PathBuf,
    record: csv::StringRecord,
}

impl Line {
    fn bad(&self) -> SimulateError {
        let line = self.record.position().map_or(0, csv::Position::line);
        SimulateError::Content { path: self.path.clone(), line }
    }

    fn text(&self, column: usize) -> Result<String, SimulateError> {
        self.record.get(column).map(str::to_owned).ok_or_else(|| self.bad())
    }

    fn number<N: std::str::FromStr>(&self, column: usize) -> Result<N, SimulateError> {
        self.text(column)?.parse().map_err(|_| self.bad())
    }
}

fn read_csv(path: &Path) -> Result<Vec<Line>, SimulateError> {
    let text = files::read_all(path).map_err(|source| at(path, source))?;
    let mut lines = Vec::new();
    for record in csv::Reader::from_reader(text.as_slice()).into_records() {
        let bad = |_| SimulateError::Content { path: path.to_owned(), line: 0 };
        lines.push(Line { path: path.to_owned(), record: record.map_err(bad)? });
    }
    Ok(lines)
}
