//! Rows of `plant` in a span with the variables of a model: the vectors whose products with the
//! coefficients are effects.
//!
//! ```text
//! facts of the span ──────▶ row of `plant` ─▶ variables, conditions ─▶ z = terms
//! facts of twelve months ─▶ density ──────────────┘
//! ```

use rustc_hash::FxHashMap;

use super::model::{DENSITIES, Model};
use crate::domain::dictionary::Dictionary;
use crate::domain::rows::{PlantFacts, PlantRow};
use crate::domain::span::{Joint, Span, SpanAt};
use crate::domain::types::{City, Country, Firm, Plant};
use crate::estimate::formula::Term;
use crate::indicators::{FirmPlants, PlantRows};
use crate::spans::YearPlants;
use crate::specification::Condition;
use crate::tables::columns::{Column, Values};
use crate::tables::{Context, dollars, plant};

/// The span of the density.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DensitySpan {
    /// Twelve months, as the coefficients know it.
    #[default]
    TwelveMonths,
    /// That of the growth.
    Own,
}

/// A row: a plant and a destination.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The plant, by numbers of the table's firms.
    pub plant: Plant,
    /// The destination, by numbers of the table's countries.
    pub country: Country,
    /// Exports of the span, in cents.
    pub cents: i64,
    /// Exports of the plant to all destinations, in cents.
    pub plant_cents: i64,
    /// The terms.
    pub z: Vec<f64>,
    /// For each term, the product of its factors other than the growth and the density shown.
    pub others: Vec<f64>,
    /// The density shown.
    pub density: f64,
}

/// The rows of a span in order of firm, city and destination.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// The rows.
    pub all: Vec<Row>,
    /// Firms in order of their codes.
    pub firms: Dictionary,
    /// Countries in order of their codes.
    pub countries: Dictionary,
}

/// The keys of rows in another table.
#[derive(Debug)]
pub struct Matched<'r> {
    others: FxHashMap<(Plant, Country), &'r Row>,
    firms: Vec<Option<u32>>,
    countries: Vec<Option<u32>>,
}

impl Rows {
    /// The rows of another table by the keys of this one.
    #[must_use]
    pub fn matched<'r>(&self, other: &'r Self) -> Matched<'r> {
        let positions = |own: &Dictionary, other: &Dictionary| {
            own.iter().map(|text| other.position(text)).collect()
        };
        let others = other.all.iter().map(|row| ((row.plant, row.country), row)).collect();
        let firms = positions(&self.firms, &other.firms);
        Matched { others, firms, countries: positions(&self.countries, &other.countries) }
    }
}

impl<'r> Matched<'r> {
    /// The row of the other table with the key of a row.
    #[must_use]
    pub fn of(&self, row: &Row) -> Option<&'r Row> {
        let firm = self.firms[row.plant.firm.0 as usize]?;
        let country = self.countries[usize::from(row.country.0)]?;
        let plant = Plant { firm: Firm(firm), ..row.plant };
        let country = Country(u16::try_from(country).ok()?);
        self.others.get(&(plant, country)).copied()
    }
}

/// The densities of each row, in the order of the variables that are densities.
type Densities = FxHashMap<(Plant, Country), Vec<Option<f64>>>;

/// A variable of a row.
enum Variable {
    /// A column of `plant`.
    Column(Values<PlantRow>),
    IncomeGroup,
    ProvincePlants,
    DestinationPlants,
    /// A code, which every row has.
    Code,
    /// A column of the panels that a row of a span does not have.
    Absent,
}

/// The variables of a span's rows.
pub struct Reading<'p> {
    plants: &'p YearPlants,
    model: &'p Model,
    terms: &'p [Term],
    /// The growth and the density that rows show.
    shown: [&'static str; 2],
    /// The variables that a row must have or meets conditions with, by name.
    variables: Vec<(String, Variable)>,
}

