//! `backup` and `restore`: copy a home as of one publication, into a folder or back from it.

use std::path::{Path, PathBuf};

use clap::Args;
use spillover::alerts::backup as alerts;
use spillover::home::backup::{Copied, copy};

use super::ending::Done;
use super::home_options::HomeOptions;

#[derive(Debug, Args)]
pub struct Backup {
    /// The folder of the backup: a new one, or an empty one.
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// The folder of the backup.
    #[arg(value_name = "DIR")]
    from: PathBuf,
}

impl Backup {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        copy_home(home.folder(), &self.to)
    }
}

impl Restore {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        copy_home(&self.from, home.folder())
    }
}

/// Copies a home with its alerts. The alerts are read first, see [`alerts`].
fn copy_home(from: &Path, to: &Path) -> anyhow::Result<Done> {
    let alerts = alerts::read(from)?;
    let copied = copy(from, to, &alerts.files)?;
    print(&copied, to);
    if let Some(error) = alerts.invalid {
        eprintln!("alerts.toml is copied, and no rule is evaluated before it is valid: {error}");
    }
    Ok(Done::Clean)
}

fn print(copied: &Copied, to: &Path) {
    for path in &copied.left_out {
        eprintln!("not copied: {path} is damaged or missing, and no current figure needs it");
    }
    println!(
        "publication {} copied to {}: {} files, {} bytes, each checked by its hash",
        copied.publication,
        to.display(),
        copied.n_files,
        copied.n_bytes
    );
}
