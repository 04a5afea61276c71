//! The options that every command takes: the home, the options file and the workers.

use std::path::{Path, PathBuf};

use spillover::home::options::{Config, check_workers};

use super::target::Spared;

/// The home folder and the options file.
pub struct HomeOptions {
    pub folder: PathBuf,
    pub config: Option<PathBuf>,
}

impl HomeOptions {
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files that a command must not overwrite, besides its inputs.
    pub fn spared<'a>(&'a self, inputs: &[&'a Path]) -> Spared<'a> {
        let inputs = self.config.as_deref().into_iter().chain(inputs.iter().copied());
        Spared { data: &self.folder, inputs: inputs.collect() }
    }

    pub fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::find(self.config.as_deref(), &self.folder)?)
    }
}

/// Parses the number of workers of the command line.
pub fn workers(text: &str) -> Result<usize, String> {
    let n_workers = text.parse().map_err(|_| "give a whole number".to_owned())?;
    check_workers(n_workers).map_err(|error| error.to_string())?;
    Ok(n_workers)
}

/// The number of workers: from the command line or the options, else one per core, at most four.
pub fn n_workers(asked: Option<usize>, config: &Config) -> usize {
    let one_a_core = || std::thread::available_parallelism().map_or(1, usize::from).min(4);
    asked.or(config.workers).unwrap_or_else(one_a_core)
}
