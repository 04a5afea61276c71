//! `explain`: traces one row of the table `plant` to its affiliate cities, their exporters, and its
//! own records.
//!
//! Input: a home and the key of a row. Output: the published figures, their parts, and a check that
//! the parts add up. Only records of the destination and of the firm are read.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::check::oracle::{Exporter, Oracle};
use crate::domain::dictionary::Dictionary;
use crate::domain::record::Texts;
use crate::domain::rows::{GrowthSum, PlantRow};
use crate::domain::types::{City, Country, Firm, Growth, Plant, Year};
use crate::engine::replay::Replay;
use crate::engine::{EngineError, Names};
use crate::home::parts::Table;
use crate::home::segment::Fields;
use crate::home::{Home, HomeError};
use crate::tables::cells::fields_of;
use crate::tables::export::{ExportError, TableAt, check_year};
use crate::tables::{dollars, ln_density, mean};

/// The key of a row, as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowKey {
    /// The firm's identifier.
    pub firm: String,
    /// The city's code.
    pub city: String,
    /// The destination's code.
    pub country: String,
    /// The year.
    pub year: Year,
}

/// The reason why a row cannot be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The home cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The published table cannot be read.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// No record has a part of the key.
    #[error(
        "there is no {what} \"{code}\"; there are {}; see `export plant` for the existing rows",
        there(known)
    )]
    Unknown {
        /// The name of the part.
        what: &'static str,
        /// The requested code.
        code: String,
        /// The codes in accepted records, in order.
        known: Vec<String>,
    },
    /// The table has no such row: no positive exports, or a firm with one plant.
    #[error("table plant has no row for {firm} in {city} to {country} in {year}: {why}")]
    NoRow {
        /// The firm.
        firm: String,
        /// The city.
        city: String,
        /// The destination.
        country: String,
        /// The year.
        year: Year,
        /// The condition that is not met.
        why: &'static str,
    },
}

/// The number of codes and their range, as a text.
fn there(codes: &[String]) -> String {
    match codes {
        [] => "none".to_owned(),
        [one] => format!("one, {one}"),
        [first, .., last] => format!("{}, from {first} to {last}", codes.len()),
    }
}

impl From<HomeError> for ExplainError {
    fn from(error: HomeError) -> Self {
        Self::Engine(error.into())
    }
}

/// A row and its parts.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The year.
    pub year: u16,
    /// The number of its closed months.
    pub months: u8,
    /// The firm.
    pub firm: String,
    /// The plant's city.
    pub city: String,
    /// The destination.
    pub country: String,
    /// The published columns, by name; empty text where a figure is absent.
    pub published: Vec<(String, String)>,
    /// The exporters of the plant's city, without the plant itself: `local_growth`.
    pub local: Market,
    /// The affiliate cities: equations (13), (14), (16), (17).
    pub affiliates: Vec<Market>,
    /// The published figures compared with the sums over the parts above.
    pub checks: Vec<Check>,
    /// The records of the plant with the destination, in the year and the year before.
    pub records: Vec<Source>,
}

/// A city's exporters to the destination.
#[derive(Clone, Debug, Serialize)]
pub struct Market {
    /// The city.
    pub city: String,
    /// `S`, in log points.
    pub growth_sum: f64,
    /// `n`.
    pub exporters: i64,
    /// `S / n`.
    pub growth: Option<f64>,
    /// The city's area in km².
    pub area_km2: f64,
    /// `ln(n / area)`.
    pub ln_density: Option<f64>,
    /// The weight in equations (16) and (17), in US dollars; 0 for the plant's own city.
    pub weight: f64,
    /// The plants of the city that export to the destination in the year or the year before.
    pub plants: Vec<MarketPlant>,
}

/// A plant in a market.
#[derive(Clone, Debug, Serialize)]
pub struct MarketPlant {
    /// The firm.
    pub firm: String,
    /// Exports in the same months of the year before, in US dollars.
    pub base_value: f64,
    /// Exports in the year, in US dollars.
    pub export_value: f64,
    /// `g = ln cur - ln base`; `None` unless the plant exports in both years.
    pub growth: Option<f64>,
    /// True if the plant is in `S` and `n` here.
    pub counted: bool,
}

