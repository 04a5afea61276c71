//! `revisions`: what moved the numbers, step by step.

use clap::Args;
use spillover::archive::Archive;
use spillover::publish::revisions::{Revision, YearRevision, revision, step_of, steps};
use spillover::types::Vintage;

use super::ending::Done;
use super::export::BothSides;
use super::home_options::HomeOptions;
use super::terminal;

#[derive(Debug, Args)]
pub struct Revisions {
    /// The step of this vintage only.
    #[arg(long, value_name = "V", conflicts_with = "last")]
    vintage: Option<u32>,
    /// How many steps, the newest ones.
    #[arg(long, value_name = "N", default_value_t = 5)]
    last: usize,
    /// How many of the largest moves are told.
    #[arg(long, value_name = "N", default_value_t = 5)]
    largest: usize,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

impl Revisions {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let archive = Archive::read(home.folder())?;
        let steps = if let Some(vintage) = self.vintage {
            vec![step_of(&archive, Vintage(vintage))?]
        } else {
            let mut steps = steps(&archive)?;
            steps.split_off(steps.len().saturating_sub(self.last))
        };
        let mut revisions = Vec::with_capacity(steps.len());
        for step in steps {
            let sides = BothSides::at(home, &archive, step.before, step.after)?;
            let revision = revision(&archive, step, &sides.tables, self.largest)?;
            if self.json {
                revisions.push(revision);
            } else {
                print(&revision);
            }
        }
        if self.json {
            terminal::json(&revisions)?;
        }
        Ok(Done::Clean)
    }
}

fn print(revision: &Revision) {
    println!("vintage {}: {}", revision.vintages, revision.what.join("; "));
    if revision.years.is_empty() {
        println!("  no figure moved");
    }
    for of in &revision.years {
        let YearRevision { table, year, figures, rows_new, rows_gone, .. } = of;
        let months = match (of.months_before, of.months_after) {
            (0, after) => format!("{after} months, new"),
            (before, after) if before == after => format!("{after} months"),
            (before, after) => format!("{before} to {after} months"),
        };
        println!(
            "  {table:<5} {year}  {months:<15} {figures} figures, {rows_new} rows new, \
             {rows_gone} gone"
        );
    }
    for moved in &revision.largest {
        println!(
            "    {} {} {}: {} {} -> {} ({:+.4} log points)",
            moved.table,
            moved.year,
            moved.key,
            moved.column,
            moved.before,
            moved.after,
            moved.log_points
        );
    }
}
