//! `status`: what the home holds.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;
use spillover::archive::parts::Table;
use spillover::archive::{Archive, FileEntry};
use spillover::calendar::Calendar;
use spillover::engine::open::calendar;
use spillover::feed::record::{Exclusion, Rule};
use spillover::regressions::stale_years;
use spillover::settings::Settings;
use spillover::watch::heartbeat::{Heartbeat, State};
use spillover::watch::is_watched;

use super::{Done, Home};

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
    published_bytes: u64,
    snapshot_bytes: u64,
    manifest_bytes: u64,
    /// Whether a watcher runs on the home now.
    watched: bool,
    /// What the last watcher said of itself.
    watcher: Option<Heartbeat>,
}

/// What was estimated, and what holds no more.
#[derive(Debug, Default, Serialize)]
struct EstimateReport {
    kept: usize,
    failed: usize,
    last_year: Option<u16>,
    last_vintage: Option<u32>,
    /// Closed years that late records have changed since the last estimation.
    stale_years: Vec<u16>,
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
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let archive = Archive::read(home.folder())?;
        let report = report(&archive)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print(&report);
            print_watcher(&report);
        }
        Ok(Done::Clean)
    }
}

fn report(archive: &Archive) -> anyhow::Result<Report> {
    let files = archive.files()?;
    let calendar = calendar(archive)?;
    let settings = archive.settings()?.map(|text| Settings::from_toml(&text)).transpose()?;
    let sizes = archive.sizes()?;
    let live: Vec<&FileEntry> = files.iter().filter(|file| file.counts_now()).collect();
    let sum = |n: &dyn Fn(&FileEntry) -> u64| live.iter().map(|file| n(file)).sum::<u64>();
    let counts = |n: usize, count: &dyn Fn(&FileEntry, usize) -> u64| -> Vec<u64> {
        (0..n).map(|at| sum(&|file| count(file, at))).collect()
    };
    let excluded = counts(Exclusion::ALL.len(), &|file, at| file.counts.excluded[at]);
    let rejected = counts(Rule::ALL.len(), &|file, at| file.counts.rejected[at]);
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
        estimates: estimates(archive)?,
        segment_bytes: sizes.segment_bytes,
        published_bytes: sizes.part_bytes,
        snapshot_bytes: sizes.snapshot_bytes,
        manifest_bytes: sizes.manifest_bytes,
        watched: is_watched(archive.home()),
        // A damaged heartbeat hides nothing else of the home; the next one replaces it.
        watcher: Heartbeat::read(archive.home()).unwrap_or_default(),
    })
}

fn estimates(archive: &Archive) -> anyhow::Result<EstimateReport> {
    let all = archive.estimates()?;
    let ok = all.iter().filter(|one| one.model.is_ok());
    let last = ok.max_by_key(|one| (one.publication, one.through));
    Ok(EstimateReport {
        kept: all.iter().filter(|one| one.model.is_ok()).count(),
        failed: all.iter().filter(|one| one.model.is_err()).count(),
        last_year: last.map(|one| one.through.0),
        last_vintage: last.map(|one| one.vintage.0),
        stale_years: stale_years(archive)?.into_iter().map(|year| year.0).collect(),
    })
}

fn named<const N: usize>(names: [&'static str; N], counts: Vec<u64>) -> Vec<Count> {
    names.into_iter().zip(counts).map(|(rule, lines)| Count { rule, lines }).collect()
}

fn years(archive: &Archive, calendar: &Calendar) -> anyhow::Result<Vec<YearReport>> {
    let parts = archive.parts(Table::Plant, None)?;
    let first = calendar.first().year().0;
    Ok((first..=calendar.last_year().0)
        .map(|year| YearReport {
            year,
            months: calendar.months(spillover::types::Year(year)),
            has_indicators: calendar.indicator_years().any(|other| other.0 == year),
            parts: parts.iter().filter(|part| part.year.0 == year).count(),
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
        "bytes            {} segments, {} published, {} snapshots, {} manifest",
        report.segment_bytes, report.published_bytes, report.snapshot_bytes, report.manifest_bytes
    );
}

fn print_estimates(estimates: &EstimateReport) {
    let EstimateReport { kept, failed, last_year, last_vintage, stale_years } = estimates;
    let mut line = format!("estimates        {kept}, {failed} failed");
    if let (Some(year), Some(vintage)) = (last_year, last_vintage) {
        let _ = write!(line, "; the last through {year} at vintage {vintage}");
    }
    if !stale_years.is_empty() {
        let years: Vec<String> = stale_years.iter().map(ToString::to_string).collect();
        let _ = write!(line, "; stale: late records have changed {} since", years.join(", "));
    }
    println!("{line}");
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