/// A published figure compared with its parts.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The column.
    pub column: &'static str,
    /// The value from the parts; `None` if the divisor is zero.
    pub from_parts: Option<f64>,
    /// The published value.
    pub published: Option<f64>,
    /// True if both are equal to within 1e-9.
    pub adds_up: bool,
}

/// The source of an amount.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// The file.
    pub file: String,
    /// The line in the file.
    pub line: u32,
    /// The month in which the record counts.
    pub period: String,
    /// `E` or `I`.
    pub flow: &'static str,
    /// The value in US dollars.
    pub value: f64,
}

/// Explains a row of the newest publication.
///
/// # Errors
/// - [`ExplainError::Unknown`], [`ExportError::NoYear`], [`ExplainError::NoRow`] if there is no
///   such row, with the reason.
/// - [`ExplainError::Engine`], [`ExplainError::Export`] if the home cannot be read or is damaged.
pub fn explain(home: &Home, key: &RowKey) -> Result<Explanation, ExplainError> {
    let mut replay = Replay::open(home)?;
    check_year(Table::Plant.name(), Some(key.year), replay.calendar.indicator_years())?;
    let geography = std::sync::Arc::clone(&replay.definition.geography);
    let choices = replay.definition.choices;
    let mut oracle = Oracle::new(replay.calendar, &geography, choices);
    let records = read(&mut replay, key, &mut oracle)?;
    let row_key = resolve(&replay, key)?;
    let row = find(&replay, &oracle, key, row_key)?;
    let published = published(&replay, key)?;
    let parts = Parts { replay: &replay, oracle: &oracle, key: row_key, year: key.year };
    let affiliates = parts.affiliates();
    let local = parts.local();
    Ok(Explanation {
        year: key.year.0,
        months: replay.calendar.months(key.year),
        firm: key.firm.clone(),
        city: key.city.clone(),
        country: key.country.clone(),
        checks: checks(&row, &local, &affiliates, &published),
        published,
        local,
        affiliates,
        records,
    })
}

/// Feeds the oracle the records that can affect the row, and collects the row's own records.
fn read(
    replay: &mut Replay<'_>,
    key: &RowKey,
    oracle: &mut Oracle<'_>,
) -> Result<Vec<Source>, ExplainError> {
    let files = replay.home.files()?;
    let mut sources = Vec::new();
    for segment in replay.segments.clone() {
        let (texts, mut records) = replay.read(&segment, Fields::All)?;
        let firm = texts.firms.position(&key.firm);
        let country = texts.countries.position(&key.country);
        records.retain(|record| Some(record.firm) == firm || Some(record.country) == country);
        let file = files.iter().find(|file| file.vintage == segment.vintage);
        let file = file.map_or_else(String::new, |file| file.name.clone());
        let city = replay.definition.places.city(&key.city);
        for record in records.iter().filter(|record| {
            record.exclusion.is_none()
                && Some(record.firm) == firm
                && Some(record.country) == country
                && record.city == city
                && [key.year, key.year.previous()].contains(&record.period.year())
        }) {
            sources.push(Source {
                file: file.clone(),
                line: record.line,
                period: record.period.to_string(),
                flow: record.flow.code(),
                value: dollars(record.value_cents),
            });
        }
        replay.names.shipments(&texts, &records, |shipment| oracle.add(&shipment));
    }
    sources.sort_by(|a, b| (&a.period, &a.file, a.line).cmp(&(&b.period, &b.file, b.line)));
    Ok(sources)
}

