//! Month sums to a run.

use std::io::Write;
use std::path::Path;

use arrow_array::{Int32Array, Int64Array};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowWriterOptions};
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnDescPtr, ColumnPath};

use super::{MonthSum, ROWS_MAX, path, schema};
use crate::domain::dictionary::TextList;
use crate::domain::types::{City, Flow, Vintage};
use crate::home::durable::{Draft, Stored};
use crate::home::error::{HomeError, Result};
use crate::home::segment::chunk::{Chunk, yyyymm};
use crate::home::segment::text_chunk::{TextChunk, compression};

/// A run in its final form.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    pub(super) bytes: Bytes,
}

impl std::fmt::Debug for Encoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a run of {} bytes", self.bytes.len())
    }
}

impl Encoded {
    /// Writes the run of an accepted file durably; it counts once the manifest names it.
    ///
    /// # Errors
    /// - [`HomeError::CreateFolder`], [`HomeError::Write`] if it cannot be written.
    /// - [`HomeError::Sync`] if the disk does not confirm.
    pub fn store(&self, home: &Path, vintage: Vintage) -> Result<Stored> {
        let mut draft = Draft::create(home, path(vintage))?;
        let target = draft.target();
        draft.write_all(&self.bytes).map_err(|source| HomeError::Write { path: target, source })?;
        draft.publish()
    }
}

/// The texts of the positions in month sums.
#[derive(Clone, Copy)]
pub struct RunTexts<'a> {
    /// Firm identifiers.
    pub firms: &'a TextList,
    /// Country codes.
    pub countries: &'a TextList,
    /// City codes.
    pub city: &'a dyn Fn(City) -> &'a str,
}

/// Encodes the month sums of a file.
///
/// # Errors
/// [`ParquetError`] if a column is past what Parquet can hold.
///
/// # Panics
/// If a sum points outside its texts.
pub fn encode(
    texts: RunTexts<'_>,
    sums: &[MonthSum],
) -> std::result::Result<Encoded, ParquetError> {
    let own_month = sums.iter().map(|sum| sum.period).max();
    let order = Order::of(texts, sums);
    let RunTexts { firms, countries, .. } = texts;
    // Without Arrow's schema in the file, every reader takes the columns for plain strings.
    let options =
        ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(Vec::new(), schema(), options)?;
    let (mut file, columns) = writer.into_serialized_writer()?;
    let mut n_row_groups = 0;
    for flow in [Flow::Export, Flow::Import] {
        for is_own in [true, false] {
            let is_in =
                |sum: &MonthSum| sum.flow == flow && (Some(sum.period) == own_month) == is_own;
            for rows in order.sorted(sums, is_in).chunks(ROWS_MAX) {
                let descriptors = file.schema_descr().columns().to_vec();
                let numbers = columns.create_column_writers(n_row_groups)?;
                let section = Columns { rows, firms, countries, order: &order };
                let mut row_group = file.next_row_group()?;
                for (column, numbers) in descriptors.into_iter().zip(numbers) {
                    section.chunk(column, numbers)?.append_to(&mut row_group)?;
                }
                row_group.close()?;
                n_row_groups += 1;
            }
        }
    }
    Ok(Encoded { bytes: file.into_inner()?.into() })
}

/// The order of markets: by the texts of country and city.
struct Order<'a> {
    /// The rank of each country by its text.
    country_ranks: Vec<u32>,
    /// The cities of the sums in order of code, and the position of each.
    cities: Vec<&'a str>,
    city_positions: Vec<u32>,
}

