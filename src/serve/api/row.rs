//! `explain`: one row of `plant` down to its cities, exporters and records.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::types::Year;
use crate::reader::Reader;
use crate::reader::chosen::WithNames;
use crate::reader::explain::{Explanation, Market, RowKey};
use crate::reader::names::PlaceKind;
use crate::serve::answers::{Facts, Records, document, members, records};
use crate::serve::call::Call;
use crate::serve::format::Format;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Column, Kind, Parameter};

/// The parameters of `explain`.
pub const EXPLAIN: [Parameter; 5] = [
    Parameter::needed("firm", Kind::Name, "The firm, by identifier or name."),
    Parameter::needed("city", Kind::Name, "The plant's city, by code or name."),
    Parameter::needed("country", Kind::Name, "The destination, by code or name."),
    Parameter::needed("year", Kind::Integer, "The year."),
    Parameter::NAMES,
];

/// The columns of `explain` in formats of tables: the plants of each market.
pub const EXPLAIN_COLUMNS: [Column; 7] = [
    Column { name: "market", kind: Kind::Text, about: "local or affiliate." },
    Column { name: "city", kind: Kind::Text, about: "The city." },
    Column { name: "firm", kind: Kind::Text, about: "The firm of a plant there." },
    Column { name: "base_value", kind: Kind::Number, about: "Exports of the year before, USD." },
    Column { name: "export_value", kind: Kind::Number, about: "Exports of the year, USD." },
    Column { name: "growth", kind: Kind::Number, about: "Growth in log points." },
    Column { name: "counted", kind: Kind::Flag, about: "True if the plant is in the sums." },
];

/// `explain`.
///
/// # Errors
/// A [`Problem`] if there is no such row, or its parts cannot be read.
pub fn explain(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let code = |name: &str, kind| -> Result<String, Problem> {
        call.code(reader, kind, &call.query.needed::<String>(name)?)
    };
    let row = RowKey {
        firm: code("firm", PlaceKind::Firm)?,
        city: code("city", PlaceKind::City)?,
        country: code("country", PlaceKind::Country)?,
        year: Year(call.query.needed("year")?),
    };
    let names = call.with_names(reader, true)?;
    let explanation = reader.explain(&row)?;
    let vintage = call.edition.vintage;
    if call.format == Format::Json {
        return document((call, out), vintage, written(&explanation, names.as_ref()));
    }
    let rows = std::iter::once(("local", &explanation.local));
    let rows = rows.chain(explanation.affiliates.iter().map(|of| ("affiliate", of)));
    let rows = rows.flat_map(|(kind, market)| plants(kind, market)).collect();
    let (name, columns, facts) = ("explain", &EXPLAIN_COLUMNS[..], Facts::new());
    records((call, out), vintage, Records { name, columns, facts, rows })
}

fn plants(kind: &'static str, market: &Market) -> impl Iterator<Item = Facts> {
    market.plants.iter().map(move |plant| {
        let mut row = members(json!(plant));
        row.insert("market".to_owned(), kind.into());
        row.insert("city".to_owned(), market.city.clone().into());
        row
    })
}

/// The explanation as a document: published figures as numbers, names by code.
fn written(of: &Explanation, names: Option<&WithNames>) -> Facts {
    let mut facts = members(json!(of));
    let keys = ["year", "months", "firm", "city", "country"];
    let figures = of.published.iter().filter(|(name, _)| !keys.contains(&name.as_str()));
    let figure = |(name, text): &(String, String)| {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        (name.clone(), Value::from(number))
    };
    facts.insert("published".to_owned(), figures.map(figure).collect::<Facts>().into());
    let Some(names) = names else { return facts };
    let markets = || std::iter::once(&of.local).chain(&of.affiliates);
    let firms = markets().flat_map(|market| &market.plants).map(|plant| &plant.firm);
    let firms: BTreeSet<&String> = firms.chain([&of.firm]).collect();
    let cities: BTreeSet<&String> =
        markets().map(|market| &market.city).chain([&of.city]).collect();
    let by_code = |column: &str, codes: BTreeSet<&String>| -> Value {
        let name = |code: &String| (code.clone(), Value::from(names.name(column, code)));
        codes.into_iter().map(name).collect::<Facts>().into()
    };
    let names = json!({
        "firm": by_code("firm", firms),
        "city": by_code("city", cities),
        "country": by_code("country", BTreeSet::from([&of.country])),
    });
    facts.insert("names".to_owned(), names);
    facts
}
