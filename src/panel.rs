//! A panel from a file: any CSV or Parquet table as columns of numbers and of categories.
//!
//! Comes in: a file and the names of the columns that are wanted. Goes out: numbers where every
//! value of a column is one, categories elsewhere; an empty field, `NA` and `NaN` are missing.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;

use crate::estimate::error::EstimateError;
use crate::estimate::panel::{Column, MISSING, Panel};
use crate::feed::dictionary::Dictionary;

/// A file that is no panel.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// The file cannot be read.
    #[error("cannot read the panel {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not CSV.
    #[error("{} is not CSV with as many fields on every line as in its header", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        source: csv::Error,
    },
    /// Not Parquet.
    #[error("{} is not a Parquet file that can be read here", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// A column of a type that is neither number nor text.
    #[error("{}: column {column} is of type {kind}; write it as numbers or text", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        kind: DataType,
    },
    /// A file without a line.
    #[error("{} is empty; a panel has a header with the names of its columns", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Two columns of one name, which is wanted.
    #[error("{} has two columns \"{column}\"; give each a name of its own", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// A name without a column.
    #[error("{} has no column \"{column}\"; it has {}", path.display(), there.join(", "))]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        column: String,
        /// The columns there are.
        there: Vec<String>,
    },
}

/// The columns of a panel, in memory.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<(String, Values)>,
}

#[derive(Clone, Debug)]
enum Values {
    Short(Vec<i16>),
    Whole(Vec<i32>),
    Numbers(Vec<f64>),
    Categories(Vec<u32>, Dictionary),
}

impl Table {
    /// Reads the wanted columns of a file: Parquet if it is called `.parquet`, else CSV.
    ///
    /// # Errors
    /// - [`PanelError::Read`], [`PanelError::Csv`], [`PanelError::Parquet`] if it cannot be read.
    /// - [`PanelError::Unknown`] if it lacks a column.
    /// - [`PanelError::Type`] if a column is neither of numbers nor of text.
    pub fn read(path: &Path, wanted: &[String]) -> Result<Self, PanelError> {
        let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
        if is_parquet { read_parquet(path, wanted) } else { read_csv(path, wanted) }
    }

    /// The panel that the columns are.
    ///
    /// # Errors
    /// [`EstimateError::TooManyRows`] if row numbers would not fit.
    pub fn panel(&self) -> Result<Panel<'_>, EstimateError> {
        let columns = self.columns.iter().map(|(name, values)| (name.clone(), values.column()));
        Panel::new(columns.collect())
    }
}

impl Table {
    /// The first value of a column, with its row counted from one, that is no number, or one that
    /// a real number cannot hold.
    #[must_use]
    pub fn first_text(&self, column: &str) -> Option<(usize, &str)> {
        let (_, values) = self.columns.iter().find(|(name, _)| name == column)?;
        let Values::Categories(codes, texts) = values else { return None };
        let text = |&code: &u32| (code != MISSING).then(|| texts.text(code));
        let found = codes.iter().map(text).zip(1..);
        found.filter_map(|(text, row)| Some((row, text?))).find(|(_, text)| number(text).is_none())
    }

    /// A value as text; empty where it is missing or there is no such column.
    #[must_use]
    pub fn text(&self, column: &str, row: usize) -> String {
        let values = self.columns.iter().find(|(name, _)| name == column);
        match values.map(|(_, values)| values) {
            Some(Values::Short(numbers)) => numbers[row].to_string(),
            Some(Values::Whole(numbers)) => numbers[row].to_string(),
            Some(Values::Numbers(numbers)) if numbers[row].is_finite() => numbers[row].to_string(),
            Some(Values::Categories(codes, texts)) if codes[row] != MISSING => {
                texts.text(codes[row]).to_owned()
            }
            _ => String::new(),
        }
    }
}

impl Values {
    fn column(&self) -> Column<'_> {
        match self {
            Self::Short(numbers) => Column::Short(numbers),
            Self::Whole(numbers) => Column::Integer(numbers),
            Self::Numbers(numbers) => Column::Real(numbers),
            Self::Categories(codes, _) => Column::Code(codes),
        }
    }
}

fn is_missing(text: &str) -> bool {
    matches!(text, "" | "NA" | "NaN" | "nan" | "." | "null" | "NULL")
}

/// Whole numbers up to here are all held exactly by a real: above, identifiers would merge.
const WHOLE_MAX: u64 = 1 << 53;

/// The number that a text is, if a real holds it: a whole number that it would round is an
/// identifier, and none.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    let fits = || digits.parse::<u64>().is_ok_and(|whole| whole <= WHOLE_MAX);
    text.parse().ok().filter(|_| !is_whole || digits.len() <= 15 || fits())
}

/// A column as it grows: of whole numbers of 16 or 32 bits, of numbers, or of texts.
enum Growing {
    Short(Vec<i16>),
    Whole(Vec<i32>),
    Numbers(Vec<f64>),
    Texts(Vec<u32>, Dictionary),
}

