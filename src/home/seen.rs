//! Finds bytes that were accepted before: `ingest` skips such files, with or without the watcher's
//! ledger.
//!
//! Months without trade have equal bytes, so the name also identifies a file without lines.

use super::manifest::FileEntry;
use super::{Home, Result};
use crate::domain::types::Vintage;

/// The state of bytes that were accepted before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The bytes count, or those of a replacing file do.
    Known {
        /// The name under which the bytes were last accepted.
        accepted_as: String,
        /// The file that replaced it, if any.
        superseded_by: Option<Vintage>,
    },
    /// The bytes were withdrawn.
    Withdrawn {
        /// The name under which the bytes were last accepted.
        accepted_as: String,
        /// The vintage of the withdrawal.
        at: Vintage,
    },
}

impl Home {
    /// The known files in order of vintage: counted files, and files whose replacement counts.
    ///
    /// # Errors
    /// [`super::HomeError::Query`] if the manifest cannot be read.
    pub fn known_files(&self) -> Result<Vec<FileEntry>> {
        let files = self.files()?;
        Ok(files.iter().filter(|file| stands(&files, file)).cloned().collect())
    }

    /// The state of bytes that were accepted before and now have a given name. `None` for new
    /// bytes, and for bytes whose replacement was withdrawn.
    ///
    /// # Errors
    /// [`super::HomeError::Query`] if the manifest cannot be read.
    pub fn seen(&self, name: &str, hash: &str) -> Result<Option<Seen>> {
        // Most bytes are new, and their replacements need not be searched.
        if !self.manifest.has_hash(hash)? {
            return Ok(None);
        }
        Ok(seen(&self.files()?, name, hash))
    }
}

/// The state of bytes among all files of a home.
#[must_use]
pub fn seen(files: &[FileEntry], name: &str, hash: &str) -> Option<Seen> {
    let is_same =
        |file: &&FileEntry| file.hash == hash && (file.counts.lines > 0 || file.name == name);
    let mut same: Vec<&FileEntry> = files.iter().filter(is_same).collect();
    if let Some(known) = same.iter().rev().find(|file| stands(files, file)) {
        let (accepted_as, superseded_by) = (known.name.clone(), known.superseded_by);
        return Some(Seen::Known { accepted_as, superseded_by });
    }
    let last = same.pop()?;
    Some(Seen::Withdrawn { accepted_as: last.name.clone(), at: last.withdrawn_at? })
}

/// True if a file or its replacement counts.
fn stands(files: &[FileEntry], file: &FileEntry) -> bool {
    let of = |vintage| files.iter().find(|file| file.vintage == vintage);
    let mut last = file;
    while let Some(next) = last.superseded_by.and_then(of) {
        last = next;
    }
    last.counts_now()
}
