//! Opens a home: its recorded definition, the request of a run, and the state that follows from
//! both.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::codes_seen::CodesSeen;
use super::outcome::Observer;
use super::recorded::recorded;
use super::restore::{Restored, State};
use super::running::{LiveSegment, Running};
use super::{EngineError, again};
use crate::domain::finding::FindingKind;
use crate::domain::record::Record;
use crate::domain::types::{Period, Vintage};
use crate::feed::profile::{Covers, Profile, ProfileError, Revision};
use crate::feed::reference::{
    CITIES, FIRMS, GROUPS, REGIONS, ReferenceTexts, TablesBeside, changed_row,
};
use crate::feed::regions::has_months;
use crate::feed::supply::Supply;
use crate::files;
use crate::home::definition::{Definition, DefinitionTexts, SUPPLY};
use crate::home::options::{Close, Config, Retention, SettingsError};
use crate::home::segment::{self, Fields};
use crate::home::{Commit, Home, HomeError, Publication, Rebuilt};

/// The options, layout and reference tables of a run.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The content of the options file.
    pub config: Config,
    /// The requested layout, by name or from the feed's `feed.toml`.
    pub profile: Option<Profile>,
    /// The reference tables in the feed's folder.
    pub references: TablesBeside,
    /// The number of worker threads.
    pub n_workers: usize,
}

/// Options of the intake, which may change from run to run.
#[derive(Clone, Debug, PartialEq)]
pub struct IntakeOptions {
    /// The rule that closes a month.
    pub close: Close,
    /// The treatment of another file for a month.
    pub revision: Revision,
    /// The share of a file's lines that may be rejected.
    pub max_rejected_share: f64,
    /// The published vintages that are stored.
    pub retention: Retention,
    /// Months that a new version of a file may shrink.
    pub allow_shrink: Vec<Period>,
    /// Findings that refuse a file.
    pub refuse: Vec<FindingKind>,
}

/// A home that is open for intake.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::ops::ControlFlow;
/// use spillover::engine::{Engine, Request};
///
/// # let folder = tempfile::tempdir()?;
/// let home = folder.path().join("home");
/// let request = Request { n_workers: 1, ..Request::default() };
/// let engine = Engine::open(&home, request, |_| ControlFlow::Continue(()))?;
/// assert_eq!(engine.profile().name, "canonical");
/// assert_eq!(engine.next_to_close(), None, "the first file says where the feed begins");
/// # Ok(())
/// # }
/// ```
pub struct Engine {
    pub(super) home: Home,
    pub(super) definition: Arc<Definition>,
    pub(super) options: IntakeOptions,
    pub(super) n_workers: usize,
    /// True if the definition is recorded; the first commit records it.
    pub(super) is_recorded: bool,
    /// True if the profile adds to the recorded one; the next commit with a file records the
    /// additions.
    pub(super) has_additions: bool,
    /// The recorded definition, if this one differs.
    pub(super) recorded: Option<DefinitionTexts>,
    pub(super) running: Option<Running>,
    /// The source of the restored state.
    pub(super) restored: Restored,
    /// The codes of earlier files.
    pub(super) codes: CodesSeen,
}

