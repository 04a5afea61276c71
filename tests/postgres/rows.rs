//! Rows of the database beside those of `export`.

use crate::common::{Sandbox, csv_rows};
use crate::server::Server;

/// The tables with rows of a home.
const ALL: [&str; 9] =
    ["city", "plant", "months", "series", "effects", "estimates", "files", "vintages", "names"];

/// The columns that order a table.
pub fn key_of(table: &str) -> &'static str {
    match table {
        "city" => "year, city, country",
        "plant" => "year, firm, city, country",
        "months" => "year, month, span, city, country",
        "series" => "year, month, span, level, key",
        "effects" => "year, month, span, model, through, estimated_vintage, level, key",
        "estimates" => "estimate_id, term",
        "names" => "level, key",
        _ => "vintage",
    }
}

/// True if both cells have one value: the same text, the same number to the bit, or the same truth.
fn is_same(database: &str, exported: &str) -> bool {
    let truth = |text: &str| match text {
        "t" | "1" | "true" => Some(true),
        "f" | "0" | "false" => Some(false),
        _ => None,
    };
    let number = |text: &str| text.parse::<f64>().ok().map(f64::to_bits);
    database == exported
        || (truth(database).is_some() && truth(database) == truth(exported))
        || (number(database).is_some() && number(database) == number(exported))
}

fn assert_same(what: &str, database: &[Vec<String>], mut exported: Vec<Vec<String>>) {
    assert_eq!(database[0], exported[0], "{what}: columns");
    assert_eq!(database.len(), exported.len(), "{what}: rows");
    assert!(database.len() > 1, "{what} is empty");
    let mut database = database[1..].to_vec();
    let mut exported = exported.split_off(1);
    database.sort();
    exported.sort();
    // Numbers are written differently, so rows are paired by their keys, which come first.
    for (of_database, of_export) in database.iter().zip(&exported) {
        for (left, right) in of_database.iter().zip(of_export) {
            assert!(is_same(left, right), "{what}: {of_database:?} {of_export:?}");
        }
    }
}

/// Asserts that a table has the rows of its export.
pub fn assert_equal_to_export(sandbox: &Sandbox, server: &Server, table: &str) {
    let database = server.table(&format!("spillover.{table}"), key_of(table));
    assert_same(table, &database, csv_rows(&sandbox.export(table)));
}

/// Asserts that the effects of a month have the rows of their export, without its vintage.
pub fn assert_effects_equal_to_export(sandbox: &Sandbox, server: &Server, month: &str) {
    let (year, number) = month.split_at(4);
    for level in ["nation", "province", "city", "country", "income_group"] {
        let run = sandbox.run(["export", "effects", "--month", month, "--by", level]);
        assert_eq!(run.code, Some(0), "{level}: {}", run.stderr);
        let mut exported = csv_rows(&run.stdout);
        let vintage = exported[0].iter().position(|name| name == "vintage").expect("a vintage");
        for row in &mut exported {
            row.remove(vintage);
        }
        let rows = format!(
            "(SELECT * FROM spillover.effects WHERE level = '{level}' AND year = {year} AND month \
             = {number}) of"
        );
        assert_same(level, &server.table(&rows, key_of("effects")), exported);
    }
}

/// All rows of a schema as texts.
pub fn all(server: &Server, schema: &str) -> Vec<Vec<Vec<String>>> {
    ALL.iter().map(|table| server.table(&format!("{schema}.{table}"), key_of(table))).collect()
}

/// Asserts that the schema equals one that is written from nothing.
pub fn assert_equal_to_fresh(sandbox: &Sandbox, server: &Server) {
    server.run("DROP SCHEMA IF EXISTS fresh CASCADE");
    let run = sandbox.run(["sync", &server.url(), "--schema", "fresh"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for (table, (kept, fresh)) in
        ALL.iter().zip(all(server, "spillover").iter().zip(&all(server, "fresh")))
    {
        assert_eq!(kept.len(), fresh.len(), "{table}: rows");
        for (left, right) in kept.iter().zip(fresh) {
            assert_eq!(left, right, "{table}");
        }
    }
}
