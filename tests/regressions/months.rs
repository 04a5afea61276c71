//! Estimates at the close of a month: the same months of all years, as exported; their starts,
//! their staleness, and what they leave alone.

use std::collections::{BTreeMap, BTreeSet};

use spillover::home::Home;
use spillover::regressions::{Kind, Panels, exported as panels};

use super::commands::{exported, growing, take_in};
use super::{Sandbox, estimate, models, number, term};
use crate::common::{HEADER, csv_rows};

const FORMULA: &str = "ln_export ~ affiliate_growth + affiliate_growth:affiliate_ln_density \
    + affiliate_ln_density + local_growth + local_growth:local_ln_density + local_ln_density \
    + ln_import + experience | firm^city^year + country^year + city^country";

/// A home whose closings estimate table 3 (4) at each month.
fn monthly(from: &str, through: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = [\"3.4\"]\n[reestimate]\nwhen = \"month\"\n");
    take_in(&sandbox, from, through);
    sandbox
}

/// The ends of the stored estimates of table 3 (4), in the order of estimation.
fn ends(sandbox: &Sandbox) -> Vec<(String, String)> {
    let rows = exported(sandbox, "estimates");
    let is_it = |row: &&BTreeMap<String, String>| row["term"] == "affiliate_growth";
    rows.iter().filter(is_it).map(|row| (row["year"].clone(), row["month"].clone())).collect()
}

