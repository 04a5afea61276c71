//! A segment to records.

use std::fs::File;
use std::io;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt32Type};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch, UInt32Array};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;

use super::{ROWS_PER_BATCH, schema};
use crate::domain::dictionary::Dictionary;
use crate::domain::record::{Exclusion, Record, Texts};
use crate::domain::types::{City, Flow, Period};
use crate::home::durable::Stored;
use crate::home::error::{HomeError, Result};

/// The columns of a segment to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// The columns behind figures. `name`, `region`, `product` and `line` of the records are 0 and
    /// refer to no text.
    Figures,
    /// The columns behind figures, the product and the trade mode.
    Goods,
    /// All columns.
    All,
}

impl Fields {
    fn has(self, column: &str) -> bool {
        match self {
            Self::All => true,
            Self::Goods => !["line", "firm_name", "region"].contains(&column),
            Self::Figures => !["line", "firm_name", "region", "hs8"].contains(&column),
        }
    }
}

/// The records of a segment, in its order, after a check of its hash.
///
/// # Errors
/// - [`HomeError::Read`] if the file is missing or unreadable.
/// - [`HomeError::Corrupt`] if its hash differs.
/// - [`HomeError::Decode`] if the hash is right, and the file is not a segment of this version.
/// - [`HomeError::Value`] if it has a city unknown to `city_of`, or an unknown code.
pub fn read(
    home: &Path,
    segment: &Stored,
    fields: Fields,
    city_of: &dyn Fn(&str) -> Option<City>,
) -> Result<(Texts, Vec<Record>)> {
    read_row_groups(home, segment, fields, None, city_of)
}

/// The records of a segment in the form of [`read`], without row groups that have no record of the
/// given months. Late records have separate row groups.
///
/// # Errors
/// Those of [`read`].
pub fn read_months(
    home: &Path,
    segment: &Stored,
    fields: Fields,
    months: &[Period],
    city_of: &dyn Fn(&str) -> Option<City>,
) -> Result<(Texts, Vec<Record>)> {
    read_row_groups(home, segment, fields, Some(months), city_of)
}

fn read_row_groups(
    home: &Path,
    segment: &Stored,
    fields: Fields,
    months: Option<&[Period]>,
    city_of: &dyn Fn(&str) -> Option<City>,
) -> Result<(Texts, Vec<Record>)> {
    let file = segment.open(home)?;
    decoded(file, &home.join(&segment.path), (fields, months), city_of)
}

/// The records of a segment that is not on the disk yet; `path` stands for it in messages.
///
/// # Errors
/// As for [`read`].
pub(super) fn read_bytes(
    bytes: Bytes,
    path: &Path,
    city_of: &dyn Fn(&str) -> Option<City>,
) -> Result<(Texts, Vec<Record>)> {
    decoded(bytes, path, (Fields::All, None), city_of)
}

fn decoded<S: Source>(
    source: S,
    path: &Path,
    (fields, months): (Fields, Option<&[Period]>),
    city_of: &dyn Fn(&str) -> Option<City>,
) -> Result<(Texts, Vec<Record>)> {
    let decode = |source| HomeError::decode(path, source);
    let segment = RowGroups::open(source, fields, months).map_err(decode)?;
    let mut decoder = Decoder { path, city_of, texts: Texts::default() };
    let mut records = Vec::with_capacity(segment.n_rows);
    for row_group in &segment.places {
        for batch in segment.read(*row_group).map_err(decode)? {
            decoder.append(&batch.map_err(|source| decode(source.into()))?, &mut records)?;
        }
    }
    Ok((decoder.texts, records))
}

/// The source of a segment.
trait Source: ChunkReader + Sized + 'static {
    /// The same once more.
    fn again(&self) -> io::Result<Self>;
}

