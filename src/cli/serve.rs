//! `serve`: answer over HTTP until stopped.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use spillover::home::Home;
use spillover::serve::{self, Access, ServeOptions as Served, Serving};
use spillover::watch::Stop;

use super::ending::Done;
use super::home_options::{HomeOptions, n_workers};
use super::log::Log;
use super::serve_options::ServeOptions;

#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on. An address that other machines can reach needs --token-file or
    /// --behind-proxy.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    access: ServeOptions,
    #[command(flatten)]
    log: Log,
}

impl Serve {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        // A wrong path is an error of the start. A home that is lost later comes back.
        Home::read(home.folder())?;
        let n_workers = n_workers(None, &home.config()?);
        self.log.start();
        let stop = Stop::on_signals().context("cannot listen to SIGTERM and SIGINT")?;
        let serving = start(home, n_workers, self.access.at(self.listen))?;
        while !stop.wait(Duration::from_hours(1)) {}
        serving.stop();
        Ok(Done::Clean)
    }
}

/// Starts a service of the home, and prints its address.
pub fn start(home: &HomeOptions, n_workers: usize, access: Access) -> anyhow::Result<Serving> {
    let (folder, config) = (home.folder().to_owned(), home.config.clone());
    let serving = serve::serve(Served { home: folder, config, n_workers, access })?;
    println!("http://{}/", serving.address);
    Ok(serving)
}
