//! The rows of a closed year for the regressions, as one Parquet file.
//!
//! Texts are dictionaries, on disk and in memory: a row holds a code. A damaged panel is computed
//! again from segments and parts.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::durable::Draft;
use super::error::{HomeError, Result};
use super::{Home, PanelPart, Publication, StoredEstimate};
use crate::domain::types::Year;

/// The number of rows of a row group, and of a batch in reading.
const ROWS_MAX: usize = 1 << 17;
/// The number of rows written at a time.
const ROWS_PER_WRITE: usize = 1 << 15;

/// Writes one year of a panel; there is no file before [`PanelWriter::finish`].
#[derive(Debug)]
pub struct PanelWriter {
    writer: ArrowWriter<Draft>,
    target: PathBuf,
    part: PanelPart,
}

impl PanelWriter {
    /// Writes a batch to the year's part.
    ///
    /// # Errors
    /// [`HomeError::Encode`] if the batch has another schema or cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.part.n_rows += rows.num_rows() as u64;
        write(&mut self.writer, rows).map_err(|source| HomeError::encode(&self.target, source))
    }

    /// Makes the part durable; it counts once [`Home::replace_panels`] names it.
    ///
    /// # Errors
    /// [`HomeError::Encode`], [`HomeError::Write`], [`HomeError::Sync`] if it cannot be
    /// written.
    pub fn finish(self) -> Result<PanelPart> {
        let Self { writer, target, part } = self;
        let mut draft = writer.into_inner().map_err(|source| HomeError::encode(&target, source))?;
        draft.flush().map_err(|source| HomeError::Write { path: target, source })?;
        Ok(PanelPart { file: draft.publish()?, ..part })
    }
}

impl Home {
    /// Starts the part of a year of a panel.
    ///
    /// # Errors
    /// [`HomeError::CreateFolder`], [`HomeError::Write`], [`HomeError::Encode`] if the
    /// file cannot be created.
    pub fn panel_writer(
        &self,
        kind: &str,
        year: Year,
        stamp: &str,
        schema: &SchemaRef,
    ) -> Result<PanelWriter> {
        let short = &stamp[..stamp.len().min(16)];
        let draft = Draft::create(&self.folder, format!("panel/{kind}/{year}/{short}.parquet"))?;
        let target = draft.target();
        let writer = ArrowWriter::try_new(draft, schema.clone(), Some(properties(schema)))
            .map_err(|source| HomeError::encode(&target, source))?;
        let part = PanelPart {
            kind: kind.to_owned(),
            year,
            stamp: stamp.to_owned(),
            publication: self.last_publication()?.map_or(Publication(0), |(last, _)| last),
            n_rows: 0,
            file: super::Stored { path: String::new(), hash: String::new(), n_bytes: 0 },
        };
        Ok(PanelWriter { writer, target, part })
    }

