//! Published tables, read from a home and written in a format of choice.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::columns::{self, REMOVED};
use super::sheet::Sheet;
use super::sorted::by_key;
use super::{city, plant};
use crate::archive::parts::{Part, Table, TableYears};
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
    /// A vintage that is not there.
    #[error("there is no vintage {vintage}; {}", if *newest == Vintage(0) { "there is none yet"
             .to_owned() } else { format!("there are 1 to {newest}") })]
    NoVintage {
        /// What was asked for.
        vintage: Vintage,
        /// What there is.
        newest: Vintage,
    },
    /// A year that is not there.
    #[error("{table} has no year {year}; {}", years_there(there))]
    NoYear {
        /// The table.
        table: &'static str,
        /// What was asked for.
        year: Year,
        /// What there is, in order.
        there: Vec<Year>,
    },
}

/// Which years there are.
fn years_there(years: &[Year]) -> String {
    match years {
        [] => "it has none yet".to_owned(),
        [one] => format!("there is {one}"),
        [first, .., last] => format!("there are {first} to {last}"),
    }
}

/// Whether a year that was asked for is among those of a table.
///
/// # Errors
/// [`ExportError::NoYear`] if it is not.
pub fn check_year(
    table: &'static str,
    asked: Option<Year>,
    years: impl IntoIterator<Item = Year>,
) -> Result<(), ExportError> {
    let Some(year) = asked else { return Ok(()) };
    let there: BTreeSet<Year> = years.into_iter().collect();
    if there.contains(&year) {
        return Ok(());
    }
    Err(ExportError::NoYear { table, year, there: there.into_iter().collect() })
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

/// A table as it stood at some time: the parts that make it, wherever they lie.
#[derive(Clone, Debug)]
pub struct TableAt {
    folder: PathBuf,
    table: Table,
    schema: SchemaRef,
    parts: Vec<Part>,
}

impl TableAt {
    /// A table as published, as of a vintage or the newest.
    ///
    /// # Errors
    /// - [`ExportError::Archive`] if the manifest cannot be read.
    /// - [`ExportError::NoVintage`] if the vintage asked for is not there yet.
    pub fn published(
        archive: &Archive,
        table: Table,
        as_of: Option<Vintage>,
    ) -> Result<Self, ExportError> {
        let newest = archive.last_vintage()?.unwrap_or_default();
        if let Some(vintage) = as_of.filter(|vintage| *vintage > newest) {
            return Err(ExportError::NoVintage { vintage, newest });
        }
        let schema = schema_of(table, has_supply(archive, as_of)?);
        let parts = archive.parts(table, as_of)?;
        Ok(Self { folder: archive.home().to_owned(), table, schema, parts })
    }

    /// A table made of parts that were written elsewhere, in order of year and publication.
    #[must_use]
    pub fn of_parts(folder: &Path, table: Table, parts: Vec<Part>, with_supply: bool) -> Self {
        let schema = schema_of(table, with_supply);
        Self { folder: folder.to_owned(), table, schema, parts }
    }

    /// Which table it is.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// The table as it is written out.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let keys: &[&str] = match self.table {
            Table::City => &["year", "city", "country"],
            Table::Plant => &["year", "firm", "city", "country"],
        };
        Sheet { name: self.table.name(), keys, schema: Arc::clone(&self.schema) }
    }

    /// Its years in order.
    pub fn years(&self) -> impl Iterator<Item = Year> {
        self.parts.chunk_by(|a, b| a.year == b.year).map(|parts| parts[0].year)
    }

    /// Whether a year is made of other parts than in another state of the table.
    #[must_use]
    pub fn differs(&self, other: &Self, year: Year) -> bool {
        let hashes = |table: &Self| -> Vec<String> {
            let of_year = table.parts.iter().filter(|part| part.year == year);
            of_year.map(|part| part.file.hash.clone()).collect()
        };
        hashes(self) != hashes(other)
    }

    /// The rows of a year, sorted by key; none where it is not there.
    ///
    /// # Errors
    /// - [`ExportError::Archive`] if a part is missing or damaged.
    /// - [`ExportError::Rows`] if its parts do not fit together.
    pub fn year(&self, year: Year) -> Result<RecordBatch, ExportError> {
        let found = self.rows(Some(year)).next();
        found.map_or_else(
            || Ok(RecordBatch::new_empty(Arc::clone(&self.schema))),
            |rows| rows.map(|(_, rows)| rows),
        )
    }

    /// The years in order, or one, each sorted by key.
    ///
    /// # Errors
    /// Each year, those of [`TableAt::year`].
    pub fn rows(
        &self,
        year: Option<Year>,
    ) -> impl Iterator<Item = Result<(Year, RecordBatch), ExportError>> + use<> {
        let range = year.map_or(Year(0)..=Year(u16::MAX), |year| year..=year);
        let (table, schema) = (self.table, Arc::clone(&self.schema));
        let years = TableYears::new(&self.folder, &self.parts, &range, key_of(table));
        years.map(move |rows| {
            let rows = rows?;
            let sorted = by_key(&schema, &rows.batches, key_of(table));
            let (table, year) = (table.name(), rows.year);
            let sorted = sorted.map_err(|source| ExportError::Rows { table, year, source })?;
            Ok((year, sorted))
        })
    }

    /// Checks that a year is there, and the hashes of all its parts, or of all, so that nothing is
    /// written of a table that is damaged further on.
    ///
    /// # Errors
    /// - [`ExportError::NoYear`] if the table does not have the year.
    /// - [`ExportError::Archive`] with the first part that is missing or damaged.
    pub fn check(&self, year: Option<Year>) -> Result<(), ExportError> {
        check_year(self.table.name(), year, self.years())?;
        for part in self.parts.iter().filter(|part| year.is_none_or(|year| year == part.year)) {
            part.file.open(&self.folder)?;
        }
        Ok(())
    }
}

/// The years of a table in order, each sorted by key.
///
/// # Errors
/// Those of [`TableAt::published`]; each year, those of [`TableAt::year`].
pub fn years(
    archive: &Archive,
    table: Table,
    selection: Selection,
) -> Result<impl Iterator<Item = Result<(Year, RecordBatch), ExportError>> + use<>, ExportError> {
    Ok(TableAt::published(archive, table, selection.as_of)?.rows(selection.year))
}

/// A year of a table that somebody wrote anew, sorted by key; none if it cannot be read as such.
#[must_use]
pub fn rewritten_year(archive: &Archive, table: Table, year: Year) -> Option<RecordBatch> {
    let schema = schema_of(table, has_supply(archive, None).ok()?);
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

/// Whether the home has a firm-year file, and with it the column `ln_supply`: as of a vintage, or
/// now.
///
/// # Errors
/// [`ExportError::Archive`] if the manifest cannot be read.
pub fn has_supply(archive: &Archive, as_of: Option<Vintage>) -> Result<bool, ExportError> {
    let references = match as_of {
        None => archive.references()?,
        Some(vintage) => {
            let publications = archive.publications()?;
            let last = publications.iter().rev().find(|(_, at)| *at <= vintage);
            let definitions =
                archive.definitions_at(last.map_or_else(Default::default, |l| l.0))?;
            definitions.map(|definitions| definitions.references).unwrap_or_default()
        }
    };
    Ok(references.iter().any(|(name, _)| name == "supply.csv"))
}
