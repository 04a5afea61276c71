//! The published tables of a home in one of its states, as rows of figures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;

use super::derived::{DeriveError, PlantYear, StoredYear};
use super::sheet::Sheet;
use super::sorted::by_key;
use super::{city, columns, plant};
use crate::domain::types::{Vintage, Year};
use crate::home::definition::Definition;
use crate::home::parts::{Chain, Layout, Part, Table, YearStream};
use crate::home::{Home, HomeError};

/// The requested rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// One year; `None` for all.
    pub year: Option<Year>,
    /// The vintage; `None` for the newest.
    pub as_of: Option<Vintage>,
}

/// The reason why a table cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Rows that do not fit together.
    #[error("the published rows of {table} {year} do not fit together; run `verify`")]
    Rows {
        /// The table.
        table: &'static str,
        /// The year.
        year: Year,
        /// Arrow's error.
        source: arrow_schema::ArrowError,
    },
    /// Rows do not fit the columns by which they are chosen or named.
    #[error("rows cannot be chosen or named: a defect, please report it")]
    Choice(#[source] arrow_schema::ArrowError),
    /// The vintage does not exist.
    #[error("there is no vintage {vintage}; {}", if *newest == Vintage(0) { "there is none yet"
             .to_owned() } else { format!("there are 1 to {newest}") })]
    NoVintage {
        /// The requested vintage.
        vintage: Vintage,
        /// The newest vintage.
        newest: Vintage,
    },
    /// The year does not exist.
    #[error("{table} has no year {year}; {}", years_there(there))]
    NoYear {
        /// The table.
        table: &'static str,
        /// The requested year.
        year: Year,
        /// The existing years, in order.
        there: Vec<Year>,
    },
    /// The tables of the vintage are no longer stored (option `retention`).
    #[error("the tables of vintage {vintage} are no longer stored; recompute them")]
    NotStored {
        /// The requested vintage.
        vintage: Vintage,
    },
}

/// The years of a table as a text.
fn years_there(years: &[Year]) -> String {
    match years {
        [] => "it has none yet".to_owned(),
        [one] => format!("there is {one}"),
        [first, .., last] => format!("there are {first} to {last}"),
    }
}

/// Checks that a table has the requested year.
///
/// # Errors
/// [`ExportError::NoYear`] if it does not.
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

/// The columns of a table as exported.
#[must_use]
pub fn schema_of(table: Table, with_supply: bool) -> SchemaRef {
    match table {
        Table::City => columns::schema(&city::columns()),
        Table::Plant => columns::schema(&plant::columns(with_supply)),
    }
}

/// The name, keys and columns of a table.
#[must_use]
pub fn sheet_of(table: Table, definition: &Definition) -> Sheet {
    let keys: &[&str] = match table {
        Table::City => &["year", "city", "country"],
        Table::Plant => &["year", "firm", "city", "country"],
    };
    Sheet { name: table.name(), keys, schema: schema_of(table, definition.supply.is_some()) }
}

/// A table at one vintage: the files with its rows, and the definition of its figures.
#[derive(Clone, Debug)]
pub struct TableAt {
    folder: PathBuf,
    table: Table,
    definition: Arc<Definition>,
    /// For each year, the chain of the table itself and that of `city`.
    years: BTreeMap<Year, YearFiles>,
}

/// Rows of a year in order of key, in batches.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ExportError>>>;

/// The files of a year.
#[derive(Clone, Debug)]
struct YearFiles {
    own: Chain,
    /// The markets of a year, if its figures derive from stored facts.
    city: Option<Chain>,
}

impl TableAt {
    /// A published table at a vintage or at the newest one, with the `definition` of its figures.
    ///
    /// # Errors
    /// - [`ExportError::Home`] if the manifest cannot be read.
    /// - [`ExportError::NoVintage`] if the vintage does not exist, [`ExportError::NotStored`] if
    ///   its tables are no longer stored.
    pub fn published(
        home: &Home,
        table: Table,
        as_of: Option<Vintage>,
        definition: &Arc<Definition>,
    ) -> Result<Self, ExportError> {
        let newest = home.last_vintage()?.unwrap_or_default();
        if let Some(vintage) = as_of.filter(|vintage| *vintage > newest) {
            return Err(ExportError::NoVintage { vintage, newest });
        }
        let vintage = as_of.unwrap_or(newest);
        let chains = |table| -> Result<Vec<Chain>, ExportError> {
            home.chains(table, as_of)?.ok_or(ExportError::NotStored { vintage })
        };
        let own = chains(table)?;
        let city = if table == Table::City { Vec::new() } else { chains(Table::City)? };
        Ok(Self::of_chains(home.folder(), table, definition, own, &city))
    }

