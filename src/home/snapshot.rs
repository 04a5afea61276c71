//! Snapshots: the annual cells of a publication, for a restart without the earlier segments.
//!
//! ```text
//! cells ─▶ SnapshotWriter ─▶ snapshots/000012.parquet (durable) ─▶ Home::keep_snapshot
//!                                the manifest names the newest two ◀──┘   older ones removed
//! ```
//! A cell is `year, firm_id, country, city` with three sums of cents. All other state of the
//! dataflow follows from the cells, and a snapshot follows from the segments. A missing or damaged
//! snapshot costs time only.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt16Type, UInt32Type};
use arrow_array::{Array, UInt32Array};
use arrow_array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray, UInt16Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rustc_hash::FxHashMap;

use super::durable::{Draft, Stored};
use super::error::{HomeError, Result};
use super::{Home, Publication};
use crate::domain::dictionary::Dictionary;
use crate::domain::types::{City, Year};

/// The number of stored snapshots: if one is damaged, an older one is left.
const GENERATIONS: usize = 2;
/// The number of rows of a row group and of a batch.
const ROWS_MAX: usize = 1 << 18;

/// The annual cells of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The publication.
    pub publication: Publication,
    /// The number of cells.
    pub n_cells: u64,
    /// The file of the cells.
    pub file: Stored,
}

/// A cell: year, firm, country and city, with the cents of its three roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotCell {
    /// The year.
    pub year: Year,
    /// The position in the dictionary of firms.
    pub firm: u32,
    /// The position in the dictionary of countries.
    pub country: u32,
    /// The city.
    pub city: City,
    /// Exports of the year, exports of the same months of the year before, imports.
    pub cents: [i64; 3],
}

/// The texts of a cell's numbers.
#[derive(Clone, Copy)]
pub struct SnapshotTexts<'a> {
    /// Firm identifiers.
    pub firms: &'a Dictionary,
    /// Country codes.
    pub countries: &'a Dictionary,
    /// City codes.
    pub city: &'a dyn Fn(City) -> &'a str,
}

/// Writes a snapshot; it counts after [`Home::keep_snapshot`].
pub struct SnapshotWriter<'a> {
    writer: ArrowWriter<Draft>,
    target: PathBuf,
    texts: SnapshotTexts<'a>,
    publication: Publication,
    n_cells: u64,
}

impl<'a> SnapshotWriter<'a> {
    /// Starts a snapshot.
    ///
    /// # Errors
    /// [`HomeError::CreateFolder`], [`HomeError::Write`], [`HomeError::Sync`],
    /// [`HomeError::Encode`] if the file cannot be created.
    pub fn create(home: &Path, publication: Publication, texts: SnapshotTexts<'a>) -> Result<Self> {
        let draft = Draft::create(home, format!("snapshots/{:06}.parquet", publication.0))?;
        let target = draft.target();
        let writer = ArrowWriter::try_new(draft, schema(), Some(properties()))
            .map_err(|source| HomeError::encode(&target, source))?;
        Ok(Self { writer, target, texts, publication, n_cells: 0 })
    }

    /// Adds cells.
    ///
    /// # Errors
    /// [`HomeError::Encode`] if they cannot be written.
    pub fn write(&mut self, cells: &[SnapshotCell]) -> Result<()> {
        let texts = self.texts;
        let firms = encoded(cells.iter().map(|cell| cell.firm), |firm| texts.firms.text(firm));
        let countries =
            encoded(cells.iter().map(|cell| cell.country), |code| texts.countries.text(code));
        let cities = encoded(cells.iter().map(|cell| cell.city.0), |city| (texts.city)(City(city)));
        let cents = |at: usize| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(cells.iter().map(|cell| cell.cents[at])))
        };
        let years = UInt16Array::from_iter_values(cells.iter().map(|cell| cell.year.0));
        let columns = vec![Arc::new(years), firms, countries, cities, cents(0), cents(1), cents(2)];
        let encode = |source: ParquetError| HomeError::encode(&self.target, source);
        let rows = RecordBatch::try_new(schema(), columns).map_err(|e| encode(e.into()))?;
        self.writer.write(&rows).map_err(encode)?;
        self.n_cells += cells.len() as u64;
        Ok(())
    }

    /// Makes the snapshot durable.
    ///
    /// # Errors
    /// [`HomeError::Encode`], [`HomeError::Write`], [`HomeError::Sync`] if it cannot be
    /// written.
    pub fn finish(self) -> Result<Snapshot> {
        let Self { writer, target, publication, n_cells, .. } = self;
        let mut draft = writer.into_inner().map_err(|source| HomeError::encode(&target, source))?;
        draft.flush().map_err(|source| HomeError::Write { path: target, source })?;
        Ok(Snapshot { publication, n_cells, file: draft.publish()? })
    }
}

