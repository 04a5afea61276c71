//! `rebuild`: recompute the home under the options of now.

use clap::Args;
use spillover::archive::Archive;
use spillover::engine::rebuild::{Rebuild as Outcome, rebuild};

use super::progress::bar;
use super::{Done, Home, n_workers};

#[derive(Debug, Args)]
pub struct Rebuild {
    /// How many workers compute.
    #[arg(long, value_name = "N", value_parser = super::workers)]
    workers: Option<usize>,
}

impl Rebuild {
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let config = home.config()?;
        let n_files = Archive::read(home.folder())?.files()?.len();
        let bar = bar(n_files, "rebuilding");
        let n_workers = n_workers(self.workers, &config);
        let rebuilt = rebuild(home.folder(), &config, n_workers, |n| bar.inc(n as u64))?;
        bar.finish_and_clear();
        match rebuilt {
            None => {
                println!("nothing to rebuild: the options are those that the home has recorded");
            }
            Some(Outcome { vintage, n_reclassified }) => println!(
                "rebuilt as vintage {vintage}; in {n_reclassified} files other records count than \
                 before"
            ),
        }
        Ok(Done::Clean)
    }
}
