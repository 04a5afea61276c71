//! Conditions on the columns of a table, and the order of its rows.
//!
//! A condition compares a column with values: `growth` at least 0.1, `level` equal to `nation`.
//! An absent figure meets no condition.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;

use crate::tables::cells::Cells;
use crate::tables::sheet::Sheet;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal to one of the values.
    Equal,
    /// Equal to none of the values.
    NotEqual,
    /// Less than the value.
    Less,
    /// At most the value.
    AtMost,
    /// More than the value.
    More,
    /// At least the value.
    AtLeast,
}

impl Comparison {
    /// The comparisons by name, as SDMX writes them.
    pub const NAMES: [(&str, Self); 6] = [
        ("eq", Self::Equal),
        ("ne", Self::NotEqual),
        ("lt", Self::Less),
        ("le", Self::AtMost),
        ("gt", Self::More),
        ("ge", Self::AtLeast),
    ];
}

/// A condition on a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// The comparison.
    pub comparison: Comparison,
    /// The values as texts; one for comparisons of order.
    pub values: Vec<String>,
}

/// A condition that a table cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// The table does not have the column.
    #[error("the table {table} has no column \"{column}\"; it has {}", there.join(", "))]
    NoColumn {
        /// The table.
        table: &'static str,
        /// The requested column.
        column: String,
        /// Its columns.
        there: Vec<String>,
    },
    /// The value is no number.
    #[error("\"{value}\" is not a number, and the column {column} has numbers")]
    NotANumber {
        /// The column.
        column: String,
        /// The value.
        value: String,
    },
}

/// The value of a cell, for comparisons.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Absent,
    Integer(i128),
    Float(f64),
    Text(&'a str),
}

impl Value<'_> {
    /// The order of two values of one column; absent values come last.
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Absent, Self::Absent) => Ordering::Equal,
            (Self::Absent, _) => Ordering::Greater,
            (_, Self::Absent) => Ordering::Less,
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            _ => Ordering::Equal,
        }
    }
}

/// A column of a batch, by value.
struct Column<'a> {
    array: &'a ArrayRef,
    cells: Cells<'a>,
}

impl<'a> Column<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        let cells = Cells::of(array).map_err(|error| ArrowError::SchemaError(error.to_string()))?;
        Ok(Self { array, cells })
    }

    fn value(&self, row: usize) -> Value<'a> {
        if self.array.is_null(row) {
            return Value::Absent;
        }
        match &self.cells {
            Cells::Text(texts) => Value::Text(texts.value(row)),
            Cells::Float(values) => Value::Float(values.value(row)),
            Cells::Cents(cents) => Value::Integer(cents.value(row)),
            Cells::Integer(value, _) => Value::Integer(value(row)),
            Cells::Flag(flags) | Cells::Truth(flags) => {
                Value::Integer(i128::from(flags.value(row)))
            }
        }
    }
}

/// A requested value, in the type of its column.
enum Wanted {
    Integer(i128),
    /// A number between integers.
    Float(f64),
    Text(String),
}

