//! Upgrades a home of an earlier version: writes its newest tables in the form of this version.
//!
//! Homes up to layout 3 of the manifest store the figures of rows, and later changes cannot build
//! on these. The engine therefore publishes the tables again before it does anything else. They
//! keep their vintage and their figures, which the engine compares. Readers take older vintages
//! from the old files.

use std::sync::Arc;

use super::EngineError;
use super::open::Engine;
use crate::home::parts::{Layout, Part, Table};
use crate::home::{Commit, Home, HomeError, Publication};
use crate::tables::export::{ExportError, TableAt};

impl Engine {
    /// Writes the newest tables in the form of this version, if they have an older form.
    ///
    /// # Errors
    /// - [`EngineError::OtherFigures`] if their figures would change.
    /// - [`EngineError::Home`] if they cannot be written, [`EngineError::Worker`] if a worker
    ///   died.
    pub(super) fn upgrade(&mut self) -> Result<(), EngineError> {
        let definition = Arc::clone(&self.definition);
        let (home, Some(running)) = (&mut self.home, self.running.as_mut()) else {
            return Ok(());
        };
        if !has_figures(home)? {
            return Ok(());
        }
        let last = home.last_publication()?.map_or(0, |(last, _)| last.0);
        let publication = Publication(last + 1);
        running.publish_all_whole();
        let mut parts = running.publish(home.folder(), &definition, publication)?;
        for table in Table::ALL {
            let before = TableAt::published(home, table, None, &definition)?;
            same_figures(&before, &TableAt::of_parts(home.folder(), table, &parts, &definition))?;
        }
        let plant = home.parts(Table::Plant, None)?;
        for part in &mut parts {
            let before =
                plant.iter().filter(|old| (old.table, old.year) == (part.table, part.year));
            part.stands_for = Some(before.flat_map(Part::hashes).map(str::to_owned).collect());
        }
        home.commit(&Commit { publication, parts, ..Commit::default() })?;
        Ok(())
    }
}

/// True if the newest tables are stored as figures.
pub(super) fn has_figures(home: &Home) -> Result<bool, HomeError> {
    for table in Table::ALL {
        if home.parts(table, None)?.iter().any(|part| part.layout == Layout::Figures) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Compares two states of a table; a year that is damaged in the first state is not compared.
fn same_figures(before: &TableAt, after: &TableAt) -> Result<(), EngineError> {
    for year in before.years() {
        let was = match before.year(year) {
            Err(ExportError::Home(error)) if error.is_damage() => continue,
            rows => rows?,
        };
        if was != after.year(year)? {
            return Err(EngineError::OtherFigures { table: before.table().name(), year });
        }
    }
    Ok(())
}
