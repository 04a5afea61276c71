//! The contents of a home: files, months, lines, estimates, sizes, the watcher.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Serialize;

use super::ReaderError;
use crate::domain::calendar::Calendar;
use crate::domain::finding::FindingKind;
use crate::domain::record::{Exclusion, Rule};
use crate::domain::types::Year;
use crate::engine::annual_only;
use crate::engine::recorded::{calendar, recorded_profile};
use crate::home::parts::Table;
use crate::home::{FileEntry, Home, StoredState};
use crate::regressions::{Overview, Panels, overview, stale_years};
use crate::watch::heartbeat::Heartbeat;
use crate::watch::is_watched;

/// The contents of a home.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The folder.
    pub home: String,
    /// The feed profile; `None` before the first file.
    pub profile: Option<String>,
    /// The number of accepted files.
    pub files: usize,
    /// The number of superseded files.
    pub superseded: usize,
    /// The number of withdrawn files.
    pub withdrawn: usize,
    /// The publications with snapshots, the newest first.
    pub snapshots: Vec<u32>,
    /// The newest vintage.
    pub vintage: u32,
    /// The number of publications.
    pub publications: usize,
    /// The time of the newest commit, in UTC; `None` in a home of an earlier layout.
    pub committed_at: Option<String>,
    /// The first month, `YYYY-MM`.
    pub first_month: Option<String>,
    /// The last closed month.
    pub last_closed_month: Option<String>,
    /// The month that closes next.
    pub next_month: Option<String>,
    /// The limits of annual data, if the feed's lines have a year and no month.
    pub annual_only: Option<String>,
    /// The years of the feed.
    pub years: Vec<YearStatus>,
    /// The number of lines in counted files.
    pub lines: u64,
    /// The number of accepted lines.
    pub accepted: u64,
    /// The numbers of excluded lines by rule.
    pub excluded: Vec<RuleCount>,
    /// The numbers of rejected lines by rule.
    pub rejected: Vec<RuleCount>,
    /// The number of records whose value was rounded to cents.
    pub rounded: u64,
    /// The number of totals, notes and headers between lines; they are not lines.
    pub footers: u64,
    /// The findings about counted files, by kind; unknown for files that were ingested before
    /// findings were stored.
    pub findings: Vec<FindingCount>,
    /// The stored estimates.
    pub estimates: EstimateStatus,
    /// The size of the records, in bytes.
    pub segment_bytes: u64,
    /// The number of published vintages.
    pub vintages_published: usize,
    /// The number of stored vintages; the others are recomputed on request.
    pub vintages_stored: usize,
    /// The size of the published tables, in bytes.
    pub published_bytes: u64,
    /// The part of this size in files that only older vintages need, in bytes.
    pub published_old_bytes: u64,
    /// The size of the snapshots, in bytes.
    pub snapshot_bytes: u64,
    /// The size of the manifest, in bytes.
    pub manifest_bytes: u64,
    /// True if a watcher runs on the home now.
    pub watched: bool,
    /// The heartbeat of the last watcher.
    pub watcher: Option<Heartbeat>,
    /// The errors of reading the watcher's files; the status of the home is complete without them.
    pub unread: Vec<String>,
}

/// The numbers of estimates, the stale ones, and the failed ones.
#[derive(Debug, Default, Serialize)]
pub struct EstimateStatus {
    /// The number of stored estimates.
    pub kept: usize,
    /// The number of stored estimates from before models had identities.
    pub kept_before: usize,
    /// The number of estimated models, identified by their content.
    pub models: usize,
    /// The number of failed models.
    pub failed: usize,
    /// The number of models without data in the home.
    pub without_data: usize,
    /// The last year of the newest estimate of closed years.
    pub last_year: Option<u16>,
    /// The vintage of the newest estimate of closed years.
    pub last_vintage: Option<u32>,
    /// The month of the newest estimate at the close of a month, `YYYY-MM`.
    pub last_month: Option<String>,
    /// Models whose newest estimate is stale.
    pub stale: Vec<String>,
    /// Closed years that late records have changed since the last estimation.
    pub stale_years: Vec<u16>,
    /// Columns that failed, with the reason.
    pub failures: Vec<Reason>,
    /// Columns without data in the home, with the missing data.
    pub lacking_data: Vec<Reason>,
}

/// The reason why a column is not estimated.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    /// The specification and its column.
    pub model: String,
    /// The last year of the sample.
    pub through: u16,
    /// The last month of each year of the sample; 12 for whole years.
    pub month: u8,
    /// The reason.
    pub why: String,
}

