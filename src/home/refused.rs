//! The rejected lines of refused files in a home.

use super::manifest::RefusedFile;
use super::{Home, Result};
use crate::domain::record::{KeptRejects, Reject};
use crate::domain::types::Period;

impl Home {
    /// Keeps the first rejected lines of a refused file, with the month in its name, until a file
    /// of this name is accepted or refused with other lines. The newest refused files are kept.
    ///
    /// # Errors
    /// - [`HomeError::Query`](super::HomeError::Query) if the manifest cannot be read.
    /// - [`HomeError::Keep`](super::HomeError::Keep) if it cannot be written.
    pub fn keep_refused(&mut self, name: &str, month: Period, rejects: &KeptRejects) -> Result<()> {
        self.manifest.keep_refused((name, month), rejects)
    }

    /// The refused files whose rejected lines are kept, in the order of their refusals.
    ///
    /// # Errors
    /// [`HomeError::Query`](super::HomeError::Query) if the manifest cannot be read.
    pub fn refused(&self) -> Result<Vec<RefusedFile>> {
        self.manifest.refused()
    }

    /// The kept rejected lines of a refused file, in order of line.
    ///
    /// # Errors
    /// [`HomeError::Query`](super::HomeError::Query) if the manifest cannot be read.
    pub fn rejects_of_refused(&self, name: &str) -> Result<Vec<Reject>> {
        self.manifest.rejects_of_refused(name)
    }
}
