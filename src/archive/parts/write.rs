//! Rows to a part.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::{Part, PartKind, REMOVED, ROWS_MAX, Table};
use crate::archive::Publication;
use crate::archive::durable::Draft;
use crate::archive::error::{ArchiveError, Result};
use crate::types::Year;

/// Columns by which one looks rows up, the only ones with statistics.
const KEYS: [&str; 4] = ["year", "firm", "city", "country"];

/// Columns that vary in all their bits: compressing them saves a tenth of most, and takes time and
/// as much memory as a column's page.
const DENSE: [&str; 15] = [
    "city",
    "exporters",
    "continuing",
    "entrants",
    "exits",
    "growth",
    "local_growth",
    "local_exporters",
    "affiliate_growth",
    "affiliate_ln_density",
    "affiliate_growth_weighted",
    "affiliate_ln_density_weighted",
    "affiliate_exporters",
    "ln_export",
    "ln_export_elsewhere",
];

/// Writes the rows of one year of a table; nothing is there before [`PartWriter::finish`].
#[derive(Debug)]
pub struct PartWriter {
    writer: ArrowWriter<Draft>,
    target: PathBuf,
    table: Table,
    year: Year,
    publication: Publication,
    n_rows: u64,
    n_removed: u64,
}

impl PartWriter {
    /// Starts a part.
    ///
    /// # Errors
    /// - [`ArchiveError::CreateFolder`], [`ArchiveError::Sync`], [`ArchiveError::Write`] if the
    ///   file cannot be made.
    /// - [`ArchiveError::Encode`] if the schema has a type that Parquet has not.
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
        let draft = Draft::create(home, path)?;
        let target = draft.target();
        let properties = properties(&schema);
        let writer = ArrowWriter::try_new(draft, schema, Some(properties))
            .map_err(|source| ArchiveError::encode(&target, source))?;
        Ok(Self { writer, target, table, year, publication, n_rows: 0, n_removed: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// - [`ArchiveError::Encode`] if they have another schema or cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.writer.write(rows).map_err(|source| ArchiveError::encode(&self.target, source))?;
        self.n_rows += rows.num_rows() as u64;
        self.n_removed += rows.column(0).as_boolean().true_count() as u64;
        Ok(())
    }

    /// Makes the part durable; it is published once a commit names it.
    ///
    /// # Errors
    /// - [`ArchiveError::Encode`], [`ArchiveError::Write`] if it cannot be written.
    /// - [`ArchiveError::Sync`] if the disk does not confirm.
    ///
    /// # Panics
    /// If a whole part has removed rows, or `months` is not 1 to 12.
    pub fn finish(self, kind: PartKind, months: u8) -> Result<Part> {
        let Self { writer, target, table, year, publication, n_rows, n_removed } = self;
        assert!(kind == PartKind::Changes || n_removed == 0, "{n_removed} removed rows in a whole");
        assert!((1..=12).contains(&months), "{months} months");
        let draft = writer.into_inner().map_err(|source| ArchiveError::encode(&target, source))?;
        Ok(Part { table, year, publication, kind, months, n_rows, file: draft.publish()? })
    }
}

/// Dictionaries for texts, which repeat, and differences for small numbers, which are as short
/// without hashing each; floats are as they are.
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
            DataType::Utf8 | DataType::Dictionary(..) => {
                properties.set_column_dictionary_enabled(column.clone(), true)
            }
            numbers if numbers.is_integer() => {
                properties.set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED)
            }
            _ => properties,
        };
        if KEYS.contains(&field.name().as_str()) {
            properties =
                properties.set_column_statistics_enabled(column.clone(), EnabledStatistics::Chunk);
        }
        if DENSE.contains(&field.name().as_str()) {
            properties = properties.set_column_compression(column, Compression::UNCOMPRESSED);
        }
    }
    properties.build()
}
