//! `compact`: fold the parts of the published tables, and let go of vintages that are not to be
//! stored.

use clap::Args;
use spillover::engine::Request;
use spillover::home::{Archive, CompactionRules};

use super::ending::Done;
use super::follow_up::compact;
use super::home_options::{HomeOptions, n_workers, workers};
use super::ingest::open;

#[derive(Debug, Args)]
pub struct Compact {
    /// How many workers compute.
    #[arg(long, value_name = "N", value_parser = workers)]
    workers: Option<usize>,
}

impl Compact {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        let before = Archive::read(home.folder())?.sizes()?;
        let n_workers = n_workers(self.workers, &config);
        let mut engine = open(home, Request { config, n_workers, ..Request::default() }, &[])?;
        let n_chains = compact(&mut engine, CompactionRules::ALL)?;
        let after = engine.archive().sizes()?;
        if n_chains == 0 {
            println!("nothing to fold: published tables take {} bytes", after.part_bytes);
        } else {
            println!(
                "{n_chains} years of tables folded: published tables take {} bytes in {} files, \
                 before {} in {}",
                after.part_bytes, after.n_parts, before.part_bytes, before.n_parts
            );
        }
        Ok(Done::Clean)
    }
}
