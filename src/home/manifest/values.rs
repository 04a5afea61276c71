//! Values of the database's columns, as the types of the home.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;

use crate::domain::record::{Reject, Rule};
use crate::domain::types::{BadPeriod, Period};
use crate::home::durable::Stored;
use crate::home::parts::Table;

/// Converts to the signed integers of the database.
pub(super) fn integer(n: u64) -> i64 {
    i64::try_from(n).expect("a number of bytes or lines below 2^63")
}

/// The table with a name.
pub(super) fn table_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Table> {
    Ok(Table::ALL[position(row, column, &Table::ALL, Table::name)?])
}

/// Path, hash and size, in three columns from `first` on.
pub(super) fn stored(row: &Row<'_>, first: usize) -> rusqlite::Result<Stored> {
    let n_bytes = unsigned(row, first + 2)?;
    Ok(Stored { path: row.get(first)?, hash: row.get(first + 1)?, n_bytes })
}

/// The time in a column.
pub(super) fn timestamp(row: &Row<'_>, at: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(at)?;
    text.parse().map_err(|error: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error))
    })
}

/// The month in a column.
pub(super) fn period(row: &Row<'_>, column: usize) -> rusqlite::Result<Period> {
    let yyyymm: u32 = row.get(column)?;
    Period::from_yyyymm(yyyymm).ok_or_else(|| {
        let bad = Box::new(BadPeriod(yyyymm.to_string()));
        rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, bad)
    })
}

/// A rejected line: line, column, rule and raw text.
pub(super) fn reject(row: &Row<'_>) -> rusqlite::Result<Reject> {
    let rule = Rule::ALL[position(row, 2, &Rule::ALL, Rule::name)?];
    Ok(Reject { line: row.get(0)?, column: row.get(1)?, rule, raw: row.get(3)? })
}

/// The count in a column.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let n: i64 = row.get(column)?;
    u64::try_from(n).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, n))
}

/// A name in the manifest that this version does not know: another version wrote it.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not known to this version")]
struct UnknownName(String);

/// The place of the name in a column among all names.
pub(super) fn position<T: Copy>(
    row: &Row<'_>,
    column: usize,
    all: &[T],
    name: fn(T) -> &'static str,
) -> rusqlite::Result<usize> {
    let found = row.get_ref(column)?.as_str()?;
    let place = all.iter().position(|one| name(*one) == found);
    place.ok_or_else(|| unknown(column, found.to_owned()))
}

/// The error for a name of another version in a column.
pub(super) fn unknown(column: usize, name: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(UnknownName(name)))
}
