//! Rows in the binary format of `COPY`.
//!
//! ```text
//! header │ row: n fields, then each field: n bytes (-1 for NULL), bytes │ … │ -1
//! ```
//! Numbers are big-endian. Figures keep all bits, amounts all cents.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::DataType;

/// What comes before the first row: the signature, no flags, no extension.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What comes after the last row.
pub const TRAILER: &[u8] = &(-1_i16).to_be_bytes();
/// The decimals of an amount.
const DECIMALS: u16 = 2;
/// One unit of an amount, in hundredths.
const UNIT: u128 = 100;
/// The base of the digits of a number.
const BASE: u128 = 10_000;
/// Microseconds from the epoch of Unix to that of PostgreSQL, the year 2000.
const EPOCH_US: i64 = 946_684_800_000_000;

/// A value that PostgreSQL cannot store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "column {column} has {what}, which PostgreSQL cannot store; write the table with `export` \
     instead"
)]
pub struct Unstorable {
    /// The column.
    pub column: String,
    /// The value.
    pub what: String,
}

/// A column of a batch.
enum Cells<'b> {
    Text(&'b StringArray),
    Flag(&'b BooleanArray),
    Real(&'b PrimitiveArray<Float64Type>),
    Amount(&'b PrimitiveArray<Decimal128Type>),
    Time(&'b PrimitiveArray<TimestampMicrosecondType>),
    Byte(&'b PrimitiveArray<UInt8Type>),
    Short(&'b PrimitiveArray<UInt16Type>),
    Count(&'b PrimitiveArray<UInt32Type>),
    Large(&'b PrimitiveArray<UInt64Type>),
    Integer(&'b PrimitiveArray<Int32Type>),
    Long(&'b PrimitiveArray<Int64Type>),
}

impl<'b> Cells<'b> {
    fn of(array: &'b dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Boolean => Self::Flag(array.as_boolean()),
            DataType::Float64 => Self::Real(array.as_primitive()),
            DataType::Decimal128(_, 2) => Self::Amount(array.as_primitive()),
            DataType::Timestamp(..) => Self::Time(array.as_primitive()),
            DataType::UInt8 => Self::Byte(array.as_primitive()),
            DataType::UInt16 => Self::Short(array.as_primitive()),
            DataType::UInt32 => Self::Count(array.as_primitive()),
            DataType::UInt64 => Self::Large(array.as_primitive()),
            DataType::Int32 => Self::Integer(array.as_primitive()),
            DataType::Int64 => Self::Long(array.as_primitive()),
            _ => return None,
        })
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Text(of) => of,
            Self::Flag(of) => of,
            Self::Real(of) => of,
            Self::Amount(of) => of,
            Self::Time(of) => of,
            Self::Byte(of) => of,
            Self::Short(of) => of,
            Self::Count(of) => of,
            Self::Large(of) => of,
            Self::Integer(of) => of,
            Self::Long(of) => of,
        }
    }

    /// Writes the field of a row; the error is the value.
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if self.array().is_null(row) {
            field(out, None);
            return Ok(());
        }
        match self {
            Self::Text(of) => {
                let text = of.value(row);
                if text.contains('\0') {
                    return Err("a text with the character NUL".to_owned());
                }
                field(out, Some(text.as_bytes()));
            }
            Self::Flag(of) => field(out, Some(&[u8::from(of.value(row))])),
            // A figure that does not exist is NULL.
            Self::Real(of) if of.value(row).is_nan() => field(out, None),
            Self::Real(of) => field(out, Some(&of.value(row).to_be_bytes())),
            Self::Amount(of) => amount(of.value(row), out),
            Self::Time(of) => field(out, Some(&(of.value(row) - EPOCH_US).to_be_bytes())),
            Self::Byte(of) => field(out, Some(&i16::from(of.value(row)).to_be_bytes())),
            Self::Short(of) => field(out, Some(&i32::from(of.value(row)).to_be_bytes())),
            Self::Count(of) => field(out, Some(&i64::from(of.value(row)).to_be_bytes())),
            Self::Large(of) => {
                let number = i64::try_from(of.value(row)).map_err(|_| of.value(row).to_string())?;
                field(out, Some(&number.to_be_bytes()));
            }
            Self::Integer(of) => field(out, Some(&of.value(row).to_be_bytes())),
            Self::Long(of) => field(out, Some(&of.value(row).to_be_bytes())),
        }
        Ok(())
    }
}

/// Adds rows.
///
/// # Errors
/// [`Unstorable`] with the first value that PostgreSQL cannot store.
///
/// # Panics
/// If a column has a type that no table has.
pub fn rows(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), Unstorable> {
    let of = |array| Cells::of(array).expect("a table has a type of PostgreSQL for each column");
    let columns: Vec<Cells<'_>> = batch.columns().iter().map(|array| of(array.as_ref())).collect();
    let n_fields = i16::try_from(columns.len()).expect("tables have fewer columns");
    for row in 0..batch.num_rows() {
        out.extend(n_fields.to_be_bytes());
        for (at, column) in columns.iter().enumerate() {
            column.write(row, out).map_err(|what| {
                let column = batch.schema_ref().field(at).name().clone();
                Unstorable { column, what }
            })?;
        }
    }
    Ok(())
}

fn field(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let n_bytes = bytes.map_or(-1, |bytes| {
        i32::try_from(bytes.len()).expect("a text of a feed has less than two gigabytes")
    });
    out.extend(n_bytes.to_be_bytes());
    out.extend(bytes.unwrap_or_default());
}

/// Writes a number with two decimals: its digits to the base 10,000, with the place of the first.
fn amount(hundredths: i128, out: &mut Vec<u8>) {
    let (whole, rest) = (hundredths.unsigned_abs() / UNIT, hundredths.unsigned_abs() % UNIT);
    let mut digits = Vec::new();
    let mut left = whole;
    while left > 0 {
        digits.push(digit(left % BASE));
        left /= BASE;
    }
    digits.reverse();
    let mut weight = i16::try_from(digits.len()).expect("an amount has few digits") - 1;
    digits.push(digit(rest * UNIT));
    let n_leading = digits.iter().take_while(|digit| **digit == 0).count();
    digits.drain(..n_leading);
    weight -= i16::try_from(n_leading).expect("an amount has few digits");
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.is_empty() {
        weight = 0;
    }
    let sign: u16 = if hundredths < 0 { 0x4000 } else { 0 };
    let n_digits = u16::try_from(digits.len()).expect("an amount has few digits");
    let mut bytes = Vec::new();
    bytes.extend(n_digits.to_be_bytes());
    bytes.extend(weight.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(DECIMALS.to_be_bytes());
    for digit in digits {
        bytes.extend(digit.to_be_bytes());
    }
    field(out, Some(&bytes));
}

fn digit(of: u128) -> u16 {
    u16::try_from(of).expect("a digit is below the base")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, UInt64Array};

    use super::*;

    fn numeric(hundredths: i128) -> Vec<i16> {
        let mut out = Vec::new();
        amount(hundredths, &mut out);
        out[4..].chunks(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn an_amount_has_the_digits_of_its_number() {
        assert_eq!(numeric(0), [0, 0, 0, 2]);
        assert_eq!(numeric(1), [1, -1, 0, 2, 100]);
        assert_eq!(numeric(-12_345_678), [3, 1, 0x4000, 2, 12, 3456, 7800]);
        assert_eq!(numeric(1_000_000), [1, 1, 0, 2, 1]);
        assert_eq!(numeric(99), [1, -1, 0, 2, 9900]);
    }

    #[test]
    fn absent_figures_and_no_numbers_are_null() {
        let figures: ArrayRef = Arc::new(Float64Array::from(vec![None, Some(f64::NAN), Some(1.0)]));
        let batch = RecordBatch::try_from_iter([("growth", figures)]).expect("a column");
        let mut out = Vec::new();
        rows(&batch, &mut out).expect("rows");
        let null = [0, 1, 255, 255, 255, 255];
        let one = [0, 1, 0, 0, 0, 8, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0];
        assert_eq!(out, [&null[..], &null[..], &one[..]].concat());
    }

    #[test]
    fn a_value_outside_the_types_of_the_database_is_refused() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a\0b"]));
        let number: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
        for (name, array) in [("firm", text), ("rows", number)] {
            let batch = RecordBatch::try_from_iter([(name, array)]).expect("a column");
            let error = rows(&batch, &mut Vec::new()).expect_err("refused").to_string();
            assert!(error.starts_with(&format!("column {name} has ")), "{error}");
        }
    }
}