/// A column of texts; neighbouring rows share a dictionary of the texts that they use.
fn encoded<'t, Code: Copy + Eq + std::hash::Hash>(
    codes: impl Iterator<Item = Code>,
    text: impl Fn(Code) -> &'t str,
) -> ArrayRef {
    let (mut positions, mut values) = (FxHashMap::default(), Vec::new());
    let keys = codes.map(|code| {
        *positions.entry(code).or_insert_with(|| {
            values.push(text(code));
            u32::try_from(values.len() - 1).expect("a portion has fewer than 2^32 cells")
        })
    });
    let keys = UInt32Array::from_iter_values(keys);
    Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(values))))
}

fn schema() -> SchemaRef {
    let text = || DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    let cents = |name: &str| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![
        Field::new("year", DataType::UInt16, false),
        Field::new("firm_id", text(), false),
        Field::new("country", text(), false),
        Field::new("city", text(), false),
        cents("cur_cents"),
        cents("base_cents"),
        cents("import_cents"),
    ]))
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd")))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(ROWS_MAX))
        .build()
}

/// A snapshot with a correct hash, before its cells are read.
pub struct OpenSnapshot {
    reader: ParquetRecordBatchReader,
    path: PathBuf,
}

/// Checks a snapshot's hash and prepares to read it.
///
/// # Errors
/// - [`HomeError::Read`] if the file is missing or unreadable.
/// - [`HomeError::Corrupt`] if its hash differs.
/// - [`HomeError::Decode`] if the hash is right, and the file is not a snapshot of this version.
pub fn open(home: &Path, snapshot: &Snapshot) -> Result<OpenSnapshot> {
    let file = snapshot.file.open(home)?;
    let path = home.join(&snapshot.file.path);
    let options = ArrowReaderOptions::new().with_schema(schema());
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .and_then(|builder| builder.with_batch_size(ROWS_MAX).build())
        .map_err(|source| HomeError::decode(&path, source))?;
    Ok(OpenSnapshot { reader, path })
}

