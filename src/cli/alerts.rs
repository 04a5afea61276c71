//! `alerts`: replay rules over history, preview, list and acknowledge alerts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use spillover::alerts::live::{AlertsOptions, preview};
use spillover::alerts::replay::{Replay, RuleSummary, replay};
use spillover::alerts::settings::FILE;
use spillover::alerts::store::{Acknowledged, Store, StoredAlert};
use spillover::alerts::{Settings, sheets};
use spillover::clock;
use spillover::reader::Reader;
use spillover::render::table::{About, TableFile};
use spillover::tables::sheet::Sheet;

use super::ending::{Done, UsageError};
use super::export::reader;
use super::home_options::HomeOptions;
use super::table_output::TableOutput;

#[derive(Debug, Args)]
pub struct Alerts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replay the rules over all publications, and compare alerts with the final figures.
    Test(Rules),
    /// Write the alerts that the watcher would raise and send now; nothing is stored or sent.
    Preview(Rules),
    /// Write the alerts that the watcher has raised.
    List(List),
    /// Acknowledge an alert.
    Ack(Ack),
}

/// A table about rules.
#[derive(Debug, Args)]
struct Rules {
    /// The file of rules [default: alerts.toml in the home].
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    output: TableOutput,
}

#[derive(Debug, Args)]
struct List {
    /// Write only alerts that have not ended.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    output: TableOutput,
}

#[derive(Debug, Args)]
struct Ack {
    /// The identifier, as in `alerts list`.
    id: String,
}

impl Alerts {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        match self.command {
            Command::Test(rules) => rules.test(home),
            Command::Preview(rules) => rules.preview(home),
            Command::List(list) => list.run(home),
            Command::Ack(ack) => ack.run(home),
        }
    }
}

/// The alerts of a home beside a watcher.
pub fn options(home: &HomeOptions) -> anyhow::Result<AlertsOptions> {
    let config = home.config()?;
    let (joint, release_time) = (config.joint_months()?, config.release_time);
    Ok(AlertsOptions { home: home.folder().to_owned(), joint, release_time })
}

impl Rules {
    fn settings(&self, home: &HomeOptions) -> anyhow::Result<Settings> {
        let settings = Settings::find(self.rules.as_deref(), home.folder())?;
        settings.ok_or_else(|| {
            let path = home.folder().join(FILE);
            UsageError(format!(
                "there are no rules in {}; write the file, or name another one with --rules",
                path.display()
            ))
            .into()
        })
    }

    fn test(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.output.check(home)?;
        let settings = self.settings(home)?;
        let mut reader = reader(home)?;
        let replay = replay(&mut reader, &settings.rules, (options(home)?.joint, clock::now()?))?;
        write(home, &self.output, &reader, sheets::replayed(&replay.rows))?;
        say(&replay);
        Ok(Done::Clean)
    }

    fn preview(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.output.check(home)?;
        let settings = self.settings(home)?;
        let mut reader = reader(home)?;
        let outcome = preview(&mut reader, (&options(home)?, &settings))?;
        write(home, &self.output, &reader, sheets::previewed(&outcome.alerts))?;
        let mut n_of_sinks: BTreeMap<String, usize> = BTreeMap::new();
        for sink in outcome.alerts.iter().flat_map(|alert| settings.sinks_of(alert)) {
            *n_of_sinks.entry(sink).or_default() += 1;
        }
        eprintln!("{}", counted(outcome.alerts.len(), "alert"));
        for sink in &settings.sinks {
            let n = n_of_sinks.get(&sink.name).copied().unwrap_or_default();
            match sink.sender() {
                Ok(_) => eprintln!("  sink {}: {}", sink.name, counted(n, "alert")),
                Err(error) => {
                    let n = counted(n, "alert");
                    eprintln!("  sink {}: {n}, cannot send: {error}", sink.name);
                }
            }
        }
        outcome.notes.iter().for_each(|note| eprintln!("  {note}"));
        Ok(Done::Clean)
    }
}

impl List {
    fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.output.check(home)?;
        let reader = reader(home)?;
        let store = Store::read(home.folder())?;
        let mut alerts = store.map_or_else(|| Ok(Vec::new()), |store| store.alerts(0))?;
        alerts.retain(|alert: &StoredAlert| !self.open || alert.cleared_at.is_none());
        write(home, &self.output, &reader, sheets::stored(&alerts))?;
        Ok(Done::Clean)
    }
}

impl Ack {
    fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let id = &self.id;
        let none = || UsageError(format!("there is no alert {id}; `alerts list` shows all alerts"));
        // A home without alerts gets no database.
        Store::read(home.folder())?.ok_or_else(none)?;
        match Store::open(home.folder())?.acknowledge(id, clock::now()?)? {
            Acknowledged::Now(_) => println!("alert {id} is acknowledged"),
            Acknowledged::Before(at) => println!("alert {id} was acknowledged at {at}"),
            Acknowledged::NoAlert => return Err(none().into()),
        }
        Ok(Done::Clean)
    }
}

fn write(
    home: &HomeOptions,
    output: &TableOutput,
    reader: &Reader,
    (sheet, rows): (Sheet, arrow_array::RecordBatch),
) -> anyhow::Result<()> {
    let about = About { facts: reader.about(None)? };
    let file = TableFile { sheet: &sheet, about: &about };
    output.write(home, &file, std::iter::once(anyhow::Ok(rows)))
}

/// Prints the results of each rule.
fn say(replay: &Replay) {
    let (n_publications, n_alerts) = (replay.n_publications, replay.rows.len());
    eprintln!("{}, {}", counted(n_publications, "publication"), counted(n_alerts, "alert"));
    for of in replay.summaries() {
        let RuleSummary { rule, n_raised, n_final, n_confirmed, lead_months } = of;
        let share = if n_final == 0 {
            "no final figure".to_owned()
        } else {
            let share = ratio(n_confirmed, n_final);
            format!("precision {share:.2} ({n_confirmed} of {n_final})")
        };
        let lead = lead_months.map_or_else(String::new, |of| format!(", lead {of:.1} months"));
        eprintln!("  {rule}: {n_raised} raised, {share}{lead}");
    }
    for note in &replay.notes {
        eprintln!("  {note}");
    }
}

/// A number with its noun.
fn counted(n: usize, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{ending}")
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn ratio(n: usize, of: usize) -> f64 {
    n as f64 / of as f64
}
