//! `status`: show the contents and state of the home.

use std::fmt::Write as _;

use clap::Args;
use spillover::alerts::status::{AlertStatus, SinkStatus};
use spillover::clock;
use spillover::domain::sample_end::SampleEnd;
use spillover::domain::types::Year;
use spillover::home::release::ReleaseTime;
use spillover::reader::Reader;
use spillover::reader::status::{EstimateStatus, FindingCount, Reason, Status as Report};
use spillover::watch::heartbeat::{Heartbeat, State};

use super::ending::Done;
use super::home_options::HomeOptions;
use super::terminal;

#[derive(Debug, Args)]
pub struct Status {
    /// Print the status as JSON.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let mut reader = Reader::open(home.folder())?;
        let report = reader.status()?;
        let held = reader.held_until(home.config()?.release_time, clock::now()?)?;
        let held = held.map(ReleaseTime::shown);
        let alerts = AlertStatus::of(home.folder())?;
        if self.json {
            let mut document = serde_json::to_value(&report)?;
            document["alerts"] = serde_json::to_value(&alerts)?;
            document["held_until"] = held.into();
            terminal::json(&document)?;
        } else {
            print(&report);
            if let Some(until) = held {
                println!(
                    "release          publication {} is held until {until}",
                    report.publications
                );
            }
            print_watcher(&report);
            print_alerts(alerts.as_ref());
        }
        for unread in &report.unread {
            eprintln!("{unread}");
        }
        Ok(if report.unread.is_empty() { Done::Clean } else { Done::Damaged })
    }
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
    let committed = report.committed_at.as_ref();
    let committed = committed.map_or_else(String::new, |at| format!(", the last at {at}"));
    println!("publications     {}{committed}", report.publications);
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
    if let Some(annual_only) = &report.annual_only {
        println!("  {annual_only}");
    }
    println!("lines            {}", report.lines);
    println!("  accepted       {}", report.accepted);
    for (kind, counts) in [("excluded", &report.excluded), ("rejected", &report.rejected)] {
        let total: u64 = counts.iter().map(|count| count.lines).sum();
        println!("  {kind}       {total}");
        for count in counts.iter().filter(|count| count.lines > 0) {
            println!("    {:<13}{}", count.rule, count.lines);
        }
    }
    for (what, n) in [("rounded", report.rounded), ("footers", report.footers)] {
        if n > 0 {
            println!("  {what}        {n}");
        }
    }
    for FindingCount { finding, files, last_file } in &report.findings {
        println!("  finding        {finding} in {files} files, the last {last_file}");
    }
    for year in &report.years {
        let state = match (year.months, year.has_indicators) {
            (_, false) => "no indicators: the year before is incomplete",
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

fn print_estimates(estimates: &EstimateStatus) {
    let EstimateStatus { kept, kept_before, models, last_year, last_vintage, .. } = estimates;
    let mut line = match kept {
        0 => "estimates        none".to_owned(),
        _ => format!("estimates        {kept}, of {models} models"),
    };
    if let (Some(year), Some(vintage)) = (last_year, last_vintage) {
        let _ = write!(line, "; the last through {year} at vintage {vintage}");
    }
    if let Some(month) = &estimates.last_month {
        let _ = write!(line, "; of months through {month}");
    }
    println!("{line}");
    if *kept_before > 0 {
        println!("  by name        {kept_before}, from before models had identities");
    }
    if !estimates.stale.is_empty() {
        let years: Vec<String> = estimates.stale_years.iter().map(ToString::to_string).collect();
        let changed = if years.is_empty() {
            "their data have changed".to_owned()
        } else {
            format!("late records have changed {}", years.join(", "))
        };
        println!("  stale          {}: {changed} since", estimates.stale.join(", "));
    }
    for (what, reasons) in
        [("without data   ", &estimates.lacking_data), ("failed         ", &estimates.failures)]
    {
        for Reason { model, through, month, why } in reasons {
            let end = SampleEnd::new(Year(*through), *month).unwrap_or_default();
            println!("  {what}{model} through {end}: {why}");
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
    if beat.series_months_to_fill > 0 {
        let n_months = beat.series_months_to_fill;
        println!("  series         {n_months} months to fill; readers compute them meanwhile");
    }
}

fn print_alerts(alerts: Option<&AlertStatus>) {
    let Some(AlertStatus { raised, unacknowledged, sinks, .. }) = alerts else { return };
    println!("alerts           {raised} raised, {unacknowledged} of them not acknowledged");
    for SinkStatus { sink, undelivered, last_error } in sinks {
        let why =
            last_error.as_ref().map_or_else(String::new, |why| format!("; last error: {why}"));
        println!("  undelivered    {undelivered} to {sink}{why}");
    }
}
