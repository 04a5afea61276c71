//! Opening a home: what it has recorded, what a run asks for, and the state that both come to.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::EngineError;
use super::outcome::Observer;
use super::restore::{Restored, State};
use super::running::{Home, LiveSegment, Running};
use crate::domain::calendar::Calendar;
use crate::domain::types::Period;
use crate::feed::places::Places;
use crate::feed::profile::{Profile, Revision};
use crate::feed::reference::{CITIES, COUNTRIES, REGIONS, ReferenceTexts, TablesBeside};
use crate::files;
use crate::home::settings::{Close, Config, Retention, Settings};
use crate::home::{Archive, ArchiveError, Definitions, FileEntry};
use crate::tables::supply::Supply;

/// What a run asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The options file's content.
    pub config: Config,
    /// The layout asked for, by name or by the feed's own `feed.toml`.
    pub profile: Option<Profile>,
    /// The reference tables beside the feed.
    pub references: TablesBeside,
    /// How many workers compute.
    pub n_workers: usize,
}

/// Options about how files are taken in: they may change from run to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntakeOptions {
    /// What closes a month.
    pub close: Close,
    /// What to do with another file for a month that has one.
    pub revision: Revision,
    /// The share of a file's lines that may be rejected.
    pub max_rejected_share: f64,
    /// Which published vintages are stored.
    pub retention: Retention,
}

/// A home that is open to take in files.
pub struct Engine {
    pub(super) archive: Archive,
    pub(super) home: Arc<Home>,
    pub(super) options: IntakeOptions,
    pub(super) n_workers: usize,
    /// What to record with the first commit; none once that is done.
    pub(super) unrecorded: Option<Definitions>,
    pub(super) running: Option<Running>,
    /// From what the state was restored.
    pub(super) restored: Restored,
}

impl Engine {
    /// Opens a home to write it, and restores the state from its archive.
    ///
    /// # Errors
    /// - [`EngineError::Archive`] if the home cannot be written or read, or another process writes
    ///   it.
    /// - [`EngineError::Records`] if the records of a file are damaged and no newer snapshot has
    ///   them.
    /// - [`EngineError::Stopped`] if `progress` says so.
    /// - [`EngineError::Settings`], [`EngineError::ReferenceDiffers`] if the run asks for other
    ///   figures than recorded.
    /// - [`EngineError::Places`], [`EngineError::Supply`], [`EngineError::ReadSupply`] if a table
    ///   cannot be used.
    /// - [`EngineError::OtherFigures`] if an earlier version published something else than the
    ///   records make.
    pub fn open(
        folder: &Path,
        request: Request,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Self, EngineError> {
        let mut engine = Self::closed(folder, request)?;
        engine.restore(progress)?;
        Ok(engine)
    }

    /// An engine whose state is not restored yet.
    pub(super) fn closed(folder: &Path, request: Request) -> Result<Self, EngineError> {
        // What the run brings is checked before a home is made for it.
        let (mut home, mut definitions) = match Archive::read(folder) {
            Ok(archive) => defined(Some(&archive), &request)?,
            Err(ArchiveError::NoHome { .. }) => defined(None, &request)?,
            Err(error) => return Err(error.into()),
        };
        let archive = Archive::open(folder)?;
        let recorded = recorded(&archive)?;
        // Until it was locked another process may have written others.
        if recorded.as_ref().is_some_and(|(_, now)| *now != definitions) {
            (home, definitions) = defined(Some(&archive), &request)?;
        }
        let home = Arc::new(home);
        let unrecorded = recorded.is_none().then_some(definitions);
        let Request { config, n_workers, .. } = request;
        let options = IntakeOptions {
            close: config.close.unwrap_or_default(),
            revision: config.revision.unwrap_or(home.settings.profile.revision),
            max_rejected_share: config.max_rejected_share.unwrap_or(0.05),
            retention: config.retention.unwrap_or_default(),
        };
        Ok(Self {
            archive,
            home,
            options,
            n_workers,
            unrecorded,
            running: None,
            restored: Restored::default(),
        })
    }

    fn restore(
        &mut self,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let Some(state) = State::now(&self.archive)? else { return Ok(()) };
        let mut running = Running::start(&self.home, state.calendar, self.n_workers)?;
        self.restored = running.restore(&self.archive, &self.home, &state, progress)?;
        self.running = Some(running);
        self.upgrade()
    }

    /// From what the state was restored when the home was opened.
    #[must_use]
    pub fn restored(&self) -> &Restored {
        &self.restored
    }

    /// The feed's layout.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.home.settings.profile
    }

    /// Has an observer do what a process that ended too early left undone.
    pub fn catch_up(&mut self, observer: &mut dyn Observer) {
        observer.opened(&mut self.archive);
    }

    /// The archive, to look things up.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The month that closes next; none before the first file.
    #[must_use]
    pub fn next_to_close(&self) -> Option<Period> {
        self.running.as_ref().map(|running| running.calendar.next_to_close())
    }
}

/// What defines the figures: as recorded, and then the run must not ask for others, or else as the
/// run asks.
fn defined(
    archive: Option<&Archive>,
    request: &Request,
) -> Result<(Home, Definitions), EngineError> {
    let (settings, definitions) = match archive.map(recorded).transpose()?.flatten() {
        Some((settings, definitions)) => {
            settings.check(&request.config, request.profile.as_ref())?;
            same_references(&settings, &definitions, request)?;
            (settings, definitions)
        }
        None => new_definitions(request)?,
    };
    Ok((home_of(settings, &definitions)?, definitions))
}