impl Engine {
    /// Opens a home to write it, and restores its state.
    ///
    /// # Errors
    /// - [`EngineError::Home`] if the home cannot be written or read, or another process writes
    ///   it.
    /// - [`EngineError::Records`] if the records of a file are damaged and no newer snapshot has
    ///   them.
    /// - [`EngineError::Stopped`] if `progress` returns `Break`.
    /// - [`EngineError::Settings`], [`EngineError::ReferenceDiffers`] if the run asks for another
    ///   definition than the recorded one.
    /// - [`EngineError::Places`], [`EngineError::Supply`], [`EngineError::ReadSupply`] if a table
    ///   cannot be used.
    /// - [`EngineError::OtherFigures`] if the published figures of an earlier version differ from
    ///   the records.
    pub fn open(
        folder: &Path,
        request: Request,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Self, EngineError> {
        let mut engine = Self::closed(folder, request)?;
        engine.restore(progress)?;
        engine.check_renumbered()?;
        engine.read_again()?;
        Ok(engine)
    }

    /// An engine before the restore of its state.
    pub(super) fn closed(folder: &Path, request: Request) -> Result<Self, EngineError> {
        // The definition of the run is checked before a home is created.
        let mut definition = match Home::read(folder) {
            Ok(home) => defined(Some(&home), &request)?,
            Err(HomeError::NoHome { .. }) => defined(None, &request)?,
            Err(error) => return Err(error.into()),
        };
        let home = Home::open(folder)?;
        let recorded = home.definition()?;
        // Another process may have recorded a definition before the lock.
        if recorded.as_ref().is_some_and(|now| *now != definition.texts) {
            definition = defined(Some(&home), &request)?;
        }
        let definition = Arc::new(definition);
        let is_recorded = recorded.is_some();
        let recorded = recorded.filter(|recorded| *recorded != definition.texts);
        let has_additions = recorded.is_some();
        let Request { config, n_workers, .. } = request;
        let options = IntakeOptions {
            close: config.close.unwrap_or_default(),
            revision: config.revision.unwrap_or(definition.profile.revision),
            max_rejected_share: config.max_rejected_share.unwrap_or(0.05),
            retention: config.retention.unwrap_or_default(),
            refuse: config.refused_findings().to_vec(),
            allow_shrink: config.allow_shrink.iter().flatten().map(|month| month.0).collect(),
        };
        let covers = definition.profile.file.covers;
        if options.revision == Revision::ReplacePeriods && covers == Covers::Month {
            let problem = "revision = \"replace-periods\" needs files of several months: the \
                           profile must have [file] covers";
            return Err(ProfileError::Keys { origin: "spillover.toml".to_owned(), problem }.into());
        }
        let codes = CodesSeen::of(&home)?;
        Ok(Self {
            home,
            definition,
            options,
            n_workers,
            is_recorded,
            has_additions,
            recorded,
            running: None,
            restored: Restored::default(),
            codes,
        })
    }

    pub(super) fn restore(
        &mut self,
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let Some(state) = State::now(&self.home)? else { return Ok(()) };
        let mut running = Running::start(&self.definition, state.calendar, self.n_workers)?;
        self.restored = running.restore(&self.home, &self.definition, &state, progress)?;
        self.running = Some(running);
        self.upgrade()
    }

    /// Checks that a new row of `firms.csv` gives no line that was read to another firm.
    fn check_renumbered(&self) -> Result<(), EngineError> {
        let Some(recorded) = &self.recorded else { return Ok(()) };
        let before = Definition::read(recorded.clone())?;
        let changed = before.successions.changed(&self.definition.successions);
        let running = self.running.as_ref().filter(|_| !changed.is_empty());
        for segment in running.iter().flat_map(|running| &running.segments) {
            if let Some((firm, from)) = renumbered(segment, &self.home, &before, &changed)? {
                let file = segment.name.clone();
                return Err(EngineError::Renumbered { firm, from, file });
            }
        }
        Ok(())
    }

    /// Reads lines again that were rejected because the tables lacked codes which they have now. A
    /// new city changes the area of its province, and with it each year.
    fn read_again(&mut self) -> Result<(), EngineError> {
        let Some(first) = self.running.as_ref().map(|running| running.calendar.first()) else {
            return Ok(());
        };
        let Some(before) = self.recorded.take() else { return Ok(()) };
        let before = Definition::read(before)?;
        let definition = Arc::clone(&self.definition);
        let recovered = again::recovered(&self.home, (&before, &definition), first)?;
        let has_cities = before.texts.reference(CITIES) != definition.texts.reference(CITIES);
        let Some(running) = self.running.as_mut().filter(|_| has_cities || !recovered.is_empty())
        else {
            return Ok(());
        };
        let (last, newest) = self.home.last_publication()?.unwrap_or_default();
        let (publication, at) = (Publication(last.0 + 1), Vintage(newest.0 + 1));
        let (files, now) = again::accept_all(recovered, &self.home, running, at)?;
        if has_cities {
            running.publish_all_whole();
        }
        let parts = running.publish(self.home.folder(), &definition, publication)?;
        let texts = definition.texts.clone();
        self.home.commit(&Commit {
            publication,
            files,
            parts,
            rebuilt: Some(Rebuilt { at, definition: texts, reclassified: Vec::new() }),
            ..Commit::default()
        })?;
        self.has_additions = false;
        self.restored.counts_now = now;
        Ok(())
    }

    /// The source of the state that was restored when the home was opened.
    #[must_use]
    pub fn restored(&self) -> &Restored {
        &self.restored
    }

    /// The feed's layout.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.definition.profile
    }

