//! `rebuild`: computes the home's figures under other options, from its records.
//!
//! The home holds every valid line, including excluded ones, with the texts that decided their
//! exclusion. A rebuild can therefore change everything that defines figures, except the reading of
//! lines: the profile, and the meaning of the codes of regions and countries. Another layout could
//! read a whole file differently. For these changes, ingest the feed into another home. The
//! reference values of a code (area, province, income group) can change. Codes can be added:
//! rejected lines are stored as raw text, and those that lacked a code are read again.
//!
//! The old home does not change before the one commit; until then new files are orphans. Published
//! vintages keep their figures.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::again::CountsNow;
use super::open::read_supply;
use super::recorded::recorded;
use super::restore::State;
use super::running::{Running, records_not_read};
use super::sums::ABSOLUTE_CENTS_MAX;
use super::{EngineError, again};
use crate::domain::record::{Counts, Exclusion, Intake, Record, Texts};
use crate::domain::types::{City, Period, Vintage};
use crate::feed::profile::Exclusions;
use crate::feed::reference::{CITIES, COUNTRIES, REGIONS, TablesBeside, changed_row};
use crate::feed::regions::has_months;
use crate::home::definition::{Definition, DefinitionTexts, SUPPLY};
use crate::home::options::Config;
use crate::home::parts::{Chain, Table};
use crate::home::segment::{self, Fields};
use crate::home::{Commit, FileEntry, Home, Publication, Rebuilt, Reclassified, Summary};

/// The result of a rebuild.
#[derive(Debug)]
pub struct Rebuild {
    /// The vintage of the rebuild.
    pub vintage: Vintage,
    /// The number of files with records that count or are excluded unlike before.
    pub n_reclassified: usize,
    /// Files with lines that count now, because the tables have their codes.
    pub counts_now: Vec<CountsNow>,
    /// The result of the snapshot; without a snapshot the next start reads the segments.
    pub snapshot: Result<(), EngineError>,
}

/// Recomputes a home under the given options and reference tables; others keep their values.
/// Returns `None` if they equal the recorded ones and the published tables are complete.
///
/// # Errors
/// - [`EngineError::Home`] if the home cannot be read or written.
/// - [`EngineError::Settings`] if the options ask for another profile.
/// - [`EngineError::OtherCodes`] if a reference table has other codes.
/// - [`EngineError::Supply`], [`EngineError::ReadSupply`] if the firm-year file cannot be used.
/// - [`EngineError::PastRange`] if the sum of the counted records exceeds the range.
///
/// The home is unchanged after an error.
pub fn rebuild(
    folder: &Path,
    config: &Config,
    tables: Option<&TablesBeside>,
    n_workers: usize,
    mut progress: impl FnMut(usize),
) -> Result<Option<Rebuild>, EngineError> {
    let mut home = Home::open(folder)?;
    let Some(before) = recorded(&home)? else { return Err(EngineError::Empty) };
    let (choices, profile) = before.rebuilt(config)?;
    let references = references(config, tables, &before.texts)?;
    let texts = DefinitionTexts::new(choices, profile, references);
    if texts == before.texts && !has_damaged_parts(&home)? {
        return Ok(None);
    }
    let definition = Arc::new(Definition::read(texts.clone())?);
    let through = home.files()?.iter().map(|file| file.period).max().unwrap_or(Period::FIRST);
    if let Some(what) = before.places.changed_meaning(&definition.places, through) {
        return Err(EngineError::OtherMeaning { what });
    }
    let (last, newest) = home.last_publication()?.unwrap_or_default();
    let publication = Publication(last.0 + 1);
    let reclassified = if before.profile.exclusions == definition.profile.exclusions {
        Vec::new()
    } else {
        reclassified(&home, &definition, publication, &mut progress)?
    };
    let Some(state) = State::now(&home)? else { return Err(EngineError::Empty) };
    let recovered = again::recovered(&home, (&before, &definition), state.calendar.first())?;
    let mut running = Running::start(&definition, state.calendar, n_workers)?;
    let is_renumbered = before.successions != definition.successions;
    if is_renumbered || !reclassified.is_empty() {
        running.restore_reclassified(&home, &definition, &reclassified)?;
    } else {
        running.restore(&home, &definition, &state, |_| ControlFlow::Continue(()))?;
    }
    let at = Vintage(newest.0 + 1);
    let (files, counts_now) = again::accept_all(recovered, &home, &mut running, at)?;
    running.publish_all_whole();
    let parts = running.publish(folder, &definition, publication)?;
    let vintage = files.last().map_or(at, |file| file.vintage);
    let n_reclassified = reclassified.len();
    home.commit(&Commit {
        publication,
        files,
        parts,
        rebuilt: Some(Rebuilt { at, definition: texts, reclassified }),
        // Snapshots are sums by firm.
        void_snapshots: is_renumbered,
        ..Commit::default()
    })?;
    let snapshot = running
        .snapshot(folder, &definition, publication)
        .and_then(|snapshot| Ok(home.keep_snapshot(&snapshot, &[])?));
    Ok(Some(Rebuild { vintage, n_reclassified, counts_now, snapshot }))
}

