//! `diff V1 V2`: every figure that differs between two vintages.

use std::path::PathBuf;

use clap::Args;
use spillover::archive::Archive;
use spillover::archive::parts::Table;
use spillover::publish::{format, moves};
use spillover::types::{Vintage, Year};

use super::export::{FormatName, standing};
use super::target::Target;
use super::{Done, Home};

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
    /// The format.
    #[arg(long, default_value = "csv")]
    format: FormatName,
    /// The file to write; without it, the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Diff {
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let archive = Archive::read(home.folder())?;
        let before = standing(home, &archive, Some(Vintage(self.before)))?;
        let after = standing(home, &archive, Some(Vintage(self.after)))?;
        let (mut befores, mut afters) = (Vec::new(), Vec::new());
        for table in [Table::City, Table::Plant] {
            befores.push(before.table(&archive, table)?);
            afters.push(after.table(&archive, table)?);
        }
        let year = self.year.map(Year);
        let tables = befores.iter().zip(&afters);
        let years = tables.flat_map(|(before, after)| moves::between(before, after, year));
        let out = Target::create(self.output.as_deref())?;
        format::write(&out, self.format.format(), &moves::sheet("diff"), moves::rows(years))?;
        out.finish()?;
        Ok(Done::Clean)
    }
}
