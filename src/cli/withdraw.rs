//! `withdraw NAME…`: withdraw files; their lines then no longer count.

use std::ops::ControlFlow;
use std::path::Path;

use clap::Args;
use serde::Serialize;
use spillover::domain::types::Vintage;
use spillover::engine::{EngineError, Request, file_named, withdraw};
use spillover::home::{FileEntry, Home, Withdrawn};

use super::ending::Done;
use super::follow_up::follow_up;
use super::home_options::{HomeOptions, n_workers};
use super::progress::bar;
use super::terminal;

#[derive(Debug, Args)]
pub struct Withdraw {
    /// The names of the files, as in `export files`; they are withdrawn together.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// The vintage of the file, where several current files have the name.
    #[arg(long, value_name = "V")]
    vintage: Option<u32>,
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = super::home_options::workers)]
    workers: Option<usize>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Withdraw {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        let files = self.files(&Home::read(home.folder())?)?;
        let n_workers = n_workers(self.workers, &config);
        let bar = bar(Home::read(home.folder())?.files()?.len(), "restoring");
        let request = Request { config, n_workers, ..Request::default() };
        let (mut engine, withdrawn) = withdraw::withdraw(home.folder(), request, &files, |n| {
            bar.inc(n as u64);
            ControlFlow::Continue(())
        })?;
        bar.finish_and_clear();
        if self.json {
            let file = |(withdrawn, file): (&Withdrawn, &FileEntry)| WithdrawnFile {
                file: file.name.clone(),
                file_vintage: withdrawn.file.0,
                vintage: withdrawn.at.0,
                records: file.counts.accepted,
            };
            let withdrawn: Vec<_> = withdrawn.iter().zip(&files).map(file).collect();
            terminal::json_line(&serde_json::json!({ "withdrawn": withdrawn }))?;
            follow_up(&mut engine)?;
            return Ok(Done::Clean);
        }
        for (withdrawn, file) in withdrawn.iter().zip(&files) {
            println!(
                "{} (vintage {}) is withdrawn as vintage {}; its {} records no longer count",
                file.name, withdrawn.file, withdrawn.at, file.counts.accepted
            );
        }
        follow_up(&mut engine)?;
        Ok(Done::Clean)
    }

    /// The named files, each once.
    fn files(&self, home: &Home) -> anyhow::Result<Vec<FileEntry>> {
        let mut files: Vec<FileEntry> = Vec::new();
        for name in &self.names {
            let name = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
            let file = match self.vintage.map(Vintage) {
                Some(vintage) => of_vintage(home, vintage, &name)?,
                None => file_named(home, &name)?,
            };
            if files.iter().all(|other| other.vintage != file.vintage) {
                files.push(file);
            }
        }
        Ok(files)
    }
}

/// A withdrawn file.
#[derive(Debug, Serialize)]
struct WithdrawnFile {
    /// Its name.
    file: String,
    /// Its own vintage.
    file_vintage: u32,
    /// The vintage of the withdrawal.
    vintage: u32,
    /// The number of its records that no longer count.
    records: u64,
}

fn of_vintage(home: &Home, vintage: Vintage, name: &str) -> anyhow::Result<FileEntry> {
    let is_meant =
        |file: &FileEntry| file.vintage == vintage && file.name == name && file.counts_now();
    let found = home.files().map_err(EngineError::from)?.into_iter().find(is_meant);
    found.ok_or_else(|| {
        anyhow::anyhow!("vintage {vintage} is not a counted file called {name}; see `export files`")
    })
}
