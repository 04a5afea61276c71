//! Tables as CSV: UTF-8, comma, a header. An absent figure is an empty field, and floats are
//! shortest round-trip.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::excel;
use crate::tables::cells::Cells;

/// The mark that tells Excel that a file is UTF-8; without it, a Chinese Excel reads GB18030.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Writes a header and rows.
pub struct CsvWriter<W: Write> {
    lines: Lines<W>,
}

/// The program that will read the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Any program: every text is unchanged, and quoted if needed.
    Any,
    /// Excel: a byte order mark, lines that end in CR and LF, and texts that stay texts.
    Excel,
}

/// Writes lines of fields.
pub struct Lines<W: Write> {
    writer: csv::Writer<W>,
    reader: Reader,
    field: String,
}

impl<W: Write> Lines<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn start(
        mut out: W,
        reader: Reader,
        names: impl Iterator<Item = String>,
    ) -> io::Result<Self> {
        let mut builder = csv::WriterBuilder::new();
        builder.buffer_capacity(1 << 17);
        if reader == Reader::Excel {
            out.write_all(BYTE_ORDER_MARK.as_bytes())?;
            builder.terminator(csv::Terminator::CRLF).quote_style(csv::QuoteStyle::NonNumeric);
        }
        let mut writer = builder.from_writer(out);
        writer.write_record(names).map_err(io_of)?;
        Ok(Self { writer, reader, field: String::new() })
    }

    /// Writes rows: first the fields common to all rows, then the columns; a given text replaces
    /// absent values.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn write(
        &mut self,
        n_rows: usize,
        fixed: &[&str],
        columns: &[(Cells<'_>, &str)],
    ) -> io::Result<()> {
        for row in 0..n_rows {
            for field in fixed {
                self.writer.write_field(field).map_err(io_of)?;
            }
            for (column, absent) in columns {
                self.field.clear();
                column.write(row, &mut self.field);
                let field = if self.field.is_empty() { absent } else { self.field.as_str() };
                if self.reader == Reader::Excel && !column.are_numbers() {
                    self.writer.write_field(&*excel::cell(field)).map_err(io_of)?;
                } else {
                    self.writer.write_field(field).map_err(io_of)?;
                }
            }
            self.writer.write_record(None::<&[u8]>).map_err(io_of)?;
        }
        Ok(())
    }

    /// Writes the buffered bytes.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn start(out: W, reader: Reader, schema: &SchemaRef) -> io::Result<Self> {
        let names = schema.fields().iter().map(|field| field.name().clone());
        Ok(Self { lines: Lines::start(out, reader, names)? })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// An error if `out` cannot be written, or a column has a type that no table has.
    pub fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let columns: Vec<_> = Cells::of_rows(rows)?.into_iter().map(|cells| (cells, "")).collect();
        self.lines.write(rows.num_rows(), &[], &columns)
    }

    /// Writes the buffered bytes.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn finish(self) -> io::Result<()> {
        self.lines.finish()
    }
}

/// The system's error inside an error of the `csv` crate, such as a closed pipe.
#[must_use]
pub fn io_of(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Decimal128Array, Float64Array, StringArray};
    use arrow_schema::{DataType, Field, Schema};

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
        let mut writer =
            CsvWriter::start(&mut out, Reader::Any, &schema).expect("a Vec can be written");
        writer.write(&rows).expect("rows of a table");
        writer.finish().expect("a Vec can be written");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(
            text,
            "firm,growth,export_value\n\"a \"\"b\"\", c\",,0.05\nd,0.30000000000000004,-12.05\n"
        );
    }
}
