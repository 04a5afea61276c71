//! `diff V1 V2`: every figure that differs between two vintages.

use clap::Args;
use spillover::archive::Archive;
use spillover::archive::parts::Table;
use spillover::publish::export::{TableAt, check_year};
use spillover::publish::moves;
use spillover::types::{Vintage, Year};

use super::ending::Done;
use super::export::standing;
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
        let before = standing(home, &archive, Some(Vintage(self.before)))?;
        let after = standing(home, &archive, Some(Vintage(self.after)))?;
        let (mut befores, mut afters) = (Vec::new(), Vec::new());
        for table in [Table::City, Table::Plant] {
            befores.push(before.table(&archive, table)?);
            afters.push(after.table(&archive, table)?);
        }
        let year = self.year.map(Year);
        check_year("diff", year, befores.iter().chain(&afters).flat_map(TableAt::years))?;
        let tables = befores.iter().zip(&afters);
        let years = tables.flat_map(|(before, after)| moves::between(before, after, year));
        self.output.write(home, &moves::sheet("diff"), moves::rows(years))?;
        Ok(Done::Clean)
    }
}
