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