#[test]
fn an_estimate_at_a_month_is_the_regression_on_the_exported_months_of_all_years() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []");
    take_in(&sandbox, "200801", "201106");
    let own = &models(&sandbox, &["--table", "3.4", "--through", "201106"])["3.4"];
    assert_eq!((own["through"].as_u64(), own["month"].as_u64()), (Some(2011), Some(6)));
    let mut text = String::new();
    for month in ["200906", "201006", "201106"] {
        let run = sandbox.run(["export", "plant", "--month", month]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let rows = run.stdout.split_once('\n').map(|(_, rows)| rows.to_owned());
        text.push_str(if text.is_empty() { &run.stdout } else { rows.as_ref().expect("rows") });
    }
    let path = sandbox.folder().join("months.csv");
    std::fs::write(&path, text).expect("written");
    let panel = path.to_str().expect("UTF-8");
    let run = sandbox.run([
        "regress",
        "--panel",
        panel,
        "--formula",
        FORMULA,
        "--cluster",
        "city^country",
        "--format",
        "json",
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let other = &json["models"][0];
    assert_eq!(own["n_obs"], other["n_obs"]);
    assert!(number(&own["n_obs"]) > 100.0, "{own}");
    let terms = own["terms"].as_array().expect("terms");
    assert_eq!(terms.len(), 8);
    for of in terms {
        let other = term(other, of["term"].as_str().expect("a name"));
        for (figure, tolerance) in [("estimate", 1e-9), ("std_error", 1e-8)] {
            let (own, other) = (number(&of[figure]), number(&other[figure]));
            assert!((own - other).abs() <= tolerance * other.abs(), "{of}: {own} {other}");
        }
    }
    // Another month has another sample, and whole years have another one still.
    let march = &models(&sandbox, &["--table", "3.4", "--through", "2011-03"])["3.4"];
    assert_ne!(march["n_obs"], own["n_obs"]);
}

#[test]
fn december_is_the_year_bit_for_bit() {
    let sandbox = growing("201012");
    let stored = estimate(&sandbox, &["--table", "3.4", "--through", "2010"]).stdout;
    assert!(stored.contains("stored at vintage 36."), "{stored}");
    assert_eq!(estimate(&sandbox, &["--table", "3.4", "--through", "201012"]).stdout, stored);
    assert_eq!(Kind::Plant.to_month(12), Some(Kind::Plant));
    let mut home = Home::read(&sandbox.home()).expect("the home");
    let mut open = Panels::open(&mut home, 1).expect("its panels");
    let years = open.years(None).expect("closed years");
    let mut csv = |kind| {
        let (sheet, rows) = panels::panel(&mut open, kind, &years).expect("a panel");
        let rows = arrow_select::concat::concat_batches(&sheet.schema, &rows).expect("one batch");
        (sheet.schema, rows)
    };
    let (whole, to_december) = (csv(Kind::Plant), csv(Kind::PlantTo(12)));
    assert!(whole.1.num_rows() > 500, "{}", whole.1.num_rows());
    assert_eq!(whole, to_december, "{years:?}");
}

#[test]
fn with_the_option_each_month_that_closes_has_a_point_and_starts_from_a_year_before() {
    let sandbox = monthly("200801", "200902");
    let told = take_in(&sandbox, "200903", "200903");
    assert!(told.contains("2009-03 has closed: 1 models estimated"), "{told}");
    take_in(&sandbox, "200904", "201002");
    let months = |year: &'static str, months: std::ops::RangeInclusive<u32>| {
        months.map(move |month| (year.to_owned(), month.to_string()))
    };
    let expected: Vec<_> = months("2009", 1..=12).chain(months("2010", 1..=2)).collect();
    assert_eq!(ends(&sandbox), expected, "December is the year, and estimated once");
    let rows = exported(&sandbox, "estimates");
    let first = rows.iter().filter(|row| row["term"] == "affiliate_growth");
    let is_warm: Vec<bool> = first.map(|row| row["warm_start"] == "1").collect();
    assert_eq!(is_warm[..12], [false; 12], "February does not start from January");
    assert_eq!(is_warm[12..], [true; 2], "a year later each starts from its month");
    // The path has them in order of time, and estimates stale ones again.
    let path = estimate(&sandbox, &["--table", "3.4", "--path", "--format", "csv"]).stdout;
    let rows = csv_rows(&path);
    let column = |name: &str| rows[0].iter().position(|own| own == name).expect("a column");
    assert_eq!(column("month"), rows[0].len() - 1, "the new column is the last");
    let points: Vec<(String, String)> = rows[1..]
        .iter()
        .map(|row| (row[column("year")].clone(), row[column("month")].clone()))
        .collect();
    assert_eq!(points, expected);
    // A warm estimate is that of a cold start, within the tolerance of the solver.
    let at = ["--table", "3.4", "--through", "201002"];
    let warm = &models(&sandbox, &at)["3.4"];
    let cold = &models(&sandbox, &[&at[..], &["--cold"]].concat())["3.4"];
    assert_eq!((&warm["stored"], &cold["stored"]), (&true.into(), &false.into()));
    for of in warm["terms"].as_array().expect("terms") {
        let cold = number(&term(cold, of["term"].as_str().expect("a name"))["estimate"]);
        let warm = number(&of["estimate"]);
        assert!((warm - cold).abs() <= 1e-8 * cold.abs().max(1.0), "{of}: {cold}");
    }
    // A chart has the year as its main mark, and the others pale.
    let svg = estimate(&sandbox, &["--table", "3.4", "--path", "--format", "svg"]).stdout;
    assert_eq!(svg.matches("fill-opacity").count(), 13, "{svg}");
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("; the last through 2009 at vintage "), "{status}");
    assert!(status.contains("; of months through 2010-02\n"), "{status}");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_path_estimates_the_months_that_no_closing_estimated() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []");
    take_in(&sandbox, "200801", "201001");
    let arguments = ["--table", "3.4", "--path", "--format", "csv"];
    assert_eq!(csv_rows(&estimate(&sandbox, &arguments).stdout).len(), 1 + 1, "2009");
    sandbox.options("estimate = []\n[reestimate]\nwhen = \"month\"\n");
    let rows = csv_rows(&estimate(&sandbox, &arguments).stdout);
    assert_eq!(rows.len(), 1 + 13, "each month of 2009, and January of 2010");
    let rows = [&arguments[..], &["--through", "200906"]].concat();
    assert_eq!(csv_rows(&estimate(&sandbox, &rows).stdout).len(), 1 + 6);
}

