//! `withdraw NAME`: a file's lines do not count any more.

use std::path::Path;

use clap::Args;
use spillover::archive::Archive;
use spillover::engine::{Request, Unwatched};
use spillover::types::Vintage;

use super::ingest::open;
use super::{Done, Home, n_workers};

#[derive(Debug, Args)]
pub struct Withdraw {
    /// The file's name, as `export files` has it.
    name: String,
    /// Which one, where several files that count have the name.
    #[arg(long, value_name = "V")]
    vintage: Option<u32>,
    /// How many workers compute.
    #[arg(long, value_name = "N", value_parser = super::workers)]
    workers: Option<usize>,
}

impl Withdraw {
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let config = home.config()?;
        Archive::read(home.folder())?;
        let n_workers = n_workers(self.workers, &config);
        let mut engine = open(home, Request { config, n_workers, ..Request::default() })?;
        let name = Path::new(&self.name).file_name().unwrap_or_default().to_string_lossy();
        let file = match self.vintage.map(Vintage) {
            Some(vintage) => {
                let files = engine.archive().files()?;
                let found = files
                    .into_iter()
                    .find(|file| file.vintage == vintage && file.name == name && file.counts_now());
                found.ok_or_else(|| {
                    anyhow::anyhow!(
                        "vintage {vintage} is no file that counts and is called {name}; see \
                         `export files`"
                    )
                })?
            }
            None => engine.file_named(&name)?,
        };
        let withdrawn = engine.withdraw(&[file.vintage], &mut Unwatched)?;
        for withdrawn in withdrawn {
            println!(
                "{} (vintage {}) is withdrawn as vintage {}; its {} records do not count any more",
                file.name, withdrawn.file, withdrawn.at, file.counts.accepted
            );
        }
        Ok(Done::Clean)
    }
}
