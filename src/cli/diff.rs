//! `diff V1 V2`: every figure that differs between two vintages.

use clap::Args;
use spillover::domain::types::Vintage;
use spillover::reader::moves;

use super::ending::Done;
use super::export::{reader, write_rows};
use super::home_options::HomeOptions;
use super::name_options::RowOptions;
use super::table_output::TableOutput;

#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier vintage; 0 is the empty home.
    #[arg(value_name = "V1")]
    before: u32,
    /// The later vintage.
    #[arg(value_name = "V2")]
    after: u32,
    #[command(flatten)]
    rows: RowOptions,
    #[command(flatten)]
    output: TableOutput,
}

impl Diff {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.output.check(home)?;
        let (before, after) = (Vintage(self.before), Vintage(self.after));
        let reader = reader(home)?;
        let moves = reader.diff(before, after, self.rows.one_year())?;
        for year in self.rows.years() {
            moves.check_year("diff", year)?;
        }
        moves.check()?;
        let facts = [("compared_with_vintage".to_owned(), before.to_string())];
        let sheet = (&moves::sheet("diff"), &facts[..]);
        let rows = moves::rows(moves.years());
        write_rows((&self.rows, &self.output), home, (&reader, Some(after)), sheet, rows)?;
        Ok(Done::Clean)
    }
}