/// A year of the feed.
#[derive(Debug, Serialize)]
pub struct YearStatus {
    /// The year.
    pub year: u16,
    /// The number of closed months.
    pub months: u8,
    /// True if all months of the year before are closed.
    pub has_indicators: bool,
    /// The number of stored parts of `plant`.
    pub parts: usize,
}

/// The number of files with a finding.
#[derive(Debug, Serialize)]
pub struct FindingCount {
    /// The finding.
    pub finding: FindingKind,
    /// Files that have it.
    pub files: usize,
    /// The last of them.
    pub last_file: String,
}

/// The number of lines that a rule excluded or rejected.
#[derive(Debug, Serialize)]
pub struct RuleCount {
    /// The rule.
    pub rule: &'static str,
    /// The number of lines.
    pub lines: u64,
}

/// The contents of a home at one publication.
///
/// # Errors
/// [`ReaderError`] if the manifest cannot be read. [`Status::unread`] names the watcher's
/// unreadable files.
pub(super) fn of(home: &mut Home) -> Result<Status, ReaderError> {
    let estimates = estimates(home)?;
    status(home, estimates)
}

fn status(home: &Home, estimates: EstimateStatus) -> Result<Status, ReaderError> {
    let files = home.files()?;
    let calendar = calendar(home)?;
    let (publication, vintage) = home.last_publication()?.unwrap_or_default();
    let committed_at = home.committed_at(publication)?;
    let profile = recorded_profile(home)?;
    let (sizes, stored) = (home.sizes()?, home.stored_vintages()?);
    let live: Vec<&FileEntry> = files.iter().filter(|file| file.counts_now()).collect();
    let sum = |n: &dyn Fn(&FileEntry) -> u64| live.iter().map(|file| n(file)).sum::<u64>();
    let counts = |n: usize, count: &dyn Fn(&FileEntry, usize) -> u64| -> Vec<u64> {
        (0..n).map(|at| sum(&|file| count(file, at))).collect()
    };
    let excluded = counts(Exclusion::ALL.len(), &|file, at| file.counts.excluded[at]);
    // A line that was read again counts in the file of such lines, not in its first file.
    let read_again = counts(Rule::OF_CODES.len(), &|file, at| file.counts.read_again[at]);
    let mut rejected = counts(Rule::ALL.len(), &|file, at| file.counts.rejected[at]);
    for (rule, n) in Rule::OF_CODES.into_iter().zip(&read_again) {
        rejected[rule as usize] = rejected[rule as usize].saturating_sub(*n);
    }
    let n_read_again: u64 = read_again.iter().sum();
    let (watched, no_lock) = told(is_watched(home.folder()), "the watcher's lock");
    let (beat, no_beat) = told(Heartbeat::read(home.folder()), "the watcher's heartbeat");
    let unread = [no_lock, no_beat];
    Ok(Status {
        home: home.folder().display().to_string(),
        profile: profile.as_ref().map(|profile| profile.name.clone()),
        files: files.len(),
        superseded: files.iter().filter(|file| file.superseded_by.is_some()).count(),
        withdrawn: files.iter().filter(|file| file.withdrawn_at.is_some()).count(),
        snapshots: home.snapshots()?.iter().map(|kept| kept.publication.0).collect(),
        vintage: vintage.0,
        publications: home.publications()?.len(),
        committed_at: committed_at.map(|at| at.to_string()),
        first_month: calendar.map(|calendar| calendar.first().to_string()),
        last_closed_month: calendar.and_then(|c| Some(c.last_closed()?.to_string())),
        annual_only: profile.as_ref().and_then(annual_only),
        next_month: calendar.map(|calendar| calendar.next_to_close().to_string()),
        years: calendar.map_or_else(|| Ok(Vec::new()), |calendar| years(home, &calendar))?,
        lines: sum(&|file| file.counts.lines).saturating_sub(n_read_again),
        accepted: sum(&|file| file.counts.accepted),
        excluded: named(Exclusion::ALL.map(Exclusion::name), excluded),
        rejected: named(Rule::ALL.map(Rule::name), rejected),
        rounded: sum(&|file| file.counts.rounded),
        footers: sum(&|file| file.counts.footers),
        findings: findings(&live),
        estimates,
        segment_bytes: sizes.segment_bytes,
        vintages_published: stored.len(),
        vintages_stored: stored.iter().filter(|(_, is_stored)| *is_stored).count(),
        published_bytes: sizes.part_bytes,
        published_old_bytes: home.old_files()?.iter().map(|(_, file)| file.n_bytes).sum(),
        snapshot_bytes: sizes.snapshot_bytes,
        manifest_bytes: sizes.manifest_bytes,
        watched,
        watcher: beat,
        unread: unread.into_iter().flatten().collect(),
    })
}

