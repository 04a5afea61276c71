//! The stored form of the published tables, as columns: the integer rows of `city` and the facts of
//! `plant`, with texts for numbers.
//!
//! | table | columns | content |
//! |---|---|---|
//! | both | `removed` | true for a removed row |
//! | `city` | `city`, `country` | the key |
//! | | `exporters` to `base_cents` | counts and amounts |
//! | | `growth_sum` | `S` in 2⁻³² log points |
//! | `plant` | `firm`, `city`, `country` | the key; no country: a city that the firm has left |
//! | | `export_cents`, `base_cents`, `import_cents` | amounts |
//! | | `history` | 1 experience, 2 new |
//!
//! A part has the rows of one year and does not store the year; the manifest has its months.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int64Type, UInt8Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    UInt8Array, UInt32Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::Context;
use crate::domain::dictionary::Dictionary;
use crate::domain::rows::{Change, CityRow, PlantFacts};
use crate::domain::types::{City, Country, Firm, Plant, Year};
use crate::feed::places::Places;
use crate::home::parts::{REMOVED, Table};

const EXPERIENCE: u8 = 1;
const NEW: u8 = 2;

/// The stored columns of a table.
#[must_use]
pub fn schema(table: Table) -> SchemaRef {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    let count = |name| Field::new(name, DataType::UInt32, false);
    let cents = |name| Field::new(name, DataType::Int64, false);
    let mut fields = vec![Field::new(REMOVED, DataType::Boolean, false)];
    fields.extend(match table {
        Table::City => vec![
            text("city", false),
            text("country", false),
            count("exporters"),
            count("continuing"),
            count("entrants"),
            count("exits"),
            cents("export_cents"),
            cents("base_cents"),
            cents("growth_sum"),
        ],
        Table::Plant => vec![
            text("firm", false),
            text("city", false),
            text("country", true),
            cents("export_cents"),
            cents("base_cents"),
            cents("import_cents"),
            Field::new("history", DataType::UInt8, false),
        ],
    });
    Arc::new(Schema::new(fields))
}

/// Rows with a mark: `true` for a removed row, `false` for a set one.
pub type Marked<'r, Row> = (bool, &'r Row);

/// Marks all rows as set.
pub fn standing<Row>(rows: &[Row]) -> Vec<Marked<'_, Row>> {
    rows.iter().map(|row| (false, row)).collect()
}

/// Marks the rows of changes as set or removed.
pub fn changed<Row>(changes: &[Change<Row>]) -> Vec<Marked<'_, Row>> {
    let marked = changes.iter().map(|change| match change {
        Change::Set(row) => (false, row),
        Change::Remove(row) => (true, row),
    });
    marked.collect()
}

/// Converts rows of `city` to stored columns.
///
/// # Errors
/// Arrow's error for columns that do not fit the schema: a bug.
pub fn city(
    rows: &[Marked<'_, CityRow>],
    context: &Context<'_>,
) -> Result<RecordBatch, ArrowError> {
    let country = |row: &CityRow| context.countries.text(u32::from(row.country.0));
    let count = |count: fn(&CityRow) -> u32| -> ArrayRef {
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|(_, row)| count(row))))
    };
    let columns = vec![
        removed(rows),
        texts(rows, |row| Some(context.definition.places.code(row.city))),
        texts(rows, |row| Some(country(row))),
        count(|row| row.exporters),
        count(|row| row.continuing),
        count(|row| row.entrants),
        count(|row| row.exits),
        cents(rows, |row| row.export_cents),
        cents(rows, |row| row.base_cents),
        cents(rows, |row| row.growth),
    ];
    RecordBatch::try_new(schema(Table::City), columns)
}

/// Converts facts of `plant` to stored columns.
///
/// # Errors
/// As for [`city`].
pub fn plant(
    rows: &[Marked<'_, PlantFacts>],
    context: &Context<'_>,
) -> Result<RecordBatch, ArrowError> {
    let country = |country: Country| context.countries.text(u32::from(country.0));
    let history =
        rows.iter().map(|(_, row)| EXPERIENCE * u8::from(row.experience) + NEW * u8::from(row.new));
    let columns = vec![
        removed(rows),
        texts(rows, |row| Some(context.firms.text(row.plant.firm.0))),
        texts(rows, |row| Some(context.definition.places.code(row.plant.city))),
        texts(rows, |row| row.country.map(country)),
        cents(rows, |row| row.export_cents),
        cents(rows, |row| row.base_cents),
        cents(rows, |row| row.import_cents),
        Arc::new(UInt8Array::from_iter_values(history)),
    ];
    RecordBatch::try_new(schema(Table::Plant), columns)
}

fn removed<Row>(rows: &[Marked<'_, Row>]) -> ArrayRef {
    Arc::new(rows.iter().map(|(removed, _)| Some(*removed)).collect::<BooleanArray>())
}

fn texts<'t, Row>(rows: &[Marked<'_, Row>], text: impl Fn(&Row) -> Option<&'t str>) -> ArrayRef {
    Arc::new(rows.iter().map(|(_, row)| text(row)).collect::<StringArray>())
}

