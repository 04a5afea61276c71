//! The archive once more: its shipments for what recomputes (`verify`, `explain`), and the tables
//! as they stood at a vintage that was not published by itself, or is not stored any more.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::EngineError;
use super::open::{calendar, home_of, live_segments, recorded};
use super::restore::State;
use super::running::{Home, LiveSegment, Names, Running};
use crate::domain::calendar::Calendar;
use crate::domain::record::{Record, Texts};
use crate::domain::types::Vintage;
use crate::files::scratch::Scratch;
use crate::home::parts::{Part, Table};
use crate::home::segment::{self, Fields};
use crate::home::settings::Settings;
use crate::home::{Archive, Publication};
use crate::tables::Basis;
use crate::tables::export::{ExportError, TableAt};

/// A home that is open to recompute its figures.
pub struct Replay<'a> {
    /// The archive.
    pub archive: &'a Archive,
    /// What defines the figures.
    pub home: Home,
    /// The closed months.
    pub calendar: Calendar,
    /// The segments that count, in order of vintage.
    pub segments: Vec<LiveSegment>,
    /// Firms and countries, as far as segments have been read.
    pub names: Names,
}

impl<'a> Replay<'a> {
    /// Opens a home to read it.
    ///
    /// # Errors
    /// - [`EngineError::Archive`] if it cannot be read.
    /// - [`EngineError::Empty`] if it has no file yet.
    pub fn open(archive: &'a Archive) -> Result<Self, EngineError> {
        let Some((settings, definitions)) = recorded(archive)? else {
            return Err(EngineError::Empty);
        };
        let calendar = calendar(archive)?.ok_or(EngineError::Empty)?;
        let segments = live_segments(archive)?;
        let home = home_of(settings, &definitions)?;
        Ok(Self { archive, home, calendar, segments, names: Names::default() })
    }

    /// Reads a segment, its hash checked.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if it is missing or damaged.
    pub fn read(
        &self,
        segment: &LiveSegment,
        fields: Fields,
    ) -> Result<(Texts, Vec<Record>), EngineError> {
        let city_of = |code: &str| self.home.places.city(code);
        Ok(segment::read(self.archive.home(), &segment.stored, fields, &city_of)?)
    }
}

/// Both tables as they stood at some vintage.
pub struct Standing {
    basis: Arc<Basis>,
    parts: Stood,
}

enum Stood {
    /// As a publication left them; none: the newest.
    Published(Option<Vintage>),
    /// Computed once more, in a folder of their own that goes with this value.
    Replayed(Scratch, Vec<Part>),
}

impl Standing {
    /// The tables as of a vintage. Files that were published together with later ones, and what was
    /// published and is not stored any more, are replayed up to that vintage, from a snapshot where
    /// one is not after it; the home is only read.
    ///
    /// # Errors
    /// - [`EngineError::Archive`] if the home cannot be read.
    /// - [`EngineError::Empty`] if it has no file yet.
    /// - [`EngineError::BeforeRebuild`] if other records counted then than the archive now tells.
    /// - [`EngineError::NotStored`] if what is not stored any more cannot be replayed either.
    /// - [`EngineError::Temporary`] if there is no place for the tables.
    /// - [`EngineError::Worker`] if a worker died.
    pub fn at(
        archive: &Archive,
        vintage: Option<Vintage>,
        n_workers: usize,
    ) -> Result<Self, EngineError> {
        let newest = archive.last_vintage()?;
        // A vintage that is still to come is for the published tables to refuse.
        let Some(asked) = vintage.filter(|asked| Some(*asked) <= newest) else {
            let definitions = recorded(archive)?;
            let basis = definitions.map(|(settings, of)| home_of(settings, &of)).transpose()?;
            return Ok(Self::published(vintage, basis.ok_or(EngineError::Empty)?.basis()));
        };
        let Some(state) = State::at(archive, asked)? else { return Err(EngineError::Empty) };
        // Before the first publication there is nothing, whatever would have defined it.
        let definitions = archive.definitions_at(state.publication)?.ok_or(EngineError::Empty)?;
        let settings = Settings::from_toml(&definitions.settings)?;
        let home = home_of(settings, &definitions)?;
        if state.is_published && archive.is_stored(asked)? {
            return Ok(Self::published(vintage, home.basis()));
        }
        match replay(archive, &state, &home, n_workers) {
            Ok((folder, parts)) => {
                Ok(Self { basis: home.basis(), parts: Stood::Replayed(folder, parts) })
            }
            Err(source) if state.is_published => Err(not_stored(archive, asked, source)?),
            Err(error) => Err(error),
        }
    }

    fn published(vintage: Option<Vintage>, basis: Arc<Basis>) -> Self {
        Self { basis, parts: Stood::Published(vintage) }
    }

    /// One of the tables.
    ///
    /// # Errors
    /// Those of [`TableAt::published`].
    pub fn table(&self, archive: &Archive, table: Table) -> Result<TableAt, ExportError> {
        match &self.parts {
            Stood::Published(as_of) => TableAt::published(archive, table, *as_of, &self.basis),
            Stood::Replayed(folder, parts) => {
                Ok(TableAt::of_parts(folder.path(), table, parts, &self.basis))
            }
        }
    }
}

/// Computes the tables of a state once more.
fn replay(
    archive: &Archive,
    state: &State,
    home: &Home,
    n_workers: usize,
) -> Result<(Scratch, Vec<Part>), EngineError> {
    let (now, _) = recorded(archive)?.ok_or(EngineError::Empty)?;
    if home.settings.profile.exclusions != now.profile.exclusions {
        let published = archive.publications()?;
        let before = published.iter().find(|(at, _)| *at == state.publication);
        let before = before.map_or(Vintage(0), |(_, vintage)| *vintage);
        return Err(EngineError::BeforeRebuild { vintage: state.vintage, before });
    }
    let mut running = Running::start(home, state.calendar, n_workers)?;
    running.restore(archive, home, state, |_| ControlFlow::Continue(()))?;
    running.publish_all_whole();
    let folder = Scratch::create().map_err(EngineError::Temporary)?;
    let parts = running.publish(folder.path(), home, Publication(1))?;
    Ok((folder, parts))
}

/// Says which vintages beside one that cannot be had are stored.
fn not_stored(
    archive: &Archive,
    vintage: Vintage,
    source: EngineError,
) -> Result<EngineError, EngineError> {
    let stored = archive.stored_vintages()?.into_iter().filter(|(_, is_stored)| *is_stored);
    let stored: Vec<Vintage> = stored.map(|(vintage, _)| vintage).collect();
    let before = stored.iter().rev().find(|of| **of < vintage).copied();
    let after = stored.iter().find(|of| **of > vintage).copied();
    let source = Box::new(source);
    Ok(EngineError::NotStored { vintage, before, after, source })
}
