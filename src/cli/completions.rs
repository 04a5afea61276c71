//! `completions SHELL` and `manual DIR`: scripts for shells, and man pages.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;

use super::ending::Done;
use super::terminal;

/// The name under which the program is installed.
const NAME: &str = "spillover";

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that completes commands and options.
    shell: Shell,
}

impl Completions {
    /// Prints the script for all commands of `program`.
    pub fn run(&self, mut program: Command) -> Done {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, NAME, &mut script);
        terminal::document(&String::from_utf8_lossy(&script));
        Done::Clean
    }
}

#[derive(Debug, Args)]
pub struct Manual {
    /// The folder for the pages, such as /usr/local/share/man/man1.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Manual {
    /// Writes a page for each command of `program`.
    pub fn run(&self, program: Command) -> anyhow::Result<Done> {
        let folder = self.folder.display();
        clap_mangen::generate_to(program, &self.folder).with_context(|| {
            format!("cannot write man pages into {folder}; name a folder that exists")
        })?;
        Ok(Done::Clean)
    }
}
