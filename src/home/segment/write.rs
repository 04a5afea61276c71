//! The writer of segments.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use arrow_array::{Int32Array, Int64Array, UInt32Array};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowWriterOptions};
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnDescPtr, ColumnPath};

use super::chunk::{Chunk, yyyymm};
use super::order::sort;
use super::read::read_bytes;
use super::text_chunk::{TextChunk, compression};
use super::{ROWS_MAX, path, schema};
use crate::domain::dictionary::Dictionary;
use crate::domain::record::{Exclusion, Record, Texts};
use crate::domain::types::{City, Flow, Vintage};
use crate::home::Publication;
use crate::home::durable::{Draft, Stored};
use crate::home::error::{HomeError, Result};

/// The approximate number of bytes of a record in a segment; the buffer grows if needed.
const BYTES_A_RECORD: usize = 9;

/// A segment in its final form.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Encoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a segment of {} bytes", self.bytes.len())
    }
}

impl Encoded {
    /// Writes the segment of one accepted file durably; it counts after the commit that names it.
    ///
    /// # Errors
    /// - [`HomeError::CreateFolder`], [`HomeError::Write`] if it cannot be written.
    /// - [`HomeError::Sync`] if the disk does not confirm.
    pub fn store(&self, home: &Path, vintage: Vintage) -> Result<Stored> {
        self.store_at(home, path(vintage))
    }

    /// The records, in every field, as [`super::read`] gives them.
    ///
    /// # Errors
    /// As for [`super::read`]; `path` stands for the segment in messages.
    pub fn records(
        &self,
        path: &Path,
        city_of: &dyn Fn(&str) -> Option<City>,
    ) -> Result<(Texts, Vec<Record>)> {
        read_bytes(Bytes::from(self.bytes.clone()), path, city_of)
    }

    /// Writes a segment durably at a path relative to the home.
    ///
    /// # Errors
    /// Those of [`Encoded::store`].
    pub fn store_at(&self, home: &Path, path: String) -> Result<Stored> {
        let mut draft = Draft::create(home, path)?;
        let target = draft.target();
        draft.write_all(&self.bytes).map_err(|source| HomeError::Write { path: target, source })?;
        draft.publish()
    }
}

/// Replaces the segment of an accepted file, because a rebuild excludes other records.
///
/// # Errors
/// Those of [`Encoded::store`], and [`HomeError::Encode`] with those of [`encode`].
pub fn rewrite<'p>(
    home: &Path,
    vintage: Vintage,
    publication: Publication,
    (texts, records): (&Texts, &[Record]),
    text_of: &(dyn Fn(City) -> &'p str + Sync),
) -> Result<Stored> {
    let path = format!("segments/{:06}-{:06}.parquet", vintage.0, publication.0);
    let mut records = records.to_vec();
    sort(&mut records, texts.firms.len());
    encode(1, texts, &mut records, text_of)
        .map_err(|source| HomeError::encode(&home.join(&path), source))?
        .store_at(home, path)
}

/// Encodes the records of a file in the order of [`sort`], on `n_threads` threads.
///
/// Records of the file's own month come first. Late records follow in separate row groups, which
/// can be read without the rest. Late records are removed from `records`.
///
/// # Errors
/// [`ParquetError`] if a column is past what Parquet can hold.
///
/// # Panics
/// If a record points outside its texts.
pub fn encode<'p>(
    n_threads: usize,
    texts: &Texts,
    records: &mut Vec<Record>,
    text_of: &(dyn Fn(City) -> &'p str + Sync),
) -> std::result::Result<Encoded, ParquetError> {
    let own_month = records.iter().map(|row| row.period).max();
    let mut late = Vec::new();
    records.retain(|row| {
        let is_own = Some(row.period) == own_month;
        if !is_own {
            late.push(*row);
        }
        is_own
    });
    // Without Arrow's schema in the file, every reader takes the columns for plain strings.
    let options =
        ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
    let room = Vec::with_capacity((records.len() + late.len()) * BYTES_A_RECORD);
    let writer = ArrowWriter::try_new_with_options(room, schema(), options)?;
    let (mut file, columns) = writer.into_serialized_writer()?;
    let row_groups = [&*records, &late];
    let row_groups = row_groups.into_iter().flat_map(|rows| rows.chunks(ROWS_MAX));
    for (at, rows) in row_groups.enumerate() {
        let descriptors = file.schema_descr().columns().to_vec();
        let numbers = columns.create_column_writers(at)?;
        let columns = Columns { rows, texts, text_of };
        let chunks = in_parallel(n_threads, descriptors.into_iter().zip(numbers), |(column, n)| {
            columns.chunk(column, n)
        });
        let mut row_group = file.next_row_group()?;
        for chunk in chunks {
            chunk?.append_to(&mut row_group)?;
        }
        row_group.close()?;
    }
    Ok(Encoded { bytes: file.into_inner()? })
}

