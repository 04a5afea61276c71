//! `sync URL`: write the newest publication to a PostgreSQL database.

use anyhow::Context as _;
use clap::Args;
use spillover::home::options::Config;
#[cfg(feature = "postgres")]
use spillover::sinks::postgres::{Changed, Follow, SCHEMA, SyncError, Synced, Target};
use spillover::watch::Stop;

#[cfg(feature = "postgres")]
pub use spillover::sinks::postgres::Following;

use super::ending::{Done, UsageError};
use super::home_options::HomeOptions;
#[cfg(feature = "postgres")]
use super::home_options::n_workers;
use super::log::Log;

#[derive(Debug, Args)]
pub struct Sync {
    /// The database, `postgres://USER@HOST:5432/DATABASE` [default: the option `sink`]. The
    /// environment variable PGPASSWORD has the password.
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// The schema of the tables [default: the option `sink_schema`, else spillover].
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Write each new publication until stopped.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    log: Log,
}

impl Sync {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        let url = self.url.or_else(|| config.sink.clone()).ok_or_else(|| {
            let what =
                "name a database, postgres://USER@HOST:5432/DATABASE, or set the option sink";
            UsageError(what.to_owned())
        })?;
        let schema = self.schema.or_else(|| config.sink_schema.clone());
        let sink = Sink::new(home, &config, (&url, schema.as_deref()))?;
        self.log.start();
        let stop = Stop::on_signals().context("cannot listen to SIGTERM and SIGINT")?;
        sink.run(&stop, if self.follow { Ending::Stop } else { Ending::Newest })
    }
}

/// The end of a sync.
#[derive(Clone, Copy)]
enum Ending {
    /// The newest publication is written.
    Newest,
    /// A stop request.
    Stop,
}

/// A database that follows the home.
#[cfg(feature = "postgres")]
pub struct Sink(Follow);

#[cfg(feature = "postgres")]
impl Sink {
    /// The database of the option `sink`, if there is one.
    pub fn of(home: &HomeOptions, config: &Config) -> anyhow::Result<Option<Self>> {
        let of = |url: &String| Self::new(home, config, (url, config.sink_schema.as_deref()));
        config.sink.as_ref().map(of).transpose()
    }

    fn new(
        home: &HomeOptions,
        config: &Config,
        (url, schema): (&str, Option<&str>),
    ) -> anyhow::Result<Self> {
        let password = std::env::var("PGPASSWORD").ok();
        let target = Target::new(url, schema.unwrap_or(SCHEMA), password)?;
        let (folder, joint) = (home.folder().to_owned(), config.joint_months()?);
        Ok(Self(Follow { home: folder, joint, n_workers: n_workers(None, config), target }))
    }

    /// Starts to follow on a thread of its own.
    pub fn start(&self) -> anyhow::Result<Following> {
        self.0.clone().start().context("cannot start a thread")
    }

    /// Writes the newest publication at the end of `watch --once`; returns false and reports the
    /// reason if it cannot be written.
    pub fn sync_at_end(&self, stop: &Stop) -> bool {
        match self.0.sync(&|| stop.is_asked()) {
            Ok(synced) => println!("{}", self.sentence(synced)),
            Err(SyncError::Empty) => {}
            Err(error) => {
                eprintln!("{}", spillover::engine::with_causes(&error));
                return false;
            }
        }
        true
    }

    fn run(&self, stop: &Stop, ending: Ending) -> anyhow::Result<Done> {
        match ending {
            Ending::Stop => self.0.run(&|time| stop.wait(time)),
            Ending::Newest => println!("{}", self.sentence(self.0.sync(&|| stop.is_asked())?)),
        }
        Ok(Done::Clean)
    }

    /// A publication in the database, as a sentence.
    fn sentence(&self, synced: Synced) -> String {
        let Synced { publication, changed, .. } = synced;
        let Target { schema, .. } = &self.0.target;
        let database = self.0.target.shown();
        match changed {
            None => format!("publication {publication} is in {database}, schema {schema}, already"),
            Some(Changed { n_new, n_changed, n_gone }) => format!(
                "publication {publication} written to {database}, schema {schema}: rows {n_new} \
                 new, {n_changed} changed, {n_gone} gone"
            ),
        }
    }
}

/// A database of a program that was built without PostgreSQL: there is none.
#[cfg(not(feature = "postgres"))]
pub enum Sink {}

/// A thread that follows a home: there is none.
#[cfg(not(feature = "postgres"))]
pub enum Following {}

#[cfg(not(feature = "postgres"))]
impl Following {
    pub fn stop(self) {
        match self {}
    }
}

#[cfg(not(feature = "postgres"))]
impl Sink {
    pub fn of(home: &HomeOptions, config: &Config) -> anyhow::Result<Option<Self>> {
        let of = |url: &String| Self::new(home, config, (url, None));
        config.sink.as_ref().map(of).transpose()
    }

    fn new(_: &HomeOptions, _: &Config, _: (&str, Option<&str>)) -> anyhow::Result<Self> {
        anyhow::bail!(
            "this program was built without PostgreSQL; use a release, or build it with --features \
             postgres"
        )
    }

    pub fn start(&self) -> anyhow::Result<Following> {
        match *self {}
    }

    pub fn sync_at_end(&self, _: &Stop) -> bool {
        match *self {}
    }

    fn run(&self, _: &Stop, _: Ending) -> anyhow::Result<Done> {
        match *self {}
    }
}
