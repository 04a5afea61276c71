//! A request for something missing gives an error with the existing names. Skipped files take one
//! line, and refusals come last with the option to set.

use std::fs;

use super::common::Sandbox;
use super::{says, standing};

#[test]
fn options_that_are_not_there_are_an_error_of_every_command() {
    let sandbox = standing();
    for command in [
        &["status"][..],
        &["export", "city"],
        &["export", "city", "--vintage", "5"],
        &["verify"],
        &["revisions"],
        &["diff", "1", "2"],
        &["explain", "--firm", "a", "--city", "b", "--country", "c", "--year", "2001"],
        &["simulate", "--demo", "--out", "new"],
    ] {
        let run = sandbox.run([&["--config", "nope.toml"], command].concat());
        says(&run, 1, &["cannot read the options in nope.toml"]);
    }
    assert!(!sandbox.folder().join("new").exists());
}

#[test]
fn a_year_that_is_not_there_is_an_error_with_the_years_there_are() {
    let sandbox = standing();
    let tables = "there are 2001 to 2002";
    for (arguments, there) in [
        (&["export", "city"][..], tables),
        (&["export", "plant"], tables),
        (&["export", "plant", "--vintage", "18"], "there is 2001"),
        (&["export", "changes"], tables),
        (&["diff", "5", "26"], tables),
        (&["export", "files"], "there are 2000 to 2002"),
        (&["export", "rejects"], "there are 2000 to 2002"),
        (&["export", "estimates"], "it has none yet"),
        (&["export", "panel"], "the closed year is 2001"),
        (&["export", "firms"], "the closed years are 2000 to 2001"),
        (&["explain", "--firm", "F", "--city", "1101", "--country", "301"], tables),
    ] {
        for year in ["1999", "2099"] {
            let run = sandbox.run([arguments, &["--year", year]].concat());
            says(&run, 1, &[year, there]);
            assert_eq!(run.stdout, "", "{arguments:?} {year}");
        }
    }
    let run = sandbox.run(["estimate", "--table", "3", "--through", "1999"]);
    says(&run, 1, &["1999", "the closed year is 2001"]);
    let run = sandbox.run(["export", "city", "--year", "2001"]);
    assert!(run.code == Some(0) && run.stdout.lines().count() > 1, "{}", run.stderr);
}

#[test]
fn a_vintage_that_is_not_there_is_an_error_with_the_vintages_there_are() {
    let sandbox = standing();
    for vintage in ["0", "27", "999"] {
        for command in [
            &["export", "city"][..],
            &["export", "plant"],
            &["export", "files"],
            &["export", "rejects"],
            &["export", "changes"],
            &["export", "estimates"],
            &["revisions"],
        ] {
            let run = sandbox.run([command, &["--vintage", vintage]].concat());
            says(&run, 1, &[&format!("there is no vintage {vintage}; there are 1 to 26")]);
        }
    }
    says(&sandbox.run(["diff", "0", "27"]), 1, &["there is no vintage 27; there are 1 to 26"]);
    says(&sandbox.run(["diff", "0", "26"]), 0, &[]);
}

#[test]
fn a_firm_city_or_country_that_is_not_there_is_an_error_with_those_there_are() {
    let sandbox = standing();
    let row = |firm, city, country| {
        let key = ["--firm", firm, "--city", city, "--country", country, "--year", "2001"];
        sandbox.run([&["explain"][..], &key].concat())
    };
    let plant = sandbox.export("plant");
    let firm = plant.lines().nth(1).expect("a row").split(',').nth(2).expect("a firm");
    says(&row("nobody", "1101", "301"), 1, &["no firm \"nobody\"", "there are", "from"]);
    says(&row(firm, "9999", "301"), 1, &["no city \"9999\"", "there are 7, from 1101 to 4101"]);
    says(&row(firm, "1101", "999"), 1, &["no country \"999\"", "there are 5, from 110 to 601"]);
}

#[test]
fn skipped_files_are_one_line_and_refusals_come_last_with_what_to_set() {
    let sandbox = standing();
    for name in ["200101-b.csv", "200102-b.csv"] {
        let month = fs::read_to_string(sandbox.feed().join(name.replace("-b", ""))).expect("one");
        let half = month.lines().take(month.lines().count() / 2).collect::<Vec<_>>();
        sandbox.write(name, half.join("\n"));
    }
    let run = sandbox.run(["ingest", "feed"]);
    says(&run, 3, &["26 files skipped: accepted before; --verbose lists them"]);
    assert_eq!(run.stderr.matches("skipped").count(), 1, "{}", run.stderr);
    let last: Vec<&str> = run.stderr.lines().rev().take(2).collect();
    for line in last {
        assert!(line.starts_with("refused: ") && line.contains("has a file already"), "{line}");
        assert!(line.contains("set revision = \"append\"") && line.contains("spillover.toml"));
    }
    let run = sandbox.run(["ingest", "feed", "--verbose"]);
    assert_eq!(run.stderr.matches(": skipped, these bytes").count(), 26, "{}", run.stderr);
    let run = sandbox.run(["ingest", "feed", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let (skipped, refused) = (told["skipped"].as_array(), told["refused"].as_array());
    assert_eq!(skipped.map(Vec::len), Some(26));
    assert_eq!(skipped.expect("a list")[0]["accepted_as"], "200001.csv");
    assert_eq!(refused.map(Vec::len), Some(2));
    let reason = refused.expect("a list")[0]["reason"].as_str().expect("text");
    assert!(reason.contains("has a file already"), "{reason}");
}

#[test]
fn withdrawn_files_that_are_left_out_are_told_apart() {
    let sandbox: Sandbox = standing();
    says(&sandbox.run(["withdraw", "200105.csv"]), 0, &[]);
    let run = sandbox.run(["ingest", "feed"]);
    says(&run, 0, &["25 files skipped: accepted before", "1 files left out: withdrawn"]);
    let run = sandbox.run(["ingest", "feed", "--verbose"]);
    says(&run, 0, &["200105.csv: left out, these bytes were accepted as", "name the file itself"]);
}
