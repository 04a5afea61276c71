//! Measures the time of new files while the engine is running. Ingests a feed in one process, some
//! months one by one, then late files. Prints the time of each from file to committed tables.
//!
//! `cargo bench --bench live -- HOME FEED --month 201112 --late LATE.csv`
//!
//! Prints JSON; `benches/run` makes the feeds, checks the tables and compares the times with those
//! of recomputing.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use serde::Serialize;
use spillover::domain::types::Period;
use spillover::engine::{Engine, Outcome, Request, Unwatched};
use spillover::feed::profile::{Profile, Revision};
use spillover::feed::reference::TablesBeside;
use spillover::feed::source::{FeedFile, discover};
use spillover::home::options::Config;

#[derive(Debug, Parser)]
struct Arguments {
    /// The engine's home; there must be none yet.
    home: PathBuf,
    /// The folder of the feed, with its reference tables.
    feed: PathBuf,
    /// A month that is taken in and timed by itself; the months between are taken in together.
    #[arg(long = "month", value_name = "YYYYMM")]
    months: Vec<u32>,
    /// A file that is taken in and timed after the feed.
    #[arg(long = "late", value_name = "FILE")]
    late: Vec<PathBuf>,
    /// How many workers compute.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// What `cargo bench` says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A separately timed file.
#[derive(Debug, Serialize)]
struct Timed {
    name: String,
    lines: u64,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    /// The seconds of all files ingested together.
    together_seconds: f64,
    /// The seconds of the snapshots of closed years, which are written after the commit of their
    /// tables.
    snapshot_seconds: f64,
    timed: Vec<Timed>,
}

/// Ingests files and returns their number of lines.
fn take_in(engine: &mut Engine, files: &[FeedFile]) -> anyhow::Result<u64> {
    let mut n_lines = 0;
    for outcome in engine.ingest(files, &mut Unwatched)? {
        let Outcome::Accepted { counts, .. } = &outcome.outcome else {
            anyhow::bail!("{} was not accepted: {:?}", outcome.path.display(), outcome.outcome);
        };
        anyhow::ensure!(counts.rejected_total() == 0, "a feed for the bench has no rejects");
        n_lines += counts.lines;
    }
    Ok(n_lines)
}

fn timed(engine: &mut Engine, file: &FeedFile) -> anyhow::Result<Timed> {
    let start = Instant::now();
    let lines = take_in(engine, std::slice::from_ref(file))?;
    Ok(Timed { name: file.name.clone(), lines, seconds: start.elapsed().as_secs_f64() })
}

fn open(home: &Path, feed: &Path, n_workers: usize) -> anyhow::Result<Engine> {
    let request = Request {
        config: Config { revision: Some(Revision::Append), ..Config::default() },
        profile: None,
        references: TablesBeside::of(feed)?,
        n_workers,
    };
    Ok(Engine::open(home, request, |_| std::ops::ControlFlow::Continue(()))?)
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let profile = Profile::bundled("canonical")?;
    let files = discover(std::slice::from_ref(&arguments.feed), &profile)?.files;
    let late = discover(&arguments.late, &profile)?.files;
    let months: Option<Vec<Period>> =
        arguments.months.iter().map(|&month| Period::from_yyyymm(month)).collect();
    let Some(months) = months else { anyhow::bail!("--month takes a month, YYYYMM") };

    let mut engine = open(&arguments.home, &arguments.feed, arguments.workers)?;
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        together_seconds: 0.0,
        snapshot_seconds: 0.0,
        timed: Vec::new(),
    };
    let is_alone = |file: &FeedFile| months.contains(&file.period);
    for files in files.chunk_by(|left, right| !is_alone(left) && !is_alone(right)) {
        if let [file] = files
            && is_alone(file)
        {
            report.timed.push(timed(&mut engine, file)?);
        } else {
            let start = Instant::now();
            take_in(&mut engine, files)?;
            report.together_seconds += start.elapsed().as_secs_f64();
        }
        let start = Instant::now();
        engine.snapshot_if_due()?;
        report.snapshot_seconds += start.elapsed().as_secs_f64();
    }
    for file in &late {
        report.timed.push(timed(&mut engine, file)?);
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
