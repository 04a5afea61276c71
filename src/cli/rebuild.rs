//! `rebuild`: recompute the home under the current options.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use spillover::engine::rebuild::{Rebuild as Outcome, rebuild};
use spillover::feed::reference::TablesBeside;
use spillover::home::Home;

use super::ending::Done;
use super::home_options::{HomeOptions, n_workers};
use super::progress::bar;

#[derive(Debug, Args)]
pub struct Rebuild {
    /// A folder of reference tables that replace those of the home: other areas, provinces or
    /// income groups of codes, and further codes.
    #[arg(long, value_name = "FEED")]
    tables: Option<PathBuf>,
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = super::home_options::workers)]
    workers: Option<usize>,
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
                snapshot
                    .context("the home is rebuilt, but its state was not saved as a snapshot")?;
            }
        }
        Ok(Done::Clean)
    }
}

fn tables_beside(folder: &Path) -> anyhow::Result<TablesBeside> {
    let tables = TablesBeside::of(folder)?;
    if tables.named().next().is_none() {
        bail!("there is no cities.csv, regions.csv or countries.csv in {}", folder.display());
    }
    Ok(tables)
}
