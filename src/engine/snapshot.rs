//! Saves the annual cells of a publication for a fast restart.

use std::path::Path;

use super::EngineError;
use super::open::Engine;
use super::running::Running;
use crate::dataflow::{Cell, CellKey, Output};
use crate::domain::types::City;
use crate::home::Publication;
use crate::home::definition::Definition;
use crate::home::snapshot::{Snapshot, SnapshotCell, SnapshotTexts, SnapshotWriter};

impl Engine {
    /// Saves a snapshot if a year has closed since the last one.
    ///
    /// Separate from the intake: a file that only speeds up the next start does not delay the
    /// tables. A backfill of several years saves one snapshot at its end; after an interruption,
    /// the next start reads the segments.
    ///
    /// # Errors
    /// Those of [`Engine::snapshot`]; ingested files stay accepted.
    pub fn snapshot_if_due(&mut self) -> Result<(), EngineError> {
        let newest = self.newest_snapshot()?;
        let closed = self.home.closed()?;
        let mut decembers = closed.iter().filter(|(month, _)| month.month() == 12);
        if decembers.any(|(_, at)| Some(*at) > newest) {
            self.snapshot()?;
        }
        Ok(())
    }

    /// Saves a snapshot of the newest publication; `None` before the first publication, or if the
    /// snapshot exists.
    ///
    /// # Errors
    /// [`EngineError::Home`] if it cannot be written, [`EngineError::Worker`] if a worker died.
    pub fn snapshot(&mut self) -> Result<Option<Snapshot>, EngineError> {
        let newest = self.newest_snapshot()?;
        let last = self.home.last_publication()?.map(|(last, _)| last);
        let (Some(running), Some(last)) = (self.running.as_mut(), last) else { return Ok(None) };
        if newest == Some(last) {
            return Ok(None);
        }
        let snapshot = running.snapshot(self.home.folder(), &self.definition, last)?;
        let damaged: Vec<Publication> =
            self.restored.damaged.iter().map(|(publication, _)| *publication).collect();
        self.home.keep_snapshot(&snapshot, &damaged)?;
        self.restored.damaged.clear();
        Ok(Some(snapshot))
    }

    /// The publication of the newest snapshot that is not known to be damaged.
    pub(super) fn newest_snapshot(&self) -> Result<Option<Publication>, EngineError> {
        let damaged = |of: &Publication| self.restored.damaged.iter().any(|(at, _)| at == of);
        let publications = self.home.snapshots()?.into_iter().map(|kept| kept.publication);
        Ok(publications.into_iter().find(|publication| !damaged(publication)))
    }
}

impl Running {
    /// Writes the annual cells of the last publication.
    ///
    /// # Errors
    /// [`EngineError::Home`] if the snapshot cannot be written, [`EngineError::Worker`] if a
    /// worker died.
    pub fn snapshot(
        &mut self,
        folder: &Path,
        definition: &Definition,
        publication: Publication,
    ) -> Result<Snapshot, EngineError> {
        let city = |city: City| definition.places.code(city);
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
