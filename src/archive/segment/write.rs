//! Records to a segment.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, UInt32Array};
use arrow_schema::Field;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowWriterOptions, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::{ColumnDescPtr, ColumnPath};

use super::text_chunk::{self, compression};
use super::{ROWS_MAX, path, schema};
use crate::archive::Publication;
use crate::archive::durable::{Draft, Stored};
use crate::archive::error::{ArchiveError, Result};
use crate::feed::record::{Dictionary, Exclusion, Record, Texts};
use crate::types::{City, Flow, Period, Vintage};

/// Writes the records of one accepted file durably; they count once a commit names the segment.
///
/// Rows are sorted by firm (in the order of the file's dictionary), city, country, flow, period and
/// line; those of the file's own month first, late ones behind them in row groups of their own, so
/// that what is late of a month is read without the rest.
///
/// # Errors
/// - [`ArchiveError::CreateFolder`], [`ArchiveError::Write`], [`ArchiveError::Encode`] if it cannot
///   be written.
/// - [`ArchiveError::Sync`] if the disk does not confirm.
///
/// # Panics
/// If a record points outside its texts.
pub fn write<'p>(
    home: &Path,
    vintage: Vintage,
    texts: &Texts,
    records: &[Record],
    text_of: &dyn Fn(City) -> &'p str,
) -> Result<Stored> {
    write_at(home, path(vintage), texts, records, text_of)
}

/// Writes the records of a file that was accepted before, in the place of its segment: a rebuild
/// excludes other ones. Otherwise as [`write`].
///
/// # Errors
/// Those of [`write`].
pub fn rewrite<'p>(
    home: &Path,
    vintage: Vintage,
    publication: Publication,
    (texts, records): (&Texts, &[Record]),
    text_of: &dyn Fn(City) -> &'p str,
) -> Result<Stored> {
    let path = format!("segments/{:06}-{:06}.parquet", vintage.0, publication.0);
    write_at(home, path, texts, records, text_of)
}

fn write_at<'p>(
    home: &Path,
    path: String,
    texts: &Texts,
    records: &[Record],
    text_of: &dyn Fn(City) -> &'p str,
) -> Result<Stored> {
    let draft = Draft::create(home, path)?;
    let target = draft.target();
    let rows = sorted(records, texts.firms.len());
    let own_month = rows.iter().map(|row| row.period).max();
    let (own, late): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| Some(row.period) == own_month);
    encode(draft, texts, &[own, late], text_of)
        .map_err(|source| ArchiveError::encode(&target, source))?
        .publish()
}

fn encode<'p>(
    draft: Draft,
    texts: &Texts,
    parts: &[Vec<Record>],
    text_of: &dyn Fn(City) -> &'p str,
) -> std::result::Result<Draft, ParquetError> {
    // Without arrow's own schema beside Parquet's, every reader takes the columns for plain
    // strings.
    let options =
        ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(draft, schema(), options)?;
    let (mut file, columns) = writer.into_serialized_writer()?;
    let row_groups = parts.iter().flat_map(|rows| rows.chunks(ROWS_MAX));
    for (at, rows) in row_groups.enumerate() {
        let descriptors = file.schema_descr().columns().to_vec();
        let numbers = columns.create_column_writers(at)?;
        let mut row_group = RowGroup { writer: file.next_row_group()?, rows };
        for (column, numbers) in descriptors.into_iter().zip(numbers) {
            row_group.append(column, numbers, texts, text_of)?;
        }
        row_group.writer.close()?;
    }
    file.into_inner()
}

fn properties() -> WriterProperties {
    let period = ColumnPath::from("period");
    WriterProperties::builder()
        .set_compression(compression())
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(period.clone(), true)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(period, EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build()
}

struct RowGroup<'a> {
    writer: SerializedRowGroupWriter<'a, Draft>,
    rows: &'a [Record],
}

