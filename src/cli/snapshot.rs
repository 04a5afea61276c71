//! `snapshot`: save the current annual cells for a fast restart.

use clap::Args;
use spillover::engine::Request;
use spillover::home::Home;

use super::ending::Done;
use super::home_options::{HomeOptions, n_workers};
use super::ingest::open;
use super::terminal;

#[derive(Debug, Args)]
pub struct Snapshot {
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = super::home_options::workers)]
    workers: Option<usize>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Snapshot {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        Home::read(home.folder())?;
        let n_workers = n_workers(self.workers, &config);
        let mut engine = open(home, Request { config, n_workers, ..Request::default() }, &[])?;
        let saved = engine.snapshot()?;
        if self.json {
            terminal::json_line(&serde_json::json!({
                "saved": saved.is_some(),
                "cells": saved.as_ref().map(|snapshot| snapshot.n_cells),
                "publication": saved.as_ref().map(|snapshot| snapshot.publication.0),
                "file": saved.as_ref().map(|snapshot| &snapshot.file.path),
            }))?;
            return Ok(Done::Clean);
        }
        match saved {
            Some(snapshot) => println!(
                "{} cells of publication {} saved in {}",
                snapshot.n_cells, snapshot.publication, snapshot.file.path
            ),
            None => println!("nothing to save: the newest publication has its snapshot"),
        }
        Ok(Done::Clean)
    }
}
