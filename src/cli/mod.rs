//! The command line: one file for each command.

mod alerts;
mod backup;
mod check;
mod close;
mod compact;
mod completions;
mod demo;
mod diff;
mod effect;
mod effect_options;
mod ending;
mod estimate;
mod explain;
mod export;
mod feed;
mod follow_up;
mod home_options;
mod ingest;
mod init;
mod leave_out_options;
mod log;
mod mirror;
mod name_options;
mod output_format;
mod panel_options;
mod period;
mod progress;
mod rebuild;
mod reestimation;
mod regress;
mod report;
mod revisions;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
mod serve_options;
mod simulate;
mod snapshot;
mod span_options;
mod status;
mod style_options;
mod sync;
mod table_output;
mod target;
pub mod terminal;
mod verify;
mod watch;
mod withdraw;

use std::io;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use spillover::engine::EngineError;
use spillover::files::scratch::clear_stale;
use spillover::files::trouble::remark;
use spillover::home::HomeError;
use spillover::home::options::Config;

use ending::Done;
pub use ending::UsageError;
use home_options::HomeOptions;

/// The release, and the commit that the binary was built from.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("SPILLOVER_COMMIT"));

/// Keeps information-spillover indicators of exporters exact as monthly customs files arrive.
#[derive(Debug, Parser)]
#[command(version = VERSION, max_term_width = 100)]
pub struct Arguments {
    /// The home folder; commands write outside it only where an option names a file.
    #[arg(long, global = true, value_name = "DIR", default_value = "spillover-data")]
    data: PathBuf,
    /// The options file [default: spillover.toml in the home].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate a small feed, ingest it, print its headline figures and verify them.
    Demo(demo::Demo),
    /// Write a feed from the paper's model, with its reference tables.
    Simulate(simulate::Simulate),
    /// Propose a profile for a feed, and show its first records as they would be read.
    Init(init::Init),
    /// Read a feed without a home, and print its files, lines and findings.
    Check(check::Check),
    /// Ingest every new file in order of period, close months and publish.
    Ingest(ingest::Ingest),
    /// Ingest new files of a feed until stopped.
    Watch(watch::Watch),
    /// Close the next month (close = "explicit").
    Close(close::Close),
    /// Estimate the paper's tables, or your own regressions, from the home.
    Estimate(estimate::Estimate),
    /// Withdraw files: their lines no longer count.
    Withdraw(withdraw::Withdraw),
    /// Recompute the home under the current options.
    Rebuild(rebuild::Rebuild),
    /// Copy the home into another folder, also while a watcher writes it.
    Backup(backup::Backup),
    /// Make the home from a backup, and check every file.
    Restore(backup::Restore),
    /// Save the current state for a fast restart.
    Snapshot(snapshot::Snapshot),
    /// Fold the changes of published tables, and remove vintages that the option retention drops.
    Compact(compact::Compact),
    /// Write a table.
    Export(export::Export),
    /// Write the newest publication as Parquet files for other programs.
    Mirror(mirror::Mirror),
    /// Write the newest publication to a PostgreSQL database.
    Sync(sync::Sync),
    /// Apply the latest estimate to the open year: what affiliate cities account for.
    Effect(effect::Effect),
    /// Compare the effects of months with those of whole years.
    Backtest(effect::Backtest),
    /// Write one month for a briefing, as an HTML page that prints.
    Report(report::Report),
    /// Replay the rules of alerts, preview, list and acknowledge alerts.
    Alerts(alerts::Alerts),
    /// List the changes of published figures, step by step.
    Revisions(revisions::Revisions),
    /// List every figure that differs between two vintages.
    Diff(diff::Diff),
    /// Trace one row of the table plant to its cities, exporters and records.
    Explain(explain::Explain),
    /// Estimate a regression with fixed effects on any panel in text, Parquet or Arrow.
    Regress(regress::Regress),
    /// Recompute all figures from the records and compare them with the published ones.
    Verify(verify::Verify),
    /// Show the contents and state of the home.
    Status(status::Status),
    /// Answer over HTTP: the page, the API, events and metrics.
    #[cfg(feature = "serve")]
    Serve(serve::Serve),
    /// Print the script by which a shell completes commands and options.
    Completions(completions::Completions),
    /// Write a man page for each command.
    Manual(completions::Manual),
}

/// Runs a command.
pub fn run(arguments: Arguments) -> anyhow::Result<Done> {
    let Arguments { data, config, command } = arguments;
    for (leftover, error) in clear_stale() {
        let (path, remark) = (leftover.display(), remark(&leftover, &error));
        eprintln!("cannot remove {path} of an earlier process{remark}: {error}");
    }
    let home = HomeOptions { folder: data, config };
    // Checked for every command: a wrong name must not pass silently.
    if let Some(config) = &home.config {
        Config::from_file(config)?;
    }
    // These commands need room outside of the home.
    let is_elsewhere = matches!(command, Command::Demo(_) | Command::Export(_) | Command::Diff(_));
    run_command(command, &home)
        .map_err(|error| if is_elsewhere { error } else { with_room_asked_for(error, &home) })
}

fn run_command(command: Command, home: &HomeOptions) -> anyhow::Result<Done> {
    match command {
        Command::Completions(completions) => Ok(completions.run(Arguments::command())),
        Command::Manual(manual) => manual.run(Arguments::command()),
        Command::Demo(demo) => demo.run(home),
        Command::Simulate(simulate) => simulate.run(home),
        Command::Init(init) => init.run(home),
        Command::Check(check) => check.run(home),
        Command::Ingest(ingest) => ingest.run(home),
        Command::Watch(watch) => watch.run(home),
        Command::Close(close) => close.run(home),
        Command::Estimate(estimate) => estimate.run(home),
        Command::Withdraw(withdraw) => withdraw.run(home),
        Command::Rebuild(rebuild) => rebuild.run(home),
        Command::Backup(backup) => backup.run(home),
        Command::Restore(restore) => restore.run(home),
        Command::Snapshot(snapshot) => snapshot.run(home),
        Command::Compact(compact) => compact.run(home),
        Command::Export(export) => export.run(home),
        Command::Mirror(mirror) => mirror.run(home),
        Command::Sync(sync) => sync.run(home),
        Command::Effect(effect) => effect.run(home),
        Command::Backtest(backtest) => backtest.run(home),
        Command::Report(report) => report.run(home),
        Command::Alerts(alerts) => alerts.run(home),
        Command::Revisions(revisions) => revisions.run(home),
        Command::Diff(diff) => diff.run(home),
        Command::Regress(regress) => regress.run(home),
        Command::Explain(explain) => explain.run(home),
        Command::Verify(verify) => verify.run(home),
        Command::Status(status) => status.run(home),
        #[cfg(feature = "serve")]
        Command::Serve(serve) => serve.run(home),
    }
}

/// Adds the consequence of a full disk for the run to an error.
fn with_room_asked_for(error: anyhow::Error, home: &HomeOptions) -> anyhow::Error {
    let of_engine = |error: &EngineError| error.is_no_room();
    let of_home = |error: &HomeError| error.is_no_room();
    if !error.downcast_ref().is_some_and(of_engine) && !error.downcast_ref().is_some_and(of_home) {
        return error;
    }
    let home = home.folder().display();
    error.context(format!(
        "no room is left for {home}; published tables are unchanged: make room on its disk, then \
         run again"
    ))
}

/// True if a command failed because the reader of its output has ended, as with `| head`.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