impl RowGroup<'_> {
    /// Adds the next column; `numbers` writes it unless it is one of texts.
    fn append<'p>(
        &mut self,
        column: ColumnDescPtr,
        numbers: ArrowColumnWriter,
        texts: &Texts,
        text_of: &dyn Fn(City) -> &'p str,
    ) -> std::result::Result<(), ParquetError> {
        let rows = self.rows;
        match column.name() {
            "line" => self
                .numbers(numbers, UInt32Array::from_iter_values(rows.iter().map(|row| row.line))),
            "period" => self.numbers(
                numbers,
                Int32Array::from_iter_values(rows.iter().map(|row| yyyymm(row.period))),
            ),
            "value_cents" => self.numbers(
                numbers,
                Int64Array::from_iter_values(rows.iter().map(|row| row.value_cents)),
            ),
            "flow" => self.texts(column, &[Flow::Export, Flow::Import].map(Flow::code), |row| {
                Some(row.flow as u32)
            }),
            "firm_id" => self.dictionary(column, &texts.firms, |row| row.firm),
            "firm_name" => self.dictionary(column, &texts.names, |row| row.name),
            "region" => self.dictionary(column, &texts.regions, |row| row.region),
            "city" => self.cities(column, text_of),
            "country" => self.dictionary(column, &texts.countries, |row| row.country),
            "hs8" => self.dictionary(column, &texts.products, |row| row.product),
            "trade_mode" => self.dictionary(column, &texts.trade_modes, |row| row.trade_mode),
            "excluded" => self.texts(column, &Exclusion::ALL.map(Exclusion::name), |row| {
                row.exclusion.map(|exclusion| exclusion as u32)
            }),
            other => unreachable!("the schema has no column {other}"),
        }
    }

    fn numbers(
        &mut self,
        mut writer: ArrowColumnWriter,
        values: impl Array + 'static,
    ) -> std::result::Result<(), ParquetError> {
        let field = Field::new("numbers", values.data_type().clone(), false);
        for leaf in compute_leaves(&field, &(Arc::new(values) as ArrayRef))? {
            writer.write(&leaf)?;
        }
        writer.close()?.append_to_row_group(&mut self.writer)
    }

    fn dictionary(
        &mut self,
        column: ColumnDescPtr,
        dictionary: &Dictionary,
        code: impl Fn(&Record) -> u32,
    ) -> std::result::Result<(), ParquetError> {
        if self.rows.len() >= dictionary.len() {
            return self
                .texts(column, &dictionary.iter().collect::<Vec<_>>(), |row| Some(code(row)));
        }
        // Late records are few: their row group holds their own texts and not the whole file's.
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

    fn cities<'p>(
        &mut self,
        column: ColumnDescPtr,
        text_of: &dyn Fn(City) -> &'p str,
    ) -> std::result::Result<(), ParquetError> {
        let cities = || self.rows.iter().filter_map(|row| row.city);
        let mut texts = vec![""; cities().max().map_or(0, |city| usize::from(city.0) + 1)];
        for city in cities() {
            let text = &mut texts[usize::from(city.0)];
            if text.is_empty() {
                *text = text_of(city);
            }
        }
        self.texts(column, &texts, |row| row.city.map(|city| u32::from(city.0)))
    }

    fn texts(
        &mut self,
        column: ColumnDescPtr,
        texts: &[&str],
        position: impl Fn(&Record) -> Option<u32>,
    ) -> std::result::Result<(), ParquetError> {
        text_chunk::append(&mut self.writer, column, texts, self.rows.iter().map(position))
    }
}

fn yyyymm(period: Period) -> i32 {
    i32::try_from(period.as_yyyymm()).expect("a year before 2200")
}

/// The records in the order of a segment: by firm (counted into place, firms being dense), then by
/// the rest of the key.
///
/// # Panics
/// If a record's firm is not below `n_firms`.
#[must_use]
pub fn sorted(records: &[Record], n_firms: usize) -> Vec<Record> {
    let mut starts = vec![0; n_firms + 1];
    for record in records {
        starts[record.firm as usize + 1] += 1;
    }
    for firm in 0..n_firms {
        starts[firm + 1] += starts[firm];
    }
    let mut next = starts.clone();
    let mut sorted = records.to_vec();
    for record in records {
        let at = &mut next[record.firm as usize];
        sorted[*at] = *record;
        *at += 1;
    }
    for bounds in starts.windows(2) {
        sorted[bounds[0]..bounds[1]].sort_unstable_by_key(within_firm);
    }
    sorted
}

fn within_firm(record: &Record) -> (Option<City>, u32, Flow, Period, u32) {
    (record.city, record.country, record.flow, record.period, record.line)
}
