//! The rows of a table that are asked for by code, and the names beside the codes.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::UInt16Type;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;

use crate::domain::types::Year;
use crate::reader::names::{Language, Names, PlaceKind};
use crate::tables::sheet::Sheet;

/// The rows that are asked for; an empty list asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowChoice {
    /// Years.
    pub years: Vec<Year>,
    /// Identifiers of firms.
    pub firms: Vec<String>,
    /// Codes of cities.
    pub cities: Vec<String>,
    /// Codes of countries.
    pub countries: Vec<String>,
}

/// A table without a column that rows are chosen by, or named by.
#[derive(Debug, thiserror::Error)]
#[error("the table {table} has no column {column}; leave out --{column}")]
pub struct NoColumn {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}

impl RowChoice {
    /// Checks that a table has the columns that rows are chosen by.
    ///
    /// # Errors
    /// [`NoColumn`] with the first missing column.
    pub fn check(&self, sheet: &Sheet) -> Result<(), NoColumn> {
        let years = (!self.years.is_empty()).then_some("year");
        match years.filter(|name| sheet.schema.index_of(name).is_err()) {
            Some(column) => Err(NoColumn { table: sheet.name, column }),
            None => self.check_codes(sheet),
        }
    }

    /// Checks that a table has the columns of codes that rows are chosen by. Its years may be
    /// those of files.
    ///
    /// # Errors
    /// [`NoColumn`] with the first missing column.
    pub fn check_codes(&self, sheet: &Sheet) -> Result<(), NoColumn> {
        let asked = self.texts().into_iter().filter(|(_, codes)| !codes.is_empty());
        let mut asked = asked.map(|(column, _)| column);
        match asked.find(|name| sheet.schema.index_of(name).is_err()) {
            Some(column) => Err(NoColumn { table: sheet.name, column }),
            None => Ok(()),
        }
    }

    fn texts(&self) -> [(&'static str, &[String]); 3] {
        [("firm", &self.firms), ("city", &self.cities), ("country", &self.countries)]
    }

    /// The rows of a batch that are asked for.
    ///
    /// # Errors
    /// [`ArrowError`] if a column has a type that no table gives it: a defect.
    pub fn rows(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut is_asked = vec![true; batch.num_rows()];
        if !self.years.is_empty()
            && let Some(years) = batch.column_by_name("year")
        {
            let years = years.as_primitive_opt::<UInt16Type>().ok_or_else(|| bad("year"))?;
            for (row, is_asked) in is_asked.iter_mut().enumerate() {
                *is_asked &= self.years.contains(&Year(years.value(row)));
            }
        }
        for (name, codes) in self.texts() {
            let Some(column) = batch.column_by_name(name).filter(|_| !codes.is_empty()) else {
                continue;
            };
            let column = column.as_string_opt::<i32>().ok_or_else(|| bad(name))?;
            for (row, is_asked) in is_asked.iter_mut().enumerate() {
                *is_asked &= codes.iter().any(|code| code == column.value(row));
            }
        }
        if is_asked.iter().all(|is_asked| *is_asked) {
            return Ok(batch);
        }
        filter_record_batch(&batch, &BooleanArray::from(is_asked))
    }
}

fn bad(column: &str) -> ArrowError {
    ArrowError::SchemaError(format!("the column {column} has no codes of its type"))
}

/// The columns of codes that have names, each with the column of its names.
const NAMED: [(&str, &str); 6] = [
    ("firm", "firm_name"),
    ("source_city", "source_city_name"),
    ("key", "key_name"),
    ("city", "city_name"),
    ("province", "province_name"),
    ("country", "country_name"),
];

/// Adds the names of firms, cities, provinces and countries to tables with their codes.
#[derive(Clone, Debug)]
pub struct WithNames {
    /// The names.
    pub names: Names,
    /// Their language.
    pub language: Language,
}

impl WithNames {
    /// The sheet with a column of names after each column of codes.
    #[must_use]
    pub fn sheet(&self, sheet: &Sheet) -> Sheet {
        Sheet { schema: with_names(&sheet.schema), ..sheet.clone() }
    }

    /// A batch with these columns; a code without a name has an absent one.
    ///
    /// # Errors
    /// [`ArrowError`] if a column of codes is no text: a defect.
    pub fn rows(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            columns.push(Arc::clone(column));
            if !is_named(field) {
                continue;
            }
            let codes = column.as_string::<i32>();
            let names: StringArray = match batch.column_by_name("level") {
                Some(levels) if field.name() == "key" => {
                    let keys = codes.iter().zip(levels.as_string::<i32>());
                    keys.map(|(key, level)| self.key(level?, key?)).collect()
                }
                _ => codes.iter().map(|code| self.name(field.name(), code?)).collect(),
            };
            columns.push(Arc::new(names));
        }
        RecordBatch::try_new(with_names(&batch.schema()), columns)
    }

    /// The name of a unit by its level: those of both codes for a key of two.
    #[must_use]
    pub fn key(&self, level: &str, key: &str) -> Option<String> {
        let columns: &[&str] = match level {
            "city" => &["city"],
            "country" => &["country"],
            "province" => &["province"],
            "plant" => &["firm", "city"],
            "province^country" => &["province", "country"],
            _ => return None,
        };
        let codes = match columns {
            [_] => vec![key],
            _ => key.rsplitn(2, '^').collect::<Vec<_>>().into_iter().rev().collect(),
        };
        let names = columns.iter().zip(codes).map(|(column, code)| self.name(column, code));
        Some(names.collect::<Option<Vec<_>>>()?.join("^"))
    }

    /// The name of a code, by the column of the codes.
    #[must_use]
    pub fn name(&self, column: &str, code: &str) -> Option<&str> {
        match column {
            "firm" => self.names.name(PlaceKind::Firm, code, self.language),
            "city" | "source_city" => self.names.name(PlaceKind::City, code, self.language),
            "country" => self.names.name(PlaceKind::Country, code, self.language),
            _ => self.names.province(code, self.language),
        }
    }
}

fn is_named(field: &Field) -> bool {
    field.data_type() == &DataType::Utf8 && NAMED.iter().any(|(code, _)| code == field.name())
}

fn with_names(schema: &Schema) -> SchemaRef {
    let mut fields: Vec<Arc<Field>> = Vec::new();
    for field in schema.fields() {
        fields.push(Arc::clone(field));
        if is_named(field)
            && let Some((_, name)) = NAMED.iter().find(|(code, _)| code == field.name())
        {
            fields.push(Arc::new(Field::new(*name, DataType::Utf8, true)));
        }
    }
    Arc::new(Schema::new(fields))
}
