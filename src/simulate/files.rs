//! The feed's files: the open months of a year, and records that wait for files of later years.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::error::SimulateError;
use super::lines::{self, HEADER};
use super::records::{MonthNumber, Span, Text};

/// The monthly files of a feed being written, one year at a time.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    span: Span,
    open: BTreeMap<MonthNumber, (PathBuf, File)>,
    waiting: BTreeMap<MonthNumber, Vec<u8>>,
}

impl Files {
    /// Files in a directory, which is created if it does not exist.
    ///
    /// # Errors
    /// - [`SimulateError::File`] if it cannot be created.
    /// - [`SimulateError::NotEmpty`] if it is not empty.
    pub fn create(directory: &Path, span: Span) -> Result<Self, SimulateError> {
        std::fs::create_dir_all(directory).map_err(|source| at(directory, source))?;
        let mut inside = std::fs::read_dir(directory).map_err(|source| at(directory, source))?;
        if inside.next().is_some() {
            return Err(SimulateError::NotEmpty { path: directory.to_owned() });
        }
        let (open, waiting) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { directory: directory.to_owned(), span, open, waiting })
    }

    /// Writes a file that is not monthly.
    ///
    /// # Errors
    /// [`SimulateError::File`] if it cannot be written.
    pub fn write_beside(&self, name: &str, contents: &[u8]) -> Result<(), SimulateError> {
        let path = self.directory.join(name);
        std::fs::write(&path, contents).map_err(|source| at(&path, source))
    }

    /// Closes the last year's files and opens those of a year, with the header and the waiting
    /// records.
    ///
    /// # Errors
    /// [`SimulateError::File`] if a file cannot be written.
    pub fn open_year(&mut self, year: u16) -> Result<(), SimulateError> {
        self.open.clear();
        let january = MonthNumber::from(year) * 12;
        for month in january.max(self.span.first)..=(january + 11).min(self.span.last) {
            let path = self.directory.join(file_name(month));
            let mut file = File::create(&path).map_err(|source| at(&path, source))?;
            let waited = self.waiting.remove(&month).unwrap_or_default();
            for part in [HEADER, waited.as_slice()] {
                file.write_all(part).map_err(|source| at(&path, source))?;
            }
            self.open.insert(month, (path, file));
        }
        Ok(())
    }

    /// Appends a chunk's text; records for files of later years wait.
    ///
    /// # Errors
    /// [`SimulateError::File`] if a file cannot be written.
    pub fn append(&mut self, year: u16, text: Text) -> Result<(), SimulateError> {
        let january = MonthNumber::from(year) * 12;
        for (month, lines) in (january..).zip(&text.months) {
            if let Some((path, file)) = self.open.get_mut(&month) {
                file.write_all(lines).map_err(|source| at(path, source))?;
            }
        }
        for (month, lines) in text.later {
            self.waiting.entry(month).or_default().extend_from_slice(&lines);
        }
        Ok(())
    }
}

/// The error of a file operation.
pub fn at(path: &Path, source: std::io::Error) -> SimulateError {
    SimulateError::File { path: path.to_owned(), source }
}

fn file_name(month: MonthNumber) -> String {
    let mut name = Vec::new();
    lines::push_period(&mut name, month);
    name.extend_from_slice(b".csv");
    String::from_utf8(name).expect("digits and a suffix")
}
