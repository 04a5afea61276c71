//! A home of layout 2, written by commit e6d04e7: it opens, and its figures stay.
//!
//! `tests/homes/README.md` describes its origin and its printed tables.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::commands::{exported, take_in};
use super::{Sandbox, estimate, repository};
use crate::common::csv_rows;

/// The layout that the first writer gives a home.
const NEWEST: i64 = 10;

fn of_layout_2() -> Sandbox {
    unpacked("tests/homes/layout-2.zip")
}

/// An unpacked stored home.
fn unpacked(name: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let zip = std::fs::File::open(repository(name)).expect("the home");
    let mut zip = zip::ZipArchive::new(zip).expect("a zip");
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).expect("a file");
        let path = sandbox.home().join(file.enclosed_name().expect("below the home"));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("its bytes");
        std::fs::write(path, bytes).expect("laid out");
    }
    sandbox
}

/// The output of the program that wrote the home.
fn printed_then(name: &str) -> String {
    let path = repository("tests/homes/layout-2").join(name);
    std::fs::read_to_string(path).expect("what was printed")
}

/// The rows of a table without columns that were added later.
fn columns_of_then(now: &str, then: &str) -> Vec<Vec<String>> {
    let (now, then) = (csv_rows(now), csv_rows(then));
    assert_eq!(now[0][..then[0].len()], then[0], "columns keep their names and their order");
    now.into_iter().map(|row| row[..then[0].len()].to_vec()).collect()
}

fn layout(sandbox: &Sandbox) -> i64 {
    let manifest = rusqlite::Connection::open_with_flags(
        sandbox.home().join("manifest.sqlite"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    );
    let manifest = manifest.expect("the manifest");
    manifest.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number")
}

/// Asserts that the old estimates are listed, to the last bit, with failures and missing data
/// separate.
fn assert_listed(sandbox: &Sandbox) {
    let (now, then) = (sandbox.export("estimates"), printed_then("estimates.csv"));
    let now = columns_of_then(&now, &then);
    let then = csv_rows(&then);
    assert_eq!(now.len(), then.len());
    // The stamps of panels decide about staleness, and this version computes them from more data.
    let stale = then[0].iter().position(|name| name == "stale").expect("a column");
    for (now, then) in now.iter().zip(&then) {
        let without = |row: &[String]| [&row[..stale], &row[stale + 1..]].concat();
        assert_eq!(without(now), without(then));
    }
    let rows = exported(sandbox, "estimates");
    assert!(rows.iter().all(|row| row["identity"] == "before"), "what they were of is not known");
    let mut states: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["state"] != "estimated") {
        states.insert((&row["specification"], &row["column"]), &row["state"]);
    }
    assert_eq!(states, BTreeMap::from([(("6", "3"), "no-data"), (("mine", "big"), "failed")]));
}

/// Asserts that tables at vintages equal their printed output.
fn assert_printed(sandbox: &Sandbox) {
    for vintage in ["24", "35"] {
        let name = format!("table-3-vintage-{vintage}.csv");
        let arguments = ["--table", "3", "--vintage", vintage, "--format", "csv"];
        let then = printed_then(&name);
        let now = columns_of_then(&estimate(sandbox, &arguments).stdout, &then);
        assert_eq!(now, csv_rows(&then), "vintage {vintage}");
    }
    let now = estimate(sandbox, &["--table", "6", "--vintage", "35", "--controls"]).stdout;
    let then = printed_then("table-6-vintage-35.txt");
    // Labels and the order of rows are of this version; the figures are those of then.
    let figures = |text: &str| -> Vec<String> {
        let rows = text.lines().take_while(|line| !line.starts_with("Standard"));
        let cells = rows.flat_map(str::split_whitespace).map(|cell| cell.trim_matches('*'));
        let figure = |cell: &str| cell.trim_matches(['(', ')']).parse::<f64>().ok();
        let mut figures: Vec<String> = cells.filter_map(figure).map(|it| it.to_string()).collect();
        figures.sort();
        figures
    };
    assert!(figures(&then).len() > 60, "{then}");
    assert_eq!(figures(&now), figures(&then));
    let note = "stored at vintage 24, without an identity.";
    assert!(now.contains(note), "{now}");
}

