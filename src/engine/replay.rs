//! Reads the records of the home again: shipments for `verify` and `explain`, and the tables of
//! vintages inside a batch or no longer stored.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::EngineError;
use super::names::Names;
use super::recorded::{calendar, live_segments, recorded, recorded_profile};
use super::restore::State;
use super::running::{LiveSegment, Running};
use crate::domain::calendar::Calendar;
use crate::domain::record::{Record, Texts};
use crate::domain::types::Vintage;
use crate::files::scratch::Scratch;
use crate::home::definition::Definition;
use crate::home::parts::{Part, Table};
use crate::home::segment::{self, Fields};
use crate::home::{Home, Publication};
use crate::tables::export::{ExportError, TableAt};

/// A home that is open for the recomputation of its figures.
pub struct Replay<'a> {
    /// The home.
    pub home: &'a Home,
    /// The definition of the figures.
    pub definition: Arc<Definition>,
    /// The closed months.
    pub calendar: Calendar,
    /// The counted segments, in order of vintage.
    pub segments: Vec<LiveSegment>,
    /// The firms and countries of the segments read so far.
    pub names: Names,
}

impl<'a> Replay<'a> {
    /// Opens a home for reading.
    ///
    /// # Errors
    /// - [`EngineError::Home`] if the home cannot be read.
    /// - [`EngineError::Empty`] if the home has no file yet.
    pub fn open(home: &'a Home) -> Result<Self, EngineError> {
        let definition = recorded(home)?.ok_or(EngineError::Empty)?;
        let calendar = calendar(home)?.ok_or(EngineError::Empty)?;
        let segments = live_segments(home)?;
        let definition = Arc::new(definition);
        Ok(Self { home, definition, calendar, segments, names: Names::default() })
    }

    /// Reads a segment and checks its hash.
    ///
    /// # Errors
    /// [`EngineError::Home`] if the segment is missing or damaged.
    pub fn read(
        &self,
        segment: &LiveSegment,
        fields: Fields,
    ) -> Result<(Texts, Vec<Record>), EngineError> {
        let city_of = |code: &str| self.definition.places.city(code);
        let (mut texts, mut records) =
            segment::read(self.home.folder(), &segment.stored, fields, &city_of)?;
        self.definition.successions.carry_over(&mut texts, &mut records);
        segment.retain_counting(&mut records);
        Ok((texts, records))
    }
}

/// Both tables at a vintage.
pub struct Standing {
    definition: Arc<Definition>,
    parts: Stood,
}

enum Stood {
    /// The tables of a publication; `None` for the newest.
    Published(Option<Vintage>),
    /// Recomputed tables in a temporary folder, which is removed with this value.
    Replayed(Scratch, Vec<Part>),
}

impl Standing {
    /// The tables at a vintage. Vintages inside a batch, and published vintages that are no longer
    /// stored, are replayed. The replay starts from an earlier snapshot if there is one; it only
    /// reads the home.
    ///
    /// # Errors
    /// - [`EngineError::Home`] if the home cannot be read.
    /// - [`EngineError::Empty`] if the home has no file yet.
    /// - [`EngineError::BeforeRebuild`] if other records counted then than the home now has.
    /// - [`EngineError::NotStored`] if a vintage that is no longer stored cannot be replayed
    ///   either.
    /// - [`EngineError::Temporary`] if no temporary folder can be created.
    /// - [`EngineError::Worker`] if a worker died.
    pub fn at(
        home: &Home,
        vintage: Option<Vintage>,
        n_workers: usize,
    ) -> Result<Self, EngineError> {
        let newest = home.last_vintage()?;
        // The published tables refuse a vintage in the future.
        let Some(asked) = vintage.filter(|asked| Some(*asked) <= newest) else {
            let definition = recorded(home)?.ok_or(EngineError::Empty)?;
            return Ok(Self::published(vintage, Arc::new(definition)));
        };
        let Some(state) = State::at(home, asked)? else { return Err(EngineError::Empty) };
        let definition = Arc::new(definition_then(home, &state)?);
        if state.is_published && home.is_stored(asked)? {
            return Ok(Self::published(vintage, definition));
        }
        match replay(home, &state, &definition, n_workers) {
            Ok((folder, parts)) => Ok(Self { definition, parts: Stood::Replayed(folder, parts) }),
            Err(source) if state.is_published => Err(not_stored(home, asked, source)?),
            Err(error) => Err(error),
        }
    }

