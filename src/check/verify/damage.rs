//! Finds damaged files of the home, and the figures that the damage affects.
//!
//! The newest parts hold the current figures; records explain them and can compute them again. All
//! other files serve earlier vintages or only save time.

use super::finding::{Affected, Finding, Verification};
use crate::domain::types::Vintage;
use crate::engine::{EngineError, needs_records};
use crate::home::parts::{Chain, Table};
use crate::home::{Archive, ArchiveError, FileEntry, Stored};

/// Checks every file of a home that the recomputation of figures does not read.
///
/// # Errors
/// [`EngineError`] if the manifest cannot be read.
pub fn find(archive: &Archive, verification: &mut Verification) -> Result<(), EngineError> {
    let home = archive.home();
    for snapshot in archive.snapshots()? {
        if let Err(error) = snapshot.file.open(home) {
            verification.found(Finding::Saving("`snapshot` writes a new one", error));
        }
    }
    let panels = archive.panels()?.into_iter().map(|part| part.file);
    for file in panels.chain(archive.memory_files()?) {
        if let Err(error) = file.open(home) {
            verification.found(Finding::Saving("`estimate` makes it again", error));
        }
    }
    for file in archive.files()?.into_iter().filter(|file| !file.counts_now()) {
        if let Err(error) = file.segment.open(home) {
            let affected = of_records(archive, &file)?;
            verification.found(Finding::OldRecords { file: file.name, affected, error });
        }
    }
    for (table, file) in archive.old_files()? {
        if let Err(error) = file.open(home) {
            let affected = of_file(archive, table, &file)?;
            verification.found(Finding::OldPart { table, affected, error });
        }
    }
    Ok(())
}

/// The vintages that cannot be replayed without the records of a file.
fn of_records(archive: &Archive, file: &FileEntry) -> Result<Affected, EngineError> {
    let newest = archive.last_vintage()?.unwrap_or_default();
    let mut affected = Vec::new();
    for vintage in (file.vintage.0..=newest.0).map(Vintage) {
        if needs_records(archive, file, vintage)? {
            affected.push(vintage);
        }
    }
    Ok(Affected::vintages(affected))
}

/// The published vintages whose table is read from a file.
fn of_file(archive: &Archive, table: Table, file: &Stored) -> Result<Affected, ArchiveError> {
    let mut vintages: Vec<Vintage> = archive.publications()?.into_iter().map(|of| of.1).collect();
    vintages.dedup();
    let mut affected = Vec::new();
    for vintage in vintages {
        let chains = archive.chains(table, Some(vintage))?.unwrap_or_default();
        if chains.iter().flat_map(Chain::files).any(|other| other == file) {
            affected.push(vintage);
        }
    }
    Ok(Affected::vintages(affected))
}