impl OpenSnapshot {
    /// Passes the cells to `each` in portions; the given dictionaries number their texts.
    ///
    /// # Errors
    /// - [`HomeError::Decode`] if rows cannot be decoded.
    /// - [`HomeError::Value`] if a city is not known to `city_of`.
    /// - The error of `each`.
    pub fn read<E: From<HomeError>>(
        self,
        firms: &mut Dictionary,
        countries: &mut Dictionary,
        city_of: &dyn Fn(&str) -> Option<City>,
        mut each: impl FnMut(&[SnapshotCell]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let Self { reader, path } = self;
        for rows in reader {
            let rows = rows.map_err(|source| HomeError::decode(&path, source))?;
            let city = |text: &str| {
                let unknown = || HomeError::Value {
                    path: path.clone(),
                    column: "city",
                    value: text.to_owned(),
                };
                city_of(text).ok_or_else(unknown)
            };
            each(&cells(&rows, firms, countries, city)?)?;
        }
        Ok(())
    }
}

fn cells(
    rows: &RecordBatch,
    firms: &mut Dictionary,
    countries: &mut Dictionary,
    city: impl Fn(&str) -> Result<City>,
) -> Result<Vec<SnapshotCell>> {
    let year = rows.column(0).as_primitive::<UInt16Type>().values();
    let firm = decoded(rows.column(1), |text| Ok(firms.intern(text)))?;
    let country = decoded(rows.column(2), |text| Ok(countries.intern(text)))?;
    let city = decoded(rows.column(3), city)?;
    let cents = |at: usize| rows.column(4 + at).as_primitive::<Int64Type>().values();
    let (cur, base, import) = (cents(0), cents(1), cents(2));
    Ok((0..rows.num_rows())
        .map(|row| SnapshotCell {
            year: Year(year[row]),
            firm: firm[row],
            country: country[row],
            city: city[row],
            cents: [cur[row], base[row], import[row]],
        })
        .collect())
}

/// The value of each row's text; each text in use is looked up once.
fn decoded<T: Copy>(column: &ArrayRef, mut value: impl FnMut(&str) -> Result<T>) -> Result<Vec<T>> {
    let column = column.as_dictionary::<UInt32Type>();
    let texts = column.values().as_string::<i32>();
    let mut values: Vec<Option<T>> = vec![None; texts.len()];
    let keys = column.keys().values().iter().map(|&key| {
        let known = &mut values[key as usize];
        match *known {
            Some(value) => Ok(value),
            None => value(texts.value(key as usize)).inspect(|value| *known = Some(*value)),
        }
    });
    keys.collect()
}

impl Home {
    /// The stored snapshots, the newest first.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>> {
        self.manifest.snapshots()
    }

    /// Stores a durable snapshot in the manifest. It removes damaged snapshots, and all but the
    /// newest older one.
    ///
    /// # Errors
    /// [`HomeError::Keep`] if the manifest cannot be written.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn keep_snapshot(&mut self, snapshot: &Snapshot, damaged: &[Publication]) -> Result<()> {
        assert!(self.is_writable(), "a snapshot of {}, opened to read", self.folder.display());
        let before = self.snapshots()?;
        self.manifest.add_snapshot(snapshot, damaged, GENERATIONS)?;
        let kept = self.snapshots()?;
        let is_kept = |old: &Snapshot| kept.iter().any(|new| new.file.path == old.file.path);
        self.remove(before.iter().filter(|old| !is_kept(old)).map(|old| &old.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(firm: u32, city: u16, cents: [i64; 3]) -> SnapshotCell {
        SnapshotCell { year: Year(2001), firm, country: 0, city: City(city), cents }
    }

    #[test]
    fn a_snapshot_gives_back_its_cells_whatever_numbers_their_texts_had() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (mut firms, mut countries) = (Dictionary::default(), Dictionary::default());
        let numbers = ["F0", "F1", "F2"].map(|firm| firms.intern(firm));
        countries.intern("502");
        let code = |city: City| ["1101", "1102"][usize::from(city.0)];
        let texts = SnapshotTexts { firms: &firms, countries: &countries, city: &code };
        let written = [cell(numbers[2], 1, [7, -3, 0]), cell(numbers[1], 0, [i64::MAX, 0, 1])];
        let mut writer =
            SnapshotWriter::create(home.path(), Publication(3), texts).expect("a writer");
        writer.write(&written).expect("written");
        let snapshot = writer.finish().expect("durable");
        assert_eq!((snapshot.n_cells, &*snapshot.file.path), (2, "snapshots/000003.parquet"));

        let (mut firms, mut countries) = (Dictionary::default(), Dictionary::default());
        firms.intern("F1");
        let mut found = Vec::new();
        let city_of = |text: &str| ["1101", "1102"].iter().position(|code| *code == text);
        let city_of = |text: &str| city_of(text).map(|at| City(u16::try_from(at).expect("two")));
        open(home.path(), &snapshot)
            .expect("whole")
            .read(&mut firms, &mut countries, &city_of, |cells| {
                found.extend_from_slice(cells);
                Ok::<(), HomeError>(())
            })
            .expect("read");
        assert_eq!(found, [cell(1, 1, [7, -3, 0]), cell(0, 0, [i64::MAX, 0, 1])]);
        assert_eq!(firms.iter().collect::<Vec<_>>(), ["F1", "F2"]);
    }
}
