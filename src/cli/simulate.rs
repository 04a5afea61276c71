//! `simulate --out DIR`: write a feed from the paper's model, with its reference tables.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spillover::domain::types::Period;
use spillover::simulate::{self, Mode, Params};

use super::ending::Done;
use super::home_options::HomeOptions;
use super::terminal;

#[derive(Debug, Args)]
pub struct Simulate {
    /// The folder to write the feed to; it must be empty or new.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The model that generates exports.
    #[arg(long, default_value = "theory")]
    mode: ModeName,
    /// The first month, YYYY-MM.
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    from: Option<Period>,
    /// The last month, YYYY-MM.
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
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
        home.spared(&[]).checked(&self.out)?;
        let report = simulate::write(&self.params(), &self.out)?;
        terminal::document(&report.to_string());
        Ok(Done::Clean)
    }

    fn params(&self) -> Params {
        let start = if self.demo { Params::demo() } else { Params::default() };
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

/// A month written YYYY-MM or YYYYMM.
fn month(text: &str) -> Result<Period, String> {
    text.replacen('-', "", 1)
        .parse()
        .map_err(|_| format!("\"{text}\" is not a month; write YYYY-MM"))
}