    /// A table from parts in another folder, in order of year and publication.
    #[must_use]
    pub fn of_parts(
        folder: &Path,
        table: Table,
        parts: &[Part],
        definition: &Arc<Definition>,
    ) -> Self {
        let chains = |table| {
            let own = parts.iter().filter(|part| part.table == table).cloned();
            Chain::of_parts(&own.collect::<Vec<_>>())
        };
        let city = if table == Table::City { Vec::new() } else { chains(Table::City) };
        Self::of_chains(folder, table, definition, chains(table), &city)
    }

    fn of_chains(
        folder: &Path,
        table: Table,
        definition: &Arc<Definition>,
        own: Vec<Chain>,
        city: &[Chain],
    ) -> Self {
        let years = own.into_iter().map(|own| {
            let city = city.iter().find(|chain| chain.year == own.year).cloned();
            (own.year, YearFiles { own, city })
        });
        let (folder, definition, years) =
            (folder.to_owned(), Arc::clone(definition), years.collect());
        Self { folder, table, definition, years }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table
    }

    /// The name, keys and columns of the table.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        sheet_of(self.table, &self.definition)
    }

    fn schema(&self) -> SchemaRef {
        schema_of(self.table, self.definition.supply.is_some())
    }

    /// Its years in order.
    pub fn years(&self) -> impl Iterator<Item = Year> {
        self.years.keys().copied()
    }

    /// All years in order, or the given one.
    fn years_of(&self, year: Option<Year>) -> Vec<Year> {
        self.years().filter(|of| year.is_none_or(|year| year == *of)).collect()
    }

    /// True if a year may have other rows than in another state of the table.
    #[must_use]
    pub fn differs(&self, other: &Self, year: Year) -> bool {
        let state = |table: &Self| {
            let of = table.years.get(&year)?;
            Some((of.own.state, of.city.as_ref().map(|city| city.state)))
        };
        self.folder != other.folder || state(self) != state(other)
    }

    /// The identity of a year's rows under one definition; `None` if the table does not have the
    /// year. States of one home with equal identities have equal rows.
    #[must_use]
    pub fn identity(&self, year: Year) -> Option<String> {
        let of = self.years.get(&year)?;
        let city = of.city.as_ref().map(|city| city.state.to_string()).unwrap_or_default();
        Some(format!("{} {} {city}", of.own.months, of.own.state))
    }

    /// The rows of a year, sorted by key; no rows if the table does not have the year.
    ///
    /// # Errors
    /// - [`ExportError::Home`] if a part is missing or damaged.
    /// - [`ExportError::Rows`] if its parts do not fit together.
    pub fn year(&self, year: Year) -> Result<RecordBatch, ExportError> {
        match self.years.get(&year) {
            None => Ok(RecordBatch::new_empty(self.schema())),
            Some(files) => self.read(year, files),
        }
    }

    /// The rows of a year in order of key, in batches; no rows if the table does not have the year.
    ///
    /// # Errors
    /// Those of [`TableAt::year`], also for each batch.
    pub fn batches(&self, year: Year) -> Result<Batches, ExportError> {
        match self.years.get(&year) {
            None => Ok(Box::new(std::iter::empty())),
            Some(files) => self.read_batches(year, files),
        }
    }

    fn read_batches(&self, year: Year, files: &YearFiles) -> Result<Batches, ExportError> {
        let name = self.table.name();
        let misfit = move |source| ExportError::Rows { table: name, year, source };
        let stored = |table, chain: &Chain| -> Result<Vec<RecordBatch>, HomeError> {
            YearStream::open(&self.folder, table, chain)?.collect()
        };
        let of_city = |city| StoredYear { year, months: files.own.months, city };
        if (files.own.layout, self.table) == (Layout::Facts, Table::Plant) {
            let city = files.city.as_ref().map(|chain| stored(Table::City, chain)).transpose()?;
            let (folder, chain) = (self.folder.clone(), files.own.clone());
            let open = move || YearStream::open(&folder, Table::Plant, &chain);
            let rows = PlantYear::new(&self.definition, &of_city(city.unwrap_or_default()), open);
            let rows = rows.map_err(misfit)?.map(move |batch| {
                batch.map_err(|error| match error {
                    DeriveError::Home(error) => error.into(),
                    DeriveError::Rows(source) => misfit(source),
                })
            });
            return Ok(Box::new(rows));
        }
        let own = stored(self.table, &files.own)?;
        let made = match files.own.layout {
            Layout::Figures => by_key(&self.schema(), &own, self.table.key()),
            Layout::Facts => self.definition.city_year(&of_city(own)),
        };
        Ok(Box::new(std::iter::once(made.map_err(misfit))))
    }

    fn read(&self, year: Year, files: &YearFiles) -> Result<RecordBatch, ExportError> {
        let batches: Vec<RecordBatch> =
            self.read_batches(year, files)?.collect::<Result<_, _>>()?;
        if let [one] = &batches[..] {
            return Ok(one.clone());
        }
        let table = self.table.name();
        let rows = concat_batches(&self.schema(), &batches);
        rows.map_err(|source| ExportError::Rows { table, year, source })
    }

    /// The rows of all years or of one, sorted by year and key, in batches.
    ///
    /// # Errors
    /// Those of [`TableAt::year`], for each batch.
    pub fn rows_of(
        &self,
        year: Option<Year>,
    ) -> impl Iterator<Item = Result<RecordBatch, ExportError>> + use<> {
        let table = self.clone();
        self.years_of(year).into_iter().flat_map(move |year| match table.batches(year) {
            Ok(batches) => batches,
            Err(error) => Box::new(std::iter::once(Err(error))),
        })
    }

    /// All years in order or the given one, each sorted by key.
    ///
    /// # Errors
    /// Those of [`TableAt::year`], for each year.
    pub fn rows(
        &self,
        year: Option<Year>,
    ) -> impl Iterator<Item = Result<(Year, RecordBatch), ExportError>> + use<> {
        let table = self.clone();
        self.years_of(year).into_iter().map(move |year| Ok((year, table.year(year)?)))
    }

    /// A year read from its files without a check of their hashes; `None` if no file was rewritten.
    #[must_use]
    pub fn rewritten_year(&self, year: Year) -> Option<RecordBatch> {
        let mut files = self.years.get(&year)?.clone();
        let own = files.own.as_it_lies(&self.folder).ok()?;
        let city = files.city.as_ref().map(|chain| chain.as_it_lies(&self.folder));
        let city = city.transpose().ok()?.flatten();
        if own.is_none() && city.is_none() {
            return None;
        }
        files.own = own.unwrap_or(files.own);
        files.city = city.or(files.city);
        self.read(year, &files).ok()
    }

    /// Checks that a year exists, and the hashes of all parts of the given year or of all years. An
    /// export then writes no rows of a damaged table.
    ///
    /// # Errors
    /// - [`ExportError::NoYear`] if the table does not have the year.
    /// - [`ExportError::Home`] with the first missing or damaged part.
    pub fn check(&self, year: Option<Year>) -> Result<(), ExportError> {
        check_year(self.table.name(), year, self.years())?;
        self.years_of(year).into_iter().try_for_each(|of| self.check_parts(of))
    }

    /// Checks the hashes of the parts of a year; a year outside the table has no parts.
    ///
    /// # Errors
    /// [`ExportError::Home`] with the first missing or damaged part.
    pub fn check_parts(&self, year: Year) -> Result<(), ExportError> {
        let chains = self.years.get(&year).into_iter();
        for chain in chains.flat_map(|files| std::iter::once(&files.own).chain(&files.city)) {
            for file in chain.files() {
                file.open(&self.folder)?;
            }
        }
        Ok(())
    }
}
