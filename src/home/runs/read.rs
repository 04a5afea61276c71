//! A run to month sums, one market at a time.

use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt32Type};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;

use super::write::Encoded;
use super::{ROWS_PER_BATCH, schema};
use crate::domain::dictionary::Dictionary;
use crate::domain::types::{City, Country, Firm, Flow, Period};
use crate::home::durable::Stored;
use crate::home::error::{HomeError, Result};

/// The columns, by their position in the schema.
const COUNTRY: usize = 0;
const CITY: usize = 1;
const FIRM: usize = 2;
const PERIOD: usize = 3;
const FLOW: usize = 4;
const CENTS: usize = 5;

/// The numbers of the firms and countries of several runs.
pub struct RunNumbers<'a> {
    /// The firms, in the order in which the runs name them.
    pub firms: Dictionary,
    /// The countries, likewise.
    pub countries: Dictionary,
    /// The city of a code.
    pub city_of: &'a dyn Fn(&str) -> Option<City>,
}

/// A city and a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Market {
    /// The destination.
    pub country: Country,
    /// The city.
    pub city: City,
}

/// The open row group of a run: its markets in order of the texts of country and city.
pub struct Section {
    path: PathBuf,
    flow: Flow,
    reader: ParquetRecordBatchReader,
    rows: Option<Rows>,
}

/// A batch with the numbers of its texts.
struct Rows {
    batch: RecordBatch,
    /// The row that comes next.
    at: usize,
    countries: Numbered<Country>,
    cities: Numbered<City>,
    firms: Numbered<Firm>,
}

/// The numbers of a dictionary's texts. The dictionary is held: the next batch has the same one.
struct Numbered<T> {
    texts: ArrayRef,
    numbers: Vec<T>,
}

/// Opens the sections of a run that may have records of a flow in some months, after a check of its
/// hash.
///
/// # Errors
/// - [`HomeError::Read`] if the file is missing or unreadable.
/// - [`HomeError::Corrupt`] if its hash differs.
/// - [`HomeError::Decode`] if the hash is right, and the file is not a run of this version.
/// - [`HomeError::Value`] if it has a city that is unknown, or an unknown flow.
pub fn open(
    home: &Path,
    run: &Stored,
    (flow, months): (Flow, &RangeInclusive<Period>),
    numbers: &mut RunNumbers<'_>,
) -> Result<Vec<Section>> {
    let file = run.open(home)?;
    sections(&file, &home.join(&run.path), (flow, months), numbers, File::try_clone)
}

impl Encoded {
    /// Opens the sections of a run that is not on the disk; `path` stands for it in messages.
    ///
    /// # Errors
    /// Those of [`open`] for rows.
    pub fn open(
        &self,
        path: &Path,
        (flow, months): (Flow, &RangeInclusive<Period>),
        numbers: &mut RunNumbers<'_>,
    ) -> Result<Vec<Section>> {
        sections(&self.bytes, path, (flow, months), numbers, |bytes| Ok(bytes.clone()))
    }
}

fn sections<S: ChunkReader + 'static>(
    source: &S,
    path: &Path,
    (flow, months): (Flow, &RangeInclusive<Period>),
    numbers: &mut RunNumbers<'_>,
    again: impl Fn(&S) -> std::io::Result<S>,
) -> Result<Vec<Section>> {
    let decode = |source: ParquetError| HomeError::decode(path, source);
    let options = ArrowReaderOptions::new().with_schema(schema());
    let metadata = ArrowReaderMetadata::load(source, options).map_err(decode)?;
    let mut sections = Vec::new();
    for row_group in 0..metadata.metadata().num_row_groups() {
        if !may_hold(&metadata, row_group, months) {
            continue;
        }
        let source =
            again(source).map_err(|source| HomeError::Read { path: path.to_owned(), source })?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(source, metadata.clone())
            .with_row_groups(vec![row_group])
            .with_batch_size(ROWS_PER_BATCH)
            .build()
            .map_err(decode)?;
        let mut section = Section { path: path.to_owned(), flow, reader, rows: None };
        section.next_rows(numbers)?;
        if section.has(flow)? {
            sections.push(section);
        }
    }
    Ok(sections)
}

/// True if a row group can have rows of a month, by the statistics of its periods.
fn may_hold(
    metadata: &ArrowReaderMetadata,
    row_group: usize,
    months: &RangeInclusive<Period>,
) -> bool {
    let column = metadata.metadata().row_group(row_group).column(PERIOD);
    let Some(Statistics::Int32(range)) = column.statistics() else { return true };
    let (Some(&min), Some(&max)) = (range.min_opt(), range.max_opt()) else { return true };
    i64::from(months.end().as_yyyymm()) >= i64::from(min)
        && i64::from(months.start().as_yyyymm()) <= i64::from(max)
}

