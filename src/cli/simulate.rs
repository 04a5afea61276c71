//! `simulate --out DIR`: write a feed from the paper's model, with its reference tables.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spillover::domain::types::Period;
use spillover::simulate::{self, Mode, Params};

use super::ending::{Done, UsageError};
use super::home_options::HomeOptions;
use super::period::month;
use super::terminal;

#[derive(Debug, Args)]
pub struct Simulate {
    /// The folder to write the feed to; it must be empty or new.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The model that generates exports.
    #[arg(long, default_value = "theory")]
    mode: ModeName,
    /// The first month, YYYYMM or YYYY-MM.
    #[arg(long, value_name = "YYYYMM", value_parser = month)]
    from: Option<Period>,
    /// The last month, YYYYMM or YYYY-MM.
    #[arg(long, value_name = "YYYYMM", value_parser = month)]
    to: Option<Period>,
    /// The number of firms alive at any time.
    #[arg(long, value_name = "N")]
    firms: Option<u32>,
    /// The number of cities.
    #[arg(long, value_name = "N")]
    cities: Option<u32>,
    /// The number of destinations besides Hong Kong.
    #[arg(long, value_name = "N")]
    destinations: Option<u32>,
    /// The seed: the same seed writes the same bytes.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Start from the parameters of the small feed of `demo`, not from the defaults.
    #[arg(long)]
    demo: bool,
    /// Use column (4) of table 3 as truth, and report how close the feed comes to tables 1 and 2;
    /// with --mode linear.
    #[arg(long, conflicts_with = "demo")]
    paper: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    /// Firms decide by the cutoff and learn from other exporters, equations (1) to (12).
    Theory,
    /// Exports satisfy equation (15); the true coefficients are written with the feed.
    Linear,
}

impl Simulate {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        if self.paper && matches!(self.mode, ModeName::Theory) {
            let what = "--paper is a linear feed; give --mode linear with it";
            return Err(UsageError(what.to_owned()).into());
        }
        home.spared(&[]).checked(&self.out)?;
        let report = simulate::write(&self.params(), &self.out)?;
        terminal::document(&report.to_string());
        Ok(Done::Clean)
    }

    fn params(&self) -> Params {
        let start = match (self.demo, self.paper) {
            (true, _) => Params::demo(),
            (_, true) => Params::paper(),
            _ => Params::default(),
        };
        Params {
            mode: match self.mode {
                ModeName::Theory => Mode::Theory,
                ModeName::Linear => Mode::Linear,
            },
            from: self.from.unwrap_or(start.from),
            to: self.to.unwrap_or(start.to),
            firms: self.firms.unwrap_or(start.firms),
            cities: self.cities.unwrap_or(start.cities),
            destinations: self.destinations.unwrap_or(start.destinations),
            seed: self.seed.unwrap_or(start.seed),
            ..start
        }
    }
}