fn resolve(replay: &Replay<'_>, key: &RowKey) -> Result<(Plant, Country), ExplainError> {
    let unknown = |what, code: &str, mut known: Vec<String>| {
        known.sort_unstable();
        ExplainError::Unknown { what, code: code.to_owned(), known }
    };
    let Names { firms, countries, .. } = &replay.names;
    let Some(firm) = firms.position(&key.firm) else {
        return Err(unknown("firm", &key.firm, named(replay, |texts| &texts.firms)?));
    };
    let places = &replay.definition.places;
    let cities = || places.cities().map(|city| places.code(city).to_owned()).collect();
    let city = places.city(&key.city).ok_or_else(|| unknown("city", &key.city, cities()))?;
    let country = countries.position(&key.country);
    let Some(country) = country.and_then(|country| u16::try_from(country).ok()) else {
        return Err(unknown("country", &key.country, named(replay, |texts| &texts.countries)?));
    };
    Ok((Plant { firm: Firm(firm), city }, Country(country)))
}

/// The codes of one kind in accepted records.
fn named(
    replay: &Replay<'_>,
    of: impl Fn(&Texts) -> &Dictionary,
) -> Result<Vec<String>, ExplainError> {
    let mut named = BTreeSet::new();
    for segment in &replay.segments {
        let (texts, _) = replay.read(segment, Fields::Figures)?;
        named.extend(of(&texts).iter().map(str::to_owned));
    }
    Ok(named.into_iter().collect())
}

fn find(
    replay: &Replay<'_>,
    oracle: &Oracle<'_>,
    key: &RowKey,
    (plant, country): (Plant, Country),
) -> Result<PlantRow, ExplainError> {
    let rows = oracle.tables().plant;
    let wanted = (key.year, plant, country);
    if let Ok(position) = rows.binary_search_by_key(&wanted, PlantRow::key) {
        return Ok(rows[position]);
    }
    let here = oracle.exporters(key.year, country, plant.city);
    let exports = here.iter().any(|exporter| exporter.plant == plant && exporter.cur_cents > 0);
    Err(ExplainError::NoRow {
        firm: key.firm.clone(),
        city: replay.definition.places.code(plant.city).to_owned(),
        country: key.country.clone(),
        year: key.year,
        why: if exports {
            "the firm exports from one city only in that year"
        } else {
            "the plant has no positive exports there in that year"
        },
    })
}

fn published(replay: &Replay<'_>, key: &RowKey) -> Result<Vec<(String, String)>, ExplainError> {
    let rows =
        TableAt::published(replay.home, Table::Plant, None, &replay.definition)?.year(key.year)?;
    let texts = [("firm", &key.firm), ("city", &key.city), ("country", &key.country)];
    let columns: Option<Vec<_>> = texts
        .iter()
        .map(|(name, text)| {
            let column = rows.column_by_name(name)?;
            Some((arrow_array::cast::as_string_array(column), *text))
        })
        .collect();
    let columns = columns.unwrap_or_default();
    let matches = |row: &usize| columns.iter().all(|(column, text)| column.value(*row) == *text);
    let Some(row) = (0..rows.num_rows()).find(matches) else { return Ok(Vec::new()) };
    let schema = rows.schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    Ok(names.zip(fields_of(&rows, row)).collect())
}

/// The sources of the parts of a row.
struct Parts<'a> {
    replay: &'a Replay<'a>,
    oracle: &'a Oracle<'a>,
    key: (Plant, Country),
    year: Year,
}

