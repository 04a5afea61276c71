//! Checks that every example of docs/FEEDS.md is a valid profile; the first one completes the
//! others.

use std::path::Path;

use spillover::feed::profile::Profile;
use toml::{Table, Value};

/// The TOML blocks of the page.
fn blocks() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FEEDS.md");
    let text = std::fs::read_to_string(path).expect("the page");
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(str::to_owned).collect()
}

/// Merges the keys of a table into another.
fn with(base: &mut Table, more: &Table) {
    for (key, value) in more {
        match (base.get_mut(key), value) {
            (Some(Value::Table(base)), Value::Table(more)) => with(base, more),
            _ => drop(base.insert(key.clone(), value.clone())),
        }
    }
}

#[test]
fn every_example_of_the_page_is_a_profile() {
    let blocks = blocks();
    assert!(blocks.len() >= 9, "only {} examples", blocks.len());
    let base: Table = blocks[0].parse().expect("the whole example");
    for block in &blocks {
        let more: Table = block.parse().unwrap_or_else(|error| panic!("{block}\n{error}"));
        let mut whole = base.clone();
        with(&mut whole, &more);
        let columns = |table: &mut Table, key: &str| {
            table["columns"].as_table_mut().expect("columns").remove(key);
        };
        let period = whole["period"].as_table().expect("a period");
        if period.contains_key("from") || period.contains_key("year") {
            columns(&mut whole, "period");
        }
        if whole["file"]["pattern"].as_str().is_some_and(|pattern| pattern.contains("{flow}")) {
            columns(&mut whole, "flow");
        }
        let has = |table: &Table, part: &str, key: &str| {
            table[part].as_table().is_some_and(|part| part.contains_key(key))
        };
        if has(&whole, "flow", "export_value") {
            columns(&mut whole, "flow");
            columns(&mut whole, "value_usd");
        }
        if has(&whole, "period", "columns") {
            columns(&mut whole, "value_usd");
        }
        let text = whole.to_string();
        Profile::from_toml(&text, "FEEDS.md").unwrap_or_else(|error| panic!("{block}\n{error:?}"));
    }
}
