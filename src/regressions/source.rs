//! The sources of panels: the records and tables of a home, and the definition of its figures.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use rayon::prelude::*;

use super::error::RegressionError;
use crate::domain::calendar::Calendar;
use crate::domain::types::Year;
use crate::engine::EngineError;
use crate::engine::recorded::{calendar, recorded};
use crate::feed::income_groups::IncomeGroups;
use crate::feed::reference::COUNTRIES;
use crate::home::definition::Definition;
use crate::home::{FileEntry, Home, HomeError};

/// The home that panels are made from.
pub struct Source<'a> {
    /// The home.
    pub home: &'a mut Home,
    /// Its options and reference tables.
    pub definition: Arc<Definition>,
    /// Its closed months.
    pub calendar: Calendar,
    /// The income groups of destinations.
    pub incomes: IncomeGroups,
    /// The files that count.
    pub files: Vec<FileEntry>,
    /// The number of files that are read in parallel.
    pub n_workers: usize,
    /// The hash of the options and reference tables that define the figures.
    pub defined: blake3::Hash,
}

impl<'a> Source<'a> {
    /// Reads the records of an open home.
    ///
    /// # Errors
    /// [`RegressionError`] if the records cannot be read.
    pub fn open(home: &'a mut Home, n_workers: usize) -> Result<Self, RegressionError> {
        let definition = Arc::new(recorded(home)?.ok_or(EngineError::Empty)?);
        let incomes = IncomeGroups::of(definition.texts.reference(COUNTRIES))?;
        let mut defined = blake3::Hasher::new();
        defined.update(definition.texts.options.as_bytes());
        for (name, text) in &definition.texts.references {
            defined.update(name.as_bytes()).update(text.as_bytes());
        }
        let defined = defined.finalize();
        let calendar = calendar(home)?.ok_or(EngineError::Empty)?;
        let mut files = home.files()?;
        files.retain(FileEntry::counts_now);
        Ok(Self { home, definition, calendar, incomes, files, n_workers, defined })
    }

    /// The files that count with records of a year, and the sources of their sums: the version of
    /// the tables, the definition of the figures, and the files.
    pub fn files_of(&self, year: Year, version: &str) -> (Vec<&FileEntry>, Vec<String>) {
        let of_year = |file: &&FileEntry| file.months.iter().any(|month| month.year() == year);
        let files: Vec<&FileEntry> = self.files.iter().filter(of_year).collect();
        let about = [version.to_owned(), self.defined.to_hex().to_string()];
        let made_of = about.into_iter().chain(files.iter().map(|file| named(file))).collect();
        (files, made_of)
    }

    /// The sources of stored sums; `None` if none are stored, or a source no longer counts.
    ///
    /// # Errors
    /// [`HomeError`] if the stored sums cannot be read.
    pub fn made_of_then(
        &self,
        key: &str,
        made_of: &[String],
    ) -> Result<Option<BTreeSet<String>>, HomeError> {
        let Some(then) = self.home.read_memory(key, MADE_OF)? else { return Ok(None) };
        let of = then.column_by_name("of").and_then(|column| column.as_string_opt::<i32>());
        let there: BTreeSet<String> =
            of.into_iter().flatten().flatten().map(str::to_owned).collect();
        let counts = there.iter().all(|of| made_of.contains(of));
        // The version and the definition of the figures come first.
        let is_of_now = made_of[..2].iter().all(|of| there.contains(of));
        Ok((counts && is_of_now).then_some(there))
    }

    /// Reads the records of files in parallel, and adds the results in the order of the files.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the records of a file cannot be read.
    pub fn add_up<T: Send>(
        &self,
        files: &[&FileEntry],
        of_file: impl Fn(&FileEntry) -> Result<T, HomeError> + Sync,
        mut add: impl FnMut(T),
    ) -> Result<(), RegressionError> {
        for files in files.chunks(self.n_workers.max(1)) {
            let of_files: Vec<Result<T, HomeError>> =
                files.par_iter().map(|file| of_file(file)).collect();
            for of_file in of_files {
                add(of_file?);
            }
        }
        Ok(())
    }
}

/// The name of the table with the sources of stored sums.
pub const MADE_OF: &str = "made-of";

/// A stored value, or its default with the error if it could not be read.
///
/// # Errors
/// [`RegressionError::Home`] if the manifest cannot be read.
pub fn or_unread<T: Default>(
    kept: Result<T, HomeError>,
) -> Result<(T, Option<HomeError>), RegressionError> {
    match kept {
        Ok(kept) => Ok((kept, None)),
        Err(error @ HomeError::Query { .. }) => Err(error.into()),
        Err(error) => Ok((T::default(), Some(error))),
    }
}

/// The rows of the table [`MADE_OF`].
pub fn made_of_table(made_of: &[String]) -> Result<RecordBatch, ArrowError> {
    let made_of: ArrayRef = Arc::new(StringArray::from_iter_values(made_of));
    RecordBatch::try_from_iter([("of", made_of)])
}

/// The name of a file and its records: two files with the same records count twice.
pub fn named(file: &FileEntry) -> String {
    format!("{} {}", file.vintage.0, file.segment.hash)
}

/// The closed years with indicators.
pub fn closed_years(calendar: &Calendar) -> Vec<Year> {
    calendar.indicator_years().filter(|year| calendar.months(*year) == 12).collect()
}
