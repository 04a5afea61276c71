//! `mirror`: write the newest publication as Parquet files for other programs.

use std::path::PathBuf;

use clap::Args;
use spillover::sinks::mirror::mirror;

use super::ending::Done;
use super::export::reader;
use super::home_options::HomeOptions;

#[derive(Debug, Args)]
pub struct Mirror {
    /// The folder of the mirror; the link `current` in it leads to the newest tables.
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

impl Mirror {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        home.spared(&[]).check(Some(&self.to))?;
        let joint = home.config()?.joint_months()?;
        let mirrored = mirror(&mut reader(home)?, joint, &self.to)?;
        let (publication, folder) = (mirrored.publication, mirrored.folder.display());
        match mirrored.n_files {
            0 => println!("publication {publication} is in {folder} already"),
            n_files => println!("publication {publication} written to {folder}: {n_files} tables"),
        }
        Ok(Done::Clean)
    }
}