#[test]
fn a_late_record_makes_the_months_after_it_stale_and_no_other() {
    let sandbox = monthly("200801", "201004");
    let stale = || -> BTreeSet<(String, String)> {
        let rows = exported(&sandbox, "estimates");
        let stale = rows.iter().filter(|row| row["stale"] == "1");
        stale.map(|row| (row["year"].clone(), row["month"].clone())).collect()
    };
    let before = stale();
    let firm = &exported(&sandbox, "panel")[0];
    let late = format!(
        "{HEADER}\n201003,E,{},某某厂,{}9,{},39091010,10,1234567.00\n",
        firm["firm"], firm["city"], firm["country"]
    );
    let path = sandbox.write("201005.csv", late);
    sandbox.ingest(&[&path], 1);
    let month = |month: &str| ("2010".to_owned(), month.to_owned());
    let after = stale();
    let new: Vec<&(String, String)> = after.difference(&before).collect();
    assert_eq!(new, [&month("3"), &month("4")], "the feed has late records of 2009, too");
    let run = estimate(&sandbox, &["--table", "3.4", "--through", "201004"]);
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    let note = "up to 2010-04; estimated now, at vintage 29.";
    assert!(words.join(" ").contains(note), "{}", run.stdout);
    let run = estimate(&sandbox, &["--table", "3.4", "--through", "201004"]);
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    let note = "The same months of all years up to 2010-04; stored at vintage 29.";
    assert!(words.join(" ").contains(note), "{}", run.stdout);
    assert_eq!(run.stderr, "");
}

#[test]
fn what_has_no_months_says_so_and_stops_no_other_column() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []");
    take_in(&sandbox, "200801", "200906");
    let at = |table: &str, through: &str| {
        sandbox.run(["estimate", "--table", table, "--through", through])
    };
    let run = at("4", "200906");
    assert_eq!(run.code, Some(3), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("not estimated: whole years only: 4.2"), "{}", run.stderr);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = "(4.2): whole years only: the ordinary panel has whole years only; name a year";
    assert!(words.contains(why), "{words}");
    let rows = exported(&sandbox, "estimates");
    let of: BTreeSet<&str> = rows.iter().map(|row| row["column"].as_str()).collect();
    assert_eq!(of, ["1", "3", "4"].into(), "a request that does not fit is no failure");
    assert!(rows.iter().all(|row| row["panel"] == "plant-to-06"), "{rows:?}");
    let run = at("1", "200906");
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("the table of firms has whole years only"), "{}", run.stderr);
    let run = at("3.4", "200907");
    let why = "2009-07 has not closed, or has no year before it; samples can end at a month from \
               200901 to 200906";
    assert!(run.code == Some(1) && run.stderr.contains(why), "{}", run.stderr);
    assert_eq!(at("3.4", "200913").code, Some(2));
    assert_eq!(at("3.4", "200806").code, Some(1), "the year before is missing");
    // Chinese words for the same.
    let run = sandbox.run(["estimate", "--table", "4", "--through", "200906", "--lang", "zh"]);
    assert!(run.stdout.contains("仅限整年"), "{}", run.stdout);
}

#[test]
fn effects_apply_estimates_of_closed_years_and_never_those_of_months() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = [\"3.4\"]");
    take_in(&sandbox, "200801", "201003");
    let effects = || {
        let run = sandbox.run(["export", "effects", "--month", "201003"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    let before = effects();
    assert!(csv_rows(&before).len() > 1, "{before}");
    estimate(&sandbox, &["--table", "3.4", "--through", "201003"]);
    estimate(&sandbox, &["--table", "3.4", "--through", "200906"]);
    assert_eq!(effects(), before);
    let newest = sandbox.run(["export", "effects", "--month", "201003", "--estimate", "newest"]);
    assert_eq!(newest.stdout, before, "the newest one is still that of 2009");
    // A printed table without an end is of closed years, too.
    let table = estimate(&sandbox, &["--table", "3.4", "--vintage", "27"]).stdout;
    assert!(table.contains("Closed years up to 2009; stored at vintage 24."), "{table}");
}
