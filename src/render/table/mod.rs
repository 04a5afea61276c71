//! Tables as files: one description of a table, one writer, any format.
//!
//! ```text
//! Sheet (name, keys, schema) + batches ─▶ write ─▶ csv, for Excel, sdmx-csv, parquet, arrow,
//!                                                   xlsx, dta, jsonl
//! ```
//! Every format writes the same rows in the same order; an absent figure is empty, blank or null.

mod about;
pub mod csv;
mod error;
mod excel;
pub mod jsonl;
mod sdmx;
mod stata;
mod xlsx;

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

pub use self::about::{About, TableFile};
pub use self::error::FormatError;

use self::csv::{CsvWriter, Reader};
use crate::tables::meanings::described;

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
    /// A workbook with a sheet of rows and a sheet of metadata.
    Xlsx,
    /// A dataset of Stata.
    Stata,
    /// An Arrow file (Feather).
    Arrow,
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
    file: &TableFile<'_>,
    batches: impl Iterator<Item = Result<RecordBatch, E>>,
) -> Result<(), E> {
    match format {
        Format::Csv | Format::ExcelCsv => {
            let reader = if format == Format::Csv { Reader::Any } else { Reader::Excel };
            let writer = CsvWriter::start(out, reader, &file.sheet.schema);
            let mut writer = writer.map_err(FormatError::from)?;
            each(batches, |rows| Ok(writer.write(rows)?))?;
            Ok(writer.finish().map_err(FormatError::from)?)
        }
        Format::Parquet => {
            let mut writer = parquet_writer(out, file).map_err(FormatError::from)?;
            each(batches, |rows| Ok(writer.write(rows)?))?;
            writer.close().map_err(FormatError::from)?;
            Ok(())
        }
        Format::Xlsx => {
            let mut book = xlsx::Book::start(*file)?;
            each(batches, |rows| book.write(rows))?;
            Ok(book.finish(out)?)
        }
        Format::Arrow => {
            let mut writer = arrow_writer(out, file)?;
            each(batches, |rows| Ok(writer.write(rows).map_err(arrow_error)?))?;
            Ok(writer.finish().map_err(arrow_error).map_err(FormatError::from)?)
        }
        Format::Stata => {
            let rows = batches.collect::<Result<Vec<_>, E>>()?;
            let mut out = io::BufWriter::with_capacity(1 << 17, out);
            stata::write(&mut out, file, &rows).map_err(FormatError::from)?;
            Ok(out.flush().map_err(FormatError::from)?)
        }
        Format::Jsonl => {
            let mut out = io::BufWriter::with_capacity(1 << 17, out);
            each(batches, |rows| Ok(jsonl::write(&mut out, rows)?))?;
            Ok(out.flush().map_err(FormatError::from)?)
        }
        Format::SdmxCsv => {
            let mut writer = sdmx::SdmxWriter::start(out, file.sheet).map_err(FormatError::from)?;
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
    file: &TableFile<'_>,
) -> Result<ArrowWriter<W>, parquet::errors::ParquetError> {
    let facts = file.about.facts.iter();
    let facts =
        facts.map(|(name, value)| KeyValue::new(format!("spillover.{name}"), value.clone()));
    let level = ZstdLevel::try_new(3).expect("3 is a level of zstd");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_key_value_metadata(Some(facts.collect()));
    let schema = described(file.sheet.name, &file.sheet.schema);
    ArrowWriter::try_new(out, schema, Some(properties.build()))
}

fn arrow_writer<W: Write>(
    out: W,
    file: &TableFile<'_>,
) -> Result<FileWriter<io::BufWriter<W>>, FormatError> {
    let schema = described(file.sheet.name, &file.sheet.schema);
    let mut metadata = schema.metadata().clone();
    let facts = file.about.facts.iter();
    metadata.extend(facts.map(|(name, value)| (format!("spillover.{name}"), value.clone())));
    let schema = Schema::new(schema.fields().clone()).with_metadata(metadata);
    let out = io::BufWriter::with_capacity(1 << 17, out);
    Ok(FileWriter::try_new(out, &schema).map_err(arrow_error)?)
}

fn arrow_error(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
