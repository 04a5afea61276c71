//! `snapshot`: save the current annual cells for a fast restart.

use clap::Args;
use spillover::engine::Request;
use spillover::home::Home;

use super::ending::Done;
use super::home_options::{HomeOptions, n_workers};
use super::ingest::open;

#[derive(Debug, Args)]
pub struct Snapshot {
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = super::home_options::workers)]
    workers: Option<usize>,
}

impl Snapshot {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        Home::read(home.folder())?;
        let n_workers = n_workers(self.workers, &config);
        let mut engine = open(home, Request { config, n_workers, ..Request::default() }, &[])?;
        match engine.snapshot()? {
            Some(snapshot) => println!(
                "{} cells of publication {} saved in {}",
                snapshot.n_cells, snapshot.publication, snapshot.file.path
            ),
            None => println!("nothing to save: the newest publication has its snapshot"),
        }
        Ok(Done::Clean)
    }
}