fn findings(files: &[&FileEntry]) -> Vec<FindingCount> {
    let count = |finding: FindingKind| {
        let has = |file: &&&FileEntry| file.found.findings.contains_key(&finding);
        let files: Vec<_> = files.iter().filter(has).collect();
        let last_file = files.last()?.name.clone();
        Some(FindingCount { finding, files: files.len(), last_file })
    };
    FindingKind::ALL.into_iter().filter_map(count).collect()
}

/// The readable state of the watcher, and the message if it is unreadable.
fn told<T: Default>(read: io::Result<T>, what: &str) -> (T, Option<String>) {
    match read {
        Ok(value) => (value, None),
        Err(error) => (T::default(), Some(format!("cannot read {what}: {error}"))),
    }
}

fn estimates(home: &mut Home) -> Result<EstimateStatus, ReaderError> {
    if home.estimates()?.is_empty() {
        return Ok(EstimateStatus::default());
    }
    let stale_years = stale_years(home)?.into_iter().map(|year| year.0).collect();
    let Overview { all, stale } = overview(&Panels::open(home, 1)?)?;
    let estimated = || all.iter().filter(|one| one.state.is_estimated());
    let whole = estimated().filter(|one| one.through.is_whole());
    let last = whole.max_by_key(|one| (one.publication, one.through));
    let months = estimated().filter(|one| !one.through.is_whole());
    let last_month = months.map(|one| one.through).max();
    let identities = estimated().filter_map(|one| Some(&one.model.as_ref()?.identity));
    let reasons = |why: fn(&StoredState) -> Option<&String>| -> Vec<Reason> {
        // The newest year of each model.
        let mut newest: BTreeMap<(String, Option<&str>), Reason> = BTreeMap::new();
        for one in &all {
            let Some(why) = why(&one.state).cloned() else { continue };
            let identity = one.model.as_ref().map(|model| model.identity.as_str());
            let (through, month) = (one.through.year().0, one.through.month());
            let reason = Reason { model: one.name(), through, month, why };
            match newest.entry((one.name(), identity)) {
                Entry::Vacant(entry) => drop(entry.insert(reason)),
                Entry::Occupied(mut entry)
                    if (entry.get().through, entry.get().month) <= (through, month) =>
                {
                    entry.insert(reason);
                }
                Entry::Occupied(_) => {}
            }
        }
        newest.into_values().collect()
    };
    let failures = reasons(|state| match state {
        StoredState::Failed(why) => Some(why),
        _ => None,
    });
    let lacking_data = reasons(|state| match state {
        StoredState::NoData(why) => Some(why),
        _ => None,
    });
    Ok(EstimateStatus {
        kept: estimated().count(),
        kept_before: estimated().filter(|one| one.model.is_none()).count(),
        models: identities.collect::<BTreeSet<_>>().len(),
        failed: failures.len(),
        without_data: lacking_data.len(),
        last_year: last.map(|one| one.through.year().0),
        last_month: last_month.map(|end| end.to_string()),
        last_vintage: last.map(|one| one.vintage.0),
        stale,
        stale_years,
        failures,
        lacking_data,
    })
}

fn named<const N: usize>(names: [&'static str; N], counts: Vec<u64>) -> Vec<RuleCount> {
    names.into_iter().zip(counts).map(|(rule, lines)| RuleCount { rule, lines }).collect()
}

fn years(home: &Home, calendar: &Calendar) -> Result<Vec<YearStatus>, ReaderError> {
    let chains = home.chains(Table::Plant, None)?.unwrap_or_default();
    let n_files = |year: u16| {
        let chain = chains.iter().find(|chain| chain.year.0 == year);
        chain.map_or(0, |chain| chain.files().count())
    };
    let first = calendar.first().year().0;
    Ok((first..=calendar.last_year().0)
        .map(|year| YearStatus {
            year,
            months: calendar.months(Year(year)),
            has_indicators: calendar.indicator_years().any(|other| other.0 == year),
            parts: n_files(year),
        })
        .collect())
}
