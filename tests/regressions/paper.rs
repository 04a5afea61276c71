//! Table by table on `streams/demo`, against pyfixest's figures on the exported panel.

use std::collections::BTreeMap;

use super::{Sandbox, demo, estimate, models, number, repository, term};
use crate::common::csv_rows;

/// The results of `tests/reference/tables.py`, which documents their computation.
const EXPECTED: &str = include_str!("../reference/tables.json");

#[test]
fn table_3_is_that_of_pyfixest_on_the_exported_panel() {
    agree(&["3.1", "3.2", "3.3", "3.4", "3.5"], &["--table", "3"]);
}

#[test]
fn other_samples_effects_and_outcomes_are_those_of_pyfixest() {
    agree(&["4.1", "4.2", "4.3", "4.4"], &["--table", "4"]);
    agree(&["5.1", "5.2", "5.3"], &["--table", "5"]);
    agree(&["6.1", "6.2", "6.4", "6.5"], &["--table", "6"]);
}

#[test]
fn the_footnotes_samples_are_those_of_pyfixest() {
    let names = ["footnote.trimmed", "footnote.centred", "footnote.share", "footnote.plants"];
    agree(&names, &["--table", "footnote"]);
}

fn agree(names: &[&str], arguments: &[&str]) {
    agree_in(demo(), names, arguments);
}

pub fn agree_in(sandbox: &Sandbox, names: &[&str], arguments: &[&str]) {
    let expected: serde_json::Value = serde_json::from_str(EXPECTED).expect("stored figures");
    let models = models(sandbox, arguments);
    for name in names {
        let (model, expected) = (&models[*name], &expected[*name]);
        for count in ["n_obs", "n_clusters"] {
            assert_eq!(model[count], expected[count], "{name}: {count}");
        }
        for (regressor, figures) in expected["terms"].as_object().expect("terms") {
            let found = term(model, regressor);
            let close = |field: &str, tolerance: f64| {
                let (found, wanted) = (number(&found[field]), number(&figures[field]));
                let gap = (found - wanted).abs();
                assert!(
                    gap <= tolerance * wanted.abs(),
                    "{name} {regressor} {field}: {found}, {wanted}"
                );
            };
            close("estimate", 1e-8);
            close("std_error", 1e-6);
        }
        let n_terms = model["terms"].as_array().expect("terms").len();
        assert_eq!(n_terms, expected["terms"].as_object().expect("terms").len(), "{name}");
    }
}