impl Section {
    /// The market of the next rows; `None` at the end.
    #[must_use]
    pub fn market(&self) -> Option<Market> {
        let rows = self.rows.as_ref()?;
        let key = |column| rows.batch.column(column).as_dictionary::<UInt32Type>().key(rows.at);
        let country = rows.countries.numbers[key(COUNTRY)?];
        Some(Market { country, city: rows.cities.numbers[key(CITY)?] })
    }

    /// Export or import.
    #[must_use]
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Passes the next market's rows on, and moves to the market after it.
    ///
    /// # Errors
    /// Those of [`open`] for rows.
    pub fn take(
        &mut self,
        numbers: &mut RunNumbers<'_>,
        mut each: impl FnMut(Firm, Period, i64),
    ) -> Result<()> {
        let market = self.market();
        while market.is_some() && self.market() == market {
            self.take_from_batch(&mut each)?;
            if self.rows.as_ref().is_some_and(|rows| rows.at == rows.batch.num_rows()) {
                self.next_rows(numbers)?;
            }
        }
        Ok(())
    }

    fn take_from_batch(&mut self, each: &mut impl FnMut(Firm, Period, i64)) -> Result<()> {
        let Some(rows) = &mut self.rows else { return Ok(()) };
        let keys =
            |column: usize| rows.batch.column(column).as_dictionary::<UInt32Type>().keys().values();
        let (countries, cities, firms) = (keys(COUNTRY), keys(CITY), keys(FIRM));
        let periods = rows.batch.column(PERIOD).as_primitive::<Int32Type>().values();
        let cents = rows.batch.column(CENTS).as_primitive::<Int64Type>().values();
        let key = (countries[rows.at], cities[rows.at]);
        let mut month = None;
        while rows.at < firms.len() && (countries[rows.at], cities[rows.at]) == key {
            let yyyymm = periods[rows.at];
            let period = match month {
                Some((last, period)) if last == yyyymm => period,
                _ => {
                    let period = u32::try_from(yyyymm).ok().and_then(Period::from_yyyymm);
                    period.ok_or_else(|| unknown(&self.path, "period", &yyyymm))?
                }
            };
            month = Some((yyyymm, period));
            each(rows.firms.numbers[firms[rows.at] as usize], period, cents[rows.at]);
            rows.at += 1;
        }
        Ok(())
    }

    fn next_rows(&mut self, numbers: &mut RunNumbers<'_>) -> Result<()> {
        let before = self.rows.take();
        let Some(batch) = self.reader.next() else { return Ok(()) };
        let batch = batch.map_err(|source| HomeError::decode(&self.path, source))?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let (path, RunNumbers { firms, countries, city_of }) = (&self.path, numbers);
        let country = |text: &str| {
            let number = u16::try_from(countries.intern(text));
            number.map(Country).map_err(|_| unknown(path, "country", &text))
        };
        let city = |text: &str| city_of(text).ok_or_else(|| unknown(path, "city", &text));
        let firm = |text: &str| Ok(Firm(firms.intern(text)));
        let (countries, cities, firms) = match before {
            Some(Rows { countries, cities, firms, .. }) => {
                (Some(countries), Some(cities), Some(firms))
            }
            None => (None, None, None),
        };
        self.rows = Some(Rows {
            at: 0,
            countries: Numbered::of(batch.column(COUNTRY), countries, country)?,
            cities: Numbered::of(batch.column(CITY), cities, city)?,
            firms: Numbered::of(batch.column(FIRM), firms, firm)?,
            batch,
        });
        Ok(())
    }

    /// True if the section is of a flow. All its rows are of one.
    fn has(&self, flow: Flow) -> Result<bool> {
        let Some(rows) = &self.rows else { return Ok(false) };
        let column = rows.batch.column(FLOW).as_dictionary::<UInt32Type>();
        let code = column.values().as_string::<i32>().value(column.keys().value(0) as usize);
        match [Flow::Export, Flow::Import].into_iter().find(|one| one.code() == code) {
            Some(found) => Ok(found == flow),
            None => Err(unknown(&self.path, "flow", &code)),
        }
    }
}

fn unknown(path: &Path, column: &'static str, value: &dyn ToString) -> HomeError {
    HomeError::Value { path: path.to_owned(), column, value: value.to_string() }
}

impl<T> Numbered<T> {
    /// The numbers of a column's texts: those of the batch before, if the dictionary is the same.
    fn of(
        column: &ArrayRef,
        before: Option<Self>,
        mut number: impl FnMut(&str) -> Result<T>,
    ) -> Result<Self> {
        let texts = column.as_dictionary::<UInt32Type>().values();
        if let Some(before) = before
            && before.texts.to_data().ptr_eq(&texts.to_data())
        {
            return Ok(before);
        }
        let numbers = texts.as_string::<i32>().iter().map(|text| number(text.unwrap_or("")));
        Ok(Self { texts: texts.clone(), numbers: numbers.collect::<Result<_>>()? })
    }
}
