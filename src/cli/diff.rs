//! `diff V1 V2`: every figure that differs between two vintages.

use clap::Args;
use spillover::domain::types::{Vintage, Year};
use spillover::reader::moves;

use super::ending::Done;
use super::export::reader;
use super::home_options::HomeOptions;
use super::table_output::TableOutput;

#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier vintage; 0 is the empty home.
    #[arg(value_name = "V1")]
    before: u32,
    /// The later vintage.
    #[arg(value_name = "V2")]
    after: u32,
    /// Write this year only.
    #[arg(long, value_name = "Y")]
    year: Option<u16>,
    #[command(flatten)]
    output: TableOutput,
}

impl Diff {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.output.check(home)?;
        let (before, after) = (Vintage(self.before), Vintage(self.after));
        let moves = reader(home)?.diff(before, after, self.year.map(Year))?;
        moves.check()?;
        self.output.write(home, &moves::sheet("diff"), moves::rows(moves.years()))?;
        Ok(Done::Clean)
    }
}
