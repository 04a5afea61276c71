//! `compact`: fold the parts of the published tables, and drop vintages by the option `retention`.

use clap::Args;
use spillover::engine::Request;
use spillover::engine::compact::{Compacted, compact};
use spillover::home::CompactionRules;

use super::ending::Done;
use super::follow_up::n_folded;
use super::home_options::{HomeOptions, n_workers, workers};

#[derive(Debug, Args)]
pub struct Compact {
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = workers)]
    workers: Option<usize>,
}

impl Compact {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        let n_workers = n_workers(self.workers, &config);
        let request = Request { config, n_workers, ..Request::default() };
        let Compacted { done, before, after, was_open } =
            compact(home.folder(), request, CompactionRules::ALL)?;
        if let Some(was_open) = was_open {
            eprintln!("{was_open}");
        }
        let n_chains = n_folded(&done);
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
