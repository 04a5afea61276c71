//! The recorded state of a home: its definition, calendar and counted segments.

use super::EngineError;
use super::running::LiveSegment;
use super::span::first_month;
use crate::domain::calendar::Calendar;
use crate::domain::types::Period;
use crate::feed::profile::Profile;
use crate::home::definition::{Definition, DefinitionError};
use crate::home::{FileEntry, Home};

/// The calendar of the home; `None` before the first file.
///
/// # Errors
/// [`EngineError::Home`] if the manifest cannot be read.
pub fn calendar(home: &Home) -> Result<Option<Calendar>, EngineError> {
    let closed = home.closed()?;
    let first = match closed.first() {
        Some((period, _)) => Some(*period),
        None => first_of_files(home)?,
    };
    let last = closed.last().map(|(period, _)| *period);
    Ok(first.map(|first| Calendar::closed_through(first, last)))
}

/// The first month of files of which none closed one.
fn first_of_files(home: &Home) -> Result<Option<Period>, EngineError> {
    let Some(profile) = recorded_profile(home)? else { return Ok(home.first_period()?) };
    let first = |file: FileEntry| match file.covered {
        Some(covered) => first_month(&profile, (covered.first, &covered.records)),
        None => file.period,
    };
    Ok(home.files()?.into_iter().map(first).min())
}

/// The counted segments, in order of vintage.
///
/// # Errors
/// [`EngineError::Home`] if the manifest cannot be read.
pub fn live_segments(home: &Home) -> Result<Vec<LiveSegment>, EngineError> {
    let files = home.files()?.into_iter().filter(FileEntry::counts_now);
    Ok(files.map(segment_of).collect())
}

/// The counted segment of a file.
pub(super) fn segment_of(file: FileEntry) -> LiveSegment {
    LiveSegment {
        vintage: file.vintage,
        name: file.name,
        period: file.period,
        months: file.months,
        stored: file.segment,
        covered: file.covered,
        gone: file.replaced.iter().map(|of| (of.period, of.flow)).collect(),
    }
}

/// The recorded definition of a home's figures; `None` before the first commit.
///
/// # Errors
/// [`EngineError::Home`] if it cannot be read, [`EngineError::Definition`] if it cannot be used.
pub fn recorded(home: &Home) -> Result<Option<Definition>, EngineError> {
    Ok(home.definition()?.map(Definition::read).transpose()?)
}

/// The recorded layout of a home; `None` before the first commit.
///
/// # Errors
/// Those of [`recorded`].
pub fn recorded_profile(home: &Home) -> Result<Option<Profile>, EngineError> {
    let Some(texts) = home.definition()? else { return Ok(None) };
    let (_, profile) = texts.options().map_err(DefinitionError::Settings)?;
    Ok(Some(profile))
}
