//! `revisions`: list the changes of published figures, step by step.

use clap::Args;
use spillover::domain::types::Vintage;
use spillover::reader::Steps;
use spillover::reader::revisions::{Revision, YearRevision};

use super::ending::Done;
use super::export::reader;
use super::home_options::HomeOptions;
use super::terminal;

#[derive(Debug, Args)]
pub struct Revisions {
    /// Show only the step of this vintage.
    #[arg(long, value_name = "V", conflicts_with = "last")]
    vintage: Option<u32>,
    /// The number of steps to show, the newest first.
    #[arg(long, value_name = "N", default_value_t = 5)]
    last: usize,
    /// The number of largest changes to show.
    #[arg(long, value_name = "N", default_value_t = 5)]
    largest: usize,
    /// Print the steps as JSON.
    #[arg(long)]
    json: bool,
}

impl Revisions {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let reader = reader(home)?;
        let which = self.vintage.map_or(Steps::Last(self.last), |at| Steps::Of(Vintage(at)));
        // A damaged part is an error of the whole list, not the end of a shorter one.
        let revisions: Vec<Revision> =
            reader.revisions(which, self.largest)?.collect::<Result<_, _>>()?;
        if self.json {
            terminal::json(&revisions)?;
        } else {
            revisions.iter().for_each(print);
        }
        Ok(Done::Clean)
    }
}

fn print(revision: &Revision) {
    let committed = revision.committed_at.as_ref();
    let committed = committed.map_or_else(String::new, |at| format!(" ({at})"));
    println!("vintage {}{committed}: {}", revision.vintages, revision.what.join("; "));
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