fn cents<Row>(rows: &[Marked<'_, Row>], cents: impl Fn(&Row) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, row)| cents(row))))
}

/// Assigns numbers to the texts of stored rows. Firms and countries are numbered in order of their
/// texts; cities have the numbers of the places, in order of their codes.
#[derive(Debug)]
pub struct Numbers {
    /// The firms.
    pub firms: Dictionary,
    /// The countries.
    pub countries: Dictionary,
}

impl Numbers {
    /// Assigns numbers to the texts of stored rows of both tables.
    ///
    /// # Errors
    /// An error if a column is missing or of another type: a damaged or foreign part.
    pub fn of(city: &[RecordBatch], plant: &[RecordBatch]) -> Result<Self, ArrowError> {
        let countries = in_order("country", city.iter().chain(plant))?;
        if countries.len() > usize::from(u16::MAX) {
            return Err(ArrowError::InvalidArgumentError("more than 2^16 countries".to_owned()));
        }
        Ok(Self { firms: in_order("firm", plant.iter())?, countries })
    }

    /// Reads stored rows of `city`.
    ///
    /// # Errors
    /// Those of [`Numbers::of`], and an error if a city is not among the places.
    pub fn city_rows(
        &mut self,
        batch: &RecordBatch,
        year: Year,
        places: &Places,
    ) -> Result<Vec<CityRow>, ArrowError> {
        let (cities, countries) = (text(batch, "city")?, text(batch, "country")?);
        let count = |name| numbers::<UInt32Type>(batch, name);
        let cents = |name| numbers::<Int64Type>(batch, name);
        let (exporters, continuing) = (count("exporters")?, count("continuing")?);
        let (entrants, exits) = (count("entrants")?, count("exits")?);
        let (export_cents, base_cents) = (cents("export_cents")?, cents("base_cents")?);
        let growth = cents("growth_sum")?;
        (0..batch.num_rows())
            .map(|row| {
                Ok(CityRow {
                    year,
                    city: city_of(places, cities.value(row))?,
                    country: self.country(countries.value(row)),
                    exporters: exporters.value(row),
                    continuing: continuing.value(row),
                    entrants: entrants.value(row),
                    exits: exits.value(row),
                    export_cents: export_cents.value(row),
                    base_cents: base_cents.value(row),
                    growth: growth.value(row),
                })
            })
            .collect()
    }

    /// Reads stored facts of `plant`.
    ///
    /// # Errors
    /// Those of [`Numbers::city_rows`].
    pub fn plant_facts(
        &mut self,
        batch: &RecordBatch,
        year: Year,
        places: &Places,
    ) -> Result<Vec<PlantFacts>, ArrowError> {
        let (firms, cities) = (text(batch, "firm")?, text(batch, "city")?);
        let countries = text(batch, "country")?;
        let cents = |name| numbers::<Int64Type>(batch, name);
        let (export_cents, base_cents) = (cents("export_cents")?, cents("base_cents")?);
        let import_cents = cents("import_cents")?;
        let history = numbers::<UInt8Type>(batch, "history")?;
        (0..batch.num_rows())
            .map(|row| {
                let firm = Firm(self.firms.intern(firms.value(row)));
                let city = city_of(places, cities.value(row))?;
                let country = countries.is_valid(row).then(|| self.country(countries.value(row)));
                Ok(PlantFacts {
                    year,
                    plant: Plant { firm, city },
                    country,
                    export_cents: export_cents.value(row),
                    base_cents: base_cents.value(row),
                    import_cents: import_cents.value(row),
                    experience: history.value(row) & EXPERIENCE != 0,
                    new: history.value(row) & NEW != 0,
                })
            })
            .collect()
    }

    fn country(&mut self, code: &str) -> Country {
        let number = u16::try_from(self.countries.intern(code));
        Country(number.expect("fewer countries than 2^16, as was seen when they were numbered"))
    }
}

/// The distinct texts of a column, in order.
fn in_order<'b>(
    name: &str,
    batches: impl Iterator<Item = &'b RecordBatch>,
) -> Result<Dictionary, ArrowError> {
    let mut found = Dictionary::default();
    for batch in batches {
        for text in text(batch, name)?.iter().flatten() {
            found.intern(text);
        }
    }
    let mut texts: Vec<&str> = found.iter().collect();
    texts.sort_unstable();
    let mut ordered = Dictionary::default();
    for text in texts {
        ordered.intern(text);
    }
    Ok(ordered)
}

fn city_of(places: &Places, code: &str) -> Result<City, ArrowError> {
    let unknown = || ArrowError::InvalidArgumentError(format!("no city has the code \"{code}\""));
    places.city(code).ok_or_else(unknown)
}

fn text<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b StringArray, ArrowError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| ArrowError::SchemaError(format!("no text column {name}")))
}

fn numbers<'b, T: ArrowPrimitiveType>(
    batch: &'b RecordBatch,
    name: &str,
) -> Result<&'b PrimitiveArray<T>, ArrowError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
    let column = column.filter(|column| column.null_count() == 0);
    column.ok_or_else(|| ArrowError::SchemaError(format!("no column of numbers {name}")))
}
