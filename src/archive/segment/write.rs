//! Records to a segment.

use std::path::Path;
use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_array::{PrimitiveArray, UInt32Array};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use rustc_hash::FxHashMap;

use super::{ROWS_MAX, path, schema};
use crate::archive::durable::{Draft, Stored};
use crate::archive::error::{ArchiveError, Result};
use crate::feed::record::{Dictionary, Exclusion, Record, Texts};
use crate::types::{City, Flow, Period, Vintage};

/// Writes the records of one accepted file durably; they count once a commit names the segment.
///
/// Rows are sorted by firm (in the order of the file's dictionary), city, country, flow, period and line.
///
/// # Errors
/// - [`ArchiveError::CreateFolder`], [`ArchiveError::Write`], [`ArchiveError::Encode`] if it cannot be written.
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
    let draft = Draft::create(home, path(vintage))?;
    let target = draft.target();
    let rows = sorted(records, texts.firms.len());
    encode(draft, texts, &rows, text_of)
        .map_err(|source| ArchiveError::encode(&target, source))?
        .publish()
}

fn encode<'p>(
    draft: Draft,
    texts: &Texts,
    rows: &[Record],
    text_of: &dyn Fn(City) -> &'p str,
) -> std::result::Result<Draft, ParquetError> {
    // Without arrow's own schema beside Parquet's, every reader takes the columns for plain strings.
    let options =
        ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(draft, schema(), options)?;
    for rows in rows.chunks(ROWS_MAX) {
        writer.write(&batch(texts, rows, text_of)?)?;
    }
    writer.into_inner()
}

fn properties() -> WriterProperties {
    let level = ZstdLevel::try_new(1).expect("1 is a level of zstd");
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROWS_MAX))
        // A file's dictionary is exactly its texts: never fall back to plain strings.
        .set_dictionary_page_size_limit(1 << 30)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for column in ["line", "value_cents"] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(column), false)
            .set_column_encoding(ColumnPath::from(column), Encoding::PLAIN);
    }
    for column in ["period", "firm_id"] {
        properties = properties
            .set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::Chunk);
    }
    properties.build()
}

/// The records by firm (counted into place, firms being dense), then by the rest of the key.
fn sorted(records: &[Record], n_firms: usize) -> Vec<Record> {
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

fn batch<'p>(
    texts: &Texts,
    rows: &[Record],
    text_of: &dyn Fn(City) -> &'p str,
) -> std::result::Result<RecordBatch, ParquetError> {
    let text = |dictionary: &Dictionary, code: fn(&Record) -> u32| {
        text_column(dictionary.iter(), rows.iter().map(|row| Some(code(row))))
    };
    let flows = [Flow::Export, Flow::Import];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.line))),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| yyyymm(row.period)))),
        text_column(
            flows.map(Flow::code).into_iter(),
            rows.iter().map(|row| Some(row.flow as u32)),
        )?,
        text(&texts.firms, |row| row.firm)?,
        text(&texts.names, |row| row.name)?,
        text(&texts.regions, |row| row.region)?,
        city_column(rows, text_of)?,
        text(&texts.countries, |row| row.country)?,
        text(&texts.products, |row| row.product)?,
        text(&texts.trade_modes, |row| row.trade_mode)?,
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.value_cents))),
        text_column(
            Exclusion::ALL.map(Exclusion::name).into_iter(),
            rows.iter().map(|row| row.exclusion.map(|exclusion| exclusion as u32)),
        )?,
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

fn yyyymm(period: Period) -> i32 {
    i32::try_from(period.as_yyyymm()).expect("a year before 2200")
}

/// A column of texts from positions in them: no text is looked at row by row.
fn text_column<'t>(
    texts: impl Iterator<Item = &'t str>,
    codes: impl Iterator<Item = Option<u32>>,
) -> std::result::Result<ArrayRef, ParquetError> {
    let codes: PrimitiveArray<UInt32Type> = codes.collect();
    let texts = StringArray::from_iter_values(texts);
    Ok(Arc::new(DictionaryArray::try_new(codes, Arc::new(texts))?))
}

fn city_column<'p>(
    rows: &[Record],
    text_of: &dyn Fn(City) -> &'p str,
) -> std::result::Result<ArrayRef, ParquetError> {
    let mut texts = Vec::new();
    let mut positions = FxHashMap::default();
    let mut position = |city: City| {
        *positions.entry(city).or_insert_with(|| {
            texts.push(text_of(city));
            u32::try_from(texts.len() - 1).expect("fewer cities than 2^16")
        })
    };
    let codes: Vec<_> = rows.iter().map(|row| row.city.map(&mut position)).collect();
    text_column(texts.into_iter(), codes.into_iter())
}
