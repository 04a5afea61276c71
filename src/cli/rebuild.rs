//! `rebuild`: recompute the home under the current options.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use spillover::engine::rebuild::{Rebuild as Outcome, rebuild};
use spillover::feed::reference::TablesBeside;
use spillover::home::Home;

use super::ending::Done;
use super::home_options::{HomeOptions, n_workers};
use super::progress::bar;
use super::terminal;

#[derive(Debug, Args)]
pub struct Rebuild {
    /// A folder of reference tables that replace those of the home: other areas, provinces or
    /// income groups of codes, and further codes.
    #[arg(long, value_name = "FEED")]
    tables: Option<PathBuf>,
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = super::home_options::workers)]
    workers: Option<usize>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Rebuild {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        let n_files = Home::read(home.folder())?.files()?.len();
        let bar = bar(n_files, "rebuilding");
        let n_workers = n_workers(self.workers, &config);
        let tables = self.tables.as_deref().map(tables_beside).transpose()?;
        let rebuilt =
            rebuild(home.folder(), &config, tables.as_ref(), n_workers, |n| bar.inc(n as u64))?;
        bar.finish_and_clear();
        if self.json {
            terminal::json_line(&Summary::of(rebuilt.as_ref()))?;
            if let Some(Outcome { snapshot, .. }) = rebuilt {
                snapshot.context(NO_SNAPSHOT)?;
            }
            return Ok(Done::Clean);
        }
        match rebuilt {
            None => {
                println!("nothing to rebuild: options and tables are the recorded ones");
            }
            Some(Outcome { vintage, n_reclassified, counts_now, snapshot }) => {
                println!(
                    "rebuilt as vintage {vintage}; the counted records of {n_reclassified} files \
                     changed"
                );
                for now in &counts_now {
                    println!("{now}");
                }
                snapshot.context(NO_SNAPSHOT)?;
            }
        }
        Ok(Done::Clean)
    }
}

/// The message if only the snapshot failed.
const NO_SNAPSHOT: &str = "the home is rebuilt, but its state was not saved as a snapshot";

/// The result of a rebuild.
#[derive(Debug, Default, Serialize)]
struct Summary {
    /// False if options and tables are the recorded ones.
    rebuilt: bool,
    /// The vintage of the rebuild.
    vintage: Option<u32>,
    /// The number of files whose counted records changed.
    files_changed: usize,
    /// Files with lines that count now, in words.
    counts_now: Vec<String>,
    /// True if the state was saved as a snapshot.
    snapshot: bool,
}

impl Summary {
    fn of(rebuilt: Option<&Outcome>) -> Self {
        rebuilt.map_or_else(Self::default, |of| Self {
            rebuilt: true,
            vintage: Some(of.vintage.0),
            files_changed: of.n_reclassified,
            counts_now: of.counts_now.iter().map(ToString::to_string).collect(),
            snapshot: of.snapshot.is_ok(),
        })
    }
}

fn tables_beside(folder: &Path) -> anyhow::Result<TablesBeside> {
    let tables = TablesBeside::of(folder)?;
    if tables.named().next().is_none() {
        bail!(
            "there is no cities.csv, regions.csv, countries.csv or firms.csv in {}",
            folder.display()
        );
    }
    Ok(tables)
}