impl<'p> Reading<'p> {
    /// The reading of rows of a year for the terms of a model.
    #[must_use]
    pub fn new(
        plants: &'p YearPlants,
        (model, shown): (&'p Model, [&'static str; 2]),
        terms: &'p [Term],
    ) -> Self {
        let mut columns = plant::columns(plants.definition().supply.is_some());
        let mut variables: Vec<(String, Variable)> = Vec::new();
        let own = model.keep.iter().map(|of| of.variable.as_str());
        let factors = terms.iter().flat_map(|term| &term.factors).map(String::as_str);
        let all = model.variables.iter().map(String::as_str).chain(own).chain(factors);
        for name in all.chain([shown[1]]) {
            if variables.iter().all(|(known, _)| known != name) {
                variables.push((name.to_owned(), variable(name, &mut columns)));
            }
        }
        Self { plants, model, terms, shown, variables }
    }

    /// The rows of a span with all variables, with the density of a span.
    #[must_use]
    pub fn rows(&self, at: SpanAt, density: SpanAt) -> Rows {
        let densities = (density != at).then(|| self.densities(density));
        let mut rows = Vec::new();
        self.plants.each_firm(at, |facts, made| {
            let plants = made.plants_of_firm(facts);
            for row in rows_of(facts, made) {
                rows.extend(self.row(&row, &plants, densities.as_ref()));
            }
        });
        rows.sort_unstable_by_key(|row| (row.plant, row.country));
        let (firms, countries) = (self.plants.firms().clone(), self.plants.countries().clone());
        Rows { all: rows, firms, countries }
    }

    /// The densities of a span's rows, in the order of the variables that are densities.
    fn densities(&self, at: SpanAt) -> Densities {
        let mut densities = Densities::default();
        self.plants.each_firm(at, |facts, made| {
            for row in rows_of(facts, made) {
                let none = FirmPlants::default();
                let own = self.variables.iter().filter(|(name, _)| is_density(name));
                let values = own.map(|(_, of)| self.value(of, &row, &none));
                densities.insert((row.plant, row.country), values.collect());
            }
        });
        densities
    }

    fn row(
        &self,
        row: &PlantRow,
        plants: &FirmPlants,
        densities: Option<&Densities>,
    ) -> Option<Row> {
        let others = match densities {
            Some(densities) => Some(densities.get(&(row.plant, row.country))?),
            None => None,
        };
        let mut others = others.into_iter().flatten();
        let mut values: Vec<(&str, Option<f64>)> = Vec::with_capacity(self.variables.len());
        for (name, variable) in &self.variables {
            // A row must have the density of its span too: without it, it has no growth.
            let own = self.value(variable, row, plants);
            let other = is_density(name).then(|| others.next()).flatten();
            values.push((name, other.map_or(own, |other| own.and(*other))));
        }
        let value = |name: &str| values.iter().find(|(own, _)| *own == name)?.1;
        let is_whole = self.model.variables.iter().all(|name| value(name).is_some());
        let is_kept = |of: &Condition| value(&of.variable).is_some_and(|value| of.holds(value));
        if !is_whole || !self.model.keep.iter().all(is_kept) {
            return None;
        }
        let term =
            |term: &Term| -> Option<f64> { term.factors.iter().map(|name| value(name)).product() };
        let others = |term: &Term| -> Option<f64> {
            let others = term.factors.iter().filter(|name| !self.shown.contains(&name.as_str()));
            others.map(|name| value(name)).product()
        };
        Some(Row {
            plant: row.plant,
            country: row.country,
            cents: row.export_cents,
            plant_cents: row.plant_cents,
            z: self.terms.iter().map(term).collect::<Option<_>>()?,
            others: self.terms.iter().map(others).collect::<Option<_>>()?,
            density: value(self.shown[1])?,
        })
    }

    fn value(&self, of: &Variable, row: &PlantRow, plants: &FirmPlants) -> Option<f64> {
        let context = Context {
            firms: self.plants.firms(),
            countries: self.plants.countries(),
            definition: self.plants.definition(),
        };
        match of {
            Variable::Column(values) => number(values, row, &context),
            Variable::IncomeGroup => self.plants.income_group(row.country).map(|_| 1.0),
            Variable::ProvincePlants => Some(plants.of_province.into()),
            Variable::DestinationPlants => Some(plants.to(row.country).into()),
            Variable::Code => Some(1.0),
            Variable::Absent => None,
        }
    }
}

/// The rows of a firm, from its facts.
fn rows_of(facts: &[PlantFacts], made: &mut PlantRows<'_>) -> Vec<PlantRow> {
    let mut rows = Vec::with_capacity(facts.len());
    made.of_firm(facts, &mut rows);
    rows
}

fn is_density(name: &str) -> bool {
    DENSITIES.contains(&name)
}

fn variable(name: &str, columns: &mut Vec<Column<PlantRow>>) -> Variable {
    if let Some(place) = columns.iter().position(|column| column.name == name) {
        return Variable::Column(columns.swap_remove(place).values);
    }
    match name {
        "income_group" => Variable::IncomeGroup,
        "province_plants" => Variable::ProvincePlants,
        "destination_plants" => Variable::DestinationPlants,
        "plant" | "province" => Variable::Code,
        _ => Variable::Absent,
    }
}

/// The value of a column of `plant` as a number; a code is one.
fn number(values: &Values<PlantRow>, row: &PlantRow, context: &Context<'_>) -> Option<f64> {
    match values {
        Values::Year(year) => Some(year(row).0.into()),
        Values::Flag(flag) => Some(f64::from(u8::from(flag(row)))),
        Values::Count(count) => Some(count(row).into()),
        Values::Value(cents) => Some(dollars(cents(row))),
        Values::Figure(figure) => figure(row, context),
        Values::Month(month) => Some(month(row).into()),
        Values::Firm(_)
        | Values::City(_)
        | Values::Country(_)
        | Values::Months
        | Values::Name(_) => Some(1.0),
    }
}

/// The span whose density belongs to a span: twelve months, or its own.
#[must_use]
pub fn density_of(at: SpanAt, density: DensitySpan) -> Option<SpanAt> {
    let is_year = at.span() == Span::YearToDate && at.end().month() == 12;
    if density == DensitySpan::Own || is_year || at.span() == Span::TwelveMonths {
        return Some(at);
    }
    SpanAt::new(Span::TwelveMonths, at.end(), Joint::NONE)
}

/// The levels of a row in the effects of a contrast: plant and destination.
#[must_use]
pub fn levels(rows: &[Row]) -> Vec<[u32; 2]> {
    let mut plants: FxHashMap<(u32, City), u32> = FxHashMap::default();
    let mut level = |row: &Row| {
        let next = u32::try_from(plants.len()).expect("fewer plants than 2^32");
        let plant = *plants.entry((row.plant.firm.0, row.plant.city)).or_insert(next);
        [plant, u32::from(row.country.0)]
    };
    rows.iter().map(&mut level).collect()
}
