//! Tables as CSV: UTF-8, comma, a header; an absent figure is an empty field, floats are shortest
//! round-trip.

use std::io::{self, Write};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float64Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

/// Writes a header and rows.
pub struct CsvWriter<W: Write> {
    writer: csv::Writer<W>,
    field: String,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn start(out: W, schema: &SchemaRef) -> io::Result<Self> {
        let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 17).from_writer(out);
        writer.write_record(schema.fields().iter().map(|field| field.name()))?;
        Ok(Self { writer, field: String::new() })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If `out` cannot be written, or a column has a type that no table has.
    pub fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let columns: Vec<Column<'_>> =
            rows.columns().iter().map(Column::of).collect::<io::Result<_>>()?;
        for row in 0..rows.num_rows() {
            for column in &columns {
                self.field.clear();
                column.write(row, &mut self.field);
                self.writer.write_field(&self.field)?;
            }
            self.writer.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The fields of one row as they are written, absent ones empty; columns of a type that no table
/// has are left empty.
#[must_use]
pub fn fields_of(rows: &RecordBatch, row: usize) -> Vec<String> {
    let field = |array: &ArrayRef| {
        let mut field = String::new();
        if let Ok(column) = Column::of(array) {
            column.write(row, &mut field);
        }
        field
    };
    rows.columns().iter().map(field).collect()
}

/// A column, its type found out once.
enum Column<'a> {
    Text(&'a arrow_array::StringArray),
    Float(&'a arrow_array::Float64Array),
    Cents(&'a arrow_array::Decimal128Array),
    Integer(Box<dyn Fn(usize) -> i128 + 'a>, &'a ArrayRef),
    Flag(&'a arrow_array::BooleanArray),
}

impl<'a> Column<'a> {
    fn of(array: &'a ArrayRef) -> io::Result<Self> {
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

    fn write(&self, row: usize, field: &mut String) {
        use std::fmt::Write as _;
        let written = match self {
            Self::Text(texts) if texts.is_valid(row) => field.write_str(texts.value(row)),
            Self::Float(values) if values.is_valid(row) => write!(field, "{}", values.value(row)),
            Self::Cents(cents) if cents.is_valid(row) => write_cents(field, cents.value(row)),
            Self::Integer(value, array) if array.is_valid(row) => write!(field, "{}", value(row)),
            Self::Flag(flags) if flags.is_valid(row) => {
                field.write_str(if flags.value(row) { "1" } else { "0" })
            }
            _ => Ok(()),
        };
        written.expect("a String can be written");
    }
}

fn write_cents(field: &mut String, cents: i128) -> std::fmt::Result {
    use std::fmt::Write as _;
    let sign = if cents < 0 { "-" } else { "" };
    write!(field, "{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Decimal128Array, Float64Array, StringArray};
    use arrow_schema::{Field, Schema};

    use super::*;

    #[test]
    fn absent_is_empty_and_amounts_have_two_decimals() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("firm", DataType::Utf8, false),
            Field::new("growth", DataType::Float64, true),
            Field::new("export_value", DataType::Decimal128(19, 2), false),
        ]));
        let cents =
            Decimal128Array::from(vec![5, -1_205]).with_data_type(DataType::Decimal128(19, 2));
        let rows = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                Arc::new(StringArray::from(vec!["a \"b\", c", "d"])),
                Arc::new(Float64Array::from(vec![None, Some(0.1 + 0.2)])),
                Arc::new(cents),
            ],
        )
        .expect("columns that fit");
        let mut out = Vec::new();
        let mut writer = CsvWriter::start(&mut out, &schema).expect("a Vec can be written");
        writer.write(&rows).expect("rows of a table");
        writer.finish().expect("a Vec can be written");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(
            text,
            "firm,growth,export_value\n\"a \"\"b\"\", c\",,0.05\nd,0.30000000000000004,-12.05\n"
        );
    }
}
