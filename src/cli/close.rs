//! `close YYYYMM`: close the next month.

use clap::Args;
use spillover::domain::types::Period;
use spillover::engine::{EngineError, Request};
use spillover::home::Home;
use spillover::home::options::Close as ClosePolicy;
use spillover::regressions::{Reestimating, YearClose};

use super::ending::Done;
use super::follow_up::follow_up;
use super::home_options::{HomeOptions, n_workers};
use super::ingest::open;
use super::progress::Files;

#[derive(Debug, Args)]
pub struct Close {
    /// The month, YYYYMM.
    period: Period,
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = super::home_options::workers)]
    workers: Option<usize>,
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
        let mut year_close = YearClose::new(config.estimate.as_deref(), n_workers)?;
        let mut engine = open(home, Request { config, n_workers, ..Request::default() }, &[])?;
        let mut observer = Reestimating::new(Files::watch(0, &[]), &mut year_close);
        engine.catch_up(&mut observer);
        let closed = engine.close(self.period, &mut observer);
        if let Err(EngineError::OutOfOrder(order)) = &closed {
            anyhow::bail!("{order}");
        }
        closed?;
        let (_, failure) = observer.finish();
        println!("{} is closed", self.period);
        failure.map_or(Ok(()), Err)?;
        follow_up(&mut engine)?;
        Ok(Done::Clean)
    }
}
