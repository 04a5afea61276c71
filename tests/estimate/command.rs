//! The command `regress`, through the binary.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn panel() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/panel.csv")
}

fn regress(panel: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_spillover"))
        .args(["regress", "--panel"])
        .arg(panel)
        .args(arguments)
        .output()
        .expect("the binary runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    output
}

fn model(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    json["models"][0].clone()
}

fn message(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn coefficients_and_standard_errors_are_those_of_the_reference() {
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../reference/expected.json")).expect("cases");
    let case = &cases[0];
    let formula = case["formula"].as_str().expect("a formula");
    let output =
        regress(&panel(), &["--formula", formula, "--cluster", "city^country", "--format", "json"]);
    let model = model(&output);
    assert_eq!(model["n_obs"], case["n_obs"]);
    let terms = model["terms"].as_array().expect("terms");
    for (position, name) in case["terms"].as_array().expect("names").iter().enumerate() {
        let term = terms.iter().find(|term| term["term"] == *name).expect("the term");
        let close = |field: &str, tolerance: f64| {
            let (found, expected) = (number(&term[field]), number(&case[field][position]));
            assert!((found - expected).abs() <= tolerance * expected.abs(), "{name} {field}");
        };
        close("estimate", 1e-8);
        close("std_error", 1e-6);
    }
}

#[test]
fn the_text_names_observations_clusters_and_singletons() {
    let arguments = ["--formula", "y ~ x1 | plant^year", "--cluster", "city^country"];
    let output = regress(&panel(), &arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in ["x1", "observations ", "singletons dropped", "clusters city^country", "R² "] {
        assert!(text.contains(part), "no \"{part}\" in:\n{text}");
    }
}

#[test]
fn what_cannot_be_estimated_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("panel.csv");
    let cases = [
        ("y,x,f\n1,2,a\n2,3,a\n3,5,b\n", "y ~ nope | f", "no column \"nope\""),
        ("y,x,f\n1,,a\n2,NA,a\n3,NaN,b\n", "y ~ x | f", "(\"x\" is missing everywhere)"),
        ("y,x,f\n1,2,a\n2,3,b\n3,5,c\n", "y ~ x | f", "no rows are left of 3: 0 without a value"),
        ("y,x,f\n1,2,a\nNaN,3,a\n3,inf,b\n", "y ~ x | f", "2 without a value or a weight"),
        ("y,x,f\n1,2\n", "y ~ x", "line 2: 2 fields where the header has 3"),
        ("y,x\n1,2\n2,1\n", "y ~ x +", "expected a column's name and found the end"),
        ("y,x\n1,2\n2,1\n", "y ~ log(x)", "log() is a function"),
        ("y,x,x\n1,2,3\n2,1,5\n", "y ~ x", "two columns \"x\""),
        ("", "y ~ x", "is empty"),
        ("y,x\n", "y ~ x", "no rows are left of 0"),
        ("y,x\n1,2\n2,oops\n3,1\n", "y ~ x", "line 3: column \"x\" holds \"oops\", which is not"),
    ];
    for (text, formula, expected) in cases {
        std::fs::write(&file, text).expect("written");
        let message = message(&regress(&file, &["--formula", formula]));
        assert!(message.contains(expected), "{formula}: {message}");
    }
}

#[test]
fn clusters_and_weights_that_give_no_errors_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("panel.csv");
    let text =
        "y,x,f,c,minus,none\n1,2,a,k,1,0\n2,5,a,k,-1,0\n3,4,b,k,1,0\n4,4,b,k,1,0\n5,9,b,k,1,0\n";
    std::fs::write(&file, text).expect("written");
    let cases = [
        (["--cluster", "nope"], "no column \"nope\""),
        (["--cluster", "f + c + x"], "one or two ways, not in 3"),
        (["--weights", "minus"], "row 2 of the panel has the weight -1"),
        (["--weights", "none"], "5 without a value or a weight"),
        (["--weights", "nope"], "no column \"nope\""),
        (["--weights", "f"], "line 2: column \"f\" holds \"a\", which is not a number"),
    ];
    for (options, expected) in cases {
        let [name, value] = options;
        let message = message(&regress(&file, &["--formula", "y ~ x | f", name, value]));
        assert!(message.contains(expected), "{options:?}: {message}");
    }
}

#[test]
fn rows_without_a_value_are_left_out_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("panel.csv");
    let text = "y,x,w\n1,2,1\n2,inf,1\nNaN,4,1\n4,1,1\n5,-inf,1\n7,3,1\n8,2,1\n9,5,0\n";
    std::fs::write(&file, text).expect("written");
    let model =
        model(&regress(&file, &["--formula", "y ~ x", "--weights", "w", "--format", "json"]));
    assert_eq!((&model["n_obs"], &model["n_missing"]), (&4.into(), &4.into()));
}

