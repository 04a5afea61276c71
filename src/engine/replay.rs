//! The archive's shipments once more, for what recomputes: `verify` and `explain`.

use super::EngineError;
use super::open::{calendar, home_of, live_segments, recorded};
use super::running::{Home, LiveSegment, Names};
use crate::archive::Archive;
use crate::archive::segment::{self, Fields};
use crate::calendar::Calendar;
use crate::feed::record::{Record, Texts};

/// A home that is open to recompute its figures.
pub struct Replay {
    /// The archive.
    pub archive: Archive,
    /// What defines the figures.
    pub home: Home,
    /// The closed months.
    pub calendar: Calendar,
    /// The segments that count, in order of vintage.
    pub segments: Vec<LiveSegment>,
    /// Firms and countries, as far as segments have been read.
    pub names: Names,
}

impl Replay {
    /// Opens a home to read it.
    ///
    /// # Errors
    /// - [`EngineError::Archive`] if it cannot be read.
    /// - [`EngineError::Empty`] if it has no file yet.
    pub fn open(archive: Archive) -> Result<Self, EngineError> {
        let Some((settings, definitions)) = recorded(&archive)? else {
            return Err(EngineError::Empty);
        };
        let calendar = calendar(&archive)?.ok_or(EngineError::Empty)?;
        let segments = live_segments(&archive)?;
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
