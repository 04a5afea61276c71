//! A model is identified by its content: another formula or sample under the same name is another
//! model. The same content under another name, file or layout is the same model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::commands::{exported, growing, take_in};
use super::{Sandbox, estimate};
use crate::common::csv_rows;

const SMALL: &str = r#"
title = "My own"
cluster = "city^country"
[[column]]
name = "a"
formula = "ln_export ~ affiliate_growth + affiliate_ln_density | plant^year + country^year"
"#;

/// Writes a user's specification.
fn written(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let path = sandbox.folder().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, text).expect("written");
    path
}

/// The points of a path by year: the source and the coefficient.
fn path(sandbox: &Sandbox, file: &Path) -> BTreeMap<String, (String, String)> {
    let file = file.to_string_lossy();
    let run = estimate(sandbox, &["--spec", &file, "--path", "--format", "csv"]);
    let rows = csv_rows(&run.stdout);
    let place = |name: &str| rows[0].iter().position(|own| own == name).expect("a column");
    let point = |row: &Vec<String>| {
        let [year, source, figure] = ["year", "source", "estimate"].map(|name| &row[place(name)]);
        (year.clone(), (source.clone(), figure.clone()))
    };
    rows[1..].iter().map(point).collect()
}

/// The sources and the figures of the path of a model, by year.
fn sources(path: &BTreeMap<String, (String, String)>) -> Vec<&str> {
    path.values().map(|(source, _)| source.as_str()).collect()
}

/// The printed coefficient of a model.
fn coefficient(sandbox: &Sandbox, file: &Path, more: &[&str]) -> (String, String) {
    let file = file.to_string_lossy();
    let run = estimate(sandbox, &[&["--spec", &file, "--format", "json"], more].concat());
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let model = &json["models"][0];
    let stored = if model["stored"] == true { "stored" } else { "estimated" };
    (stored.to_owned(), model["terms"][0]["estimate"].to_string())
}

/// The identities under a name in an export, in order.
fn identities(sandbox: &Sandbox, specification: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for row in exported(sandbox, "estimates") {
        if row["specification"] == specification && !all.contains(&row["identity"]) {
            all.push(row["identity"].clone());
        }
    }
    all
}

/// A home of three years, two of them with indicators, which estimates only on request.
fn home() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []");
    take_in(&sandbox, "200801", "201012");
    sandbox
}

#[test]
fn a_formula_changed_under_one_file_name_is_another_model() {
    let sandbox = home();
    let file = written(&sandbox, "p.toml", SMALL);
    let first = path(&sandbox, &file);
    assert_eq!(sources(&first), ["estimated", "estimated"]);
    written(&sandbox, "p.toml", &SMALL.replace(" + affiliate_ln_density", ""));
    let second = path(&sandbox, &file);
    assert_eq!(sources(&second), ["estimated", "estimated"], "no figure of the first formula");
    assert!(first.iter().all(|(year, (_, figure))| second[year].1 != *figure), "{second:?}");
    assert_eq!(sources(&path(&sandbox, &file)), ["stored", "stored"]);
    // The results of the first formula are listed under the first formula.
    let rows = exported(&sandbox, "estimates");
    let formulas: BTreeSet<&str> = rows.iter().map(|row| row["formula"].as_str()).collect();
    assert_eq!(formulas.len(), 2, "{formulas:?}");
    assert_eq!(identities(&sandbox, "p").len(), 2);
    written(&sandbox, "p.toml", SMALL);
    let again = path(&sandbox, &file);
    assert_eq!(sources(&again), ["stored", "stored"], "the first formula is known");
    assert!(again.iter().all(|(year, (_, figure))| first[year].1 == *figure));
}

