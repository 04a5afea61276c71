//! Published tables, read from a home and written in a format of choice.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::columns::{self, REMOVED};
use super::format::{FormatError, Sheet};
use super::sorted::by_key;
use super::{city, plant};
use crate::archive::parts::Table;
use crate::archive::{Archive, ArchiveError};
use crate::types::{Vintage, Year};

/// Which rows of a table are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// One year; none: all.
    pub year: Option<Year>,
    /// As of a vintage; none: the newest.
    pub as_of: Option<Vintage>,
}

/// A table that cannot be written out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The home.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Rows that do not fit together.
    #[error("the published rows of {table} {year} do not fit together; run `verify`")]
    Rows {
        /// The table.
        table: &'static str,
        /// The year.
        year: Year,
        /// What Arrow says.
        source: arrow_schema::ArrowError,
    },
    /// The format, or what it is written to.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A vintage that is not there.
    #[error("there is no vintage {vintage}; the newest is {newest}")]
    NoVintage {
        /// What was asked for.
        vintage: Vintage,
        /// What there is.
        newest: Vintage,
    },
}

/// The key columns of a table, behind the year.
#[must_use]
pub fn key_of(table: Table) -> &'static [&'static str] {
    match table {
        Table::City => &city::KEY,
        Table::Plant => &plant::KEY,
    }
}

/// The columns of a table as exported.
#[must_use]
pub fn schema_of(table: Table, with_supply: bool) -> SchemaRef {
    let stored = match table {
        Table::City => columns::schema(&city::columns()),
        Table::Plant => columns::schema(&plant::columns(with_supply)),
    };
    let fields = stored.fields().iter().filter(|field| field.name() != REMOVED).cloned();
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The years of a table in order, each sorted by key.
///
/// # Errors
/// - [`ExportError::Archive`] if the home cannot be read; also for each year.
/// - [`ExportError::NoVintage`] if the vintage asked for is not there yet.
/// - [`ExportError::Rows`], for a year, if its parts do not fit together.
pub fn years(
    archive: &Archive,
    table: Table,
    selection: Selection,
) -> Result<impl Iterator<Item = Result<(Year, RecordBatch), ExportError>>, ExportError> {
    let newest = archive.last_vintage()?.unwrap_or_default();
    if let Some(vintage) = selection.as_of.filter(|vintage| *vintage > newest) {
        return Err(ExportError::NoVintage { vintage, newest });
    }
    let range = selection.year.map_or(Year(0)..=Year(u16::MAX), |year| year..=year);
    let schema = schema_of(table, has_supply(archive)?);
    let years = archive.table(table, selection.as_of, &range, key_of(table))?;
    Ok(years.map(move |rows| {
        let rows = rows?;
        let sorted = by_key(&schema, &rows.batches, key_of(table));
        let (table, year) = (table.name(), rows.year);
        let sorted = sorted.map_err(|source| ExportError::Rows { table, year, source })?;
        Ok((year, sorted))
    }))
}

/// Checks the hashes of all parts that a selection reads, so that nothing is written of a table
/// that is damaged further on.
///
/// # Errors
/// [`ExportError::Archive`] with the first part that is missing or damaged.
pub fn check(archive: &Archive, table: Table, selection: Selection) -> Result<(), ExportError> {
    for part in archive.parts(table, selection.as_of)? {
        if selection.year.is_none_or(|year| year == part.year) {
            part.file.open(archive.home())?;
        }
    }
    Ok(())
}

/// A year of a table that somebody wrote anew, sorted by key; none if it cannot be read as such.
#[must_use]
pub fn rewritten_year(archive: &Archive, table: Table, year: Year) -> Option<RecordBatch> {
    let schema = schema_of(table, has_supply(archive).ok()?);
    let mut years = archive.rewritten_year(table, year, key_of(table)).ok()??;
    let batches = years.next()?.ok()?.batches;
    // Another writer may have another type for the same column: compared is what is written out.
    let batches: Vec<_> = batches
        .iter()
        .map(|batch| {
            let columns = batch.columns().iter().zip(schema.fields());
            let alike = columns.clone().all(|(column, f)| column.data_type() == f.data_type());
            alike
                .then(|| RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()).ok())?
        })
        .collect::<Option<_>>()?;
    by_key(&schema, &batches, key_of(table)).ok()
}

/// Whether the home has a firm-year file, and with it the column `ln_supply`.
///
/// # Errors
/// [`ExportError::Archive`] if the manifest cannot be read.
pub fn has_supply(archive: &Archive) -> Result<bool, ExportError> {
    Ok(archive.references()?.iter().any(|(name, _)| name == "supply.csv"))
}

/// A published table as it is written out.
///
/// # Errors
/// [`ExportError::Archive`] if the manifest cannot be read.
pub fn sheet(archive: &Archive, table: Table) -> Result<Sheet, ExportError> {
    let schema = schema_of(table, has_supply(archive)?);
    let keys: &[&str] = match table {
        Table::City => &["year", "city", "country"],
        Table::Plant => &["year", "firm", "city", "country"],
    };
    Ok(Sheet { name: table.name(), keys, schema })
}
