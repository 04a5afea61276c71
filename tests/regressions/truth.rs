//! Estimates on linear feeds recover the coefficients of the feeds.

use std::collections::BTreeMap;

use super::{Sandbox, models, number, simulate, term};
use crate::common::csv_rows;

/// The largest distance of an estimate from its coefficient, in standard errors. With eight
/// coefficients, one in 10,000 feeds would fail by chance. A residual changes its neighbours'
/// growth, which adds a small bias.
const STD_ERRORS_MAX: f64 = 5.0;

fn linear() -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::remove_dir(sandbox.feed()).expect("an empty folder");
    let size = ["--firms", "2000", "--cities", "15", "--destinations", "30"];
    let time = ["--from", "2005-01", "--to", "2008-12", "--seed", "7"];
    simulate(&sandbox.feed(), &[&["--mode", "linear"], &size[..], &time[..]].concat());
    sandbox.options("estimate = []");
    sandbox.ingest(&[&sandbox.feed()], 1);
    sandbox
}

#[test]
fn a_linear_feed_gives_back_its_truth_and_the_equation_holds_as_written() {
    let sandbox = linear();
    let text = std::fs::read_to_string(sandbox.feed().join("truth.toml")).expect("the truth");
    let truth: toml::Table = text.parse().expect("TOML");
    let coefficients: Vec<(String, f64)> = truth["coefficients"]
        .as_table()
        .expect("coefficients")
        .iter()
        .map(|(name, value)| (regressor(name), value.as_float().expect("a number")))
        .collect();
    let model = &models(&sandbox, &["--table", "3.4"])["3.4"];
    for (name, value) in &coefficients {
        let found = term(model, name);
        let gap = number(&found["estimate"]) - value;
        let std_error = number(&found["std_error"]);
        assert!(gap.abs() <= STD_ERRORS_MAX * std_error, "{name}: {gap} off, {std_error}");
    }
    let n_rows = u64::try_from(truth["rows"].as_integer().expect("a count")).expect("a count");
    let n_used = model["n_obs"].as_u64().expect("n") + model["n_singletons"].as_u64().expect("n");
    assert_eq!(n_used, n_rows, "the sample is the truth's");
    let gap = largest_gap(&sandbox, &coefficients);
    assert!(gap < 1e-9, "the equation is {gap} off");
}

/// The regressor of a coefficient of the truth.
fn regressor(name: &str) -> String {
    match name.strip_suffix("_growth_ln_density") {
        Some(whose) => format!("{whose}_growth:{whose}_ln_density"),
        None => name.to_owned(),
    }
}

/// The largest difference between `ln_export` and βx + effects + residual over the exported panel.
fn largest_gap(sandbox: &Sandbox, coefficients: &[(String, f64)]) -> f64 {
    let panel = csv_rows(&sandbox.export("panel"));
    let (header, rows) = panel.split_first().expect("a header");
    let place = |name: &str| header.iter().position(|own| own == name).expect("a column");
    let read = |name: &str| {
        csv_rows(&std::fs::read_to_string(sandbox.feed().join(name)).expect("the truth"))
    };
    let effects: BTreeMap<[String; 5], f64> = read("truth_effects.csv")[1..]
        .iter()
        .map(|row| (std::array::from_fn(|at| row[at].clone()), row[5].parse().expect("a number")))
        .collect();
    let residuals: BTreeMap<[String; 4], f64> = read("truth_residuals.csv")[1..]
        .iter()
        .map(|row| (std::array::from_fn(|at| row[at].clone()), row[4].parse().expect("a number")))
        .collect();
    let (mut largest, mut n_rows) = (0.0_f64, 0);
    for row in rows {
        let text = |name: &str| row[place(name)].as_str();
        let (firm, city, country, year) =
            (text("firm"), text("city"), text("country"), text("year"));
        let key = [firm, city, country, year].map(str::to_owned);
        let Some(residual) = residuals.get(&key) else { continue };
        let value = |name: &str| -> f64 { text(name).parse().expect("a number") };
        let product = |term: &str| -> f64 { term.split(':').map(value).product() };
        let explained: f64 = coefficients.iter().map(|(term, by)| by * product(term)).sum();
        let effect = |of: [&str; 5]| effects[&of.map(str::to_owned)];
        let sum = effect(["plant^year", firm, city, "", year])
            + effect(["country^year", "", "", country, year])
            + effect(["city^country", "", city, country, ""]);
        largest = largest.max((value("ln_export") - explained - sum - residual).abs());
        n_rows += 1;
    }
    assert_eq!(n_rows, residuals.len(), "every row of the truth is in the panel");
    largest
}

#[test]
fn a_feed_of_the_paper_gives_back_column_4_of_table_3_and_reports_its_targets() {
    let sandbox = Sandbox::new();
    std::fs::remove_dir(sandbox.feed()).expect("an empty folder");
    let size = ["--firms", "1500", "--cities", "12", "--destinations", "25"];
    let time = ["--from", "2005-01", "--to", "2008-12", "--seed", "1"];
    simulate(&sandbox.feed(), &[&["--mode", "linear", "--paper"], &size[..], &time[..]].concat());
    sandbox.options("estimate = []");
    sandbox.ingest(&[&sandbox.feed()], 1);
    let published =
        std::fs::read_to_string(super::repository("streams/reference/paper_tables.csv"));
    let published = csv_rows(&published.expect("the published figures"));
    let of_column = published.iter().filter(|row| row[0] == "3" && row[1] == "4");
    let model = &models(&sandbox, &["--table", "3.4"])["3.4"];
    assert_eq!(of_column.clone().count(), 8);
    for row in of_column {
        let truth: f64 = row[3].parse().expect("a number");
        let found = term(model, &row[2]);
        let (low, high) = (number(&found["conf_low"]), number(&found["conf_high"]));
        assert!(low <= truth && truth <= high, "{}: {truth} is not in {low} to {high}", row[2]);
    }
    let targets = std::fs::read_to_string(sandbox.feed().join("truth_targets.csv"));
    let targets = csv_rows(&targets.expect("the targets"));
    let feed = |variable: &str, statistic: &str| -> f64 {
        let is_it = |row: &&Vec<String>| row[0] == "2" && row[2] == variable && row[3] == statistic;
        let row = targets.iter().find(is_it).expect("a target");
        row[5].parse().expect("a figure of the feed")
    };
    // These follow from parameters; densities need the size of the paper's feed.
    for (variable, statistic, paper, distance) in [
        ("ln_export", "mean", 9.9938, 0.5),
        ("ln_export", "sd", 2.5009, 0.3),
        ("ln_import", "mean", 0.4943, 0.1),
        ("ln_import", "sd", 2.2380, 0.2),
        ("local_growth", "mean", -0.1685, 0.15),
    ] {
        let gap = (feed(variable, statistic) - paper).abs();
        assert!(gap < distance, "{variable}, {statistic}: {}", feed(variable, statistic));
    }
    let theory = sandbox.run(["simulate", "--paper", "--out", "elsewhere"]);
    assert_eq!(theory.code, Some(2));
    assert!(theory.stderr.contains("--paper is a linear feed; give --mode linear with it"));
}
