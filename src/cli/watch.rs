//! `watch FEED…`: ingest new files of a feed until stopped.

#[cfg(feature = "serve")]
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use spillover::alerts::live::{self, Alerting};
#[cfg(feature = "serve")]
use spillover::serve::Serving;
use spillover::watch::{Plan, Stop, watch};

use super::ending::Done;
use super::feed::Feed;
use super::home_options::{HomeOptions, n_workers};
use super::log::Log;
#[cfg(feature = "serve")]
use super::serve::start;
#[cfg(feature = "serve")]
use super::serve_options::ServeOptions;
use super::sync::{Following, Sink};

#[derive(Debug, Args)]
pub struct Watch {
    #[command(flatten)]
    feed: Feed,
    /// Seconds between checks of the feed; a file is ingested if two checks find it unchanged.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    interval: Duration,
    /// Ingest the present files, check files without a marker twice, and end. With --interval 0,
    /// each file is ingested without a second check.
    #[arg(long)]
    once: bool,
    /// Ingest only files with a marker: 200801.csv when 200801.csv.done exists.
    #[arg(long)]
    markers_only: bool,
    /// Answer over HTTP at this address, too, as `serve` does.
    #[cfg(feature = "serve")]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "once")]
    listen: Option<SocketAddr>,
    #[cfg(feature = "serve")]
    #[command(flatten)]
    access: ServeOptions,
    #[command(flatten)]
    log: Log,
}

impl Watch {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        if self.interval.is_zero() && !self.once {
            anyhow::bail!("--interval 0 needs --once; else give the seconds between looks");
        }
        self.log.start();
        let stop = Stop::on_signals().context("cannot listen to SIGTERM and SIGINT")?;
        let config = home.config()?;
        let sink = Sink::of(home, &config)?;
        let Feed { feeds, profile, workers } = self.feed;
        #[cfg(feature = "serve")]
        let serving = match self.listen {
            Some(listen) => Some(start(home, n_workers(workers, &config), self.access.at(listen))?),
            None => self.access.refuse().map(|()| None)?,
        };
        let following = match (&sink, self.once) {
            (Some(sink), false) => Some(sink.start()?),
            _ => None,
        };
        // Alerts of a home that does not exist yet begin with its first run after the rules exist.
        let alerts = super::alerts::options(home)?;
        let alerting = if self.once { None } else { live::start(&alerts)? };
        let plan = Plan {
            home: home.folder().to_owned(),
            n_workers: n_workers(workers, &config),
            feeds,
            profile,
            config,
            interval: self.interval,
            once: self.once,
            markers_only: self.markers_only,
        };
        let watched = watch(plan, &stop);
        #[cfg(feature = "serve")]
        serving.into_iter().for_each(Serving::stop);
        alerting.into_iter().for_each(Alerting::stop);
        following.into_iter().for_each(Following::stop);
        let watched = watched?;
        let is_synced = match (&sink, self.once) {
            (Some(sink), true) => sink.sync_at_end(&stop),
            _ => true,
        };
        if self.once {
            live::once(&alerts)?;
        }
        let n_left = watched.files_refused + watched.files_unreadable + watched.files_waiting;
        let refused = n_left > 0 || watched.lines_rejected > 0;
        Ok(match (self.once, is_synced, refused) {
            (true, false, _) => Done::Failed,
            (true, true, true) => Done::InputRefused,
            _ => Done::Clean,
        })
    }
}

/// Parses the time between checks.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "give seconds, from 0 to 86400".to_owned())
}
