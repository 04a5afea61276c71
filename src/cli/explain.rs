//! `explain`: trace one row of `plant` to its cities, exporters and records.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value, json};
use spillover::domain::types::Year;
use spillover::reader::Reader;
use spillover::reader::chosen::WithNames;
use spillover::reader::explain::{Explanation, Market, RowKey};
use spillover::reader::names::{NameError, PlaceKind};
use spillover::render::number::{Digits, amount, of_unit};
use spillover::tables::meanings::meaning;

use unicode_width::UnicodeWidthStr as _;

use super::ending::Done;
use super::home_options::HomeOptions;
use super::name_options::NameOptions;
use super::terminal;

#[derive(Debug, Args)]
pub struct Explain {
    /// The firm, by identifier or by name as in the records.
    #[arg(long)]
    firm: String,
    /// The plant's city, by code or by name in Chinese or English.
    #[arg(long)]
    city: String,
    /// The destination, by code, ISO code or name in Chinese or English.
    #[arg(long)]
    country: String,
    /// The year.
    #[arg(long)]
    year: u16,
    #[command(flatten)]
    names: NameOptions,
    /// Print the explanation as JSON.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let Self { firm, city, country, year, names: shown, json } = self;
        let reader = Reader::open(home.folder())?;
        let names = reader.names()?.with_firms(reader.firm_names()?.clone());
        let code = |kind, asked: String| match names.code(kind, &asked) {
            // Without a similar name, the codes in accepted records are the better help.
            Err(NameError::NoPlace(none)) if none.near.is_empty() => Ok(asked),
            found => found,
        };
        let firm = code(PlaceKind::Firm, firm)?;
        let (city, country) = (code(PlaceKind::City, city)?, code(PlaceKind::Country, country)?);
        let shown = shown.with_names(&reader)?;
        let row = RowKey { firm, city, country, year: Year(year) };
        let explanation = reader.explain(&row)?;
        if json {
            terminal::json(&with_names(&explanation, shown.as_ref())?)?;
        } else {
            print(&explanation, shown.as_ref());
        }
        let adds_up = explanation.checks.iter().all(|check| check.adds_up);
        Ok(if adds_up { Done::Clean } else { Done::Damaged })
    }
}

/// The explanation with the names of its codes, if requested.
fn with_names(explanation: &Explanation, names: Option<&WithNames>) -> anyhow::Result<Value> {
    let mut document = serde_json::to_value(explanation)?;
    let Some(names) = names else { return Ok(document) };
    let Explanation { firm, city, country, local, affiliates, .. } = explanation;
    let markets = || std::iter::once(local).chain(affiliates);
    let plants = markets().flat_map(|market| &market.plants);
    let firms: BTreeSet<&String> =
        plants.map(|plant| &plant.firm).chain(std::iter::once(firm)).collect();
    let cities: BTreeSet<&String> =
        markets().map(|market| &market.city).chain(std::iter::once(city)).collect();
    let of = |column: &str, codes: BTreeSet<&String>| -> Value {
        codes
            .into_iter()
            .map(|code| (code.clone(), Value::from(names.name(column, code))))
            .collect()
    };
    document["names"] = json!({
        "firm": of("firm", firms),
        "city": of("city", cities),
        "country": of("country", BTreeSet::from([country])),
    });
    Ok(document)
}

/// A code with its name, if requested and known.
fn shown(names: Option<&WithNames>, column: &str, code: &str) -> String {
    match names.and_then(|names| names.name(column, code)) {
        Some(name) => format!("{code} {name}"),
        None => code.to_owned(),
    }
}

fn print(explanation: &Explanation, names: Option<&WithNames>) {
    let Explanation { year, months, .. } = explanation;
    let firm = shown(names, "firm", &explanation.firm);
    let city = shown(names, "city", &explanation.city);
    let country = shown(names, "country", &explanation.country);
    println!("{firm} in {city} to {country}, {year}, {months} months");
    println!();
    println!("published");
    for (name, text) in explanation.published.iter().skip(5) {
        let unit = meaning("plant", name).map_or("", |of| of.unit.as_str());
        let text = of_unit(unit, text);
        println!("  {name:<30}{:>20}", if text.is_empty() { "absent" } else { &text });
    }
    println!();
    println!("local: exporters of {city} to {country}, without the plant itself");
    market(&explanation.local, names);
    println!();
    println!("affiliate cities: {}", explanation.affiliates.len());
    explanation.affiliates.iter().for_each(|of| market(of, names));
    println!();
    println!("records of the plant with {country}, {} and {year}", year - 1);
    for record in &explanation.records {
        let (file, line, flow) = (&record.file, record.line, record.flow);
        println!("  {} {flow} {:>22}  {file}:{line}", record.period, amount(record.value));
    }
    println!();
    println!("parts against published");
    for check in &explanation.checks {
        // More digits than elsewhere: the comparison is of all of them.
        let figure = |value: Option<f64>| {
            value.map_or("absent".to_owned(), |value| Digits::Decimals(9).figure(value))
        };
        let (parts, published) = (figure(check.from_parts), figure(check.published));
        let verdict = if check.adds_up { "adds up" } else { "DOES NOT ADD UP" };
        println!("  {:<28}{parts:>22}{published:>22}  {verdict}", check.column);
    }
}

fn market(market: &Market, names: Option<&WithNames>) {
    let city = shown(names, "city", &market.city);
    let Market { growth_sum, exporters, area_km2, weight, .. } = market;
    let (growth, weight) = (Digits::default().figure(*growth_sum), amount(*weight));
    println!(
        "  {city}: sum of growth {growth} over {exporters} exporters, {area_km2} km2, \
         weight {weight}"
    );
    for plant in &market.plants {
        let growth = plant.growth.map(|growth| Digits::default().figure(growth));
        let growth = growth.unwrap_or_else(|| "absent".to_owned());
        let note = if plant.counted { "" } else { "  not counted" };
        let (base, cur) = (amount(plant.base_value), amount(plant.export_value));
        let firm = shown(names, "firm", &plant.firm);
        let blanks = " ".repeat(36_usize.saturating_sub(firm.width()));
        println!("    {firm}{blanks} {base} to {cur}, growth {growth}{note}");
    }
}
