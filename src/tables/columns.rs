//! A table's columns as data: name, kind and the formula that takes a figure from an integer row.
//!
//! One list for each table ([`super::city`], [`super::plant`]) defines the schema, the stored
//! columns and their order everywhere. A new column has one place.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, UInt8Array, UInt16Array, UInt32Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::Context;
use crate::domain::types::{City, Country, Firm, Year};

/// Digits of an amount in dollars, two of them decimals: all of an `i64` of cents.
pub const VALUE_TYPE: DataType = DataType::Decimal128(19, 2);

/// The content of a column, and the way to take it from a row.
pub enum Values<Row> {
    /// The year.
    Year(fn(&Row) -> Year),
    /// The number of closed months of the year.
    Months,
    /// A month of the year, 1 to 12.
    Month(fn(&Row) -> u8),
    /// A name from a short list.
    Name(fn(&Row) -> &'static str),
    /// A firm identifier.
    Firm(fn(&Row) -> Firm),
    /// A city code.
    City(fn(&Row) -> City),
    /// A country code.
    Country(fn(&Row) -> Country),
    /// A number of plants or cities.
    Count(fn(&Row) -> u32),
    /// An amount, from cents.
    Value(fn(&Row) -> i64),
    /// 0 or 1.
    Flag(fn(&Row) -> bool),
    /// A figure, absent where its denominator is zero.
    Figure(fn(&Row, &Context<'_>) -> Option<f64>),
}

/// A column of a published table.
pub struct Column<Row> {
    /// The name, as in METHODOLOGY.
    pub name: &'static str,
    /// Its content.
    pub values: Values<Row>,
}

impl<Row> Column<Row> {
    fn field(&self) -> Field {
        let (kind, nullable) = match self.values {
            Values::Year(_) => (DataType::UInt16, false),
            Values::Months | Values::Month(_) | Values::Flag(_) => (DataType::UInt8, false),
            Values::Name(_) | Values::Firm(_) | Values::City(_) | Values::Country(_) => {
                (DataType::Utf8, false)
            }
            Values::Count(_) => (DataType::UInt32, false),
            Values::Value(_) => (VALUE_TYPE, false),
            Values::Figure(_) => (DataType::Float64, true),
        };
        Field::new(self.name, kind, nullable)
    }

    fn array<'r>(
        &self,
        rows: impl Iterator<Item = &'r Row>,
        months: u8,
        context: &Context<'_>,
    ) -> ArrayRef
    where
        Row: 'r,
    {
        match self.values {
            Values::Year(year) => Arc::new(UInt16Array::from_iter_values(rows.map(|r| year(r).0))),
            Values::Months => Arc::new(UInt8Array::from_iter_values(rows.map(|_| months))),
            Values::Month(month) => Arc::new(UInt8Array::from_iter_values(rows.map(month))),
            Values::Name(name) => strings(rows.map(name)),
            Values::Flag(flag) => {
                Arc::new(UInt8Array::from_iter_values(rows.map(|r| u8::from(flag(r)))))
            }
            Values::Firm(firm) => strings(rows.map(|r| context.firms.text(firm(r).0))),
            Values::City(city) => strings(rows.map(|r| context.definition.places.code(city(r)))),
            Values::Country(country) => {
                strings(rows.map(|r| context.countries.text(u32::from(country(r).0))))
            }
            Values::Count(count) => Arc::new(UInt32Array::from_iter_values(rows.map(count))),
            Values::Value(cents) => Arc::new(
                Decimal128Array::from_iter_values(rows.map(|r| i128::from(cents(r))))
                    .with_data_type(VALUE_TYPE),
            ),
            Values::Figure(figure) => {
                Arc::new(rows.map(|r| figure(r, context)).collect::<Float64Array>())
            }
        }
    }
}

fn strings<'t>(texts: impl Iterator<Item = &'t str>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    texts.for_each(|text| builder.append_value(text));
    Arc::new(builder.finish())
}

/// The schema of a table's columns.
#[must_use]
pub fn schema<Row>(columns: &[Column<Row>]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(Column::field).collect::<Vec<_>>()))
}

/// Rows as columns.
///
/// # Errors
/// Arrow's error for columns that do not fit the schema: a bug.
pub fn rows<Row>(
    columns: &[Column<Row>],
    rows: &[Row],
    months: u8,
    context: &Context<'_>,
) -> Result<RecordBatch, ArrowError> {
    let arrays = columns.iter().map(|column| column.array(rows.iter(), months, context));
    RecordBatch::try_new(schema(columns), arrays.collect())
}