#[test]
fn identifiers_past_what_a_real_holds_stay_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("panel.csv");
    let mut text = String::from("y,x,firm,code\n");
    for row in 0..60_u64 {
        let firm = 9_007_199_254_740_992 + row / 6;
        writeln!(text, "{},{},{firm},{}", row * 13 % 17, row * 7 % 11, row / 6).expect("written");
    }
    std::fs::write(&file, text).expect("written");
    let levels = |effect: &str| {
        let formula = format!("y ~ x | {effect}");
        let model = model(&regress(&file, &["--formula", &formula, "--format", "json"]));
        (model["fixed_effects"][0]["levels"].clone(), model["terms"].clone())
    };
    assert_eq!(levels("firm").0, 10);
    assert_eq!(levels("firm"), levels("code"));
}

#[test]
fn a_first_year_alone_keeps_what_can_be_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("panel.csv");
    let mut text = String::from("y,x,size,age,firm,year\n");
    for row in 0..60 {
        let firm = row / 3;
        let (y, x) = (row * 13 % 17, row * 7 % 11);
        writeln!(text, "{y},{x},{},{},{firm},2009", firm * firm, 2009 - firm).expect("written");
    }
    std::fs::write(&file, text).expect("written");
    let formula = "y ~ size + age + x | firm^year + year";
    let text = regress(&file, &["--formula", formula]).stdout;
    let text = String::from_utf8_lossy(&text).into_owned();
    for name in ["size", "age"] {
        assert!(
            text.contains(&format!("{name}: dropped, collinear with the fixed effects")),
            "{text}"
        );
    }
    let alone =
        model(&regress(&file, &["--formula", "y ~ size | firm^year + year", "--format", "json"]));
    assert_eq!(alone["terms"], serde_json::json!([]));
    assert_eq!(alone["dropped"][0]["term"], "size");
}

#[test]
fn a_regressor_constant_within_the_effects_is_dropped_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("panel.csv");
    let lines: Vec<String> = (0..40)
        .map(|row| {
            let (firm, x) = (row / 4, f64::from(row * 7 % 11));
            format!("{},{x},{},f{firm}", f64::from(firm) + 0.5 * x + f64::from(row % 3), firm * 2)
        })
        .collect();
    std::fs::write(&file, format!("y,x,size,firm\n{}\n", lines.join("\n"))).expect("written");
    let output = regress(&file, &["--formula", "y ~ x + size | firm", "--format", "json"]);
    let model = model(&output);
    assert_eq!(model["terms"].as_array().expect("terms").len(), 1);
    assert_eq!(model["dropped"][0]["term"], "size");
}

