//! What panels are made from: the records and tables of a home, and what defines its figures.

use std::sync::Arc;

use super::error::RegressionError;
use super::incomes::Incomes;
use crate::domain::calendar::Calendar;
use crate::domain::types::Year;
use crate::engine::EngineError;
use crate::engine::open::{calendar, recorded};
use crate::feed::reference::COUNTRIES;
use crate::home::definition::Definition;
use crate::home::{Archive, FileEntry};

/// The home that panels are made from.
pub struct Source<'a> {
    /// The home.
    pub archive: &'a mut Archive,
    /// Its options and reference tables.
    pub definition: Arc<Definition>,
    /// Its closed months.
    pub calendar: Calendar,
    /// The income groups of destinations.
    pub incomes: Incomes,
    /// Files that count.
    pub files: Vec<FileEntry>,
    /// Files read at a time.
    pub n_workers: usize,
    /// The options and reference tables that define the figures, as one hash.
    pub defined: blake3::Hash,
}

impl<'a> Source<'a> {
    /// Reads what an open home has recorded.
    ///
    /// # Errors
    /// [`RegressionError`] if that cannot be read.
    pub fn open(archive: &'a mut Archive, n_workers: usize) -> Result<Self, RegressionError> {
        let definition = Arc::new(recorded(archive)?.ok_or(EngineError::Empty)?);
        let incomes = Incomes::of(definition.texts.reference(COUNTRIES))?;
        let mut defined = blake3::Hasher::new();
        defined.update(definition.texts.options.as_bytes());
        for (name, text) in &definition.texts.references {
            defined.update(name.as_bytes()).update(text.as_bytes());
        }
        let defined = defined.finalize();
        let calendar = calendar(archive)?.ok_or(EngineError::Empty)?;
        let mut files = archive.files()?;
        files.retain(FileEntry::counts_now);
        Ok(Self { archive, definition, calendar, incomes, files, n_workers, defined })
    }

    /// The files with records of a year that count, and what sums of them are made of: the version
    /// of their tables, what defines the figures, and the files.
    pub fn files_of(&self, year: Year, version: &str) -> (Vec<&FileEntry>, Vec<String>) {
        let of_year = |file: &&FileEntry| file.months.iter().any(|month| month.year() == year);
        let files: Vec<&FileEntry> = self.files.iter().filter(of_year).collect();
        let about = [version.to_owned(), self.defined.to_hex().to_string()];
        let made_of = about.into_iter().chain(files.iter().map(|file| named(file))).collect();
        (files, made_of)
    }
}

/// A file with its records: two with the same ones count twice.
pub fn named(file: &FileEntry) -> String {
    format!("{} {}", file.vintage.0, file.segment.hash)
}

/// The closed years with indicators.
pub fn closed_years(calendar: &Calendar) -> Vec<Year> {
    calendar.indicator_years().filter(|year| calendar.months(*year) == 12).collect()
}
