//! `ingest FEED…`: ingest every new file in order of period.

use std::ops::ControlFlow;

use clap::Args;
use serde::Serialize;
use spillover::domain::finding::Finding;
use spillover::engine::{Engine, FileOutcome, Outcome, Request, annual_only, with_causes};
use spillover::feed::refused::Refused;
use spillover::feed::source::{FeedFile, NothingTaken, discover, passed_over};
use spillover::home::Seen;
use spillover::regressions::{ClosingEstimates, Reestimating};

use super::ending::Done;
use super::feed::Feed;
use super::follow_up::follow_up;
use super::home_options::{HomeOptions, n_workers};
use super::progress::{Files, Skipped, counter};
use super::terminal;

#[derive(Debug, Args)]
pub struct Ingest {
    #[command(flatten)]
    feed: Feed,
    /// List the skipped files, not only their number.
    #[arg(short, long)]
    verbose: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

impl Ingest {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        let Feed { feeds, profile, workers } = self.feed;
        let n_workers = n_workers(workers, &config);
        let mut closings = ClosingEstimates::of(&config, n_workers)?;
        let request = Request::for_feed(&feeds, profile.as_deref(), config, n_workers)?;
        let layout = request.layout(home.folder())?;
        let found = discover(&feeds, &layout)?;
        if let Some(finding) = passed_over(&found.passed_over, &layout) {
            if request.config.refused_findings().contains(&finding.kind) {
                eprintln!("refused: {}", NothingTaken(&finding));
                return Ok(Done::InputRefused);
            }
            eprintln!("{finding}");
        }
        if let Some(annual_only) = annual_only(&layout) {
            eprintln!("{annual_only}");
        }
        let inner = Files::watch(found.files.len(), &found.refused);
        let mut observer = Reestimating::new(inner, &mut closings);
        let mut engine = open(home, request, &found.files)?;
        engine.catch_up(&mut observer);
        let ingested = engine.ingest(&found.files, &mut observer);
        let (files, failure) = observer.finish();
        files.tell_skipped(if self.verbose { Skipped::Listed } else { Skipped::Counted });
        let outcomes = ingested.inspect_err(|_| files.tell_refused())?;
        for name in &engine.restored().mended {
            eprintln!("the records of {name} were damaged and are restored from the file");
        }
        let summary = Summary::of(&engine, &outcomes, &found.refused)?;
        files.tell_refused();
        if let Some(failure) = failure {
            // The summary acknowledges all files; those that count are in `status`.
            let n_files = summary.files_accepted;
            let what = format!("{n_files} files were ingested; run the command again for the rest");
            return Err(anyhow::Error::from(failure).context(what));
        }
        summary.print(self.json)?;
        follow_up(&mut engine)?;
        Ok(summary.done())
    }
}

/// Opens a home for writing, and counts the segments that it reads; restores damaged ones from the
/// given files.
pub fn open(home: &HomeOptions, request: Request, files: &[FeedFile]) -> anyhow::Result<Engine> {
    let bar = counter("restoring");
    let engine = Engine::open_or_mend(home.folder(), request, files, |n| {
        bar.inc(n as u64);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    if let Some(was_open) = engine.home().was_open() {
        eprintln!("{was_open}");
    }
    for now in &engine.restored().counts_now {
        eprintln!("{now}");
    }
    for (publication, damaged) in &engine.restored().damaged {
        let from = engine.restored().from.map_or_else(
            || "the segments alone".to_owned(),
            |publication| format!("the snapshot of publication {publication}"),
        );
        eprintln!(
            "the snapshot of publication {publication} cannot be used, the state was restored \
             from {from}; no figure is affected: {}",
            with_causes(damaged)
        );
    }
    Ok(engine)
}

/// The summary of an `ingest`.
#[derive(Debug, Default, Serialize)]
struct Summary {
    files_accepted: usize,
    files_skipped: usize,
    files_refused: usize,
    lines: u64,
    accepted: u64,
    excluded: u64,
    rejected: u64,
    vintage: u32,
    next_month: Option<String>,
    /// The skipped files, with the earlier outcome of their bytes.
    skipped: Vec<SkippedFile>,
    /// The refused files, with the reason.
    refused: Vec<RefusedFile>,
    /// The findings about accepted files.
    findings: Vec<FileFinding>,
}

#[derive(Debug, Serialize)]
struct FileFinding {
    file: String,
    #[serde(flatten)]
    finding: Finding,
}

#[derive(Debug, Serialize)]
struct SkippedFile {
    file: String,
    accepted_as: String,
    superseded_by: Option<u32>,
    withdrawn_at: Option<u32>,
}

#[derive(Debug, Serialize)]
struct RefusedFile {
    file: String,
    reason: String,
}

fn skipped_file(file: String, seen: &Seen) -> SkippedFile {
    let (accepted_as, superseded_by, withdrawn_at) = match seen {
        Seen::Known { accepted_as, superseded_by } => (accepted_as, *superseded_by, None),
        Seen::Withdrawn { accepted_as, at } => (accepted_as, None, Some(*at)),
    };
    let [superseded_by, withdrawn_at] = [superseded_by, withdrawn_at].map(|at| Some(at?.0));
    SkippedFile { file, accepted_as: accepted_as.clone(), superseded_by, withdrawn_at }
}

fn unnamed_file(refused: &Refused) -> RefusedFile {
    let file = match refused {
        Refused::Period { file, .. } => file.display().to_string(),
        _ => String::new(),
    };
    RefusedFile { file, reason: with_causes(refused) }
}

impl Summary {
    fn of(engine: &Engine, outcomes: &[FileOutcome], unnamed: &[Refused]) -> anyhow::Result<Self> {
        let mut summary = Self {
            files_refused: unnamed.len(),
            refused: unnamed.iter().map(unnamed_file).collect(),
            vintage: engine.home().last_vintage()?.unwrap_or_default().0,
            next_month: engine.next_to_close().map(|period| period.to_string()),
            ..Self::default()
        };
        for outcome in outcomes {
            let file = outcome.path.display().to_string();
            match &outcome.outcome {
                Outcome::Seen(seen) => {
                    summary.files_skipped += 1;
                    summary.skipped.push(skipped_file(file, seen));
                }
                Outcome::Refused(refusal) => {
                    summary.files_refused += 1;
                    let reason = with_causes(refusal);
                    summary.refused.push(RefusedFile { file, reason });
                }
                Outcome::Accepted { counts, findings, .. } => {
                    summary.files_accepted += 1;
                    let of_file = |finding: &Finding| FileFinding {
                        file: file.clone(),
                        finding: finding.clone(),
                    };
                    summary.findings.extend(findings.iter().map(of_file));
                    summary.lines += counts.lines;
                    summary.accepted += counts.accepted;
                    summary.excluded += counts.excluded_total();
                    summary.rejected += counts.rejected_total();
                }
            }
        }
        Ok(summary)
    }

    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return terminal::json_line(self);
        }
        let Self { files_accepted, files_skipped, files_refused, .. } = self;
        println!(
            "{files_accepted} files accepted, {files_skipped} skipped, {files_refused} refused"
        );
        if *files_accepted > 0 {
            let Self { lines, accepted, excluded, rejected, vintage, .. } = self;
            println!(
                "{lines} lines: {accepted} accepted, {excluded} excluded, {rejected} rejected; \
                 vintage {vintage}"
            );
        } else if *files_refused == 0 {
            println!("nothing new: every file was accepted before");
        }
        Ok(())
    }

    fn done(&self) -> Done {
        if self.files_refused > 0 || self.rejected > 0 { Done::InputRefused } else { Done::Clean }
    }
}