impl Growing {
    fn numbers() -> Self {
        Self::Numbers(Vec::new())
    }

    /// Makes room for as many values as a file says it has, if there is that much: a column that
    /// grows step by step takes up to twice as much.
    fn reserve(&mut self, n_rows: usize) {
        let _ = match self {
            Self::Short(numbers) => numbers.try_reserve_exact(n_rows),
            Self::Whole(numbers) => numbers.try_reserve_exact(n_rows),
            Self::Numbers(numbers) => numbers.try_reserve_exact(n_rows),
            Self::Texts(codes, _) => codes.try_reserve_exact(n_rows),
        };
    }

    fn texts() -> Self {
        Self::Texts(Vec::new(), Dictionary::default())
    }

    /// Adds a whole number; false if it is missing or too large for what the column holds.
    fn push_whole<T: Into<i128>>(&mut self, value: Option<T>) -> bool {
        match (self, value.map(Into::into)) {
            (Self::Short(numbers), value) => return push_as(numbers, value),
            (Self::Whole(numbers), value) => return push_as(numbers, value),
            (Self::Numbers(numbers), None) => numbers.push(f64::NAN),
            #[expect(clippy::cast_precision_loss, reason = "it is held exactly")]
            (Self::Numbers(numbers), Some(value)) => {
                numbers.push(value as f64);
                return value.unsigned_abs() <= WHOLE_MAX.into();
            }
            (Self::Texts(codes, _), None) => codes.push(MISSING),
            (Self::Texts(codes, texts), Some(value)) => {
                codes.push(texts.intern(&value.to_string()));
            }
        }
        true
    }

    /// Adds a value; false if it is no number where numbers are.
    fn push(&mut self, text: &str) -> bool {
        match self {
            Self::Short(_) | Self::Whole(_) => return false,
            Self::Numbers(numbers) if is_missing(text) => numbers.push(f64::NAN),
            Self::Numbers(numbers) => match number(text) {
                Some(number) => numbers.push(number),
                None => return false,
            },
            Self::Texts(codes, _) if is_missing(text) => codes.push(MISSING),
            Self::Texts(codes, texts) => codes.push(texts.intern(text)),
        }
        true
    }

    fn finish(self) -> Values {
        match self {
            Self::Short(numbers) => Values::Short(numbers),
            Self::Whole(numbers) => Values::Whole(numbers),
            Self::Numbers(numbers) => Values::Numbers(numbers),
            Self::Texts(codes, texts) => Values::Categories(codes, texts),
        }
    }
}

/// Adds a whole number; false if it is missing or does not fit.
fn push_as<T: TryFrom<i128>>(numbers: &mut Vec<T>, value: Option<i128>) -> bool {
    let value = value.and_then(|value| T::try_from(value).ok());
    let fits = value.is_some();
    numbers.extend(value);
    fits
}

/// Reads numbers; columns where something else stands are read once more, as texts.
fn read_csv(path: &Path, wanted: &[String]) -> Result<Table, PanelError> {
    let mut columns: Vec<Growing> = wanted.iter().map(|_| Growing::numbers()).collect();
    let mut reading: Vec<usize> = (0..wanted.len()).collect();
    while !reading.is_empty() {
        let names: Vec<String> = reading.iter().map(|&place| wanted[place].clone()).collect();
        let mut own: Vec<&mut Growing> = columns
            .iter_mut()
            .enumerate()
            .filter(|(i, _)| reading.contains(i))
            .map(|c| c.1)
            .collect();
        let of_texts = read_csv_columns(path, &names, &mut own)?;
        reading = of_texts.into_iter().map(|place| reading[place]).collect();
        for &place in &reading {
            columns[place] = Growing::texts();
        }
    }
    let values = columns.into_iter().map(Growing::finish);
    Ok(Table { columns: wanted.iter().cloned().zip(values).collect() })
}

/// Reads columns in one pass; gives back the places of those that are not of numbers.
fn read_csv_columns(
    path: &Path,
    wanted: &[String],
    columns: &mut [&mut Growing],
) -> Result<Vec<usize>, PanelError> {
    let failed = |source| PanelError::Csv { path: path.to_owned(), source };
    let file =
        File::open(path).map_err(|source| PanelError::Read { path: path.to_owned(), source })?;
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 17).from_reader(file);
    let there: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    if there.is_empty() {
        return Err(PanelError::Empty { path: path.to_owned() });
    }
    let positions = positions(path, wanted, &there)?;
    let mut of_texts = vec![false; columns.len()];
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(failed)? {
        for ((column, &position), is_text) in columns.iter_mut().zip(&positions).zip(&mut of_texts)
        {
            *is_text = *is_text || !column.push(record.get(position).unwrap_or_default());
        }
    }
    Ok((0..columns.len()).filter(|&place| of_texts[place]).collect())
}