#[test]
fn a_rule_changed_under_one_file_name_is_another_model() {
    let sandbox = home();
    let file = written(&sandbox, "p.toml", SMALL);
    let all = coefficient(&sandbox, &file, &[]);
    assert_eq!(all.0, "estimated");
    let rules = [
        "keep = [\"plants >= 3\"]",
        "keep = [\"plants >= 4\"]",
        "trim = [{ variable = \"affiliate_growth\", share = 0.05 }]",
        "trim = [{ variable = \"affiliate_growth\", share = 0.1 }]",
        "drop_largest = [{ variable = \"largest_plant_share\", share = 0.1, of = \"firm^year\" }]",
        "standardise = true",
        "weights = \"export_value\"",
        "trade = \"ordinary\"",
    ];
    let mut figures = vec![all.1.clone()];
    for rule in rules {
        written(&sandbox, "p.toml", &format!("{SMALL}{rule}\n"));
        let (source, figure) = coefficient(&sandbox, &file, &[]);
        assert_eq!(source, "estimated", "{rule}");
        assert!(!figures.contains(&figure), "{rule}: {figure} is that of another sample");
        assert_eq!(coefficient(&sandbox, &file, &[]), ("stored".to_owned(), figure.clone()));
        figures.push(figure);
    }
    // Other standard errors do not change the coefficient.
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let errors = ["vcov = \"hc1\"", "cluster = \"city\"", "ssc = \"k_fixef = full\""];
    for rule in errors {
        written(&sandbox, "p.toml", &format!("{SMALL}{rule}\n"));
        let (source, figure) = coefficient(&sandbox, &file, &[]);
        assert_eq!(source, "estimated", "{rule}");
        assert!((number(&figure) - number(&all.1)).abs() < 1e-10, "{rule}: {figure}");
    }
    assert_eq!(identities(&sandbox, "p").len(), 1 + rules.len() + errors.len());
    written(&sandbox, "p.toml", SMALL);
    assert_eq!(coefficient(&sandbox, &file, &[]), ("stored".to_owned(), all.1));
}

#[test]
fn two_files_of_one_name_never_mix() {
    let sandbox = home();
    let one = written(&sandbox, "u1/s.toml", SMALL);
    let two = written(&sandbox, "u2/s.toml", &format!("{SMALL}keep = [\"plants >= 3\"]\n"));
    let (of_one, of_two) = (path(&sandbox, &one), path(&sandbox, &two));
    assert!(of_one.iter().all(|(year, (_, figure))| of_two[year].1 != *figure));
    for (file, before) in [(&one, &of_one), (&two, &of_two)] {
        let now = path(&sandbox, file);
        assert_eq!(sources(&now), ["stored", "stored"]);
        assert!(now.iter().all(|(year, (_, figure))| before[year].1 == *figure));
    }
    assert_ne!(coefficient(&sandbox, &one, &[]), coefficient(&sandbox, &two, &[]));
    let at_vintage =
        |file: &Path| coefficient(&sandbox, file, &["--vintage", "36", "--through", "2010"]);
    assert_eq!(at_vintage(&one).1, coefficient(&sandbox, &one, &[]).1);
    assert_eq!(at_vintage(&two).1, coefficient(&sandbox, &two, &[]).1);
    // A reader can distinguish them in every row.
    let rows = exported(&sandbox, "estimates");
    let of = |sample: &str| rows.iter().filter(|row| row["sample"] == sample).count();
    assert!(of("") > 0 && of("") == of("keep plants >= 3"), "{rows:?}");
    let covariances = exported(&sandbox, "covariance");
    let keys: BTreeSet<Vec<&str>> = covariances
        .iter()
        .map(|row| {
            let names = ["model", "through", "estimated_vintage", "term", "other", "identity"];
            names.iter().map(|name| row[*name].as_str()).collect()
        })
        .collect();
    assert_eq!(keys.len(), covariances.len(), "each pair of terms once for each model");
}