/// True if a file of the newest tables is missing or damaged.
fn has_damaged_parts(home: &Home) -> Result<bool, EngineError> {
    for table in Table::ALL {
        let chains = home.chains(table, None)?.unwrap_or_default();
        for file in chains.iter().flat_map(Chain::files) {
            if file.damage(home.folder())?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn references(
    config: &Config,
    tables: Option<&TablesBeside>,
    old: &DefinitionTexts,
) -> Result<Vec<(String, String)>, EngineError> {
    let mut references = old.references.clone();
    if let Some(tables) = tables {
        let new: Vec<(String, String)> =
            tables.named().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        no_code_lost(&new, &old.references)?;
        references.retain(|(name, _)| new.iter().all(|(given, _)| given != name));
        references.extend(new);
        references.sort();
    }
    if let Some(path) = &config.supply {
        references.retain(|(name, _)| name != SUPPLY);
        references.push((SUPPLY.to_owned(), read_supply(path)?));
        references.sort();
    }
    Ok(references)
}

/// Checks that reference tables that are given have the codes of earlier ones: lines were accepted
/// by those.
fn no_code_lost(new: &[(String, String)], old: &[(String, String)]) -> Result<(), EngineError> {
    for (name, column) in [(CITIES, "city"), (REGIONS, "region"), (COUNTRIES, "country")] {
        let text_of = |tables: &[(String, String)]| {
            let table = tables.iter().find(|(table, _)| table == name);
            table.map(|(_, text)| text.clone())
        };
        let Some(new) = text_of(new) else { continue };
        let table = name.to_owned();
        let Some(old) = text_of(old) else { return Err(EngineError::ReferenceNew { table }) };
        // The records store the city of a region.
        let difference = if name == REGIONS && (has_months(&old) || has_months(&new)) {
            None
        } else if name == REGIONS {
            changed_row(&old, &new)
        } else {
            let (before, after) = (codes(&old, column), codes(&new, column));
            before.difference(&after).next().map(|code| format!("{column} {code} is gone"))
        };
        if let Some(difference) = difference {
            return Err(EngineError::OtherCodes { table, difference });
        }
    }
    Ok(())
}

/// The codes in a column of a table. A text that is not a table fails later, when it is used.
fn codes(text: &str, column: &str) -> BTreeSet<String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let at = reader.headers().ok().and_then(|names| names.iter().position(|name| name == column));
    let rows = reader.records().filter_map(Result::ok);
    let code = |row: csv::StringRecord| row.get(at?).map(str::to_owned);
    rows.filter_map(code).collect()
}

/// Classifies the records of every counted file again; writes the segments of files that change.
fn reclassified(
    home: &Home,
    definition: &Definition,
    publication: Publication,
    progress: &mut impl FnMut(usize),
) -> Result<Vec<Reclassified>, EngineError> {
    let mut reclassified = Vec::new();
    let mut absolute_cents = 0;
    for file in home.files()?.into_iter().filter(FileEntry::counts_now) {
        let mut cents = file.absolute_cents;
        if let Some(changed) = reclassify(home, definition, publication, &file)? {
            cents = changed.summary.absolute_cents;
            reclassified.push(changed);
        }
        absolute_cents += i128::from(cents);
        progress(1);
    }
    if absolute_cents > ABSOLUTE_CENTS_MAX {
        return Err(EngineError::PastRange);
    }
    Ok(reclassified)
}

fn reclassify(
    home: &Home,
    definition: &Definition,
    publication: Publication,
    file: &FileEntry,
) -> Result<Option<Reclassified>, EngineError> {
    let city_of = |code: &str| definition.places.city(code);
    let read = segment::read(home.folder(), &file.segment, Fields::All, &city_of);
    let (texts, mut records) =
        read.map_err(|source| records_not_read(&file.name, file.vintage, source))?;
    if !exclude(&definition.profile.exclusions, &texts, &mut records) {
        return Ok(None);
    }
    let code = |city: City| definition.places.code(city);
    let (vintage, folder) = (file.vintage, home.folder());
    let segment = segment::rewrite(folder, vintage, publication, (&texts, &records), &code)?;
    let mut counts = Counts { accepted: 0, ..file.counts.clone() };
    for exclusion in Exclusion::OF_RECORDS {
        counts.excluded[exclusion as usize] = 0;
    }
    for record in &records {
        match record.exclusion {
            None => counts.accepted += 1,
            Some(exclusion) => counts.excluded[exclusion as usize] += 1,
        }
    }
    let summary = Summary::of(&Intake {
        coverage: None,
        columns: Vec::new(),
        findings: Vec::new(),
        shown: Vec::new(),
        name: file.name.clone(),
        period: file.period,
        hash: file.hash.clone(),
        n_bytes: file.n_bytes,
        texts,
        records,
        rejects: home.rejects(vintage)?,
        counts,
    });
    Ok(Some(Reclassified { vintage, segment, summary }))
}

/// Excludes records by other lists, in the order of [`Exclusion::OF_RECORDS`]; returns true if any
/// record changed.
pub fn exclude(lists: &Exclusions, texts: &Texts, records: &mut [Record]) -> bool {
    let countries: Vec<bool> =
        texts.countries.iter().map(|code| lists.countries.iter().any(|c| c == code)).collect();
    let is_intermediary = |name: &str| lists.name_contains.iter().any(|word| name.contains(word));
    let names: Vec<bool> = texts.names.iter().map(is_intermediary).collect();
    let mut any = false;
    for record in records {
        let exclusion = if countries[record.country as usize] {
            Some(Exclusion::Country)
        } else if names[record.name as usize] {
            Some(Exclusion::Intermediary)
        } else {
            record.city.is_none().then_some(Exclusion::Region)
        };
        any |= exclusion != record.exclusion;
        record.exclusion = exclusion;
    }
    any
}

impl Running {
    /// Restores the state from segments, with reclassified records of some files; no snapshot
    /// matches it.
    fn restore_reclassified(
        &mut self,
        home: &Home,
        definition: &Definition,
        reclassified: &[Reclassified],
    ) -> Result<(), EngineError> {
        let mut files = home.files()?;
        files.retain(FileEntry::counts_now);
        for file in &mut files {
            if let Some(changed) = reclassified.iter().find(|new| new.vintage == file.vintage) {
                file.segment = changed.segment.clone();
            }
        }
        self.restore_files(home.folder(), definition, files, |_| ControlFlow::Continue(()))
    }
}