#[test]
fn a_reader_shows_what_a_home_of_layout_2_holds_and_leaves_it_as_it_is() {
    let sandbox = of_layout_2();
    let bytes = || std::fs::read(sandbox.home().join("manifest.sqlite")).expect("the manifest");
    let before = bytes();
    assert_listed(&sandbox);
    assert_printed(&sandbox);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("without data   6.3 through 2009"), "{status}");
    assert!(status.contains("by name        17, from before"), "{status}");
    let run = sandbox.run(["verify"]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert_eq!(exported(&sandbox, "covariance").len(), 0, "none was kept");
    assert!(bytes() == before && layout(&sandbox) == 2);
}

#[test]
fn the_first_writer_makes_a_home_of_layout_2_one_of_the_newest_and_its_figures_stay() {
    let sandbox = of_layout_2();
    assert_eq!(sandbox.run(["snapshot"]).code, Some(0));
    assert_eq!(layout(&sandbox), NEWEST);
    assert_listed(&sandbox);
    assert_printed(&sandbox);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    let cleared = sandbox.run(["estimate", "--clear-failures"]);
    assert_eq!(cleared.stdout, "cleared: 1 failed, 1 without data\n");
}

#[test]
fn estimates_of_layout_2_stand_for_no_model_of_now() {
    let sandbox = of_layout_2();
    let run = estimate(&sandbox, &["--table", "3", "--path", "--format", "csv"]);
    let rows = csv_rows(&run.stdout);
    let source = rows[0].iter().position(|name| name == "source").expect("a column");
    assert!(rows.len() > 1 && rows[1..].iter().all(|row| row[source] == "estimated"), "{rows:?}");
    let run = estimate(&sandbox, &["--table", "6"]);
    assert!(run.stdout.contains("estimated now, at vintage 35."), "{}", run.stdout);
    // The old version mixed two files with one name: neither is taken for the other.
    let text = "title = \"My own\"\ncluster = \"city^country\"\n[[column]]\nname = \"big\"\n\
                formula = \"ln_export ~ affiliate_growth + affiliate_ln_density | \
                plant^year + country^year\"\nkeep = [\"plants >= 3\"]\n";
    std::fs::write(sandbox.folder().join("mine.toml"), text).expect("written");
    let run = sandbox.run(["estimate", "--spec", "mine.toml", "--vintage", "35"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(
        run.stderr.contains("under that name are of another formula or sample"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_home_of_layout_2_takes_in_a_further_month_and_closes_its_year() {
    let sandbox = of_layout_2();
    let told = take_in(&sandbox, "201012", "201012");
    assert!(told.contains("2010 has closed"), "{told}");
    assert_listed_first(&sandbox);
    let path = estimate(&sandbox, &["--table", "3.4", "--path"]).stdout;
    assert!(path.contains("2009") && path.contains("2010"), "{path}");
    let fresh = Sandbox::new();
    fresh.options("estimate = [\"3\", \"6\"]");
    take_in(&fresh, "200801", "201012");
    for table in ["city", "plant", "panel"] {
        assert!(sandbox.export(table) == fresh.export(table), "{table} differs");
    }
    let csv = |sandbox: &Sandbox| {
        let run = estimate(sandbox, &["--table", "3", "--cold", "--format", "csv"]);
        let rows = csv_rows(&run.stdout);
        rows.into_iter().map(|row| row[8..15].to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(csv(&sandbox), csv(&fresh), "as if the home had been made by this version");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

/// Asserts that the old estimates are listed first.
fn assert_listed_first(sandbox: &Sandbox) {
    let then = csv_rows(&printed_then("estimates.csv"));
    let now = csv_rows(&sandbox.export("estimates"));
    let figures = |rows: &[Vec<String>]| -> Vec<Vec<String>> {
        let estimated = rows.iter().filter(|row| !row[9].is_empty());
        estimated.map(|row| [&row[..6], &row[8..15]].concat()).collect()
    };
    let (then, now) = (figures(&then), figures(&now));
    assert_eq!(now[..then.len()], then);
}

/// Compares both tables at every vintage with the output of the program that wrote the home.
fn assert_exports(sandbox: &Sandbox, layout: &str) {
    let then = repository("tests/homes").join(layout).join("exports.csv");
    let then = csv_rows(&std::fs::read_to_string(then).expect("hashes of what was printed"));
    let n_vintages = if layout == "layout-3" { 26 } else { 6 };
    assert_eq!(then.len(), 1 + 2 * n_vintages, "both tables at each vintage");
    for row in &then[1..] {
        let run = sandbox.run(["export", &row[1], "--vintage", &row[0]]);
        assert_eq!(run.code, Some(0), "{row:?}: {}", run.stderr);
        assert_eq!(blake3::hash(run.stdout.as_bytes()).to_hex().as_str(), row[2], "{row:?}");
    }
}

#[test]
fn every_vintage_of_a_home_of_layout_3_is_exported_as_it_was_also_after_folding_and_retention() {
    let sandbox = unpacked("tests/homes/layout-3.zip");
    assert_exports(&sandbox, "layout-3");
    assert_eq!(layout(&sandbox), 3, "a reader leaves it as it is");
    assert_eq!(sandbox.run(["snapshot"]).code, Some(0));
    assert_eq!(layout(&sandbox), NEWEST);
    assert_exports(&sandbox, "layout-3");
    assert_eq!(sandbox.run(["compact"]).code, Some(0));
    assert_exports(&sandbox, "layout-3");
    sandbox.options("retention = 2\nestimate = [\"3.1\"]\n");
    assert_eq!(sandbox.run(["compact"]).code, Some(0));
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("published vintages\n"), "some are not stored any more:\n{status}");
    assert_exports(&sandbox, "layout-3");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    let estimates = exported(&sandbox, "estimates");
    assert_eq!(estimates.iter().filter(|row| row["state"] == "estimated").count(), estimates.len());
}

#[test]
fn a_home_of_layout_4_keeps_its_figures_and_gives_times_to_what_comes_next() {
    let sandbox = unpacked("tests/homes/layout-4.zip");
    assert_exports(&sandbox, "layout-4");
    let told = |sandbox: &Sandbox| sandbox.run(["revisions", "--vintage", "29"]).stdout;
    assert!(told(&sandbox).starts_with("vintage 29: "), "{}", told(&sandbox));
    assert_eq!(layout(&sandbox), 4, "a reader leaves it as it is");
    let withdrawn = sandbox.run(["withdraw", "201004.csv"]);
    assert_eq!(withdrawn.code, Some(0), "{}", withdrawn.stderr);
    assert_eq!(layout(&sandbox), NEWEST);
    assert_exports(&sandbox, "layout-4");
    let run = sandbox.run(["revisions", "--vintage", "30", "--json"]);
    let revisions: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let time = revisions[0]["committed_at"].as_str().expect("a time");
    assert!(time.len() == "2026-11-30T08:42:00Z".len() && time.ends_with('Z'), "{time}");
    assert!(told(&sandbox).starts_with("vintage 29: "), "then it had none: {}", told(&sandbox));
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_home_of_layout_7_keeps_its_figures_when_a_file_is_withdrawn() {
    let sandbox = unpacked("tests/homes/layout-7.zip");
    assert_exports(&sandbox, "layout-7");
    let months_then = || sandbox.run(["export", "months", "--vintage", "29"]).stdout;
    let without_runs = months_then();
    assert!(csv_rows(&without_runs).len() > 100, "{without_runs}");
    assert_eq!(layout(&sandbox), 7, "a reader leaves it as it is");
    assert!(sandbox.run(["revisions", "--vintage", "29"]).stdout.contains("2026-11-30"));
    let withdrawn = sandbox.run(["withdraw", "201004.csv"]);
    assert_eq!(withdrawn.code, Some(0), "{}", withdrawn.stderr);
    assert_eq!(layout(&sandbox), NEWEST);
    assert_exports(&sandbox, "layout-7");
    let n_runs = std::fs::read_dir(sandbox.home().join("runs")).expect("runs").count();
    assert!(n_runs == 24 && months_then() == without_runs, "{n_runs} runs");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_home_of_layout_8_keeps_its_figures_and_the_lines_of_a_refused_file() {
    let sandbox = unpacked("tests/homes/layout-8.zip");
    assert_eq!(layout(&sandbox), 8, "a reader leaves it as it is");
    let refused = |sandbox: &Sandbox| sandbox.run(["export", "rejects", "--refused"]).stdout;
    let lines = refused(&sandbox);
    assert!(lines.contains("201005.csv,2,value_usd,number,"), "{lines}");
    let withdrawn = sandbox.run(["withdraw", "201004.csv"]);
    assert_eq!(withdrawn.code, Some(0), "{}", withdrawn.stderr);
    assert_eq!(layout(&sandbox), NEWEST);
    assert_exports(&sandbox, "layout-8");
    assert_eq!(refused(&sandbox), lines);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_home_of_layout_9_keeps_its_estimates_and_takes_those_of_months() {
    let sandbox = unpacked("tests/homes/layout-9.zip");
    let then = repository("tests/homes/layout-9/estimates.csv");
    let then = std::fs::read_to_string(then).expect("what was printed");
    let assert_kept = || {
        let now = sandbox.export("estimates");
        assert_eq!(columns_of_then(&now, &then), csv_rows(&then));
        let months = exported(&sandbox, "estimates").into_iter().map(|row| row["month"].clone());
        assert!(months.eq(std::iter::repeat_n("12".to_owned(), csv_rows(&then).len() - 1)));
    };
    assert_kept();
    assert_eq!(layout(&sandbox), 9, "a reader leaves it as it is");
    assert_eq!(sandbox.run(["snapshot"]).code, Some(0));
    assert_eq!(layout(&sandbox), NEWEST);
    assert_kept();
    assert_exports(&sandbox, "layout-9");
    // The panel of 2009 is stale, and the condition of its table admits months.
    let run = estimate(&sandbox, &["--table", "3.1", "--through", "201003"]);
    assert!(run.stdout.contains("The same months of all years up to 2010-03"), "{}", run.stdout);
    assert!(sandbox.home().join("panel/plant-to-03/2010").is_dir(), "a panel of months is stored");
    let rows = exported(&sandbox, "estimates");
    let of_month = rows.iter().filter(|row| row["month"] == "3");
    assert!(of_month.clone().count() > 0 && of_month.into_iter().all(|row| row["year"] == "2010"));
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn every_column_of_every_table_has_its_meaning_also_in_parquet() {
    let sandbox = unpacked("tests/homes/layout-4.zip");
    let mut n_columns = 0;
    for table in [
        "city",
        "plant",
        "months",
        "series",
        "files",
        "rejects",
        "changes",
        "panel",
        "panel-ordinary",
        "panel-product",
        "firms",
        "summary",
        "estimates",
        "covariance",
    ] {
        let header = csv_rows(&sandbox.export(table)).remove(0);
        for column in &header {
            let meaning = spillover::tables::meanings::meaning(table, column);
            let meaning = meaning.unwrap_or_else(|| panic!("{table}: {column} has no meaning"));
            assert!(!meaning.english.is_empty() && !meaning.chinese.is_empty(), "{column}");
        }
        n_columns += header.len();
    }
    assert!(n_columns > 150, "{n_columns}");
    let path = sandbox.folder().join("city.parquet");
    let run = sandbox.run(["export", "city", "-o", path.to_str().expect("UTF-8")]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let file = std::fs::File::open(path).expect("the table");
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let schema = std::sync::Arc::clone(reader.expect("Parquet").schema());
    let growth = schema.field_with_name("growth").expect("a column").metadata();
    assert_eq!(growth["unit"], "log");
    assert!(growth["description"].starts_with("Mean log growth"), "{growth:?}");
    assert!(growth["description_zh"].contains("对数增长"), "{growth:?}");
}