    /// Lets an observer complete the work that an ended process left undone.
    pub fn catch_up(&mut self, observer: &mut dyn Observer) {
        observer.opened(&mut self.home);
    }

    /// The home, for reading.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The home between two steps, to store what is computed from its tables.
    pub fn home_mut(&mut self) -> &mut Home {
        &mut self.home
    }

    /// The month that closes next; `None` before the first file.
    #[must_use]
    pub fn next_to_close(&self) -> Option<Period> {
        self.running.as_ref().map(|running| running.calendar.next_to_close())
    }
}

/// The first of some identifiers, each with a month, that a file has in accepted records from its
/// month on.
fn renumbered(
    segment: &LiveSegment,
    home: &Home,
    definition: &Definition,
    changed: &[(String, Period)],
) -> Result<Option<(String, Period)>, EngineError> {
    let first = changed.iter().map(|(_, from)| *from).min();
    let months: Vec<Period> =
        segment.months.iter().filter(|month| Some(**month) >= first).copied().collect();
    if months.is_empty() {
        return Ok(None);
    }
    let city_of = |code: &str| definition.places.city(code);
    let (home, fields) = (home.folder(), Fields::Figures);
    let read = segment::read_months(home, &segment.stored, fields, &months, &city_of);
    let (texts, mut records) = read.map_err(|source| segment.not_read(source))?;
    segment.retain_counting(&mut records);
    let is_of = |record: &Record, (firm, from): &(String, Period)| {
        record.period >= *from
            && record.exclusion.is_none()
            && texts.firms.text(record.firm) == firm
    };
    let of = |changed: &&(String, Period)| {
        texts.firms.position(&changed.0).is_some()
            && records.iter().any(|record| is_of(record, changed))
    };
    Ok(changed.iter().find(of).cloned())
}

/// The definition of the figures: the recorded one, which the run may not contradict, or that of
/// the run for a new home.
fn defined(home: Option<&Home>, request: &Request) -> Result<Definition, EngineError> {
    match home.map(recorded).transpose()?.flatten() {
        Some(definition) => {
            let added = definition.check(&request.config, request.profile.as_ref())?;
            let tables = added_references(&definition, request)?;
            match (added, home) {
                (None, _) if tables.is_empty() => Ok(definition),
                (profile, Some(home)) => with_additions(&definition, (profile, tables), home),
                _ => Ok(definition),
            }
        }
        None => definition_of_new_home(request),
    }
}

/// A definition with a profile that adds to the recorded one. An added layout must be later than
/// the months of all read files.
fn with_additions(
    definition: &Definition,
    (profile, tables): (Option<Profile>, Vec<(String, String)>),
    home: &Home,
) -> Result<Definition, EngineError> {
    let profile = profile.unwrap_or_else(|| definition.profile.clone());
    let last = home.files()?.iter().map(|file| file.period).max();
    let new = profile.layout.iter().skip(definition.profile.layout.len());
    if let Some(layout) = new.into_iter().find(|layout| Some(layout.from.0) <= last) {
        let last = last.map_or_else(String::new, |last| last.to_string());
        return Err(EngineError::Settings(SettingsError::ProfileDiffers {
            key: "layout".to_owned(),
            asked: format!("from {}", layout.from.0),
            recorded: format!("files up to {last} in the layout before"),
        }));
    }
    let mut references = definition.texts.references.clone();
    references.retain(|(name, _)| tables.iter().all(|(table, _)| table != name));
    references.extend(tables);
    references.sort();
    let texts = DefinitionTexts::new(definition.choices, profile, references);
    let added = Definition::read(texts)?;
    let through = last.unwrap_or(Period::FIRST);
    if let Some(what) = definition.places.changed_meaning(&added.places, through) {
        return Err(EngineError::OtherMeaning { what });
    }
    Ok(added)
}

/// The definition that a new home would have.
///
/// # Errors
/// [`EngineError::Profile`], [`EngineError::Places`] if the profile or a table cannot be used.
pub fn definition_of_new_home(request: &Request) -> Result<Definition, EngineError> {
    Ok(Definition::read(texts_of_new_home(request)?)?)
}