/// The calendar as the archive has it; none before the first file.
///
/// # Errors
/// [`EngineError::Archive`] if the manifest cannot be read.
pub fn calendar(archive: &Archive) -> Result<Option<Calendar>, EngineError> {
    let closed = archive.closed()?;
    let first = closed.first().map(|(period, _)| *period).or(archive.first_period()?);
    let last = closed.last().map(|(period, _)| *period);
    Ok(first.map(|first| Calendar::closed_through(first, last)))
}

/// The segments that count, in order of vintage.
///
/// # Errors
/// [`EngineError::Archive`] if the manifest cannot be read.
pub fn live_segments(archive: &Archive) -> Result<Vec<LiveSegment>, EngineError> {
    let files = archive.files()?.into_iter().filter(FileEntry::counts_now);
    Ok(files.map(segment_of).collect())
}

pub(super) fn segment_of(file: FileEntry) -> LiveSegment {
    LiveSegment {
        vintage: file.vintage,
        name: file.name,
        period: file.period,
        months: file.months,
        stored: file.segment,
    }
}

/// The options and reference tables that a home has recorded; none before the first commit.
///
/// # Errors
/// [`EngineError::Archive`], [`EngineError::Settings`] if they cannot be read.
pub fn recorded(archive: &Archive) -> Result<Option<(Settings, Definitions)>, EngineError> {
    let Some(settings) = archive.settings()? else { return Ok(None) };
    let references = archive.references()?;
    Ok(Some((Settings::from_toml(&settings)?, Definitions { settings, references })))
}

/// The home that recorded definitions make.
///
/// # Errors
/// [`EngineError::Places`], [`EngineError::Supply`] if a table cannot be used.
pub fn home_of(settings: Settings, definitions: &Definitions) -> Result<Home, EngineError> {
    let table = |name: &str| {
        let found = definitions.references.iter().find(|(table, _)| table == name);
        found.map(|(_, text)| text.clone())
    };
    let texts = ReferenceTexts {
        cities: table(CITIES).unwrap_or_default(),
        regions: table(REGIONS),
        countries: table(COUNTRIES),
    };
    let supply = table(SUPPLY).map(|text| Supply::parse(&text)).transpose();
    let supply =
        supply.map_err(|source| EngineError::Supply { path: PathBuf::from(SUPPLY), source })?;
    Ok(Home::new(settings, Places::parse(&texts)?, supply))
}

pub(super) const SUPPLY: &str = "supply.csv";

fn new_definitions(request: &Request) -> Result<(Settings, Definitions), EngineError> {
    let profile = match (&request.profile, &request.config.profile) {
        (Some(profile), _) => profile.clone(),
        (None, Some(name)) => Profile::bundled(name)?,
        (None, None) => Profile::bundled("canonical")?,
    };
    let settings = Settings::new(&request.config, profile);
    let texts = ReferenceTexts::of(request.references.clone(), &settings.profile);
    let mut references: Vec<(String, String)> =
        texts.named().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    if let Some(path) = &request.config.supply {
        references.push((SUPPLY.to_owned(), read_supply(path)?));
    }
    let definitions = Definitions { settings: settings.to_toml(), references };
    Ok((settings, definitions))
}

pub(super) fn read_supply(path: &Path) -> Result<String, EngineError> {
    let failed = |source| EngineError::ReadSupply { path: path.to_owned(), source };
    let text = files::read_text(path).map_err(failed)?;
    Supply::parse(&text).map_err(|source| EngineError::Supply { path: path.to_owned(), source })?;
    Ok(text)
}

fn same_references(
    settings: &Settings,
    recorded: &Definitions,
    request: &Request,
) -> Result<(), EngineError> {
    let beside = &request.references;
    // A home of before tables counted by themselves looked at none without a table of cities.
    let counts = settings.profile.checks_codes() || beside.cities.is_some();
    let asked = beside.named().filter(|_| counts);
    let mut asked: Vec<(&str, String)> =
        asked.map(|(name, text)| (name, text.to_owned())).collect();
    if let Some(path) = &request.config.supply {
        asked.push((SUPPLY, read_supply(path)?));
    }
    for (table, text) in asked {
        let known = recorded.references.iter().find(|(name, _)| name == table);
        let table = table.to_owned();
        match known {
            None => return Err(EngineError::ReferenceNew { table }),
            Some((_, known)) if *known != text => {
                return Err(EngineError::ReferenceDiffers { table });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_of_before_tables_counted_by_themselves_takes_its_feed_as_it_was() {
        let canonical = Profile::bundled("canonical").expect("a shipped profile");
        let new = Settings::new(&Config::default(), canonical);
        let mut old = new.clone();
        old.profile.countries = None;
        let cities = "city,province,area_km2\n1101,11,100\n".to_owned();
        let references = vec![(CITIES.to_owned(), cities.clone())];
        let recorded = Definitions { settings: String::new(), references };
        let beside = |cities: Option<&String>| Request {
            references: TablesBeside {
                cities: cities.cloned(),
                countries: Some("country\n301\n".to_owned()),
                ..TablesBeside::default()
            },
            ..Request::default()
        };
        same_references(&old, &recorded, &beside(None)).expect("it was not looked at");
        for (settings, request) in [(&new, beside(None)), (&old, beside(Some(&cities)))] {
            let error = same_references(settings, &recorded, &request).expect_err("a new table");
            assert!(
                error.to_string().starts_with("countries.csv beside the feed is one"),
                "{error}"
            );
        }
        let request = Request {
            references: TablesBeside {
                cities: Some("city\n".to_owned()),
                ..TablesBeside::default()
            },
            ..Request::default()
        };
        let error = same_references(&new, &recorded, &request).expect_err("another table");
        assert!(error.to_string().starts_with("cities.csv beside the feed differs"), "{error}");
    }
}
