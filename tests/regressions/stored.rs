//! Stored estimates are printed unchanged, others are estimated. A failure is reported and not
//! stored permanently.

use std::collections::BTreeMap;
use std::path::PathBuf;

use spillover::home::{Home, StoredState};

use super::commands::{exported, growing, take_in};
use super::{Sandbox, estimate, models, number};
use crate::common::{HEADER, Run, csv_rows};

/// The bytes of all files of a home.
fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![sandbox.home()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the home") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_string_lossy().ends_with("-shm") {
                files.insert(path.clone(), std::fs::read(&path).expect("its bytes"));
            }
        }
    }
    files
}

fn late(sandbox: &Sandbox, name: &str) {
    let firm = &exported(sandbox, "panel")[0];
    let late = format!(
        "{HEADER}\n200903,E,{},某某厂,{}9,{},39091010,10,1234567.00\n",
        firm["firm"], firm["city"], firm["country"]
    );
    let path = sandbox.write(name, late);
    sandbox.ingest(&[&path], 1);
}

#[test]
fn a_stored_table_is_printed_without_an_estimation_and_nothing_is_written() {
    let sandbox = growing("200912");
    estimate(&sandbox, &["--table", "3"]);
    let before = files(&sandbox);
    let stored = estimate(&sandbox, &["--table", "3"]);
    let note = "Closed years up to 2009; stored at vintage 24.";
    assert!(stored.stdout.contains(note), "{}", stored.stdout);
    assert_eq!(stored.stderr, "");
    for format in ["csv", "json", "latex"] {
        estimate(&sandbox, &["--table", "3.4", "--format", format]);
    }
    estimate(&sandbox, &["--table", "3.4", "--path"]);
    assert!(files(&sandbox) == before, "something was written");
    for again in ["--again", "--cold"] {
        let run = estimate(&sandbox, &["--table", "3", again]);
        let note = "Closed years up to 2009; estimated now, at vintage 24.";
        assert!(run.stdout.contains(note), "{}", run.stdout);
    }
    let rows = exported(&sandbox, "estimates");
    let ids: std::collections::BTreeSet<&str> = rows
        .iter()
        .filter(|row| (row["specification"].as_str(), row["column"].as_str()) == ("3", "4"))
        .map(|row| row["estimate_id"].as_str())
        .collect();
    assert_eq!(ids.len(), 3, "what was estimated before stays");
}

#[test]
fn what_is_stale_is_estimated_again_and_what_is_missing_alone() {
    let sandbox = growing("200912");
    late(&sandbox, "201001.csv");
    let run = estimate(&sandbox, &["--table", "3.4"]);
    assert!(run.stderr.contains("late records have changed 2009"), "{}", run.stderr);
    assert!(run.stdout.contains("estimated now, at vintage 25."), "{}", run.stdout);
    let run = estimate(&sandbox, &["--table", "3"]);
    for note in [
        "(3.1), (3.2), (3.3), (3.5): closed years up to 2009; estimated now, at vintage 25.",
        "(3.4): closed years up to 2009; stored at vintage 25.",
    ] {
        assert!(run.stdout.contains(note), "{}", run.stdout);
    }
    let columns = run.stdout.lines().nth(2).expect("a header").split_whitespace();
    let expected = "Outcome: Exports (log) (3.1) (3.2) (3.3) (3.4) (3.5)";
    assert_eq!(columns.collect::<Vec<_>>().join(" "), expected);
}

#[test]
fn figures_are_kept_to_the_last_bit_with_their_covariances() {
    let sandbox = growing("200912");
    let now = models(&sandbox, &["--table", "3", "--again"]);
    let stored = models(&sandbox, &["--table", "3"]);
    let covariances = exported(&sandbox, "covariance");
    for (name, model) in &now {
        assert_eq!(stored[name]["stored"], true);
        for field in ["terms", "r2", "rss", "n_obs", "clusters", "df_t", "seconds", "identity"] {
            assert_eq!(model[field], stored[name][field], "{name}: {field}");
        }
        let of = |term: &str, other: &str| {
            let cell = |row: &&BTreeMap<String, String>| {
                (row["model"].as_str(), row["term"].as_str(), row["other"].as_str())
                    == (name.as_str(), term, other)
            };
            let cell = covariances.iter().find(cell).unwrap_or_else(|| panic!("{term}, {other}"));
            assert_eq!(
                (cell["through"].as_str(), cell["estimated_vintage"].as_str()),
                ("2009", "24")
            );
            cell["covariance"].parse::<f64>().expect("a number")
        };
        let terms = model["terms"].as_array().expect("terms");
        let names: Vec<&str> = terms.iter().map(|t| t["term"].as_str().expect("text")).collect();
        for (term, figures) in names.iter().zip(terms) {
            let variance = of(term, term);
            let error = number(&figures["std_error"]);
            assert!((variance.sqrt() - error).abs() <= 1e-14 * error, "{name}: {term}");
            for other in &names {
                let (one, two) = (of(term, other), of(other, term));
                assert!((one - two).abs() <= 1e-12 * one.abs(), "{name}: {term}, {other}");
            }
        }
    }
}

