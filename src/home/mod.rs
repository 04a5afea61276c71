//! The home on disk: permanent storage of accepted records.
//!
//! ```text
//! DIR/lock, DIR/readers                      one writer at a time; the mark of readers
//! DIR/manifest.sqlite                        accepted files, rejects, closed months, parts
//! DIR/acknowledged                           the smallest number of its transactions
//! DIR/segments/000001.parquet                the records of accepted file 1
//! DIR/runs/000001.parquet                    the month sums of accepted file 1
//! DIR/published/city/2010/000012.parquet     rows of the table city for 2010, of publication 12
//! DIR/published/plant/2010/000012.parquet    facts behind the rows of the table plant
//! DIR/snapshots/000012.parquet               the annual cells of publication 12
//! DIR/panel/plant/2010/….parquet            the rows of a closed year for the regressions
//! DIR/memory/….parquet                       the start of the next estimation or panel
//!
//! Intake ─▶ segment::write ──┐ (durable)
//! rows ───▶ PartWriter ──────┤
//!                            └─▶ Home::commit: one transaction ─▶ it counts
//!                                  segment(), table(), files(), … ◀─┘
//! ```
//!
//! Invariants: every file that the manifest names is complete on the disk, with the recorded hash.
//! Other files do not count, and the next writer removes them. Committed data do not change, except
//! that files can be superseded or withdrawn, and parts of tables folded. Everything else of the
//! engine can be rebuilt from the home.

mod additions;
pub mod backup;
mod commits;
mod compact;
pub mod definition;
pub(crate) mod durable;
mod error;
mod lock;
mod manifest;
pub mod options;
pub(crate) mod own;
mod panels;
pub mod parts;
mod publication;
mod refused;
pub mod release;
pub mod runs;
pub mod seen;
pub mod segment;
pub mod snapshot;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::domain::record::{Record, Reject, Texts};
use crate::domain::types::{City, Period, Vintage};

pub use commits::n_commits_acknowledged;
pub use compact::{Compaction, CompactionRules};
pub use durable::Stored;
pub use error::{HomeError, Result};
pub use manifest::{
    AcceptedFile, Commit, Covered, FileEntry, Found, PanelPart, Rebuilt, Reclassified, RefusedFile,
    Replaced, Sizes, StoredEstimate, StoredModel, StoredState, Summary, Withdrawn,
};
pub use own::{WasOpen, home_around};
pub use panels::{PanelWriter, read_panel};
pub use publication::Publication;
pub use seen::Seen;

use definition::DefinitionTexts;
use durable::{check_in_place, clear_up, sync_folder, sync_name};
use lock::{Lock, Reading, Unread};
use manifest::Manifest;
use parts::{Chain, Folds, Part, Table};
use segment::Fields;

/// An open home.
#[derive(Debug)]
pub struct Home {
    folder: PathBuf,
    manifest: Manifest,
    lock: Option<Lock>,
    /// Held while queries are answered from one publication.
    _reading: Option<Reading>,
    /// Files that were still read when they should have been removed.
    left: Vec<String>,
    /// The permissions of other users, before the opening, on a home with records.
    was_open: Option<WasOpen>,
}

impl Home {
    /// Opens a home for writing. Creates it if it does not exist, and removes leftovers of
    /// interrupted runs.
    ///
    /// # Errors
    /// - [`HomeError::Locked`] if another process writes it.
    /// - [`HomeError::CreateFolder`], [`HomeError::Lock`], [`HomeError::Sync`] if it
    ///   cannot be written.
    /// - [`HomeError::OpenManifest`], [`HomeError::Layout`] if it is not a home of this
    ///   version.
    /// - [`HomeError::ManifestDamaged`], [`HomeError::ManifestLost`] if the manifest is
    ///   damaged or has lost commits; no file is removed then.
    /// - [`HomeError::Remove`] if a leftover cannot be removed.
    /// - [`HomeError::Inside`] if a new home would be inside another one.
    /// - [`HomeError::Foreign`] if a link or something else has the path of a file or folder of
    ///   the home.
    /// - [`HomeError::Exposed`] if it cannot be restricted to its owner.
    pub fn open(home: &Path) -> Result<Self> {
        let was_open = own::prepare(home)?;
        sync_name(home)?;
        let lock = Some(Lock::acquire(home)?);
        let manifest = Manifest::open(home)?;
        sync_folder(home)?;
        let unread = Unread::begin(home)?;
        let may_remove = unread.is_some() && manifest.is_of(home)?;
        let keep = may_remove.then(|| manifest.paths()).transpose()?;
        for folder in own::FOLDERS {
            clear_up(home, &home.join(folder), keep.as_ref())?;
        }
        Ok(Self { lock, was_open, ..Self::opened(home, manifest, None) })
    }

