//! Panels and summaries as tables that can be written in any format.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray, UInt16Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::{take, take_record_batch};

use super::columns::PLANT;
use super::error::RegressionError;
use super::panels::{Kind, Panels};
use super::summary::Statistics;
use crate::domain::types::Year;
use crate::specification::{Statistic, Summary};
use crate::tables::sheet::Sheet;

/// Years of a panel as a table, with texts instead of codes.
///
/// # Errors
/// [`RegressionError`] if a year cannot be computed or read.
pub fn panel(
    panels: &mut Panels<'_>,
    kind: Kind,
    years: &[Year],
) -> Result<(Sheet, Vec<RecordBatch>), RegressionError> {
    panels.prepare(kind, years)?;
    let mut batches = Vec::new();
    for &year in years {
        let rows = match kind {
            Kind::Product => products(panels, year)?,
            Kind::Plant | Kind::PlantTo(_) | Kind::Ordinary => panels.rows(kind, year, None)?,
        };
        for batch in rows {
            batches.push(with_plants(&in_full(&batch)?)?);
        }
    }
    let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    let keys: &'static [&'static str] = match kind {
        Kind::Product => &["year", "firm", "city", "country", "hs6"],
        Kind::Plant | Kind::PlantTo(_) | Kind::Ordinary => &["year", "firm", "city", "country"],
    };
    Ok((Sheet { name: "panel", keys, schema }, batches))
}

/// A year's products, each with the columns of its row of the plant panel.
fn products(panels: &Panels<'_>, year: Year) -> Result<Vec<RecordBatch>, RegressionError> {
    let plants = panels.rows(Kind::Plant, year, None)?;
    let Some(first) = plants.first() else { return Ok(Vec::new()) };
    let plants = concat_batches(&first.schema(), &plants)?;
    let mut batches = Vec::new();
    for batch in panels.rows(Kind::Product, year, None)? {
        let place = batch.schema().index_of("row")?;
        let rows = take_record_batch(&plants, batch.column(place).as_primitive::<UInt32Type>())?;
        let mut fields = rows.schema().fields().to_vec();
        let mut columns = rows.columns().to_vec();
        for (at, field) in batch.schema().fields().iter().enumerate().filter(|(at, _)| *at != place)
        {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(batch.column(at)));
        }
        batches.push(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?);
    }
    Ok(batches)
}

/// Rows with the column `plant`: the firm and the city as one text.
fn with_plants(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let text = |name: &str| -> Result<&StringArray, ArrowError> {
        Ok(batch.column(batch.schema().index_of(name)?).as_string::<i32>())
    };
    let (firms, cities) = (text("firm")?, text("city")?);
    let pairs = firms.iter().zip(cities);
    let plants =
        pairs.map(|(firm, city)| plant(firm.unwrap_or_default(), city.unwrap_or_default()));
    let plants: ArrayRef = Arc::new(StringArray::from_iter_values(plants));
    let mut fields = batch.schema().fields().to_vec();
    fields.push(Arc::new(Field::new(PLANT, DataType::Utf8, false)));
    let columns = batch.columns().iter().cloned().chain([plants]).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// A firm and a city as one text, different for each pair: the first bar without a preceding
/// backslash separates them.
fn plant(firm: &str, city: &str) -> String {
    let firm = firm.replace('\\', "\\\\").replace('|', "\\|");
    format!("{firm}|{city}")
}

/// Replaces codes by their texts.
fn in_full(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::<ArrayRef>::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if matches!(column.data_type(), DataType::Dictionary(..)) {
            let codes = column.as_dictionary::<UInt32Type>();
            columns.push(take(codes.values(), codes.keys(), None)?);
            fields.push(Field::new(field.name(), DataType::Utf8, field.is_nullable()));
        } else {
            columns.push(Arc::clone(column));
            fields.push(field.as_ref().clone());
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// A summary as a table: a row for each variable, or for each variable and year.
///
/// # Errors
/// [`RegressionError::Columns`] never occurs: the columns always fit.
pub fn summary(
    name: &'static str,
    summary: &Summary,
    rows: &[Statistics],
) -> Result<(Sheet, RecordBatch), RegressionError> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    if summary.by.is_some() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "years")]
        let year = |row: &Statistics| row.by.map(|by| by as u16);
        fields.push(Field::new("year", DataType::UInt16, true));
        columns.push(Arc::new(rows.iter().map(year).collect::<UInt16Array>()));
    }
    fields.push(Field::new("variable", DataType::Utf8, false));
    let names = rows.iter().map(|row| row.variable.as_str());
    columns.push(Arc::new(StringArray::from_iter_values(names)));
    for (place, statistic) in summary.statistics.iter().enumerate() {
        fields.push(Field::new(statistic.name(), DataType::Float64, true));
        let figures = rows.iter().map(|row| row.figures[place]);
        columns.push(Arc::new(figures.collect::<Float64Array>()));
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    Ok((Sheet { name, keys: &["year", "variable"], schema }, batch))
}

impl Statistic {
    /// The name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::N => "n",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Sd => "sd",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plant;

    #[test]
    fn two_plants_have_two_texts() {
        assert_eq!(plant("3100000001", "1101"), "3100000001|1101");
        let parts = ["", "a", "|", "\\", "a|", "|a", "\\|", "|\\", "||", "\\\\"];
        let pairs = || parts.iter().flat_map(|firm| parts.iter().map(move |city| (firm, city)));
        let mut texts: Vec<String> = pairs().map(|(firm, city)| plant(firm, city)).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), pairs().count());
    }
}