#[test]
fn tables_1_and_2_and_the_figure_are_those_of_pandas() {
    let expected: serde_json::Value = serde_json::from_str(EXPECTED).expect("stored figures");
    for table in ["1", "2"] {
        let run = estimate(demo(), &["--table", table, "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        let rows = json["summaries"][0]["rows"].as_array().expect("rows");
        let wanted = expected[table].as_array().expect("rows");
        assert_eq!(rows.len(), wanted.len(), "table {table}");
        for (row, wanted) in rows.iter().zip(wanted) {
            for (field, value) in wanted.as_object().expect("fields") {
                match value.as_f64() {
                    Some(value) => {
                        let gap = (number(&row[field]) - value).abs();
                        assert!(gap <= 1e-9 * value.abs().max(1.0), "table {table} {field}: {row}");
                    }
                    None => assert_eq!(row[field], *value, "table {table}"),
                }
            }
        }
    }
    let run = estimate(demo(), &["--table", "figure1", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let (figure, wanted) = (&json["figures"][0], &expected["figure1"]);
    assert_eq!(figure["n_obs"], wanted["n_obs"]);
    for field in ["slope", "intercept", "std_error"] {
        let (found, wanted) = (number(&figure[field]), number(&wanted[field]));
        assert!((found - wanted).abs() <= 1e-9 * wanted.abs(), "{field}: {found}, {wanted}");
    }
    let svg = estimate(demo(), &["--table", "figure1", "--format", "svg"]).stdout;
    assert_eq!(svg.matches("<circle").count(), 20, "a point for each bin");
}

#[test]
fn slope_and_number_of_rows_are_in_every_format_of_the_figure() {
    let printed = |format| estimate(demo(), &["--table", "figure1", "--format", format]).stdout;
    let json: serde_json::Value = serde_json::from_str(&printed("json")).expect("JSON");
    let figure = &json["figures"][0];
    let [slope, low, high, std_error] =
        ["slope", "conf_low", "conf_high", "std_error"].map(|field| number(&figure[field]));
    assert!(std_error > 0.0 && (high - slope - (slope - low)).abs() < 1e-12, "{figure}");
    let n_obs = &figure["n_obs"];
    let line = format!("Slope {slope:.4} (95% CI {low:.4} to {high:.4}); N = {n_obs}.");
    for format in ["text", "md", "latex", "html", "svg"] {
        let text = printed(format).replace("95\\%", "95%");
        assert!(text.contains(&line), "{format}: no \"{line}\" in {text}");
    }
    let rows = csv_rows(&printed("csv"));
    let header = ["slope", "intercept", "n_obs", "std_error", "conf_low", "conf_high"];
    assert_eq!(rows[0][4..], header);
    let own = [slope, std_error, low, high].map(|figure| figure.to_string());
    assert_eq!(own.each_ref(), [4, 7, 8, 9].map(|place| &rows[1][place]));
    assert_eq!(rows[1][6], n_obs.to_string());
}

#[test]
fn ordinary_trade_is_the_whole_computation_on_its_records_alone() {
    let alone = Sandbox::new();
    std::fs::copy(repository("streams/demo/cities.csv"), alone.feed().join("cities.csv"))
        .expect("the cities");
    std::fs::copy(repository("streams/demo/countries.csv"), alone.feed().join("countries.csv"))
        .expect("the countries");
    for month in std::fs::read_dir(repository("streams/demo")).expect("the feed") {
        let path = month.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !name.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a month");
        let mut lines = text.lines();
        let header = lines.next().expect("a header");
        let ordinary = lines.filter(|line| line.split(',').nth(7) == Some("10"));
        let kept: Vec<&str> = std::iter::once(header).chain(ordinary).collect();
        alone.write(&name, kept.join("\n") + "\n");
    }
    alone.options("estimate = []");
    alone.ingest(&[&alone.feed()], 2);
    let panel = demo().export("panel-ordinary");
    assert!(panel.lines().count() > 100, "a panel of some size");
    assert!(panel == alone.export("panel"), "the panels differ");
    let model = &models(demo(), &["--table", "4.2"])["4.2"];
    let same = &models(&alone, &["--table", "4.2"])["4.2"];
    assert_eq!(model["terms"], same["terms"]);
}

#[test]
fn products_add_up_to_what_their_plant_exports() {
    let rows = csv_rows(&demo().export("panel-product"));
    let (header, rows) = rows.split_first().expect("a header");
    let place = |name: &str| header.iter().position(|own| own == name).expect("a column");
    let mut sums: BTreeMap<Vec<&str>, (f64, f64)> = BTreeMap::new();
    for row in rows {
        let key = ["year", "firm", "city", "country"].map(|name| row[place(name)].as_str());
        let value = |name: &str| -> f64 { row[place(name)].parse().expect("a number") };
        let sum = sums.entry(key.to_vec()).or_insert((0.0, value("export_value")));
        sum.0 += libm::exp(value("ln_product_export"));
    }
    let panel = csv_rows(&demo().export("panel"));
    assert_eq!(sums.len(), panel.len() - 1, "every row of the plant panel has its products");
    // A product whose amendments leave no positive value is absent, so sums may exceed the row's
    // value.
    let near = sums.values().filter(|(sum, whole)| (sum - whole).abs() < 1e-6 * whole).count();
    assert!(near * 100 > sums.len() * 99, "{near} of {}", sums.len());
    assert!(sums.values().all(|(sum, whole)| *sum > whole * (1.0 - 1e-9)));
}

#[test]
fn what_has_no_data_is_named_and_stops_no_other_column() {
    let why = "(6.3): not estimated: the home lacks data: \"ln_supply\" is absent";
    for table in ["6", "6.3"] {
        let run = demo().run(["estimate", "--table", table]);
        assert_eq!(run.code, Some(3), "{table}: input is not there, whatever else is asked for");
        assert!(run.stderr.contains("not estimated: the home lacks data: 6.3"), "{}", run.stderr);
        // A note wraps at the width of its table.
        let words: Vec<&str> = run.stdout.split_whitespace().collect();
        let text = words.join(" ");
        assert!(text.contains(why), "{}", run.stdout);
        assert!(text.contains("name a firm-year file by the option supply"), "{}", run.stdout);
    }
    let text = estimate(demo(), &["--table", "6"]).stdout;
    assert!(text.contains("(6.5)") && text.contains("Affiliate growth × Firm exports"), "{text}");
}

#[test]
fn columns_solved_together_are_those_of_each_table_alone() {
    let (mut together, mut n_terms) = (models(demo(), &["--cold"]), 0);
    for table in ["3", "4", "5", "6"] {
        for (name, alone) in models(demo(), &["--cold", "--table", table]) {
            let one = together.remove(&name).unwrap_or_else(|| panic!("{name} is missing"));
            n_terms += alone["terms"].as_array().expect("terms").len();
            for field in ["n_obs", "n_singletons", "n_clusters", "df_residual"] {
                assert_eq!(one[field], alone[field], "{name}: {field}");
            }
            for own in alone["terms"].as_array().expect("terms") {
                let other = term(&one, own["term"].as_str().expect("a name"));
                for field in ["estimate", "std_error"] {
                    let (own, other) = (number(&own[field]), number(&other[field]));
                    let close = (own - other).abs() <= 1e-8 * own.abs() + 1e-10;
                    assert!(close, "{name}: {field}: {own}, {other}");
                }
            }
        }
    }
    assert!(!together.is_empty(), "the footnote's columns are among all");
    assert!(n_terms > 50, "only {n_terms} terms are compared");
}