    /// Opens a home for reading, even while another process writes it. All queries see one
    /// publication. Close it soon: the database's log grows as long as it is open.
    ///
    /// # Errors
    /// - [`HomeError::NoHome`] if the home does not exist.
    /// - [`HomeError::OpenManifest`], [`HomeError::Layout`] if it is not a home of this
    ///   version.
    /// - [`HomeError::ManifestDamaged`], [`HomeError::ManifestLost`] if the manifest is
    ///   damaged or has lost commits.
    pub fn read(home: &Path) -> Result<Self> {
        let reading = Reading::begin(home)?;
        let manifest = Manifest::read(home)?;
        Ok(Self::opened(home, manifest, reading))
    }

    /// Moves a home that was opened for reading to the newest commit; returns true if there was a
    /// newer one. Only then is the manifest verified again.
    ///
    /// # Errors
    /// Those of [`Home::read`].
    pub fn move_on(&mut self) -> Result<bool> {
        if let Some(is_newer) = self.manifest.move_on(&self.folder)? {
            return Ok(is_newer);
        }
        // Another file has the manifest's path, or the manifest was read as a whole.
        *self = Self::read(&self.folder)?;
        Ok(true)
    }

    /// Opens a home for following, for any length of time: each query sees the newest publication
    /// at its time.
    ///
    /// # Errors
    /// Those of [`Home::read`].
    pub fn follow(home: &Path) -> Result<Self> {
        let manifest = Manifest::follow(home)?;
        Ok(Self::opened(home, manifest, None))
    }

    fn opened(home: &Path, manifest: Manifest, reading: Option<Reading>) -> Self {
        let (lock, left, was_open) = (None, Vec::new(), None);
        Self { folder: home.to_owned(), manifest, lock, _reading: reading, left, was_open }
    }

    /// The permissions of other users on a home with records, before it was opened for writing.
    #[must_use]
    pub fn was_open(&self) -> Option<WasOpen> {
        self.was_open
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes files count, closes months and publishes parts, completely or not at all.
    ///
    /// # Errors
    /// - [`HomeError::Moved`] if the home was moved or replaced.
    /// - [`HomeError::NotWritten`] if a file of the commit is missing.
    /// - [`HomeError::NotLive`] if it withdraws a file that does not count.
    /// - [`HomeError::Recorded`] if it has a definition and the home has one already.
    /// - [`HomeError::Commit`] if the database refuses it, for example a publication or bytes
    ///   that it already has; [`HomeError::Unconfirmed`] if the disk does not confirm it.
    ///
    /// # Panics
    /// If the home was opened for reading, or the counts of a file do not add up.
    pub fn commit(&mut self, commit: &Commit) -> Result<()> {
        assert!(self.lock.is_some(), "a commit to {}, opened to read", self.folder.display());
        check_in_place(&self.folder)?;
        if !self.manifest.is_in_place() {
            return Err(HomeError::Moved { home: self.folder.clone() });
        }
        self.manifest.commit(&self.folder, commit)
    }

    /// Removes files that the manifest no longer names. If there are readers, the files stay until
    /// the next removal or the next writer.
    ///
    /// # Errors
    /// [`HomeError::Lock`], [`HomeError::Query`] if the removable files cannot be determined.
    fn remove<'s>(&mut self, files: impl IntoIterator<Item = &'s Stored>) -> Result<()> {
        self.left.extend(files.into_iter().map(|file| file.path.clone()));
        let Some(_unread) = Unread::begin(&self.folder)? else { return Ok(()) };
        // A name may have been used again since. A file that stays is an orphan.
        let named = self.manifest.paths()?;
        for path in self.left.drain(..).filter(|path| !named.contains(path)) {
            let _ = std::fs::remove_file(self.folder.join(path));
        }
        Ok(())
    }