#[test]
fn fixed_effects_are_written_level_by_level() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, written) = (folder.path().join("panel.csv"), folder.path().join("effects.csv"));
    let of_firm = |firm: i32| f64::from(firm * firm % 7);
    let of_year = |year: i32| f64::from(year % 3) - 0.5;
    let mut lines = String::from("y,x,firm,year\n");
    for (firm, year) in (0..8).flat_map(|firm| (0..5).map(move |year| (firm, year))) {
        let x = f64::from((firm * 13 + year * 5) % 11);
        let y = 2.0 * x + of_firm(firm) + of_year(year);
        writeln!(lines, "{y},{x},f{firm},{}", 2000 + year).expect("a text takes what is written");
    }
    std::fs::write(&file, lines).expect("written");
    let path = written.display().to_string();
    let arguments = ["--formula", "y ~ x | firm + year", "--fixed-effects", &path];
    assert!(regress(&file, &arguments).status.success());
    let text = std::fs::read_to_string(&written).expect("the effects");
    let value = |effect: &str, level: String| -> f64 {
        let prefix = format!("{effect},{level},");
        let line = text.lines().find_map(|line| line.strip_prefix(&prefix));
        line.unwrap_or_else(|| panic!("no {prefix} in:\n{text}")).parse().expect("a number")
    };
    assert_eq!(text.lines().count(), 1 + 8 + 5);
    for (firm, year) in (0..8).flat_map(|firm| (0..5).map(move |year| (firm, year))) {
        let sum = value("firm", format!("f{firm}")) + value("year", (2000 + year).to_string());
        assert!((sum - of_firm(firm) - of_year(year)).abs() < 1e-8, "firm {firm} in {year}");
    }
}

#[test]
fn the_panel_is_read_as_its_options_say_and_columns_are_named_with_or_without_backquotes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("panel.csv");
    let base = include_str!("../reference/kinds.csv").lines().skip(1);
    let lines: Vec<String> = base.map(|line| line.replace(',', "~").replace('.', ",")).collect();
    let text = format!("export value~gdp (pc)~firm id~2yr~w t\n{}~1\n", lines.join("~1\n"));
    std::fs::write(&file, text).expect("written");
    let formula = "`export value` ~ `gdp (pc)` | `firm id` + 2yr";
    for (weights, cluster) in [("w t", "`firm id`"), ("`w t`", "`firm id`")] {
        let arguments = [
            "--formula",
            formula,
            "--cluster",
            cluster,
            "--weights",
            weights,
            "--format",
            "json",
            "--delimiter",
            "~",
            "--decimal",
            ",",
            "--encoding",
            "gbk",
            "--missing",
            "",
        ];
        let model = model(&regress(&file, &arguments));
        let term = &model["terms"][0];
        assert_eq!(term["term"], "`gdp (pc)`");
        assert!((number(&term["estimate"]) - 0.836_644_014_345).abs() < 1e-10);
        assert!((number(&term["std_error"]) - 0.077_666_214_908_4).abs() < 1e-10);
    }
    for (option, value) in [("--delimiter", "ab"), ("--decimal", ";"), ("--encoding", "klingon")] {
        let output = regress(&file, &["--formula", formula, option, value]);
        assert_eq!(output.status.code(), Some(2), "{option}");
    }
}

#[test]
fn figures_in_the_text_have_digits_that_say_something_and_stand_in_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("panel.csv");
    let mut text = String::from("y,large,small,名称,firm\n");
    for row in 0..40_i32 {
        let y = f64::from(row * 13 % 17);
        let (large, small) = (f64::from(row * 7 % 11) * 1e10, f64::from(row * 5 % 7) * 1e-15);
        writeln!(text, "{y},{large},{small:e},{},{}", row * 3 % 5, row % 4).expect("written");
    }
    std::fs::write(&file, text).expect("written");
    let arguments = ["--formula", "y ~ large + small + 名称 | firm"];
    let text = String::from_utf8_lossy(&regress(&file, &arguments).stdout).into_owned();
    let lines: Vec<&str> = text.lines().skip(2).take(4).collect();
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for (line, exponent) in [(lines[1], "e-1"), (lines[2], "e1")] {
        for cell in &cells(line)[1..3] {
            assert!(cell.contains(exponent) && cell.len() >= 8, "{cell} in:\n{text}");
        }
    }
    // A Chinese character takes two columns, so that its line has fewer characters.
    assert_eq!(lines[1].chars().count(), lines[2].chars().count(), "{text}");
    assert_eq!(lines[3].chars().count() + 2, lines[2].chars().count(), "{text}");
}
