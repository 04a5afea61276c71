//! `status`: what the home holds.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;

use clap::Args;
use serde::Serialize;
use spillover::archive::parts::Table;
use spillover::archive::{Archive, FileEntry, StoredState};
use spillover::calendar::Calendar;
use spillover::engine::open::calendar;
use spillover::feed::record::{Exclusion, Rule};
use spillover::regressions::{Overview, Panels, overview, stale_years};
use spillover::settings::Settings;
use spillover::watch::heartbeat::{Heartbeat, State};
use spillover::watch::is_watched;

use super::ending::Done;
use super::home_options::HomeOptions;
use super::terminal;

#[derive(Debug, Args)]
pub struct Status {
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// What a home holds.
#[derive(Debug, Serialize)]
struct Report {
    home: String,
    profile: Option<String>,
    files: usize,
    superseded: usize,
    withdrawn: usize,
    /// The publications that snapshots stand for, the newest first.
    snapshots: Vec<u32>,
    vintage: u32,
    publications: usize,
    first_month: Option<String>,
    last_closed_month: Option<String>,
    next_month: Option<String>,
    years: Vec<YearReport>,
    lines: u64,
    accepted: u64,
    excluded: Vec<Count>,
    rejected: Vec<Count>,
    estimates: EstimateReport,
    segment_bytes: u64,
    /// Vintages that were published, and how many of these are stored; others are replayed.
    vintages_published: usize,
    vintages_stored: usize,
    published_bytes: u64,
    /// Of these, files that only older vintages are read from.
    published_old_bytes: u64,
    snapshot_bytes: u64,
    manifest_bytes: u64,
    /// Whether a watcher runs on the home now.
    watched: bool,
    /// What the last watcher said of itself.
    watcher: Option<Heartbeat>,
    /// What of the watcher's files cannot be read, and why; the rest of the home is told.
    unread: Vec<String>,
}

/// What was estimated, what holds no more, and what is not estimated.
#[derive(Debug, Default, Serialize)]
struct EstimateReport {
    kept: usize,
    /// Of those kept, how many are from before models were known by their content.
    kept_before: usize,
    /// How many models were estimated, each known by its content.
    models: usize,
    failed: usize,
    without_data: usize,
    last_year: Option<u16>,
    last_vintage: Option<u32>,
    /// Models whose newest estimate is of data that have changed since.
    stale: Vec<String>,
    /// Closed years that late records have changed since the last estimation.
    stale_years: Vec<u16>,
    /// Columns that failed, and why.
    failures: Vec<Reason>,
    /// Columns that the home has no data for, and what is missing.
    lacking_data: Vec<Reason>,
}

/// Why a column is not estimated.
#[derive(Clone, Debug, Serialize)]
struct Reason {
    model: String,
    through: u16,
    why: String,
}

#[derive(Debug, Serialize)]
struct YearReport {
    year: u16,
    months: u8,
    has_indicators: bool,
    parts: usize,
}

#[derive(Debug, Serialize)]
struct Count {
    rule: &'static str,
    lines: u64,
}

impl Status {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let mut archive = Archive::read(home.folder())?;
        let estimates = estimates(&mut archive)?;
        let report = report(&archive, estimates)?;
        if self.json {
            terminal::json(&report)?;
        } else {
            print(&report);
            print_watcher(&report);
        }
        for unread in &report.unread {
            eprintln!("{unread}");
        }
        Ok(if report.unread.is_empty() { Done::Clean } else { Done::Damaged })
    }
}

