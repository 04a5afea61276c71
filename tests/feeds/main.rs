//! Feeds in the formats of agencies, spreadsheets and databases, with their expected tables. Each
//! test makes a small feed of one kind and reads it with the binary.

mod annual;
mod codes;
#[path = "../common/mod.rs"]
mod common;
mod documents;
mod files;
mod findings;
mod firms;
mod living;
mod newcomer;
mod profiles;
mod refused;
mod regions;
mod replaced;
mod several;
mod values;

use std::path::Path;

use common::{HEADER, Sandbox, csv_rows};

/// The cities of the small feed.
pub const CITIES: &str = "city,province,area_km2\n1101,11,100\n1102,11,200\n2101,21,400\n";

/// The expected rows of the small feed in January 2009: sums of its eight lines, computed by hand.
pub const RIGHT: &[&str] =
    &["1101,301,550.00,300.00,2", "1102,116,40.00,80.00,1", "2101,301,75.00,50.00,1"];

/// The four lines of January 2008, and those of January 2009.
fn lines(year: u16) -> Vec<String> {
    let shipped = [
        ("3100000001", "11011", "301", ["100.00", "150.00"]),
        ("3100000001", "21011", "301", ["50.00", "75.00"]),
        ("3100000002", "11011", "301", ["200.00", "400.00"]),
        ("3100000002", "11021", "116", ["80.00", "40.00"]),
    ];
    let at = usize::from(year == 2009);
    let line = |(firm, region, country, values): &(&str, &str, &str, [&str; 2])| {
        format!("{year}01,E,{firm},plain,{region},{country},84713000,10,{}", values[at])
    };
    shipped.iter().map(line).collect()
}

/// The months of the small feed: lines in January of both years, none in between.
fn months() -> Vec<(String, Vec<String>)> {
    (1..=12)
        .map(|month| (format!("2008{month:02}"), if month == 1 { lines(2008) } else { Vec::new() }))
        .chain([("200901".to_owned(), lines(2009))])
        .collect()
}

/// The text of a month under the canonical header.
fn text(lines: &[String]) -> String {
    lines.iter().fold(format!("{HEADER}\n"), |text, line| text + line + "\n")
}

/// A home and the small feed; a function makes each month's text.
fn feed(of: impl Fn(&str, &[String]) -> Vec<u8>) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    for (month, lines) in months() {
        sandbox.write(&format!("{month}.csv"), of(&month, &lines));
    }
    sandbox
}

/// The canonical profile with replaced texts and additional keys.
fn profile(changes: &[(&str, &str)], more: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/profiles/canonical.toml");
    let mut text = std::fs::read_to_string(path).expect("the shipped profile");
    for (from, to) in changes {
        assert!(text.contains(from), "the canonical profile has no {from}");
        text = text.replace(from, to);
    }
    text + more
}

/// Ingests the feed.
fn ingest(sandbox: &Sandbox) -> common::Run {
    sandbox.run([Path::new("ingest"), &sandbox.feed()])
}

/// Ingests the feed; no file may be refused and no line rejected.
fn taken_in(sandbox: &Sandbox) -> common::Run {
    let run = ingest(sandbox);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    run
}

/// Columns of a table, row by row as `a,b,c`.
fn rows(sandbox: &Sandbox, table: &str, columns: &[&str]) -> Vec<String> {
    let all = csv_rows(&sandbox.export(table));
    let at = |name: &&str| {
        let found = all[0].iter().position(|column| column == name);
        found.unwrap_or_else(|| panic!("{table} has no column {name}: {:?}", all[0]))
    };
    let at: Vec<usize> = columns.iter().map(at).collect();
    all[1..]
        .iter()
        .map(|row| at.iter().map(|&at| &*row[at]).collect::<Vec<_>>().join(","))
        .collect()
}

/// The table `city`: city, destination, export value, previous year's value, continuing exporters.
fn city(sandbox: &Sandbox) -> Vec<String> {
    rows(sandbox, "city", &["city", "country", "export_value", "base_value", "continuing"])
}
