//! `diff V1 V2`: every figure that differs between two vintages.

use clap::Args;
use spillover::archive::Archive;
use spillover::publish::export::{TableAt, check_year};
use spillover::publish::moves;
use spillover::types::{Vintage, Year};

use super::ending::Done;
use super::export::BothSides;
use super::home_options::HomeOptions;
use super::table_output::TableOutput;

#[derive(Debug, Args)]
pub struct Diff {
    /// The vintage before; 0 is the empty home.
    #[arg(value_name = "V1")]
    before: u32,
    /// The vintage after.
    #[arg(value_name = "V2")]
    after: u32,
    /// One year only.
    #[arg(long, value_name = "Y")]
    year: Option<u16>,
    #[command(flatten)]
    output: TableOutput,
}

impl Diff {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.output.check(home)?;
        let archive = Archive::read(home.folder())?;
        let (before, after) = (Vintage(self.before), Vintage(self.after));
        let sides = BothSides::at(home, &archive, before, after)?;
        let year = self.year.map(Year);
        check_year("diff", year, sides.tables.iter().flatten().flat_map(TableAt::years))?;
        let years =
            sides.tables.iter().flat_map(|[before, after]| moves::between(before, after, year));
        self.output.write(home, &moves::sheet("diff"), moves::rows(years))?;
        Ok(Done::Clean)
    }
}
