//! Finds damaged files of the home, and the figures that the damage affects.
//!
//! The newest parts hold the current figures; records explain them and can compute them again. All
//! other files serve earlier vintages or only save time.

use super::finding::{Affected, Finding, Verification};
use crate::domain::types::Vintage;
use crate::engine::{EngineError, needs_records};
use crate::home::parts::{Chain, Table};
use crate::home::{FileEntry, Home, HomeError, Stored};

/// Checks every file of a home that the recomputation of figures does not read.
///
/// # Errors
/// [`EngineError`] if the manifest cannot be read.
pub fn find(home: &Home, verification: &mut Verification) -> Result<(), EngineError> {
    let folder = home.folder();
    for snapshot in home.snapshots()? {
        if let Err(error) = snapshot.file.open(folder) {
            verification.found(Finding::Saving("`snapshot` writes a new one", error));
        }
    }
    let panels = home.panels()?.into_iter().map(|part| part.file);
    for file in panels.chain(home.memory_files()?) {
        if let Err(error) = file.open(folder) {
            verification.found(Finding::Saving("`estimate` makes it again", error));
        }
    }
    for file in home.runs()?.into_values() {
        if let Err(error) = file.open(folder) {
            let remedy = "remove the file, and the next `ingest` makes it again";
            verification.found(Finding::Saving(remedy, error));
        }
    }
    for file in home.files()?.into_iter().filter(|file| !file.counts_now()) {
        if let Err(error) = file.segment.open(folder) {
            let affected = of_records(home, &file)?;
            verification.found(Finding::OldRecords { file: file.name, affected, error });
        }
    }
    for (table, file) in home.old_files()? {
        if let Err(error) = file.open(folder) {
            let affected = of_file(home, table, &file)?;
            verification.found(Finding::OldPart { table, affected, error });
        }
    }
    Ok(())
}

/// The vintages that cannot be replayed without the records of a file.
fn of_records(home: &Home, file: &FileEntry) -> Result<Affected, EngineError> {
    let newest = home.last_vintage()?.unwrap_or_default();
    let mut affected = Vec::new();
    for vintage in (file.vintage.0..=newest.0).map(Vintage) {
        if needs_records(home, file, vintage)? {
            affected.push(vintage);
        }
    }
    Ok(Affected::vintages(affected))
}

/// The published vintages whose table is read from a file.
fn of_file(home: &Home, table: Table, file: &Stored) -> Result<Affected, HomeError> {
    let mut vintages: Vec<Vintage> = home.publications()?.into_iter().map(|of| of.1).collect();
    vintages.dedup();
    let mut affected = Vec::new();
    for vintage in vintages {
        let chains = home.chains(table, Some(vintage))?.unwrap_or_default();
        if chains.iter().flat_map(Chain::files).any(|other| other == file) {
            affected.push(vintage);
        }
    }
    Ok(Affected::vintages(affected))
}