/// The result of each item, in order.
fn in_parallel<T: Send, R: Send>(
    n_threads: usize,
    items: impl Iterator<Item = T> + Send,
    of: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    if n_threads < 2 {
        return items.map(of).collect();
    }
    let items = Mutex::new(items.enumerate());
    let take = || {
        let mut done = Vec::new();
        loop {
            let item = items.lock().expect("nobody panics while it takes an item").next();
            let Some((at, item)) = item else { return done };
            done.push((at, of(item)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The settings: numbers whose bits all vary are packed but not compressed, because compression
/// costs more than it saves.
fn properties() -> WriterProperties {
    let period = ColumnPath::from("period");
    let mut properties = WriterProperties::builder()
        .set_compression(compression())
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(period.clone(), true)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(period, EnabledStatistics::Chunk)
        .set_offset_index_disabled(true);
    for column in ["line", "value_cents"].map(ColumnPath::from) {
        properties = properties
            .set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(column, Compression::UNCOMPRESSED);
    }
    properties.build()
}

#[derive(Clone, Copy)]
struct Columns<'a, 'p> {
    rows: &'a [Record],
    texts: &'a Texts,
    text_of: &'a (dyn Fn(City) -> &'p str + Sync),
}

impl Columns<'_, '_> {
    /// The chunk of a column; `numbers` writes a column that is not of texts.
    fn chunk(
        self,
        column: ColumnDescPtr,
        numbers: ArrowColumnWriter,
    ) -> std::result::Result<Chunk, ParquetError> {
        let Self { rows, texts, .. } = self;
        let chunk = match column.name() {
            "line" => {
                return Chunk::of_numbers(numbers, rows, |rows| {
                    UInt32Array::from_iter_values(rows.iter().map(|row| row.line))
                });
            }
            "period" => {
                return Chunk::of_numbers(numbers, rows, |rows| {
                    Int32Array::from_iter_values(rows.iter().map(|row| yyyymm(row.period)))
                });
            }
            "value_cents" => {
                return Chunk::of_numbers(numbers, rows, |rows| {
                    Int64Array::from_iter_values(rows.iter().map(|row| row.value_cents))
                });
            }
            "flow" => {
                let codes = [Flow::Export, Flow::Import].map(Flow::code);
                self.texts(column, &codes, |row| Some(row.flow as u32))
            }
            "firm_id" => self.dictionary(column, &texts.firms, |row| row.firm),
            "firm_name" => self.dictionary(column, &texts.names, |row| row.name),
            "region" => self.dictionary(column, &texts.regions, |row| row.region),
            "city" => self.cities(column),
            "country" => self.dictionary(column, &texts.countries, |row| row.country),
            "hs8" => self.dictionary(column, &texts.products, |row| row.product),
            "trade_mode" => self.dictionary(column, &texts.trade_modes, |row| row.trade_mode),
            "excluded" => self.texts(column, &Exclusion::OF_RECORDS.map(Exclusion::name), |row| {
                row.exclusion.map(|exclusion| exclusion as u32)
            }),
            other => unreachable!("the schema has no column {other}"),
        };
        chunk.map(Chunk::Texts)
    }

    fn dictionary(
        self,
        column: ColumnDescPtr,
        dictionary: &Dictionary,
        code: impl Fn(&Record) -> u32,
    ) -> std::result::Result<TextChunk, ParquetError> {
        if self.rows.len() >= dictionary.len() {
            return self
                .texts(column, &dictionary.iter().collect::<Vec<_>>(), |row| Some(code(row)));
        }
        // Late records are few: their row group has only their own texts.
        let mut positions = vec![u32::MAX; dictionary.len()];
        let mut used = Vec::new();
        for row in self.rows {
            let position = &mut positions[code(row) as usize];
            if *position == u32::MAX {
                *position = u32::try_from(used.len()).expect("no more texts than rows");
                used.push(dictionary.text(code(row)));
            }
        }
        self.texts(column, &used, |row| Some(positions[code(row) as usize]))
    }

    fn cities(self, column: ColumnDescPtr) -> std::result::Result<TextChunk, ParquetError> {
        let cities = || self.rows.iter().filter_map(|row| row.city);
        let mut texts = vec![""; cities().max().map_or(0, |city| usize::from(city.0) + 1)];
        for city in cities() {
            let text = &mut texts[usize::from(city.0)];
            if text.is_empty() {
                *text = (self.text_of)(city);
            }
        }
        self.texts(column, &texts, |row| row.city.map(|city| u32::from(city.0)))
    }

    fn texts(
        self,
        column: ColumnDescPtr,
        texts: &[&str],
        position: impl Fn(&Record) -> Option<u32>,
    ) -> std::result::Result<TextChunk, ParquetError> {
        TextChunk::new(column, texts, self.rows, position)
    }
}