fn positions(path: &Path, wanted: &[String], there: &[String]) -> Result<Vec<usize>, PanelError> {
    let position = |column: &String| {
        let mut named = there.iter().enumerate().filter(|(_, name)| *name == column);
        let (path, column) = (path.to_owned(), column.clone());
        match (named.next(), named.next()) {
            (Some((place, _)), None) => Ok(place),
            (Some(_), Some(_)) => Err(PanelError::Twice { path, column }),
            (None, _) => Err(PanelError::Unknown { path, column, there: there.to_vec() }),
        }
    };
    wanted.iter().map(position).collect()
}

/// Reads the columns side by side.
fn read_parquet(path: &Path, wanted: &[String]) -> Result<Table, PanelError> {
    let fields = parquet_reader(path)?.schema().fields().clone();
    let there: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
    positions(path, wanted, &there)?;
    let column = |name: &String| Ok((name.clone(), read_parquet_column(path, name)?));
    let columns = wanted.par_iter().map(column).collect::<Result<_, PanelError>>()?;
    Ok(Table { columns })
}

fn parquet_reader(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, PanelError> {
    let file =
        File::open(path).map_err(|source| PanelError::Read { path: path.to_owned(), source })?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|source| PanelError::Parquet { path: path.to_owned(), source })
}

fn read_parquet_column(path: &Path, name: &str) -> Result<Values, PanelError> {
    let builder = parquet_reader(path)?;
    let kind = builder.schema().field_with_name(name).map(|field| field.data_type().clone());
    let is_text = matches!(kind, Ok(DataType::Utf8 | DataType::LargeUtf8));
    let is_whole = kind.is_ok_and(|kind| kind.is_integer() || kind == DataType::Boolean);
    let whole = is_whole.then(|| [Growing::Short(Vec::new()), Growing::Whole(Vec::new())]);
    let numbers = (!is_text).then(Growing::numbers);
    for column in whole.into_iter().flatten().chain(numbers) {
        if let Some(values) = read_batches(path, name, column)? {
            return Ok(values);
        }
    }
    Ok(read_batches(path, name, Growing::texts())?.expect("texts hold any value"))
}

/// Nothing if a value is one that the column cannot hold.
fn read_batches(
    path: &Path,
    name: &str,
    mut column: Growing,
) -> Result<Option<Values>, PanelError> {
    let failed = |source| PanelError::Parquet { path: path.to_owned(), source };
    let builder = parquet_reader(path)?;
    let n_rows = builder.metadata().file_metadata().num_rows();
    column.reserve(usize::try_from(n_rows).unwrap_or_default());
    let mask = ProjectionMask::columns(builder.parquet_schema(), [name]);
    for batch in builder.with_projection(mask).build().map_err(failed)? {
        let batch = batch.map_err(|error| failed(error.into()))?;
        let Some(array) = batch.column_by_name(name) else { continue };
        let fits = append(array, &mut column).map_err(|kind| PanelError::Type {
            path: path.to_owned(),
            column: name.to_owned(),
            kind,
        })?;
        if !fits {
            return Ok(None);
        }
    }
    Ok(Some(column.finish()))
}

/// Adds a batch's values; false if a whole number does not fit, and the type is given back if it is
/// neither number nor text.
fn append(array: &ArrayRef, column: &mut Growing) -> Result<bool, DataType> {
    let number = |column: &mut Growing, value: Option<f64>| {
        if let Growing::Numbers(numbers) = column {
            numbers.push(value.unwrap_or(f64::NAN));
        }
    };
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().for_each(|text| {
            column.push(text.unwrap_or_default());
        }),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().for_each(|text| {
            column.push(text.unwrap_or_default());
        }),
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().for_each(|value| number(column, value));
        }
        DataType::Float32 => array
            .as_primitive::<Float32Type>()
            .iter()
            .for_each(|value| number(column, value.map(f64::from))),
        DataType::Decimal128(_, scale) => {
            let unit = libm::pow(10.0, f64::from(*scale));
            #[expect(clippy::cast_precision_loss, reason = "a panel's numbers are floats")]
            let real = |value: i128| value as f64 / unit;
            array
                .as_primitive::<Decimal128Type>()
                .iter()
                .for_each(|value| number(column, value.map(real)));
        }
        _ => return append_integers(array, column),
    }
    Ok(true)
}

fn append_integers(array: &ArrayRef, column: &mut Growing) -> Result<bool, DataType> {
    use arrow_array::types::{
        Int8Type, Int16Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    };
    macro_rules! whole {
        ($($data:ident => $kind:ty),+) => {
            match array.data_type() {
                $(DataType::$data => {
                    let values = array.as_primitive::<$kind>();
                    values.iter().all(|value| column.push_whole(value))
                })+
                DataType::Boolean => {
                    let values = array.as_boolean();
                    values.iter().all(|value| column.push_whole(value.map(u8::from)))
                }
                other => return Err(other.clone()),
            }
        };
    }
    Ok(whole!(
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type
    ))
}