impl<'a> Order<'a> {
    fn of(texts: RunTexts<'a>, sums: &[MonthSum]) -> Self {
        let mut countries: Vec<(&str, usize)> = texts.countries.iter().zip(0..).collect();
        countries.sort_unstable();
        let mut country_ranks = vec![0; countries.len()];
        for (rank, (_, country)) in (0..).zip(countries) {
            country_ranks[country] = rank;
        }
        let n_cities = sums.iter().map(|sum| usize::from(sum.city.0) + 1).max().unwrap_or(0);
        let mut is_used = vec![false; n_cities];
        for sum in sums {
            is_used[usize::from(sum.city.0)] = true;
        }
        let used = (0_u16..).zip(&is_used).filter(|(_, is_used)| **is_used);
        let mut coded: Vec<(&str, u16)> =
            used.map(|(city, _)| ((texts.city)(City(city)), city)).collect();
        coded.sort_unstable();
        let mut city_positions = vec![0; n_cities];
        for (position, (_, city)) in (0..).zip(&coded) {
            city_positions[usize::from(*city)] = position;
        }
        let cities = coded.into_iter().map(|(code, _)| code).collect();
        Self { country_ranks, cities, city_positions }
    }

    fn market(&self, sum: &MonthSum) -> usize {
        let country = self.country_ranks[sum.country as usize] as usize;
        country * self.cities.len() + self.city_positions[usize::from(sum.city.0)] as usize
    }

    /// Some of the sums in order of market: a counting sort, because markets are dense.
    fn sorted(&self, sums: &[MonthSum], is_in: impl Fn(&MonthSum) -> bool) -> Vec<MonthSum> {
        let mut starts = vec![0_usize; self.country_ranks.len() * self.cities.len() + 1];
        for sum in sums.iter().filter(|sum| is_in(sum)) {
            starts[self.market(sum) + 1] += 1;
        }
        for market in 1..starts.len() {
            starts[market] += starts[market - 1];
        }
        let n_sums = starts.last().copied().unwrap_or(0);
        let Some(any) = sums.first().filter(|_| n_sums > 0) else { return Vec::new() };
        let mut sorted = vec![*any; n_sums];
        for sum in sums.iter().filter(|sum| is_in(sum)) {
            let at = &mut starts[self.market(sum)];
            sorted[*at] = *sum;
            *at += 1;
        }
        sorted
    }
}

/// The settings of segments: numbers whose bits all vary are packed but not compressed.
fn properties() -> WriterProperties {
    let [period, cents] = ["period", "cents"].map(ColumnPath::from);
    WriterProperties::builder()
        .set_compression(compression())
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(period.clone(), true)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(period, EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_column_encoding(cents.clone(), Encoding::DELTA_BINARY_PACKED)
        .set_column_compression(cents, Compression::UNCOMPRESSED)
        .build()
}

/// The position of a sum's text.
type Position<'p> = &'p dyn Fn(&MonthSum) -> u32;

#[derive(Clone, Copy)]
struct Columns<'a> {
    rows: &'a [MonthSum],
    firms: &'a TextList,
    countries: &'a TextList,
    order: &'a Order<'a>,
}

impl Columns<'_> {
    /// The chunk of a column; `numbers` writes a column that is not of texts.
    fn chunk(
        self,
        column: ColumnDescPtr,
        numbers: ArrowColumnWriter,
    ) -> std::result::Result<Chunk, ParquetError> {
        let Self { rows, firms, countries, order } = self;
        let city = |sum: &MonthSum| order.city_positions[usize::from(sum.city.0)];
        let (all, position): (Vec<&str>, Position<'_>) = match column.name() {
            "period" => {
                return Chunk::of_numbers(numbers, rows, |rows| {
                    Int32Array::from_iter_values(rows.iter().map(|sum| yyyymm(sum.period)))
                });
            }
            "cents" => {
                return Chunk::of_numbers(numbers, rows, |rows| {
                    Int64Array::from_iter_values(rows.iter().map(|sum| sum.cents))
                });
            }
            "country" => (countries.iter().collect(), &|sum| sum.country),
            "city" => (order.cities.clone(), &city),
            "firm_id" => (firms.iter().collect(), &|sum| sum.firm),
            "flow" => {
                ([Flow::Export, Flow::Import].map(Flow::code).to_vec(), &|sum| sum.flow as u32)
            }
            other => unreachable!("the schema has no column {other}"),
        };
        TextChunk::new(column, &all, rows, |sum| Some(position(sum))).map(Chunk::Texts)
    }
}
