//! What happens to files that were accepted: their lines replaced, withdrawn, or kept as a
//! snapshot's sums.

use std::path::Path;
use std::sync::Arc;

use super::EngineError;
use super::amounts::Amounts;
use super::intake::Step;
use super::open::Engine;
use super::outcome::Observer;
use super::running::{Home, Running, UPDATES_AT_A_TIME};
use super::sums::Sums;
use crate::archive::segment::{self, Fields};
use crate::archive::snapshot::{Snapshot, SnapshotCell, SnapshotTexts, SnapshotWriter};
use crate::archive::{Archive, FileEntry, Publication, Withdrawn};
use crate::dataflow::{Cell, CellKey, Output};
use crate::types::{City, Vintage};

impl Engine {
    /// Withdraws files: their lines do not count any more, and their bytes are news if they come
    /// again. Each withdrawal takes a vintage of its own; closed months stay closed.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if a file's records cannot be read or the home not be written,
    /// [`EngineError::Worker`] if a worker died. Nothing is withdrawn then.
    pub fn withdraw(
        &mut self,
        files: &[Vintage],
        observer: &mut dyn Observer,
    ) -> Result<Vec<Withdrawn>, EngineError> {
        let home = Arc::clone(&self.home);
        let running = self.running.as_mut().ok_or(EngineError::Empty)?;
        let mut at = self.archive.last_vintage()?.unwrap_or_default();
        let mut step = Step::default();
        for &file in files {
            running.withdraw(self.archive.home(), &home, file)?;
            at = Vintage(at.0 + 1);
            step.withdrawn.push(Withdrawn { file, at });
        }
        let withdrawn = step.withdrawn.clone();
        self.publish(&home, step, observer)?;
        Ok(withdrawn)
    }

    /// Keeps a snapshot of the newest publication; none before the first, or if there is one.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if it cannot be written, [`EngineError::Worker`] if a worker died.
    pub fn snapshot(&mut self) -> Result<Option<Snapshot>, EngineError> {
        let newest = self.newest_snapshot()?;
        let last = self.archive.last_publication()?.map(|(last, _)| last);
        let (Some(running), Some(last)) = (self.running.as_mut(), last) else { return Ok(None) };
        if newest == Some(last) {
            return Ok(None);
        }
        let snapshot = running.snapshot(self.archive.home(), &self.home, last)?;
        let damaged: Vec<Publication> =
            self.restored.damaged.iter().map(|(publication, _)| *publication).collect();
        self.archive.keep_snapshot(&snapshot, &damaged)?;
        self.restored.damaged.clear();
        Ok(Some(snapshot))
    }

    /// The publication of the newest snapshot that was not found damaged.
    pub(super) fn newest_snapshot(&self) -> Result<Option<Publication>, EngineError> {
        let damaged = |of: &Publication| self.restored.damaged.iter().any(|(at, _)| at == of);
        let publications = self.archive.snapshots()?.into_iter().map(|kept| kept.publication);
        Ok(publications.into_iter().find(|publication| !damaged(publication)))
    }
}

/// The one file that counts under a name.
///
/// # Errors
/// - [`EngineError::NoSuchFile`] if none does.
/// - [`EngineError::SeveralFiles`] if more than one does.
pub fn file_named(archive: &Archive, name: &str) -> Result<FileEntry, EngineError> {
    let mut files = archive.files()?;
    files.retain(|file| file.counts_now() && file.name == name);
    match files.len() {
        0 => Err(EngineError::NoSuchFile { name: name.to_owned() }),
        1 => Ok(files.remove(0)),
        _ => Err(EngineError::SeveralFiles {
            name: name.to_owned(),
            vintages: files.iter().map(|file| file.vintage).collect(),
        }),
    }
}

impl Running {
    /// Feeds a file in the place of earlier ones: only what differs between them, for a month that
    /// is published again is mostly the month that was.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if a segment cannot be read, [`EngineError::Worker`] if a worker
    /// died.
    pub fn replace(
        &mut self,
        folder: &Path,
        home: &Home,
        earlier: &[Vintage],
        sums: &Sums,
    ) -> Result<(), EngineError> {
        let city_of = |code: &str| home.places.city(code);
        let mut amounts = Amounts::default();
        let Self { names, calendar, segments, workers, recent, .. } = self;
        for vintage in earlier {
            let position = segments.iter().position(|segment| segment.vintage == *vintage);
            let Some(position) = position else { continue };
            let gone = segments.remove(position);
            recent.forget_through(gone.period);
            let read = segment::read(folder, &gone.stored, Fields::Figures, &city_of);
            let (texts, records) = read.map_err(|source| gone.not_read(source))?;
            Sums::of(&texts, &records).shipments(names, |shipment| {
                amounts.add(&shipment, calendar.roles(shipment.period), -1);
            });
        }
        sums.shipments(names, |shipment| {
            amounts.add(&shipment, calendar.roles(shipment.period), 1);
        });
        for updates in net(amounts.take(0)).chunks(UPDATES_AT_A_TIME) {
            workers.feed(updates.to_vec())?;
        }
        Ok(())
    }

    /// Writes the annual cells as the last publication left them.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if the snapshot cannot be written, [`EngineError::Worker`] if a
    /// worker died.
    pub fn snapshot(
        &mut self,
        folder: &Path,
        home: &Home,
        publication: Publication,
    ) -> Result<Snapshot, EngineError> {
        let city = |city: City| home.places.code(city);
        let Self { names, workers, .. } = self;
        let texts = SnapshotTexts { firms: &names.firms, countries: &names.countries, city: &city };
        let mut writer = SnapshotWriter::create(folder, publication, texts)?;
        workers.cells(|output| {
            let Output::Cells(cells) = output else { return Ok(()) };
            let cells: Vec<_> =
                cells.iter().map(|(key, cell)| snapshot_cell(*key, *cell)).collect();
            Ok::<(), EngineError>(writer.write(&cells)?)
        })?;
        Ok(writer.finish()?)
    }
}

fn snapshot_cell(key: CellKey, cell: Cell) -> SnapshotCell {
    SnapshotCell {
        year: key.year,
        firm: key.firm.0,
        country: u32::from(key.country.0),
        city: key.city,
        cents: [cell.cur, cell.base, cell.import],
    }
}

/// What is left of updates when those of a cell are added up, without what cancels out.
fn net(mut updates: Vec<(CellKey, Cell)>) -> Vec<(CellKey, Cell)> {
    updates.sort_unstable_by_key(|(key, _)| *key);
    let sums = updates.chunk_by(|a, b| a.0 == b.0).map(|same| {
        let sum = same.iter().fold(Cell::default(), |sum, (_, cell)| Cell {
            cur: sum.cur + cell.cur,
            base: sum.base + cell.base,
            import: sum.import + cell.import,
        });
        (same[0].0, sum)
    });
    sums.filter(|(_, sum)| *sum != Cell::default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Firm;

    #[test]
    fn what_two_versions_of_a_month_share_cancels_out() {
        let key = |firm| CellKey { firm: Firm(firm), ..CellKey::default() };
        let cell = |cur| Cell { cur, ..Cell::default() };
        let updates = [(2, -70), (1, -50), (1, 50), (2, 70), (3, -9), (3, 10)];
        let updates = updates.map(|(firm, cur)| (key(firm), cell(cur))).to_vec();
        assert_eq!(net(updates), [(key(3), cell(1))]);
    }
}