fn failed(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Run {
    let run = sandbox.run([&["estimate"], arguments].concat());
    assert_eq!(run.code, Some(code), "{arguments:?}: {}{}", run.stdout, run.stderr);
    run
}

#[test]
fn a_column_without_data_is_no_failure_and_is_listed_as_what_it_is() {
    let sandbox = growing("200912");
    let status = sandbox.run(["status"]).stdout;
    assert!(
        status.contains("without data   6.3 through 2009: \"ln_supply\" is absent"),
        "{status}"
    );
    assert!(!status.contains("failed"), "{status}");
    let row = |sandbox: &Sandbox| {
        let rows = exported(sandbox, "estimates");
        let mut of = rows
            .into_iter()
            .filter(|row| (row["specification"].as_str(), row["column"].as_str()) == ("6", "3"));
        let row = of.next().expect("a row");
        assert!(of.next().is_none(), "one row for a year");
        row
    };
    let listed = row(&sandbox);
    assert_eq!(listed["state"], "no-data");
    assert!(listed["formula"].contains("affiliate_growth:ln_supply"), "{listed:?}");
    for _ in 0..2 {
        failed(&sandbox, &["--table", "6.3"], 3);
        failed(&sandbox, &["--table", "6.3", "--again"], 3);
    }
    assert_eq!(row(&sandbox)["state"], "no-data");
    let json = failed(&sandbox, &["--table", "6", "--format", "json"], 3).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["without_data"][0]["name"], "6.3");
    assert!(json.get("failed").is_none());
    // After the home has the data, the reason is gone.
    let supply = super::repository("tests/reference/supply.csv");
    sandbox.options(&format!("supply = {:?}", supply.display().to_string()));
    assert_eq!(sandbox.run(["rebuild"]).code, Some(0));
    let run = estimate(&sandbox, &["--table", "6.3"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    let of_supply: Vec<String> = exported(&sandbox, "estimates")
        .into_iter()
        .filter(|row| (row["specification"].as_str(), row["column"].as_str()) == ("6", "3"))
        .map(|row| row["state"].clone())
        .collect();
    assert!(!of_supply.is_empty() && of_supply.iter().all(|s| s == "estimated"), "{of_supply:?}");
    assert!(!sandbox.run(["status"]).stdout.contains("without data"));
}

#[test]
fn a_slip_in_ones_own_file_is_an_error_with_its_line_and_nothing_is_kept() {
    let sandbox = growing("200912");
    let file = sandbox.folder().join("mine.toml");
    let text = "title = \"My own\"\n[[column]]\nname = \"right\"\n\
                formula = \"ln_export ~ affiliate_growth | country\"\n[[column]]\n\
                name = \"wrong\"\nformula = \"ln_export ~ affiliate_growth | country\"\n";
    let before = (files(&sandbox), sandbox.export("estimates"));
    let slips = [
        (
            "formula",
            "ln_export ~ affiliate_growth + experiense | country",
            "line 7",
            "no column \"experiense\"; it has year",
        ),
        ("keep", "plans >= 2", "line 8", "no column \"plans\"; it has year"),
        ("cluster", "province^contry", "line 8", "no column \"contry\"; it has year"),
        (
            "formula",
            "ln_export ~ affiliate_growth + province | country",
            "line 7",
            "\"province\" holds categories",
        ),
    ];
    for (key, value, line, what) in slips {
        let text = match key {
            "formula" => text.replacen(
                "name = \"wrong\"\nformula = \"ln_export ~ affiliate_growth | country\"",
                &format!("name = \"wrong\"\nformula = \"{value}\""),
                1,
            ),
            "keep" => format!("{text}keep = [\"{value}\"]\n"),
            _ => format!("{text}{key} = \"{value}\"\n"),
        };
        std::fs::write(&file, text).expect("written");
        for more in [&[][..], &["--path"]] {
            let run = failed(&sandbox, &[&["--spec", "mine.toml"], more].concat(), 1);
            for said in ["mine.toml, ", line, "specification mine, column wrong: ", what] {
                assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
            }
            assert_eq!(run.stdout, "");
        }
    }
    assert_eq!(sandbox.export("estimates"), before.1);
    assert!(!sandbox.run(["status"]).stdout.contains("failed"));
}

/// A model that cannot be estimated, because its effects need more than one iteration.
const TOO_FEW_ITERATIONS: &str = "title = \"My own\"\nestimator = { iterations = 1 }\n\
    [[column]]\nname = \"a\"\n\
    formula = \"ln_export ~ affiliate_growth | plant^year + country^year + city^country\"\n\
    [[column]]\nname = \"b\"\nformula = \"ln_export ~ affiliate_growth | country\"\n";

/// A model whose rows are some of the demo's rows.
const ONE_CLUSTER: &str = "title = \"My own\"\ncluster = \"new\"\n[[column]]\nname = \"a\"\n\
    formula = \"ln_export ~ affiliate_growth | country\"\nkeep = [\"new == 0\"]\n\
    [[column]]\nname = \"b\"\nformula = \"ln_export ~ affiliate_growth | country\"\n";

#[test]
fn a_failure_fails_the_command_beside_other_columns_too_and_can_be_cleared() {
    let sandbox = growing("200912");
    std::fs::write(sandbox.folder().join("mine.toml"), TOO_FEW_ITERATIONS).expect("written");
    let run = failed(&sandbox, &["--spec", "mine.toml"], 1);
    assert!(run.stdout.contains("(mine.a): failed: the fixed effects were not"), "{}", run.stdout);
    assert!(
        run.stdout.contains("(mine.b)") && run.stdout.contains("Observations"),
        "it is printed"
    );
    assert!(run.stderr.contains("failed: mine.a"), "{}", run.stderr);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("failed         mine.a through 2009: the fixed effects"), "{status}");
    assert!(status.contains("`estimate --clear-failures`"), "{status}");
    // The failure is tried again each time, and stored once.
    failed(&sandbox, &["--spec", "mine.toml"], 1);
    let n_failed = |sandbox: &Sandbox| {
        exported(sandbox, "estimates").iter().filter(|row| row["state"] == "failed").count()
    };
    assert_eq!(n_failed(&sandbox), 1);
    let other = failed(&sandbox, &["--clear-failures", "--table", "3"], 0);
    assert_eq!(other.stdout, "cleared: 0 failed, 0 without data\n");
    let own = failed(&sandbox, &["--clear-failures", "--spec", "mine.toml"], 0);
    assert_eq!(own.stdout, "cleared: 1 failed, 0 without data\n");
    assert_eq!(n_failed(&sandbox), 0);
    assert!(!sandbox.run(["status"]).stdout.contains("failed"));
    let rest = failed(&sandbox, &["--clear-failures"], 0);
    assert_eq!(rest.stdout, "cleared: 0 failed, 1 without data\n", "6.3 is left");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_failure_is_gone_once_the_same_model_is_estimated() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []");
    take_in(&sandbox, "200801", "200912");
    let one = ONE_CLUSTER.split("[[column]]\nname = \"b\"").next().expect("the first column");
    let text = one.replace("new == 0", "year == 2010").replace("\"new\"", "\"country\"");
    std::fs::write(sandbox.folder().join("mine.toml"), text).expect("written");
    let run = failed(&sandbox, &["--spec", "mine.toml"], 3);
    // A note wraps at the width of its table.
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    let text = words.join(" ");
    let message = text.split("no rows are left of ").nth(1).expect("why there is no estimate");
    assert!(message.contains("excluded by the rules of the sample"), "{message}");
    let numbers: Vec<u32> =
        message.split([' ', ':']).filter_map(|word| word.parse().ok()).take(4).collect();
    // The rule excludes all complete rows, and none of them is counted as missing.
    let [n_rows, n_missing, n_excluded, n_singletons] = numbers[..] else { panic!("{message}") };
    assert_eq!(n_missing + n_excluded + n_singletons, n_rows, "{message}");
    assert!(n_excluded > n_missing && n_singletons == 0, "{message}");
    assert!(sandbox.run(["status"]).stdout.contains("without data   mine.a through 2009"));
    take_in(&sandbox, "201001", "201012");
    failed(&sandbox, &["--spec", "mine.toml"], 0);
    assert!(!sandbox.run(["status"]).stdout.contains("without data"));
}

#[test]
fn what_a_newer_program_kept_is_an_error_that_says_what_to_do() {
    let sandbox = growing("200912");
    // A row in the form of a later version: written through the engine's type, and sealed.
    let mut home = Home::open(&sandbox.home()).expect("the home");
    let mut newest = home.estimates().expect("estimates");
    newest.retain(|one| one.name() == "3.4");
    for one in &mut newest {
        one.state = StoredState::Estimated { schema: 3, fields: "{}".to_owned() };
    }
    home.add_estimates(&newest).expect("kept");
    drop(home);
    for arguments in [&["estimate", "--table", "3"][..], &["export", "estimates"]] {
        let run = sandbox.run(arguments);
        assert_eq!(run.code, Some(1), "{arguments:?}");
        assert!(run.stderr.contains("is stored in version 3"), "{}", run.stderr);
        assert!(run.stderr.contains("estimate --again"), "{}", run.stderr);
    }
    let csv = estimate(&sandbox, &["--table", "3", "--again", "--format", "csv"]).stdout;
    assert!(csv_rows(&csv).len() > 5);
    assert_eq!(estimate(&sandbox, &["--table", "3"]).code, Some(0), "the newest is readable");
}