#[test]
fn a_file_that_is_renamed_or_laid_out_otherwise_is_the_same_model() {
    let sandbox = home();
    let before = path(&sandbox, &written(&sandbox, "p.toml", SMALL));
    let same = [
        ("renamed.toml", SMALL.to_owned()),
        ("p.toml", SMALL.replace("My own", "Another title").replace("\"a\"", "\"b\"")),
        ("label.toml", format!("{SMALL}label = \"with a label\"\n")),
        (
            "blanks.toml",
            SMALL
                .replace("| plant^year", "\n  |   plant ^ year")
                .replace(
                    "formula = \"ln_export ~ affiliate_growth",
                    "# a comment\nformula = \"\"\"ln_export~affiliate_growth",
                )
                .replace("country^year\"", "country^year\"\"\""),
        ),
        ("defaults.toml", format!("{SMALL}keep = []\ncentre = false\nssc = \"k_adj = TRUE\"\n")),
        (
            "own-cluster.toml",
            SMALL.replace("cluster = \"city^country\"\n", "") + "cluster = \" city ^ country \"\n",
        ),
    ];
    for (name, text) in same {
        let now = path(&sandbox, &written(&sandbox, name, &text));
        assert_eq!(sources(&now), ["stored", "stored"], "{name}:\n{text}");
        assert!(now.iter().all(|(year, (_, figure))| before[year].1 == *figure), "{name}");
    }
    let identities: BTreeSet<String> =
        exported(&sandbox, "estimates").into_iter().map(|row| row["identity"].clone()).collect();
    assert_eq!(identities.len(), 1);
}

#[test]
fn conditions_are_the_same_in_any_order_and_spelling() {
    let sandbox = home();
    let with = |keep: &str| format!("{SMALL}keep = {keep}\n");
    let file = written(&sandbox, "p.toml", &with("[\"plants >= 3\", \"experience == 1\"]"));
    let (_, figure) = coefficient(&sandbox, &file, &[]);
    for keep in [
        "[\"experience==1.0\", \"plants  >=  3\"]",
        "[\"plants >= 3e0\", \"experience == 1\", \"plants >= 3\"]",
    ] {
        written(&sandbox, "p.toml", &with(keep));
        assert_eq!(
            coefficient(&sandbox, &file, &[]),
            ("stored".to_owned(), figure.clone()),
            "{keep}"
        );
    }
}

#[test]
fn a_path_estimates_the_years_that_are_missing_or_stale_and_no_other() {
    let sandbox = growing("200912");
    let of = |more: &[&str]| {
        let run =
            estimate(&sandbox, &[&["--table", "3.4", "--path", "--format", "csv"], more].concat());
        let rows = csv_rows(&run.stdout);
        let place = |name: &str| rows[0].iter().position(|own| own == name).expect("a column");
        let point = |row: &Vec<String>| (row[0].clone(), row[place("source")].clone());
        rows[1..].iter().map(point).collect::<Vec<_>>()
    };
    let stored = |year: &str| (year.to_owned(), "stored".to_owned());
    let estimated = |year: &str| (year.to_owned(), "estimated".to_owned());
    assert_eq!(of(&[]), [stored("2009")]);
    take_in(&sandbox, "201001", "201012");
    // Late records of 2010 changed the data of 2009.
    assert_eq!(of(&[]), [estimated("2009"), stored("2010")]);
    assert_eq!(of(&[]), [stored("2009"), stored("2010")]);
    assert_eq!(of(&["--again"]), [estimated("2009"), estimated("2010")]);
    assert_eq!(of(&["--cold", "--through", "2009"]), [estimated("2009")]);
}

#[test]
fn a_path_follows_every_column_that_has_the_regressor() {
    let sandbox = growing("201012");
    let run = estimate(&sandbox, &["--table", "3", "--path", "experience", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let paths = json["paths"].as_array().expect("two paths");
    let models: Vec<&str> =
        paths.iter().map(|path| path["model"].as_str().expect("text")).collect();
    assert_eq!(models, ["3.4", "3.5"]);
    let product = "affiliate_ln_density : affiliate_growth";
    let run = estimate(&sandbox, &["--table", "3.4", "--path", product]);
    assert!(
        run.stdout.contains("Affiliate growth × Affiliate density (log) in (3.4)"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("stored: 2009, 2010") || run.stdout.contains("estimated now: 2009")
    );
    let none = sandbox.run(["estimate", "--table", "3.1", "--path", "experience"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("3 has no regressor \"experience\"; it has affiliate_growth,"));
    let svg = sandbox.run(["estimate", "--table", "3", "--path", "--format", "svg"]);
    assert_eq!(svg.code, Some(1));
    assert!(svg.stderr.contains("--format svg draws one column, and 3 has 1, 2, 3, 4, 5"));
}