impl Parts<'_> {
    fn affiliates(&self) -> Vec<Market> {
        let (plant, country) = self.key;
        let affiliates = self.oracle.affiliates(self.year, country, plant);
        let market = |affiliate: &crate::check::oracle::Affiliate| {
            let own_counts = affiliate.sum == self.whole(affiliate.city);
            let mut market = self.market(affiliate.city, affiliate.sum, own_counts);
            market.weight = dollars(affiliate.weight_cents);
            market
        };
        affiliates.iter().map(market).collect()
    }

    /// The market of the plant's city, without the plant itself.
    fn local(&self) -> Market {
        let (plant, _) = self.key;
        let mut sum = self.whole(plant.city);
        let exporters = self.exporters(plant.city);
        let own = exporters.iter().find(|exporter| exporter.plant == plant);
        if let Some(growth) = own.and_then(|own| own.growth) {
            sum.growth -= growth;
            sum.exporters -= 1;
        }
        self.market(plant.city, sum, false)
    }

    fn exporters(&self, city: City) -> Vec<Exporter> {
        self.oracle.exporters(self.year, self.key.1, city)
    }

    fn whole(&self, city: City) -> GrowthSum {
        let growth = self.exporters(city).into_iter().filter_map(|exporter| exporter.growth);
        growth.fold(GrowthSum::default(), |sum, growth| GrowthSum {
            growth: sum.growth + growth,
            exporters: sum.exporters + 1,
        })
    }

    fn market(&self, city: City, sum: GrowthSum, own_counts: bool) -> Market {
        let area_m2 = self.replay.definition.geography.area_m2(city);
        let firm = self.key.0.firm;
        let plant = |exporter: &Exporter| MarketPlant {
            firm: self.replay.names.firms.text(exporter.plant.firm.0).to_owned(),
            base_value: dollars(exporter.base_cents),
            export_value: dollars(exporter.cur_cents),
            growth: exporter.growth.map(log_points),
            counted: exporter.growth.is_some() && (own_counts || exporter.plant.firm != firm),
        };
        Market {
            city: self.replay.definition.places.code(city).to_owned(),
            growth_sum: log_points(sum.growth),
            exporters: sum.exporters,
            growth: mean(sum),
            area_km2: square_kilometres(area_m2),
            ln_density: ln_density(sum.exporters, area_m2),
            weight: 0.0,
            plants: self.exporters(city).iter().map(plant).collect(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of growth keep 53 bits of 2^-32")]
fn log_points(growth: i64) -> f64 {
    growth as f64 / Growth::ONE
}

#[expect(clippy::cast_precision_loss, reason = "areas in m2 are below 2^53")]
fn square_kilometres(area_m2: i64) -> f64 {
    area_m2 as f64 / 1e6
}

fn checks(
    row: &PlantRow,
    local: &Market,
    affiliates: &[Market],
    published: &[(String, String)],
) -> Vec<Check> {
    let exporters: i64 = affiliates.iter().map(|market| market.exporters).sum();
    let summed: f64 = affiliates.iter().map(counted_growth).sum();
    let area: f64 = affiliates.iter().map(|market| market.area_km2).sum();
    let with = affiliates.iter().filter(|market| market.exporters > 0);
    let weights: f64 = with.clone().map(|market| market.weight).sum();
    let weighted: f64 = with.map(|market| market.weight * market.growth.unwrap_or(0.0)).sum();
    #[expect(clippy::cast_precision_loss, reason = "numbers of exporters are small")]
    let ratio = |sum: f64, n: i64| (n > 0).then(|| sum / n as f64);
    #[expect(clippy::cast_precision_loss, reason = "numbers of exporters are small")]
    let density = (exporters > 0).then(|| libm::log(exporters as f64 / area));
    let parts = [
        ("affiliate_growth", ratio(summed, exporters)),
        ("affiliate_ln_density", density),
        ("affiliate_growth_weighted", (weights > 0.0).then(|| weighted / weights)),
        ("local_growth", ratio(counted_growth(local), local.exporters)),
        ("export_value", Some(dollars(row.export_cents))),
    ];
    let check = |(column, from_parts): (&'static str, Option<f64>)| {
        let text = published.iter().find(|(name, _)| name == column).map(|(_, text)| text);
        let published = text.and_then(|text| text.parse().ok());
        let adds_up = match (from_parts, published) {
            (Some(parts), Some(published)) => close(parts, published),
            (None, None) => true,
            _ => false,
        };
        Check { column, from_parts, published, adds_up }
    };
    parts.into_iter().map(check).collect()
}

fn close(parts: f64, published: f64) -> bool {
    (parts - published).abs() <= 1e-9 * parts.abs().max(1.0)
}

/// The growth of the counted plants, added up one by one.
fn counted_growth(market: &Market) -> f64 {
    let counted = market.plants.iter().filter(|plant| plant.counted);
    counted.filter_map(|plant| plant.growth).sum()
}