fn report(archive: &Archive, estimates: EstimateReport) -> anyhow::Result<Report> {
    let files = archive.files()?;
    let calendar = calendar(archive)?;
    let settings = archive.settings()?.map(|text| Settings::from_toml(&text)).transpose()?;
    let (sizes, stored) = (archive.sizes()?, archive.stored_vintages()?);
    let live: Vec<&FileEntry> = files.iter().filter(|file| file.counts_now()).collect();
    let sum = |n: &dyn Fn(&FileEntry) -> u64| live.iter().map(|file| n(file)).sum::<u64>();
    let counts = |n: usize, count: &dyn Fn(&FileEntry, usize) -> u64| -> Vec<u64> {
        (0..n).map(|at| sum(&|file| count(file, at))).collect()
    };
    let excluded = counts(Exclusion::ALL.len(), &|file, at| file.counts.excluded[at]);
    let rejected = counts(Rule::ALL.len(), &|file, at| file.counts.rejected[at]);
    let (watched, no_lock) = told(is_watched(archive.home()), "whether a watcher runs");
    let (beat, no_beat) = told(Heartbeat::read(archive.home()), "what the watcher does");
    let unread = [no_lock, no_beat];
    Ok(Report {
        home: archive.home().display().to_string(),
        profile: settings.map(|settings| settings.profile.name),
        files: files.len(),
        superseded: files.iter().filter(|file| file.superseded_by.is_some()).count(),
        withdrawn: files.iter().filter(|file| file.withdrawn_at.is_some()).count(),
        snapshots: archive.snapshots()?.iter().map(|kept| kept.publication.0).collect(),
        vintage: archive.last_vintage()?.unwrap_or_default().0,
        publications: archive.publications()?.len(),
        first_month: calendar.map(|calendar| calendar.first().to_string()),
        last_closed_month: calendar.and_then(|c| Some(c.last_closed()?.to_string())),
        next_month: calendar.map(|calendar| calendar.next_to_close().to_string()),
        years: calendar.map_or_else(|| Ok(Vec::new()), |calendar| years(archive, &calendar))?,
        lines: sum(&|file| file.counts.lines),
        accepted: sum(&|file| file.counts.accepted),
        excluded: named(Exclusion::ALL.map(Exclusion::name), excluded),
        rejected: named(Rule::ALL.map(Rule::name), rejected),
        estimates,
        segment_bytes: sizes.segment_bytes,
        vintages_published: stored.len(),
        vintages_stored: stored.iter().filter(|(_, is_stored)| *is_stored).count(),
        published_bytes: sizes.part_bytes,
        published_old_bytes: archive.old_files()?.iter().map(|(_, file)| file.n_bytes).sum(),
        snapshot_bytes: sizes.snapshot_bytes,
        manifest_bytes: sizes.manifest_bytes,
        watched,
        watcher: beat,
        unread: unread.into_iter().flatten().collect(),
    })
}

/// What of the watcher could be read, and what is to be told if it could not.
fn told<T: Default>(read: io::Result<T>, what: &str) -> (T, Option<String>) {
    match read {
        Ok(value) => (value, None),
        Err(error) => (T::default(), Some(format!("cannot tell {what}: {error}"))),
    }
}