impl Source for File {
    fn again(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

impl Source for Bytes {
    fn again(&self) -> io::Result<Self> {
        Ok(self.clone())
    }
}

/// The row groups and columns of a segment to read.
struct RowGroups<S> {
    source: S,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    places: Vec<usize>,
    n_rows: usize,
}

impl<S: Source> RowGroups<S> {
    fn open(
        source: S,
        fields: Fields,
        months: Option<&[Period]>,
    ) -> std::result::Result<Self, ParquetError> {
        // The schema requests dictionaries: each text is decoded once, not once for each row.
        let options = ArrowReaderOptions::new().with_schema(schema());
        let metadata = ArrowReaderMetadata::load(&source, options)?;
        let row_groups = metadata.metadata().row_groups().iter().enumerate();
        let wanted: Vec<(usize, &RowGroupMetaData)> = row_groups
            .filter(|(_, row_group)| months.is_none_or(|months| may_hold(row_group, months)))
            .collect();
        let n_rows: i64 = wanted.iter().map(|(_, row_group)| row_group.num_rows()).sum();
        let n_rows = usize::try_from(n_rows).unwrap_or(0);
        let places = wanted.into_iter().map(|(place, _)| place).collect();
        let schema = schema();
        let columns = schema.fields().iter().map(|field| field.name().as_str());
        let columns = columns.filter(|column| fields.has(column));
        let mask = ProjectionMask::columns(metadata.parquet_schema(), columns);
        Ok(Self { source, metadata, mask, places, n_rows })
    }

    /// Reads one row group. A batch over two would merge both dictionaries, text by text.
    fn read(
        &self,
        row_group: usize,
    ) -> std::result::Result<ParquetRecordBatchReader, ParquetError> {
        let (source, metadata) = (self.source.again()?, self.metadata.clone());
        let n_rows = metadata.metadata().row_group(row_group).num_rows();
        let n_rows = usize::try_from(n_rows).unwrap_or(0);
        ParquetRecordBatchReaderBuilder::new_with_metadata(source, metadata)
            .with_projection(self.mask.clone())
            .with_row_groups(vec![row_group])
            .with_batch_size(n_rows.clamp(1, ROWS_PER_BATCH))
            .build()
    }
}

/// True if a row group can have records of a month, by the statistics of its periods.
fn may_hold(row_group: &RowGroupMetaData, months: &[Period]) -> bool {
    let period =
        row_group.columns().iter().find(|column| column.column_path().string() == "period");
    match period.and_then(|column| column.statistics()) {
        Some(Statistics::Int32(range)) => match (range.min_opt(), range.max_opt()) {
            (Some(&min), Some(&max)) => months.iter().any(|month| {
                i64::from(month.as_yyyymm()) >= i64::from(min)
                    && i64::from(month.as_yyyymm()) <= i64::from(max)
            }),
            _ => true,
        },
        _ => true,
    }
}

struct Decoder<'a> {
    path: &'a Path,
    city_of: &'a dyn Fn(&str) -> Option<City>,
    texts: Texts,
}

impl Decoder<'_> {
    fn append(&mut self, batch: &RecordBatch, records: &mut Vec<Record>) -> Result<()> {
        let Self { path, city_of, texts } = self;
        let column = Column { path, batch };
        let flow = column.decoded("flow", flow_of)?;
        let city = column.decoded("city", city_of)?;
        let exclusion = column.decoded("excluded", exclusion_of)?;
        let firm = column.texts("firm_id", &mut texts.firms)?;
        let name = column.texts("firm_name", &mut texts.names)?;
        let region = column.texts("region", &mut texts.regions)?;
        let country = column.texts("country", &mut texts.countries)?;
        let product = column.texts("hs8", &mut texts.products)?;
        let trade_mode = column.texts("trade_mode", &mut texts.trade_modes)?;
        let periods = column.periods()?;
        let values = column.numbers::<Int64Type>("value_cents");
        let lines = column.numbers::<UInt32Type>("line");
        records.extend((0..batch.num_rows()).map(|row| Record {
            firm: firm.at(row).unwrap_or(0),
            name: name.at(row).unwrap_or(0),
            region: region.at(row).unwrap_or(0),
            country: country.at(row).unwrap_or(0),
            product: product.at(row).unwrap_or(0),
            trade_mode: trade_mode.at(row).unwrap_or(0),
            line: lines.get(row).copied().unwrap_or(0),
            city: city.at(row),
            period: periods[row],
            flow: flow.at(row).expect("the schema has no null in the column flow"),
            exclusion: exclusion.at(row),
            value_cents: values[row],
        }));
        Ok(())
    }
}

fn flow_of(text: &str) -> Option<Flow> {
    [Flow::Export, Flow::Import].into_iter().find(|flow| flow.code() == text)
}

fn exclusion_of(text: &str) -> Option<Exclusion> {
    Exclusion::ALL.into_iter().find(|exclusion| exclusion.name() == text)
}

/// Takes columns from a batch.
#[derive(Clone, Copy)]
struct Column<'b> {
    path: &'b Path,
    batch: &'b RecordBatch,
}

impl<'b> Column<'b> {
    fn unknown(self, column: &'static str, value: &dyn ToString) -> HomeError {
        HomeError::Value { path: self.path.to_owned(), column, value: value.to_string() }
    }

    /// A column of texts, each looked up once; without values if the column was not read.
    fn decoded<T: Copy>(
        self,
        name: &'static str,
        mut value_of: impl FnMut(&str) -> Option<T>,
    ) -> Result<Decoded<'b, T>> {
        let Some(column) = self.batch.column_by_name(name) else {
            return Ok(Decoded { codes: None, values: Vec::new() });
        };
        let column = column.as_dictionary::<UInt32Type>();
        // Parquet's reader adds an unused empty text to a row group of nulls, so only the texts of
        // rows are looked up.
        let mut used = vec![false; column.values().len()];
        for code in column.keys().iter().flatten() {
            used[code as usize] = true;
        }
        let texts = column.values().as_string::<i32>();
        let decode = |(position, used): (usize, bool)| match texts.value(position) {
            text if used => value_of(text).map(Some).ok_or_else(|| self.unknown(name, &text)),
            _ => Ok(None),
        };
        let values = used.into_iter().enumerate().map(decode).collect::<Result<_>>()?;
        Ok(Decoded { codes: Some(column.keys()), values })
    }

    fn texts(self, name: &'static str, texts: &mut Dictionary) -> Result<Decoded<'b, u32>> {
        self.decoded(name, |text| Some(texts.intern(text)))
    }

    /// A column of numbers; empty if the column was not read.
    fn numbers<T: ArrowPrimitiveType>(self, name: &str) -> &'b [T::Native] {
        let column = self.batch.column_by_name(name);
        column.map_or(&[], |column| column.as_primitive::<T>().values())
    }

    /// Runs of one month are long: each run is decoded once.
    fn periods(self) -> Result<Vec<Period>> {
        let mut periods = Vec::with_capacity(self.batch.num_rows());
        for run in self.numbers::<Int32Type>("period").chunk_by(i32::eq) {
            let period = u32::try_from(run[0]).ok().and_then(Period::from_yyyymm);
            let period = period.ok_or_else(|| self.unknown("period", &run[0]))?;
            periods.resize(periods.len() + run.len(), period);
        }
        Ok(periods)
    }
}

/// A column of codes, with the value of each code.
struct Decoded<'b, T> {
    codes: Option<&'b UInt32Array>,
    values: Vec<Option<T>>,
}

impl<T: Copy> Decoded<'_, T> {
    fn at(&self, row: usize) -> Option<T> {
        let codes = self.codes.filter(|codes| codes.is_valid(row))?;
        self.values[codes.value(row) as usize]
    }
}
