//! `close YYYYMM`: close the next month.

use clap::Args;
use serde::Serialize;
use spillover::domain::types::Period;
use spillover::engine::{Engine, EngineError, Request};
use spillover::home::Home;
use spillover::home::options::Close as ClosePolicy;
use spillover::regressions::{ClosingEstimates, Reestimating};

use super::ending::Done;
use super::follow_up::follow_up;
use super::home_options::{HomeOptions, n_workers};
use super::ingest::open;
use super::period::month;
use super::progress::Files;
use super::terminal;

#[derive(Debug, Args)]
pub struct Close {
    /// The month, YYYYMM or YYYY-MM.
    #[arg(value_name = "YYYYMM", value_parser = month)]
    period: Period,
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = super::home_options::workers)]
    workers: Option<usize>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Close {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let config = home.config()?;
        let opened = Home::read(home.folder())?;
        let by_file = config.close.unwrap_or_default() == ClosePolicy::File;
        // A file that arrived while months were closed by command leaves its month open.
        if by_file && opened.vintages_of(self.period)?.is_empty() {
            anyhow::bail!(
                "months are closed by their files here (close = \"file\"), and {} has none; \
                 set close = \"explicit\" in the options",
                self.period
            );
        }
        drop(opened);
        let n_workers = n_workers(self.workers, &config);
        let mut closings = ClosingEstimates::of(&config, n_workers)?;
        let mut engine = open(home, Request { config, n_workers, ..Request::default() }, &[])?;
        let mut observer = Reestimating::new(Files::watch(0, &[]), &mut closings);
        engine.catch_up(&mut observer);
        let closed = engine.close(self.period, &mut observer);
        if let Err(EngineError::OutOfOrder(order)) = &closed {
            anyhow::bail!("{order}");
        }
        closed?;
        let (_, failure) = observer.finish();
        if self.json {
            terminal::json_line(&Summary::of(&engine, self.period)?)?;
        } else {
            println!("{} is closed", self.period);
        }
        failure.map_or(Ok(()), Err)?;
        follow_up(&mut engine)?;
        Ok(Done::Clean)
    }
}

/// The result of a close.
#[derive(Debug, Serialize)]
struct Summary {
    /// The month that is closed now, YYYYMM.
    closed: String,
    /// The publication of the close.
    publication: u32,
    /// The newest vintage, which the publication shares.
    vintage: u32,
    /// The month that closes next, YYYYMM.
    next_month: Option<String>,
}

impl Summary {
    fn of(engine: &Engine, period: Period) -> anyhow::Result<Self> {
        let newest = engine.home().last_publication()?;
        let (publication, vintage) = newest.unwrap_or_default();
        Ok(Self {
            closed: period.to_string(),
            publication: publication.0,
            vintage: vintage.0,
            next_month: engine.next_to_close().map(|period| period.to_string()),
        })
    }
}