pub(super) fn profile_of_new_home(request: &Request) -> Result<Profile, EngineError> {
    Ok(match (&request.profile, &request.config.profile) {
        (Some(profile), _) => profile.clone(),
        (None, Some(name)) => Profile::bundled(name)?,
        (None, None) => Profile::bundled("canonical")?,
    })
}

fn texts_of_new_home(request: &Request) -> Result<DefinitionTexts, EngineError> {
    let profile = profile_of_new_home(request)?;
    let (choices, profile) = Definition::of_new_home(&request.config, profile);
    let texts = ReferenceTexts::of(request.references.clone(), &profile);
    let mut references: Vec<(String, String)> =
        texts.named().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let groups = request.references.groups.clone();
    references.extend(groups.map(|text| (GROUPS.to_owned(), text)));
    if let Some(path) = &request.config.supply {
        references.push((SUPPLY.to_owned(), read_supply(path)?));
    }
    Ok(DefinitionTexts::new(choices, profile, references))
}

pub(super) fn read_supply(path: &Path) -> Result<String, EngineError> {
    let failed = |source| EngineError::ReadSupply { path: path.to_owned(), source };
    let text = files::read_text(path).map_err(failed)?;
    Supply::parse(&text).map_err(|source| EngineError::Supply { path: path.to_owned(), source })?;
    Ok(text)
}

/// The reference tables that have more codes than those of the home.
fn added_references(
    recorded: &Definition,
    request: &Request,
) -> Result<Vec<(String, String)>, EngineError> {
    let beside = &request.references;
    // In homes of older versions, reference tables had an effect only with a table of cities.
    let counts = recorded.profile.checks_codes() || beside.cities.is_some();
    let asked = beside.named().filter(|_| counts);
    let mut asked: Vec<(&str, String)> =
        asked.map(|(name, text)| (name, text.to_owned())).collect();
    if let Some(path) = &request.config.supply {
        asked.push((SUPPLY, read_supply(path)?));
    }
    let mut added = Vec::new();
    for (table, text) in asked {
        let known = recorded.texts.reference(table);
        let table = table.to_owned();
        match known {
            // Whether its rows are additions depends on the lines that were read.
            _ if table == FIRMS && known.is_none_or(|known| *known != text) => {
                added.push((table, text));
            }
            Some(known) if *known == text => {}
            // Groups change no stored figure.
            _ if table == GROUPS => added.push((table, text)),
            None => return Err(EngineError::ReferenceNew { table }),
            // So does a change of months.
            Some(known) if table == REGIONS && (has_months(known) || has_months(&text)) => {
                added.push((table, text));
            }
            Some(known) => match changed_row(known, &text) {
                Some(difference) => {
                    return Err(EngineError::ReferenceDiffers { table, difference });
                }
                None => added.push((table, text)),
            },
        }
    }
    Ok(added)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::choices::Choices;

    #[test]
    fn a_home_of_before_tables_counted_by_themselves_takes_its_feed_as_it_was() {
        let cities = "city,province,area_km2\n1101,11,100\n".to_owned();
        let canonical = Profile::bundled("canonical").expect("a shipped profile");
        let defined = |profile| {
            let references = vec![(CITIES.to_owned(), cities.clone())];
            let texts = DefinitionTexts::new(Choices::default(), profile, references);
            Definition::read(texts).expect("a definition")
        };
        let old = defined(Profile { countries: None, ..canonical.clone() });
        let new = defined(canonical);
        let beside = |cities: Option<&String>| Request {
            references: TablesBeside {
                cities: cities.cloned(),
                countries: Some("country\n301\n".to_owned()),
                ..TablesBeside::default()
            },
            ..Request::default()
        };
        added_references(&old, &beside(None)).expect("it was not looked at");
        for (definition, request) in [(&new, beside(None)), (&old, beside(Some(&cities)))] {
            let error = added_references(definition, &request).expect_err("a new table");
            assert!(
                error.to_string().starts_with("countries.csv is in the feed's folder"),
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
        let error = added_references(&new, &request).expect_err("another table");
        assert!(
            error.to_string().starts_with("cities.csv in the feed's folder differs"),
            "{error}"
        );
    }
}
