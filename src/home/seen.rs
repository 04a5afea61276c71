//! Whether bytes were accepted before: `ingest` skips such files, with or without the watcher's
//! ledger.
//!
//! Months without trade have equal bytes, so the name also identifies a file without lines.

use super::manifest::FileEntry;
use super::{Archive, Result};
use crate::domain::types::Vintage;

/// What became of the bytes of a file that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// They count, or a file that took their place does.
    Known {
        /// The name under which they were accepted last.
        accepted_as: String,
        /// The file that took their place, if one did.
        superseded_by: Option<Vintage>,
    },
    /// They were withdrawn.
    Withdrawn {
        /// The name under which they were accepted last.
        accepted_as: String,
        /// The vintage as which they were withdrawn.
        at: Vintage,
    },
}

impl Archive {
    /// The files whose bytes are known, in order of vintage: those that count, and those that
    /// others took the place of which count.
    ///
    /// # Errors
    /// [`super::ArchiveError::Query`] if the manifest cannot be read.
    pub fn known_files(&self) -> Result<Vec<FileEntry>> {
        let files = self.files()?;
        Ok(files.iter().filter(|file| stands(&files, file)).cloned().collect())
    }

    /// What became of bytes that were accepted before, found under a name now; none if they are
    /// news: also if what took their place was withdrawn.
    ///
    /// # Errors
    /// [`super::ArchiveError::Query`] if the manifest cannot be read.
    pub fn seen(&self, name: &str, hash: &str) -> Result<Option<Seen>> {
        // Nearly always there are none, and then there is no need to look who took whose place.
        if !self.manifest.has_hash(hash)? {
            return Ok(None);
        }
        Ok(seen(&self.files()?, name, hash))
    }
}

/// The same, asked of all files of an archive.
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

/// Whether a file counts, or what took its place does.
fn stands(files: &[FileEntry], file: &FileEntry) -> bool {
    let of = |vintage| files.iter().find(|file| file.vintage == vintage);
    let mut last = file;
    while let Some(next) = last.superseded_by.and_then(of) {
        last = next;
    }
    last.counts_now()
}