    fn published(vintage: Option<Vintage>, definition: Arc<Definition>) -> Self {
        Self { definition, parts: Stood::Published(vintage) }
    }

    /// One of the tables.
    ///
    /// # Errors
    /// Those of [`TableAt::published`].
    pub fn table(&self, home: &Home, table: Table) -> Result<TableAt, ExportError> {
        match &self.parts {
            Stood::Published(as_of) => TableAt::published(home, table, *as_of, &self.definition),
            Stood::Replayed(folder, parts) => {
                Ok(TableAt::of_parts(folder.path(), table, parts, &self.definition))
            }
        }
    }
}

/// The publication whose definition is that of a state. Within a step, that is the step's: the
/// tables with further codes are recorded with the first file that has them.
fn defining(home: &Home, state: &State) -> Result<Publication, EngineError> {
    let published = home.publications()?;
    let of_step = published.iter().find(|(_, newest)| *newest > state.vintage);
    let of_step = of_step.filter(|_| !state.is_published).map(|(publication, _)| *publication);
    Ok(of_step.unwrap_or(state.publication))
}

/// The definition of a state's figures; an error before the first publication.
fn definition_then(home: &Home, state: &State) -> Result<Definition, EngineError> {
    let texts = home.definition_at(defining(home, state)?)?;
    Ok(Definition::read(texts.ok_or(EngineError::Empty)?)?)
}

/// The definition of a state's figures, if the home has the records that counted then.
///
/// # Errors
/// - [`EngineError::Home`] if the home cannot be read.
/// - [`EngineError::Empty`] if the home has no file yet.
/// - [`EngineError::BeforeRebuild`] if other records counted then than the home now has.
pub fn definition_of(home: &Home, state: &State) -> Result<Arc<Definition>, EngineError> {
    let definition = definition_then(home, state)?;
    check_records(home, state, &definition)?;
    Ok(Arc::new(definition))
}

fn check_records(home: &Home, state: &State, definition: &Definition) -> Result<(), EngineError> {
    let now = recorded_profile(home)?.ok_or(EngineError::Empty)?;
    if definition.profile.exclusions == now.exclusions {
        return Ok(());
    }
    let published = home.publications()?;
    let before = published.iter().find(|(at, _)| *at == state.publication);
    let before = before.map_or(Vintage(0), |(_, vintage)| *vintage);
    Err(EngineError::BeforeRebuild { vintage: state.vintage, before })
}

/// Recomputes the tables of a state.
fn replay(
    home: &Home,
    state: &State,
    definition: &Definition,
    n_workers: usize,
) -> Result<(Scratch, Vec<Part>), EngineError> {
    check_records(home, state, definition)?;
    let mut running = Running::start(definition, state.calendar, n_workers)?;
    running.restore(home, definition, state, |_| ControlFlow::Continue(()))?;
    running.publish_all_whole();
    let folder = Scratch::create().map_err(EngineError::Temporary)?;
    let parts = running.publish(folder.path(), definition, Publication(1))?;
    Ok((folder, parts))
}

/// The error with the nearest stored vintages, for a vintage that cannot be recomputed.
fn not_stored(
    home: &Home,
    vintage: Vintage,
    source: EngineError,
) -> Result<EngineError, EngineError> {
    let stored = home.stored_vintages()?.into_iter().filter(|(_, is_stored)| *is_stored);
    let stored: Vec<Vintage> = stored.map(|(vintage, _)| vintage).collect();
    let before = stored.iter().rev().find(|of| **of < vintage).copied();
    let after = stored.iter().find(|of| **of > vintage).copied();
    let source = Box::new(source);
    Ok(EngineError::NotStored { vintage, before, after, source })
}
