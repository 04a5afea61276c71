//! The numbers of commits: those that a reader sees, and those that a writer has acknowledged.

use std::path::Path;

use super::manifest::n_acknowledged;
use super::{Home, Result};

impl Home {
    /// The number of commits that the home has, as this reader sees it.
    ///
    /// # Errors
    /// [`super::HomeError::OpenManifest`] if the manifest cannot be read.
    pub fn n_commits(&self) -> Result<u64> {
        self.manifest.n_commits()
    }
}

/// The number of commits that writers of a home have acknowledged, now; 0 before the first.
///
/// # Errors
/// [`super::HomeError::Read`], [`super::HomeError::Acknowledged`] if its file cannot be read.
pub fn n_commits_acknowledged(home: &Path) -> Result<u64> {
    n_acknowledged(home)
}