fn estimates(archive: &mut Archive) -> anyhow::Result<EstimateReport> {
    if archive.estimates()?.is_empty() {
        return Ok(EstimateReport::default());
    }
    let stale_years = stale_years(archive)?.into_iter().map(|year| year.0).collect();
    let Overview { all, stale } = overview(&Panels::open(archive, 1)?)?;
    let estimated = || all.iter().filter(|one| one.state.is_estimated());
    let last = estimated().max_by_key(|one| (one.publication, one.through));
    let identities = estimated().filter_map(|one| Some(&one.model.as_ref()?.identity));
    let reasons = |why: fn(&StoredState) -> Option<&String>| -> Vec<Reason> {
        // Of each model the newest year.
        let mut newest: BTreeMap<(String, Option<&str>), Reason> = BTreeMap::new();
        for one in &all {
            let Some(why) = why(&one.state).cloned() else { continue };
            let identity = one.model.as_ref().map(|model| model.identity.as_str());
            let reason = Reason { model: one.name(), through: one.through.0, why };
            match newest.entry((one.name(), identity)) {
                Entry::Vacant(entry) => drop(entry.insert(reason)),
                Entry::Occupied(mut entry) if entry.get().through <= reason.through => {
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
    Ok(EstimateReport {
        kept: estimated().count(),
        kept_before: estimated().filter(|one| one.model.is_none()).count(),
        models: identities.collect::<BTreeSet<_>>().len(),
        failed: failures.len(),
        without_data: lacking_data.len(),
        last_year: last.map(|one| one.through.0),
        last_vintage: last.map(|one| one.vintage.0),
        stale,
        stale_years,
        failures,
        lacking_data,
    })
}

fn named<const N: usize>(names: [&'static str; N], counts: Vec<u64>) -> Vec<Count> {
    names.into_iter().zip(counts).map(|(rule, lines)| Count { rule, lines }).collect()
}

fn years(archive: &Archive, calendar: &Calendar) -> anyhow::Result<Vec<YearReport>> {
    let chains = archive.chains(Table::Plant, None)?.unwrap_or_default();
    let n_files = |year: u16| {
        let chain = chains.iter().find(|chain| chain.year.0 == year);
        chain.map_or(0, |chain| chain.files().count())
    };
    let first = calendar.first().year().0;
    Ok((first..=calendar.last_year().0)
        .map(|year| YearReport {
            year,
            months: calendar.months(spillover::types::Year(year)),
            has_indicators: calendar.indicator_years().any(|other| other.0 == year),
            parts: n_files(year),
        })
        .collect())
}

fn print(report: &Report) {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    println!("home             {}", report.home);
    println!("profile          {}", or_none(&report.profile));
    println!(
        "files            {} ({} superseded, {} withdrawn)",
        report.files, report.superseded, report.withdrawn
    );
    println!("vintage          {}", report.vintage);
    println!("publications     {}", report.publications);
    let Report { vintages_published, vintages_stored, .. } = report;
    if vintages_stored < vintages_published {
        println!("stored           {vintages_stored} of {vintages_published} published vintages");
    }
    let snapshots: Vec<String> = report.snapshots.iter().map(ToString::to_string).collect();
    println!(
        "snapshots        {}",
        if snapshots.is_empty() {
            "none".to_owned()
        } else {
            format!("of publications {}", snapshots.join(" and "))
        }
    );
    println!(
        "months           {} to {} closed; next {}",
        or_none(&report.first_month),
        or_none(&report.last_closed_month),
        or_none(&report.next_month)
    );
    println!("lines            {}", report.lines);
    println!("  accepted       {}", report.accepted);
    for (kind, counts) in [("excluded", &report.excluded), ("rejected", &report.rejected)] {
        let total: u64 = counts.iter().map(|count| count.lines).sum();
        println!("  {kind}       {total}");
        for count in counts.iter().filter(|count| count.lines > 0) {
            println!("    {:<13}{}", count.rule, count.lines);
        }
    }
    for year in &report.years {
        let state = match (year.months, year.has_indicators) {
            (_, false) => "no indicators: the year before is not whole",
            (12, true) => "closed",
            _ => "open",
        };
        println!("year {}        {:>2} months, {state}", year.year, year.months);
    }
    print_estimates(&report.estimates);
    println!(
        "bytes            {} segments, {} published ({} for older vintages), {} snapshots, \
         {} manifest",
        report.segment_bytes,
        report.published_bytes,
        report.published_old_bytes,
        report.snapshot_bytes,
        report.manifest_bytes
    );
}

fn print_estimates(estimates: &EstimateReport) {
    let EstimateReport { kept, kept_before, models, last_year, last_vintage, .. } = estimates;
    let mut line = match kept {
        0 => "estimates        none".to_owned(),
        _ => format!("estimates        {kept}, of {models} models"),
    };
    if let (Some(year), Some(vintage)) = (last_year, last_vintage) {
        let _ = write!(line, "; the last through {year} at vintage {vintage}");
    }
    println!("{line}");
    if *kept_before > 0 {
        println!("  by name        {kept_before}, from before models were known by their content");
    }
    if !estimates.stale.is_empty() {
        let years: Vec<String> = estimates.stale_years.iter().map(ToString::to_string).collect();
        let changed = if years.is_empty() {
            "what they were made from has changed".to_owned()
        } else {
            format!("late records have changed {}", years.join(", "))
        };
        println!("  stale          {}: {changed} since", estimates.stale.join(", "));
    }
    for (what, reasons) in
        [("without data   ", &estimates.lacking_data), ("failed         ", &estimates.failures)]
    {
        for Reason { model, through, why } in reasons {
            println!("  {what}{model} through {through}: {why}");
        }
    }
    if !estimates.failures.is_empty() {
        println!("                 `estimate --clear-failures` clears these");
    }
}

fn print_watcher(report: &Report) {
    let Some(beat) = &report.watcher else { return };
    let has_ended = matches!(beat.state, State::Stopped | State::Failed);
    let gone = if report.watched || has_ended { "" } else { ", but the process is gone" };
    let state = format!("{:?}", beat.state).to_lowercase();
    println!("watcher          {state} since {:.0}{gone} (pid {})", beat.since, beat.pid);
    if let Some(error) = &beat.error {
        println!("  last trouble   {error}");
    }
    let Heartbeat { files_refused, files_unreadable, files_growing, files_waiting, .. } = beat;
    println!(
        "  in the feed    {files_refused} refused, {files_unreadable} unreadable, \
         {files_growing} growing, {files_waiting} waiting"
    );
}