    /// Restores the damaged records of a file.
    ///
    /// # Errors
    /// - Those of [`segment::Encoded::store`] if they cannot be written.
    /// - [`HomeError::Keep`] if the manifest cannot store them.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn put_back(&mut self, file: &FileEntry, records: &segment::Encoded) -> Result<Stored> {
        assert!(self.lock.is_some(), "records for {}, opened to read", self.folder.display());
        let segment = records.store_at(&self.folder, file.segment.path.clone())?;
        // Another version may encode the same records as other bytes.
        if segment != file.segment {
            self.manifest.replace_segment(file.vintage, &segment)?;
        }
        Ok(segment)
    }

    /// The definition of the figures, with the reference tables by name; `None` before the first
    /// commit.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read, as for all queries.
    pub fn definition(&self) -> Result<Option<DefinitionTexts>> {
        self.manifest.definition()
    }

    /// Every accepted file in order of vintage, superseded ones included.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn files(&self) -> Result<Vec<FileEntry>> {
        self.manifest.files()
    }

    /// The regions of all files that were taken in since they are kept; of a home that is open to
    /// be written.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn seen_regions(&self) -> Result<BTreeSet<String>> {
        self.manifest.seen_regions()
    }

    /// The definition of the figures at a publication; `None` before the first.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn definition_at(&self, publication: Publication) -> Result<Option<DefinitionTexts>> {
        self.manifest.definition_at(publication)
    }

    /// The counted files of a month, by the month in their names.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn vintages_of(&self, period: Period) -> Result<Vec<Vintage>> {
        self.manifest.vintages_of(period)
    }

    /// The counted files with accepted records of a month, including late ones.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn vintages_with(&self, period: Period) -> Result<Vec<Vintage>> {
        self.manifest.vintages_with(period)
    }

    /// The rejected lines of a file, in order of line.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn rejects(&self, vintage: Vintage) -> Result<Vec<Reject>> {
        self.manifest.rejects(vintage)
    }

    /// The names of a file's columns, if lines of it were rejected because the tables lack their
    /// codes; none if they were not kept.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn columns(&self, vintage: Vintage) -> Result<Vec<String>> {
        self.manifest.columns(vintage)
    }

    /// The closed months in order, each with the publication that closed it.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn closed(&self) -> Result<Vec<(Period, Publication)>> {
        self.manifest.closed()
    }

    /// The earliest month of a file.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn first_period(&self) -> Result<Option<Period>> {
        self.manifest.first_period()
    }

    /// The newest vintage: of a file, a withdrawal or a rebuild.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn last_vintage(&self) -> Result<Option<Vintage>> {
        self.manifest.last_vintage()
    }

    /// The publications in order, each with its newest vintage.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn publications(&self) -> Result<Vec<(Publication, Vintage)>> {
        self.manifest.publications()
    }

    /// The time of the commit of a publication, to the second; `None` for commits of versions up to
    /// layout 4.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn committed_at(&self, publication: Publication) -> Result<Option<Timestamp>> {
        self.manifest.committed_at(publication)
    }

    /// The newest publication.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn last_publication(&self) -> Result<Option<(Publication, Vintage)>> {
        Ok(self.manifest.publications()?.pop())
    }

    /// The sum of |value| over all counted records, in cents. It bounds every sum of them.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn absolute_cents(&self) -> Result<i128> {
        self.manifest.absolute_cents()
    }

    /// The damage that the database's own check finds; empty if there is none.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the check cannot run.
    pub fn integrity(&self) -> Result<Vec<String>> {
        self.manifest.integrity()
    }

    /// The sizes of the home's files.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn sizes(&self) -> Result<Sizes> {
        self.manifest.sizes()
    }

    /// The stored records of a file, for [`segment::read`] on another thread.
    ///
    /// # Errors
    /// - [`HomeError::NoSuchVintage`] if no accepted file has the vintage.
    /// - [`HomeError::Query`] if the manifest cannot be read.
    pub fn segment_of(&self, vintage: Vintage) -> Result<Stored> {
        self.manifest.segment(vintage)
    }

    /// The records of a file.
    ///
    /// # Errors
    /// Those of [`Home::segment_of`] and [`segment::read`].
    pub fn segment(
        &self,
        vintage: Vintage,
        fields: Fields,
        city_of: &dyn Fn(&str) -> Option<City>,
    ) -> Result<(Texts, Vec<Record>)> {
        segment::read(&self.folder, &self.segment_of(vintage)?, fields, city_of)
    }

    /// The runs of all files that have one, superseded files included.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn runs(&self) -> Result<BTreeMap<Vintage, Stored>> {
        self.manifest.runs()
    }

    /// Stores durable runs of files in place of missing ones.
    ///
    /// # Errors
    /// [`HomeError::Keep`] if the manifest cannot be written.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn add_runs(&mut self, runs: &[(Vintage, Stored)]) -> Result<()> {
        assert!(self.is_writable(), "runs of {}, opened to read", self.folder.display());
        self.manifest.add_runs(runs)
    }

    /// The parts of a table at a vintage or at the newest one, in order of year and publication.
    /// Each year has its newest whole part and the changes after it. [`Home::chains`] gives
    /// their files.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn parts(&self, table: Table, as_of: Option<Vintage>) -> Result<Vec<Part>> {
        Ok(parts::in_use(&self.manifest.parts(table, as_of)?))
    }

    /// The files of a table by year, at a vintage or at the newest one; `None` if they are no
    /// longer stored.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn chains(&self, table: Table, as_of: Option<Vintage>) -> Result<Option<Vec<Chain>>> {
        let (folds, undo) = (self.manifest.folds()?, self.manifest.undo_parts()?);
        let folds = Folds { folds: &folds, undo: &undo };
        Ok(parts::chains(&self.manifest.parts(table, as_of)?, folds))
    }

    /// True if both tables are stored for a vintage.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn is_stored(&self, vintage: Vintage) -> Result<bool> {
        for table in Table::ALL {
            if self.chains(table, Some(vintage))?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The vintages published with a year of a table; true for each stored one.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn stored_vintages(&self) -> Result<Vec<(Vintage, bool)>> {
        let (folds, undo) = (self.manifest.folds()?, self.manifest.undo_parts()?);
        let folds = Folds { folds: &folds, undo: &undo };
        let (mut first, mut not_stored) = (None, Vec::new());
        for table in Table::ALL {
            let parts = self.manifest.parts(table, None)?;
            first = parts.iter().map(|part| part.publication).chain(first).min();
            not_stored.extend(parts::not_stored(&parts, folds));
        }
        not_stored.sort_unstable_by_key(|span| span.start);
        let mut spans = not_stored.into_iter().peekable();
        // The end of the publications that are known not to be stored.
        let mut end = 0;
        let mut stored: Vec<(Vintage, bool)> = Vec::new();
        let published = self.publications()?.into_iter();
        for (at, vintage) in published.filter(|(at, _)| first.is_some_and(|first| *at >= first)) {
            while let Some(span) = spans.next_if(|span| span.start <= at.0) {
                end = end.max(span.end);
            }
            // The last publication of a vintage decides.
            stored.pop_if(|(before, _)| *before == vintage);
            stored.push((vintage, at.0 >= end));
        }
        Ok(stored)
    }

    /// The files of the published tables that only older vintages need.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn old_files(&self) -> Result<Vec<(Table, Stored)>> {
        let mut old = self.manifest.table_files()?;
        for table in Table::ALL {
            let chains = self.chains(table, None)?.unwrap_or_default();
            let now: HashSet<&Stored> = chains.iter().flat_map(Chain::files).collect();
            old.retain(|(of, file)| *of != table || !now.contains(file));
        }
        Ok(old)
    }
}

#[cfg(test)]
mod tests;
