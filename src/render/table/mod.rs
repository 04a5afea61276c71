//! Tables as files: one description of a table, one writer, any format.
//!
//! ```text
//! Sheet (name, keys, schema) + batches ─▶ write ─▶ csv │ parquet │ xlsx │ jsonl │ sdmx-csv
//!                                                   └─ for Excel
//! ```
//! Every format writes the same rows in the same order; an absent figure is empty, blank or null.

pub mod csv;
mod error;
mod excel;
mod jsonl;
mod sdmx;
mod xlsx;

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

pub use self::error::FormatError;

use self::csv::{CsvWriter, Reader};
use crate::tables::meanings::described;
use crate::tables::sheet::Sheet;

/// The format of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, UTF-8.
    #[default]
    Csv,
    /// Comma-separated for Excel, with a byte order mark and texts that stay texts.
    ExcelCsv,
    /// Parquet, zstd.
    Parquet,
    /// A workbook of one sheet.
    Xlsx,
    /// A JSON object on each line.
    Jsonl,
    /// SDMX-CSV 2.0.
    SdmxCsv,
}

/// Writes batches of a table's schema.
///
/// # Errors
/// [`FormatError`] if `out` cannot be written or the format cannot hold the table, and the errors
/// of the batches.
pub fn write<E: From<FormatError>>(
    out: impl Write + Send,
    format: Format,
    sheet: &Sheet,
    batches: impl Iterator<Item = Result<RecordBatch, E>>,
) -> Result<(), E> {
    match format {
        Format::Csv | Format::ExcelCsv => {
            let reader = if format == Format::Csv { Reader::Any } else { Reader::Excel };
            let writer = CsvWriter::start(out, reader, &sheet.schema);
            let mut writer = writer.map_err(FormatError::from)?;
            each(batches, |rows| Ok(writer.write(rows)?))?;
            Ok(writer.finish().map_err(FormatError::from)?)
        }
        Format::Parquet => {
            let schema = described(sheet.name, &sheet.schema);
            let mut writer = parquet_writer(out, schema).map_err(FormatError::from)?;
            each(batches, |rows| Ok(writer.write(rows)?))?;
            writer.close().map_err(FormatError::from)?;
            Ok(())
        }
        Format::Xlsx => {
            let mut book = xlsx::Book::start(sheet)?;
            each(batches, |rows| book.write(rows))?;
            Ok(book.finish(out)?)
        }
        Format::Jsonl => {
            let mut out = io::BufWriter::with_capacity(1 << 17, out);
            each(batches, |rows| Ok(jsonl::write(&mut out, rows)?))?;
            Ok(out.flush().map_err(FormatError::from)?)
        }
        Format::SdmxCsv => {
            let mut writer = sdmx::SdmxWriter::start(out, sheet).map_err(FormatError::from)?;
            each(batches, |rows| Ok(writer.write(rows)?))?;
            Ok(writer.finish().map_err(FormatError::from)?)
        }
    }
}

fn each<E: From<FormatError>>(
    batches: impl Iterator<Item = Result<RecordBatch, E>>,
    mut write: impl FnMut(&RecordBatch) -> Result<(), FormatError>,
) -> Result<(), E> {
    for rows in batches {
        write(&rows?)?;
    }
    Ok(())
}

fn parquet_writer<W: Write + Send>(
    out: W,
    schema: SchemaRef,
) -> Result<ArrowWriter<W>, parquet::errors::ParquetError> {
    let level = ZstdLevel::try_new(3).expect("3 is a level of zstd");
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    ArrowWriter::try_new(out, schema, Some(properties))
}

#[cfg(test)]
mod tests;
