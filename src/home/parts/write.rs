//! The writer of parts.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::{Layout, Part, PartKind, REMOVED, ROWS_MAX, Table};
use crate::domain::types::Year;
use crate::home::Publication;
use crate::home::durable::{Draft, Stored};
use crate::home::error::{HomeError, Result};

/// Writes the rows of one year of a table; there is no file before [`PartWriter::finish`].
#[derive(Debug)]
pub struct PartWriter {
    rows: RowsWriter,
    table: Table,
    year: Year,
    publication: Publication,
    n_removed: u64,
}

impl PartWriter {
    /// Starts a part.
    ///
    /// # Errors
    /// - [`HomeError::CreateFolder`], [`HomeError::Sync`], [`HomeError::Write`] if the
    ///   file cannot be created.
    /// - [`HomeError::Encode`] if the schema has a type that Parquet does not have.
    ///
    /// # Panics
    /// If the first column is not the boolean [`REMOVED`].
    pub fn create(
        home: &Path,
        table: Table,
        year: Year,
        publication: Publication,
        schema: SchemaRef,
    ) -> Result<Self> {
        let first = schema.fields().first().map(|field| (field.name().as_str(), field.data_type()));
        assert_eq!(first, Some((REMOVED, &DataType::Boolean)), "the first column of a part");
        let path = format!("published/{}/{year}/{:06}.parquet", table.name(), publication.0);
        let rows = RowsWriter::create(home, path, schema)?;
        Ok(Self { rows, table, year, publication, n_removed: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// - [`HomeError::Encode`] if the rows have another schema or cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.rows.write(rows)?;
        self.n_removed += rows.column(0).as_boolean().true_count() as u64;
        Ok(())
    }

    /// Makes the part durable; the commit that names it publishes it.
    ///
    /// # Errors
    /// - [`HomeError::Encode`], [`HomeError::Write`] if it cannot be written.
    /// - [`HomeError::Sync`] if the disk does not confirm.
    ///
    /// # Panics
    /// If a whole part has removed rows, or `months` is not 1 to 12.
    pub fn finish(self, kind: PartKind, months: u8) -> Result<Part> {
        let Self { rows, table, year, publication, n_removed } = self;
        assert!(kind == PartKind::Changes || n_removed == 0, "{n_removed} removed rows in a whole");
        assert!((1..=12).contains(&months), "{months} months");
        let (n_rows, layout, stands_for) = (rows.n_rows, Layout::Facts, None);
        let file = rows.finish()?;
        Ok(Part { table, year, publication, kind, layout, months, n_rows, file, stands_for })
    }
}

/// Writes rows to a file of a table.
#[derive(Debug)]
pub(super) struct RowsWriter {
    writer: ArrowWriter<Draft>,
    target: PathBuf,
    n_rows: u64,
}

impl RowsWriter {
    pub(super) fn create(home: &Path, path: String, schema: SchemaRef) -> Result<Self> {
        let draft = Draft::create(home, path)?;
        let target = draft.target();
        // Parquet's types are enough to find Arrow's. A second description would take a third of
        // the bytes that one late line publishes.
        let options = ArrowWriterOptions::new()
            .with_properties(properties(&schema))
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(draft, schema, options)
            .map_err(|source| HomeError::encode(&target, source))?;
        Ok(Self { writer, target, n_rows: 0 })
    }

    pub(super) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.n_rows += rows.num_rows() as u64;
        self.writer.write(rows).map_err(|source| HomeError::encode(&self.target, source))
    }

    pub(super) fn finish(self) -> Result<Stored> {
        let Self { writer, target, .. } = self;
        let draft = writer.into_inner().map_err(|source| HomeError::encode(&target, source))?;
        draft.publish()
    }
}

/// The encodings: dictionaries for texts, which repeat; differences for counts, which are small;
/// byte streams for amounts, whose upper bytes are alike.
fn properties(schema: &SchemaRef) -> WriterProperties {
    let level = ZstdLevel::try_new(1).expect("1 is a level of zstd");
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROWS_MAX))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for field in schema.fields() {
        let column = ColumnPath::from(field.name().as_str());
        properties = match field.data_type() {
            DataType::Utf8 => properties.set_column_dictionary_enabled(column, true),
            DataType::Int64 => properties.set_column_encoding(column, Encoding::BYTE_STREAM_SPLIT),
            numbers if numbers.is_integer() => {
                properties.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED)
            }
            _ => properties,
        };
    }
    properties.build()
}
