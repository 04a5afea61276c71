//! The columns of a table as text, for any format.

use std::collections::HashMap;
use std::io;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float64Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field};

/// The fields of one row as text. Absent values are empty, and so are columns of a type that no
/// table has.
#[must_use]
pub fn fields_of(rows: &RecordBatch, row: usize) -> Vec<String> {
    let field = |place: usize| {
        let mut field = String::new();
        if let Ok(column) = Cells::at(rows, place) {
            column.write(row, &mut field);
        }
        field
    };
    (0..rows.num_columns()).map(field).collect()
}

/// A column with its type resolved once.
pub enum Cells<'a> {
    /// Identifiers and codes.
    Text(&'a arrow_array::StringArray),
    /// A figure.
    Float(&'a arrow_array::Float64Array),
    /// An amount with two decimals.
    Cents(&'a arrow_array::Decimal128Array),
    /// A count, a year or a number of months.
    Integer(Box<dyn Fn(usize) -> i128 + 'a>, &'a ArrayRef),
    /// 0 or 1.
    Flag(&'a arrow_array::BooleanArray),
    /// `true` or `false`.
    Truth(&'a arrow_array::BooleanArray),
}

/// The mark of a column whose truth values are written as words.
const WORDS: &str = "words";

/// A field of truth values that every format writes as `true` and `false`.
#[must_use]
pub fn truth(name: &str) -> Field {
    let mark = [(WORDS.to_owned(), String::new())];
    Field::new(name, DataType::Boolean, true).with_metadata(HashMap::from(mark))
}

/// True if the truth values of a field are written as words.
#[must_use]
pub fn is_truth(field: &Field) -> bool {
    *field.data_type() == DataType::Boolean && field.metadata().contains_key(WORDS)
}

impl<'a> Cells<'a> {
    /// Resolves the type of a column of some rows.
    ///
    /// # Errors
    /// Those of [`Cells::of`].
    pub fn at(rows: &'a RecordBatch, place: usize) -> io::Result<Self> {
        let cells = Self::of(rows.column(place))?;
        match cells {
            Self::Flag(flags) if is_truth(rows.schema_ref().field(place)) => Ok(Self::Truth(flags)),
            cells => Ok(cells),
        }
    }

    /// Resolves the types of all columns of some rows.
    ///
    /// # Errors
    /// Those of [`Cells::of`].
    pub fn of_rows(rows: &'a RecordBatch) -> io::Result<Vec<Self>> {
        (0..rows.num_columns()).map(|place| Self::at(rows, place)).collect()
    }

    /// Resolves the type of a table's column.
    ///
    /// # Errors
    /// An error if no table has a column of this type.
    pub fn of(array: &'a ArrayRef) -> io::Result<Self> {
        macro_rules! integer {
            ($kind:ty) => {{
                let values = array.as_primitive::<$kind>();
                Self::Integer(Box::new(move |row| i128::from(values.value(row))), array)
            }};
        }
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Float64 => Self::Float(array.as_primitive::<Float64Type>()),
            DataType::Decimal128(_, 2) => Self::Cents(array.as_primitive::<Decimal128Type>()),
            DataType::Boolean => Self::Flag(array.as_boolean()),
            DataType::UInt8 => integer!(UInt8Type),
            DataType::UInt16 => integer!(UInt16Type),
            DataType::UInt32 => integer!(UInt32Type),
            DataType::UInt64 => integer!(UInt64Type),
            DataType::Int32 => integer!(Int32Type),
            DataType::Int64 => integer!(Int64Type),
            other => return Err(io::Error::other(format!("no table has a column of {other}"))),
        })
    }

    /// Appends the text of a row; nothing if the value is absent.
    ///
    /// # Panics
    /// If the row does not exist.
    pub fn write(&self, row: usize, field: &mut String) {
        use std::fmt::Write as _;
        let written = match self {
            Self::Text(texts) if texts.is_valid(row) => field.write_str(texts.value(row)),
            Self::Float(values) if values.is_valid(row) => write!(field, "{}", values.value(row)),
            Self::Cents(cents) if cents.is_valid(row) => write_cents(field, cents.value(row)),
            Self::Integer(value, array) if array.is_valid(row) => write!(field, "{}", value(row)),
            Self::Flag(flags) if flags.is_valid(row) => {
                field.write_str(if flags.value(row) { "1" } else { "0" })
            }
            Self::Truth(flags) if flags.is_valid(row) => write!(field, "{}", flags.value(row)),
            _ => Ok(()),
        };
        written.expect("a String can be written");
    }

    /// True if a row equals a row of another column here; a text and a number never do.
    #[must_use]
    pub fn is_same(&self, row: usize, other: &Self, other_row: usize) -> bool {
        match (self.is_absent(row), other.is_absent(other_row)) {
            (false, false) => {}
            (one, both) => return one && both,
        }
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.value(row) == b.value(other_row),
            (Self::Float(a), Self::Float(b)) => {
                a.value(row).to_bits() == b.value(other_row).to_bits()
            }
            (Self::Cents(a), Self::Cents(b)) => a.value(row) == b.value(other_row),
            (Self::Integer(a, _), Self::Integer(b, _)) => a(row) == b(other_row),
            (Self::Flag(a) | Self::Truth(a), Self::Flag(b) | Self::Truth(b)) => {
                a.value(row) == b.value(other_row)
            }
            _ => false,
        }
    }

    /// True if the written values are numbers.
    #[must_use]
    pub fn are_numbers(&self) -> bool {
        !matches!(self, Self::Text(_))
    }

    /// True if the value of a row is absent.
    #[must_use]
    pub fn is_absent(&self, row: usize) -> bool {
        match self {
            Self::Text(texts) => texts.is_null(row),
            Self::Float(values) => values.is_null(row),
            Self::Cents(cents) => cents.is_null(row),
            Self::Integer(_, array) => array.is_null(row),
            Self::Flag(flags) | Self::Truth(flags) => flags.is_null(row),
        }
    }
}

fn write_cents(field: &mut String, cents: i128) -> std::fmt::Result {
    use std::fmt::Write as _;
    let sign = if cents < 0 { "-" } else { "" };
    write!(field, "{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}