impl Wanted {
    fn of(column: &str, kind: &DataType, text: &str) -> Result<Self, ConditionError> {
        let not_a_number =
            || ConditionError::NotANumber { column: column.into(), value: text.into() };
        let number = || text.parse::<f64>().ok().filter(|number| number.is_finite());
        Ok(match kind {
            DataType::Utf8 => Self::Text(text.to_owned()),
            DataType::Float64 => Self::Float(number().ok_or_else(not_a_number)?),
            DataType::Decimal128(_, 2) => match cents(text) {
                Some(cents) => Self::Integer(cents),
                None => Self::Float(number().ok_or_else(not_a_number)? * 100.0),
            },
            DataType::Boolean if ["true", "false"].contains(&text) => {
                Self::Integer(i128::from(text == "true"))
            }
            _ => match text.parse() {
                Ok(number) => Self::Integer(number),
                Err(_) => Self::Float(number().ok_or_else(not_a_number)?),
            },
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a request is written with few digits")]
    fn order(&self, value: Value<'_>) -> Option<Ordering> {
        match (value, self) {
            (Value::Integer(value), Self::Integer(wanted)) => Some(value.cmp(wanted)),
            (Value::Integer(value), Self::Float(wanted)) => (value as f64).partial_cmp(wanted),
            (Value::Float(value), Self::Float(wanted)) => value.partial_cmp(wanted),
            (Value::Text(value), Self::Text(wanted)) => Some(value.cmp(wanted.as_str())),
            _ => None,
        }
    }
}

/// An amount with at most two decimals, in cents.
fn cents(text: &str) -> Option<i128> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 2 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let is_negative = whole.starts_with('-');
    let whole: i128 = whole.parse().ok()?;
    let decimals: i128 = format!("{decimals:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(if is_negative { -decimals } else { decimals })
}

impl Condition {
    /// Checks that a table can have the condition.
    ///
    /// # Errors
    /// [`ConditionError`] if the column does not exist, or has numbers and a value is not a number.
    pub fn check(&self, sheet: &Sheet) -> Result<(), ConditionError> {
        let kind = column_kind(sheet, &self.column)?;
        self.values.iter().try_for_each(|text| Wanted::of(&self.column, kind, text).map(drop))
    }

    /// The rows of a batch that meet the condition.
    ///
    /// # Errors
    /// [`ArrowError`] if the batch does not have the column: a defect.
    pub fn rows(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let position = batch.schema().index_of(&self.column)?;
        let array = &Arc::clone(batch.column(position));
        let wanted =
            self.values.iter().map(|text| Wanted::of(&self.column, array.data_type(), text));
        let wanted = wanted.collect::<Result<Vec<_>, _>>();
        let wanted = wanted.map_err(|error| ArrowError::SchemaError(error.to_string()))?;
        let column = Column::of(array)?;
        let meets = |row: usize| {
            let value = column.value(row);
            if matches!(value, Value::Absent) {
                return false;
            }
            let mut orders = wanted.iter().map(|wanted| wanted.order(value));
            let one = |orders: &mut dyn Iterator<Item = _>, is: fn(Ordering) -> bool| {
                orders.next().flatten().is_some_and(is)
            };
            match self.comparison {
                Comparison::Equal => orders.any(|order| order == Some(Ordering::Equal)),
                Comparison::NotEqual => orders.all(|order| order != Some(Ordering::Equal)),
                Comparison::Less => one(&mut orders, Ordering::is_lt),
                Comparison::AtMost => one(&mut orders, Ordering::is_le),
                Comparison::More => one(&mut orders, Ordering::is_gt),
                Comparison::AtLeast => one(&mut orders, Ordering::is_ge),
            }
        };
        let mask: BooleanArray = (0..batch.num_rows()).map(|row| Some(meets(row))).collect();
        if mask.true_count() == batch.num_rows() {
            return Ok(batch);
        }
        filter_record_batch(&batch, &mask)
    }
}

/// The type of a table's column.
fn column_kind<'s>(sheet: &'s Sheet, column: &str) -> Result<&'s DataType, ConditionError> {
    let found = sheet.schema.fields().iter().find(|field| field.name() == column);
    found.map(|field| field.data_type()).ok_or_else(|| {
        let there = sheet.schema.fields().iter().map(|field| field.name().clone());
        ConditionError::NoColumn {
            table: sheet.name,
            column: column.into(),
            there: there.collect(),
        }
    })
}

/// Checks that a table has columns.
///
/// # Errors
/// [`ConditionError::NoColumn`] with the first missing column.
pub fn check_columns<'c>(
    sheet: &Sheet,
    columns: impl IntoIterator<Item = &'c str>,
) -> Result<(), ConditionError> {
    columns.into_iter().try_for_each(|column| column_kind(sheet, column).map(drop))
}

/// Columns in order of importance, each with true for a descending order.
pub type SortKeys = Vec<(String, bool)>;

/// The positions of rows in a requested order. Absent figures come last in either direction; equal
/// rows keep their order.
///
/// # Errors
/// [`ArrowError`] if the batch does not have a column: a defect.
pub fn sorted(batch: &RecordBatch, keys: &SortKeys) -> Result<Vec<u32>, ArrowError> {
    let columns = keys.iter().map(|(name, is_descending)| {
        let array = batch.column(batch.schema().index_of(name)?);
        Ok((Column::of(array)?, *is_descending))
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    let n_rows = u32::try_from(batch.num_rows())
        .map_err(|_| ArrowError::ComputeError("more than 2^32 rows".to_owned()))?;
    let mut rows: Vec<u32> = (0..n_rows).collect();
    rows.sort_by(|&a, &b| {
        let orders = columns.iter().map(|(column, is_descending)| {
            let (a, b) = (column.value(a as usize), column.value(b as usize));
            let is_absent = |value| matches!(value, Value::Absent);
            let order = a.order(&b);
            let is_turned = *is_descending && !is_absent(a) && !is_absent(b);
            if is_turned { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    Ok(rows)
}
