//! `estimate --beside paper`: each published figure stands beside the home's.

use std::collections::BTreeMap;

use super::{demo, estimate, models, number, repository, term};
use crate::common::csv_rows;

/// A file of the paper's figures, as rows by column name.
fn published(name: &str) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(repository("streams/reference").join(name)).expect("a file");
    by_name(&text)
}

fn by_name(text: &str) -> Vec<BTreeMap<String, String>> {
    let rows = csv_rows(text);
    let named = rows[1..].iter().map(|row| rows[0].iter().cloned().zip(row.iter().cloned()));
    named.map(Iterator::collect).collect()
}

#[test]
fn each_published_coefficient_stands_beside_that_of_the_home_with_the_ratio() {
    let home = demo();
    let own = models(home, &["--table", "3.4"]);
    let run = estimate(home, &["--table", "3.4", "--beside", "paper", "--format", "csv"]);
    let rows = by_name(&run.stdout);
    let mut paper = published("paper_tables.csv");
    paper.retain(|row| row["table"] == "3" && row["column"] == "4");
    assert_eq!((rows.len(), paper.len()), (paper.len() + 2, 8));
    for (row, paper) in rows.iter().zip(&paper) {
        assert_eq!((row["model"].as_str(), &row["figure"]), ("3.4", &paper["term"]));
        assert_eq!(
            (&row["paper"], &row["paper_std_error"]),
            (&paper["estimate"], &paper["std_error"])
        );
        let own = term(&own["3.4"], &paper["term"]);
        let value = |name: &str| row[name].parse::<f64>().expect("a number");
        assert!((value("home") - number(&own["estimate"])).abs() < 1e-15);
        assert!((value("home_std_error") - number(&own["std_error"])).abs() < 1e-15);
        assert!((value("ratio") * value("paper") - value("home")).abs() < 1e-12);
    }
    let last = &rows[rows.len() - 2..];
    assert_eq!((last[0]["figure"].as_str(), last[0]["paper"].as_str()), ("n_obs", "6240750"));
    assert_eq!((last[1]["figure"].as_str(), last[1]["paper"].as_str()), ("r2", "0.2934"));
}

#[test]
fn statistics_and_missing_columns_stand_beside_the_paper_too() {
    let home = demo();
    let run = estimate(home, &["--beside", "paper", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let tables = document["comparisons"].as_array().expect("tables");
    let rows = |table: &serde_json::Value| table["rows"].as_array().expect("rows").clone();
    let n_published = ["paper_tables.csv", "paper_summary.csv"].map(|name| published(name).len());
    let n_samples = 2 * published("paper_samples.csv").len();
    let n_rows = tables.iter().map(|table| rows(table).len()).sum::<usize>();
    assert_eq!((tables.len(), n_rows), (6, n_published.iter().sum::<usize>() + n_samples));
    let plants = rows(&tables[0]).into_iter().find(|row| row["model"] == "2009").expect("2009");
    assert!(plants["home"].is_number() && plants["paper"] == 5.0, "{plants}");
    // The demo has no file of firms, so column 6.3 has no estimate and says why.
    assert!(tables[5]["notes"][1].as_str().expect("a note").contains("(6.3): not estimated"));
    assert!(rows(&tables[5]).iter().any(|row| row["model"] == "6.3" && row["home"].is_null()));
}

#[test]
fn a_table_that_the_paper_does_not_print_is_refused() {
    let run = demo().run(["estimate", "--table", "footnote", "--beside", "paper"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("the paper publishes no figures of table \"footnote\""));
}
