//! `explain`: trace one row of `plant` to its cities, exporters and records.

use clap::Args;
use spillover::domain::types::Year;
use spillover::reader::Reader;
use spillover::reader::explain::{Explanation, Market, RowKey};
use spillover::reader::names::{NameError, PlaceKind};

use super::ending::Done;
use super::home_options::HomeOptions;
use super::terminal;

#[derive(Debug, Args)]
pub struct Explain {
    /// The firm's identifier.
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
    /// Print the explanation as JSON.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let Self { firm, city, country, year, json } = self;
        let reader = Reader::open(home.folder())?;
        let names = reader.names()?;
        let code = |kind, asked: String| match names.code(kind, &asked) {
            // Without a similar name, the codes in accepted records are the better help.
            Err(NameError::NoPlace(none)) if none.near.is_empty() => Ok(asked),
            found => found,
        };
        let (city, country) = (code(PlaceKind::City, city)?, code(PlaceKind::Country, country)?);
        let row = RowKey { firm, city, country, year: Year(year) };
        let explanation = reader.explain(&row)?;
        if json {
            terminal::json(&explanation)?;
        } else {
            print(&explanation);
        }
        let adds_up = explanation.checks.iter().all(|check| check.adds_up);
        Ok(if adds_up { Done::Clean } else { Done::Damaged })
    }
}

fn print(explanation: &Explanation) {
    let Explanation { year, months, firm, city, country, .. } = explanation;
    println!("{firm} in {city} to {country}, {year}, {months} months");
    println!();
    println!("published");
    for (name, text) in explanation.published.iter().skip(5) {
        println!("  {name:<30}{}", if text.is_empty() { "absent" } else { text });
    }
    println!();
    println!("local: exporters of {city} to {country}, without the plant itself");
    market(&explanation.local);
    println!();
    println!("affiliate cities: {}", explanation.affiliates.len());
    explanation.affiliates.iter().for_each(market);
    println!();
    println!("records of the plant with {country}, {} and {year}", year - 1);
    for record in &explanation.records {
        let (file, line, flow) = (&record.file, record.line, record.flow);
        println!("  {} {flow} {:>16.2}  {file}:{line}", record.period, record.value);
    }
    println!();
    println!("parts against published");
    for check in &explanation.checks {
        let figure = |value: Option<f64>| value.map_or("absent".to_owned(), |v| format!("{v:.12}"));
        let (parts, published) = (figure(check.from_parts), figure(check.published));
        let verdict = if check.adds_up { "adds up" } else { "DOES NOT ADD UP" };
        println!("  {:<28}{parts:>22}{published:>22}  {verdict}", check.column);
    }
}

fn market(market: &Market) {
    let Market { city, growth_sum, exporters, area_km2, weight, .. } = market;
    println!(
        "  {city}: sum of growth {growth_sum:.9} over {exporters} exporters, {area_km2} km2, \
         weight {weight:.2} USD"
    );
    for plant in &market.plants {
        let growth = plant.growth.map_or("absent".to_owned(), |growth| format!("{growth:.9}"));
        let note = if plant.counted { "" } else { "  not counted" };
        let (base, cur) = (plant.base_value, plant.export_value);
        println!("    {:<20}{base:>16.2}{cur:>16.2}  growth {growth}{note}", plant.firm);
    }
}
