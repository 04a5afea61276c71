//! Stores the runs that a home lacks: those of files from before runs, and lost ones.
//!
//! Readers compute a missing run from the segment of its file each time. The engine stores it, some
//! at a time after an intake, the newest first: the spans of the open year read these.

use super::EngineError;
use super::open::Engine;
use super::sums::Sums;
use crate::home::definition::Definition;
use crate::home::runs::Encoded;
use crate::home::segment::{self, Fields};
use crate::home::{FileEntry, Home, HomeError};

/// The number of runs that are stored after an intake: two years of monthly files.
const RUNS_AT_A_TIME: usize = 24;

impl Engine {
    /// Stores runs that the home lacks, at most two years of monthly files. Returns their number.
    ///
    /// Separate from the intake, like [`Engine::snapshot_if_due`]: no figure depends on it. A file
    /// with damaged records is left out.
    ///
    /// # Errors
    /// [`EngineError::Home`] if a run cannot be written, or the home cannot be read.
    pub fn store_missing_runs(&mut self) -> Result<usize, EngineError> {
        let stored = self.home.runs()?;
        let folder = self.home.folder().to_owned();
        let is_there =
            |file: &FileEntry| stored.get(&file.vintage).is_some_and(|run| run.is_there(&folder));
        let mut runs = Vec::new();
        for file in self.home.files()?.iter().rev().filter(|file| !is_there(file)) {
            if runs.len() == RUNS_AT_A_TIME {
                break;
            }
            match run_of(&self.home, file, &self.definition) {
                Ok(run) => runs.push((file.vintage, run.store(&folder, file.vintage)?)),
                Err(error) if error.is_damage() => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !runs.is_empty() {
            self.home.add_runs(&runs)?;
        }
        Ok(runs.len())
    }
}

/// Computes the run of a file from its segment.
///
/// # Errors
/// - Those of [`segment::read`].
/// - [`HomeError::Encode`] if a column is past what Parquet can hold.
pub fn run_of(
    home: &Home,
    file: &FileEntry,
    definition: &Definition,
) -> Result<Encoded, HomeError> {
    let city_of = |code: &str| definition.places.city(code);
    let (texts, records) = segment::read(home.folder(), &file.segment, Fields::Figures, &city_of)?;
    let path = home.folder().join(&file.segment.path);
    Sums::of(&texts, &records).run(&definition.places, &path)
}
