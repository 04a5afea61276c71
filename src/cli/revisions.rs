//! `revisions`: list the changes of published figures, step by step.

use clap::Args;
use serde_json::Value;
use spillover::domain::types::Vintage;
use spillover::reader::Steps;
use spillover::reader::chosen::WithNames;
use spillover::reader::revisions::{LargeMove, Revision, YearRevision};
use spillover::render::number::{grouped, of_unit};
use spillover::tables::meanings::meaning;

use super::ending::Done;
use super::export::reader;
use super::home_options::HomeOptions;
use super::name_options::NameOptions;
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
    #[command(flatten)]
    names: NameOptions,
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
        let names = self.names.with_names(&reader)?;
        if self.json {
            let mut document = serde_json::to_value(&revisions)?;
            if let Some(names) = &names {
                add_names(&mut document, names);
            }
            terminal::json(&document)?;
        } else {
            for revision in &revisions {
                print(revision, names.as_ref());
            }
        }
        Ok(Done::Clean)
    }
}

/// Adds the names of firms, cities and countries beside the codes of each large move.
fn add_names(document: &mut Value, names: &WithNames) {
    let largest = document.as_array_mut().into_iter().flatten();
    let moves = largest.filter_map(|revision| revision["largest"].as_array_mut()).flatten();
    for moved in moves {
        for column in ["firm", "city", "country"] {
            let code = moved[column].as_str().unwrap_or_default();
            let name: Value = names.name(column, code).into();
            moved[format!("{column}_name")] = name;
        }
    }
}

/// Firm, city and country of a move, with names if requested.
fn key(moved: &LargeMove, names: Option<&WithNames>) -> String {
    let codes = [("firm", &moved.firm), ("city", &moved.city), ("country", &moved.country)];
    let codes = codes.into_iter().filter_map(|(column, code)| {
        let code = code.as_deref()?;
        let name = names.and_then(|names| names.name(column, code));
        Some(name.map_or_else(|| code.to_owned(), |name| format!("{code} {name}")))
    });
    codes.collect::<Vec<_>>().join(" ")
}

fn print(revision: &Revision, names: Option<&WithNames>) {
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
            "  {table:<5} {year}  {months:<15} {} figures, {} rows new, {} gone",
            grouped(*figures),
            grouped(*rows_new),
            grouped(*rows_gone)
        );
    }
    for moved in &revision.largest {
        let LargeMove { table, year, column, log_points, .. } = moved;
        let key = key(moved, names);
        let unit = meaning(table, column).map_or("", |of| of.unit.as_str());
        let shown = |cell: &str| match of_unit(unit, cell) {
            text if text.is_empty() => "absent".to_owned(),
            text => text,
        };
        let (before, after) = (shown(&moved.before), shown(&moved.after));
        println!(
            "    {table} {year} {key}: {column} {before} -> {after} ({log_points:+.4} log points)"
        );
    }
}