    /// The parts of all panels, each as last written.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn panels(&self) -> Result<Vec<PanelPart>> {
        self.manifest.panels()
    }

    /// Replaces the parts of the same kind and year, and removes their files.
    ///
    /// # Errors
    /// [`HomeError::Keep`] if the manifest cannot be written.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn replace_panels(&mut self, parts: &[PanelPart]) -> Result<()> {
        assert!(self.is_writable(), "panels for {}, opened to read", self.folder.display());
        let before = self.panels()?;
        self.manifest.replace_panels(parts)?;
        let keep: Vec<String> = self.panels()?.into_iter().map(|part| part.file.path).collect();
        let before = before.iter().map(|old| &old.file);
        self.remove(before.filter(|old| !keep.contains(&old.path)))
    }

    /// The keys of the home's memories, in order of writing.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn memories(&self) -> Result<Vec<String>> {
        let mut keys: Vec<String> =
            self.manifest.memories()?.into_iter().map(|(key, ..)| key).collect();
        keys.dedup();
        Ok(keys)
    }

    /// The files of all memories.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn memory_files(&self) -> Result<Vec<super::Stored>> {
        Ok(self.manifest.memories()?.into_iter().map(|(.., file)| file).collect())
    }

    /// A table of a memory; `None` if the home does not have it.
    ///
    /// # Errors
    /// [`HomeError::Read`], [`HomeError::Corrupt`], [`HomeError::Decode`] if the file is
    /// missing, damaged or of another version.
    pub fn read_memory(&self, key: &str, name: &str) -> Result<Option<RecordBatch>> {
        let mut all = self.manifest.memories()?.into_iter();
        let Some((.., stored)) = all.find(|(k, n, _)| (k.as_str(), n.as_str()) == (key, name))
        else {
            return Ok(None);
        };
        let failed = |source| HomeError::decode(&self.folder.join(&stored.path), source);
        let (schema, batches) = whole(stored.open(&self.folder)?).map_err(failed)?;
        let rows = concat_batches(&schema, &batches);
        rows.map(Some).map_err(|error| failed(error.into()))
    }

    /// Replaces the tables of an earlier memory, and removes their files.
    ///
    /// # Errors
    /// [`HomeError::Write`], [`HomeError::Encode`], [`HomeError::Keep`] if it cannot be
    /// stored.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn replace_memory(&mut self, key: &str, tables: &[(&str, RecordBatch)]) -> Result<()> {
        assert!(self.is_writable(), "a memory for {}, opened to read", self.folder.display());
        let before = self.manifest.memories()?;
        let mut stored = Vec::new();
        for (name, rows) in tables {
            stored.push((*name, self.write_memory(key, name, rows)?));
        }
        self.manifest.replace_memory(key, &stored)?;
        let before = before.iter().filter(|(of, ..)| of == key).map(|(.., old)| old);
        self.remove(before.filter(|old| stored.iter().all(|(_, new)| new.path != old.path)))
    }

    /// Removes memories and their files.
    ///
    /// # Errors
    /// [`HomeError::Keep`] if the manifest cannot be written.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn remove_memories(&mut self, keys: &[String]) -> Result<()> {
        assert!(self.is_writable(), "memories of {}, opened to read", self.folder.display());
        let before = self.manifest.memories()?;
        self.manifest.remove_memories(keys)?;
        let gone = before.iter().filter(|(key, ..)| keys.contains(key)).map(|(.., old)| old);
        self.remove(gone)?;
        Ok(())
    }

    fn write_memory(&self, key: &str, name: &str, rows: &RecordBatch) -> Result<super::Stored> {
        let number = self.last_publication()?.map_or(0, |(last, _)| last.0);
        let of = blake3::hash(key.as_bytes()).to_hex();
        let path = format!("memory/{}-{name}-{number:06}.parquet", &of[..16]);
        let draft = Draft::create(&self.folder, path)?;
        let target = draft.target();
        let failed = |source| HomeError::encode(&target, source);
        let schema = rows.schema();
        let has_codes = |field: &FieldRef| matches!(field.data_type(), DataType::Dictionary(..));
        let properties = if schema.fields().iter().any(has_codes) {
            properties(&schema)
        } else {
            WriterProperties::builder().set_dictionary_enabled(false).build()
        };
        let mut writer = ArrowWriter::try_new(draft, schema, Some(properties)).map_err(failed)?;
        write(&mut writer, rows).map_err(failed)?;
        let mut draft = writer.into_inner().map_err(failed)?;
        draft.flush().map_err(|source| HomeError::Write { path: target.clone(), source })?;
        draft.publish()
    }

    /// Every stored estimate in order of writing; a column without an estimate has its reason.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn estimates(&self) -> Result<Vec<StoredEstimate>> {
        self.manifest.estimates()
    }

    /// Stores estimates. For each model, only the newest reason for a missing estimate stays, and
    /// only until the model is estimated.
    ///
    /// # Errors
    /// [`HomeError::Keep`] if the manifest cannot be written.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn add_estimates(&mut self, estimates: &[StoredEstimate]) -> Result<()> {
        assert!(self.is_writable(), "estimates for {}, opened to read", self.folder.display());
        self.manifest.add_estimates(estimates)
    }

    /// Removes failed estimates by number; other estimates stay.
    ///
    /// # Errors
    /// [`HomeError::Keep`] if the manifest cannot be written.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn remove_failures(&mut self, numbers: &[u64]) -> Result<()> {
        assert!(self.is_writable(), "failures of {}, opened to read", self.folder.display());
        self.manifest.remove_failures(numbers)
    }

    /// True if the home was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.lock.is_some()
    }
}

/// The rows of a year of a panel, in some or all columns, after a check of its hash.
///
/// # Errors
/// [`HomeError::Read`], [`HomeError::Corrupt`], [`HomeError::Decode`] if the file is
/// missing, damaged or of another version.
pub fn read_panel(
    home: &Path,
    part: &PanelPart,
    columns: Option<&[&str]>,
) -> Result<Vec<RecordBatch>> {
    let file = part.file.open(home)?;
    decode(file, columns).map_err(|source| HomeError::decode(&home.join(&part.file.path), source))
}

fn whole(file: std::fs::File) -> std::result::Result<(SchemaRef, Vec<RecordBatch>), ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(ROWS_MAX);
    let schema = builder.schema().clone();
    Ok((schema, builder.build()?.collect::<std::result::Result<_, _>>()?))
}

fn decode(
    file: std::fs::File,
    columns: Option<&[&str]>,
) -> std::result::Result<Vec<RecordBatch>, ParquetError> {
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(ROWS_MAX);
    if let Some(columns) = columns {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    Ok(builder.build()?.collect::<std::result::Result<_, _>>()?)
}

/// Writes a few rows at a time: the writer's own memory stays small.
fn write(
    writer: &mut ArrowWriter<Draft>,
    rows: &RecordBatch,
) -> std::result::Result<(), ParquetError> {
    (0..rows.num_rows()).step_by(ROWS_PER_WRITE).try_for_each(|start| {
        writer.write(&rows.slice(start, ROWS_PER_WRITE.min(rows.num_rows() - start)))
    })
}

/// The settings of parts of published tables: dictionaries for columns with repeated values, which
/// floats rarely have.
fn properties(schema: &SchemaRef) -> WriterProperties {
    let level = ZstdLevel::try_new(1).expect("1 is a level of zstd");
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROWS_MAX));
    for field in schema.fields() {
        let repeats = !matches!(field.data_type(), DataType::Float64 | DataType::Decimal128(..));
        let column = ColumnPath::from(field.name().as_str());
        properties = properties.set_column_dictionary_enabled(column, repeats);
    }
    properties.build()
}
