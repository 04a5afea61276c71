//! Estimates that are stored, computed again, reported and refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Sandbox, demo, estimate, models, number, repository, term};
use crate::common::{HEADER, csv_rows};

/// A home with the first months of `streams/demo`, including the close of a year with indicators.
pub fn growing(through: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    take_in(&sandbox, "200801", through);
    sandbox
}

/// Ingests months of `streams/demo`.
pub fn take_in(sandbox: &Sandbox, from: &str, through: &str) -> String {
    let months = std::fs::read_dir(repository("streams/demo")).expect("the feed");
    let mut files: Vec<PathBuf> = months.map(|month| month.expect("a file").path()).collect();
    files.retain(|file| {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        (from..=through).contains(&name.as_str())
    });
    let mut arguments = vec!["ingest".into(), "--workers".into(), "1".into()];
    arguments.extend(files.into_iter().map(PathBuf::into_os_string));
    let run = sandbox.run(arguments);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stderr
}

/// The files of the panel with their bytes.
fn panel_files(sandbox: &Sandbox, kind: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for year in std::fs::read_dir(sandbox.home().join("panel").join(kind)).expect("the panel") {
        for file in std::fs::read_dir(year.expect("a year").path()).expect("its parts") {
            let path = file.expect("a part").path();
            files.insert(path.clone(), std::fs::read(path).expect("its bytes"));
        }
    }
    files
}

/// The columns of a table as exported, by name.
pub fn exported(sandbox: &Sandbox, table: &str) -> Vec<BTreeMap<String, String>> {
    let rows = csv_rows(&sandbox.export(table));
    let (header, rows) = rows.split_first().expect("a header");
    rows.iter().map(|row| header.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

#[test]
fn the_file_that_closes_a_year_re_estimates_and_every_estimate_is_kept() {
    let sandbox = growing("200911");
    assert!(exported(&sandbox, "estimates").is_empty(), "no year with indicators has closed");
    let told = take_in(&sandbox, "200912", "200912");
    assert!(told.contains("2009 has closed"), "{told}");
    let first = exported(&sandbox, "estimates");
    assert!(!first.is_empty(), "nothing was estimated");
    assert!(first.iter().all(|row| row["year"] == "2009" && row["vintage"] == "24"), "{first:?}");
    let told = take_in(&sandbox, "201001", "201012");
    assert!(told.contains("2010 has closed"), "{told}");
    let both = exported(&sandbox, "estimates");
    let of = |column: &str, year: &str| {
        let is_it = |row: &&BTreeMap<String, String>| {
            (row["specification"].as_str(), row["column"].as_str()) == ("3", column)
                && row["year"] == year
                && row["term"] == "affiliate_growth"
        };
        both.iter().find(is_it).cloned()
    };
    let (before, after) = (of("4", "2009"), of("4", "2010").expect("the new year's"));
    assert_ne!(before.map(|row| row["estimate"].clone()), Some(after["estimate"].clone()));
    assert!(["iterations", "seconds", "warm_start"].iter().all(|field| !after[*field].is_empty()));
    assert_eq!(after["stale"], "0");
}

#[test]
fn a_year_of_the_panel_is_rewritten_when_it_changes_and_only_then() {
    let sandbox = growing("201012");
    let before = panel_files(&sandbox, "plant");
    assert_eq!(before.len(), 2, "2009 and 2010");
    estimate(&sandbox, &["--table", "3"]);
    assert_eq!(panel_files(&sandbox, "plant"), before, "nothing has changed");
    let firm = &exported(&sandbox, "panel")[0];
    let late = format!(
        "{HEADER}\n201003,E,{},某某厂,{}9,{},39091010,10,1234567.00\n",
        firm["firm"], firm["city"], firm["country"]
    );
    let path = sandbox.write("201101.csv", late);
    let run = sandbox.run(["ingest".into(), path.into_os_string()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("stale"), "{status}");
    assert!(status.contains("stale") && status.contains("late records have changed 2010"));
    let told = estimate(&sandbox, &["--table", "3"]).stderr;
    assert!(told.contains("late records have changed 2010"), "{told}");
    let after = panel_files(&sandbox, "plant");
    assert_eq!(after.len(), 2, "the part of before is gone");
    let same: Vec<bool> =
        before.iter().map(|(path, bytes)| after.get(path) == Some(bytes)).collect();
    assert_eq!(same, [true, false], "2009 stays, 2010 is written anew");
    let status = sandbox.run(["status"]).stdout;
    let stale = status.lines().find(|line| line.contains("stale")).expect("the other tables are");
    assert!(stale.contains("4.1, ") && !stale.contains("3.4"), "{stale}");
}

/// The product panel's bytes by year.
fn products(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    estimate(sandbox, &["--table", "6.2", "--again"]);
    panel_files(sandbox, "product").into_values().collect()
}

/// Ingests late records of a year of the panel: products of its first row, by code.
fn take_in_late(sandbox: &Sandbox, name: &str, of: &BTreeMap<String, String>, codes: &[String]) {
    let [firm, city, country] = ["firm", "city", "country"].map(|name| &of[name]);
    let line = |(at, hs8): (usize, &String)| {
        let dollars = if at == 0 { "-1.00" } else { "1234567.00" };
        format!("201003,E,{firm},某某厂,{city}9,{country},{hs8},10,{dollars}\n")
    };
    let lines: String = codes.iter().enumerate().map(line).collect();
    let path = sandbox.write(name, format!("{HEADER}\n{lines}"));
    let run = sandbox.run(["ingest".into(), path.into_os_string()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// The stored sums.
fn sums(sandbox: &Sandbox) -> Vec<PathBuf> {
    let files = std::fs::read_dir(sandbox.home().join("memory")).expect("what is kept");
    let files = files.map(|file| file.expect("a file").path());
    let mut sums: Vec<PathBuf> =
        files.filter(|path| path.to_string_lossy().contains("-sums-")).collect();
    sums.sort_unstable();
    sums
}

#[test]
fn records_that_come_late_are_added_to_the_sums_of_their_year() {
    let sandbox = growing("201012");
    let (before, kept) = (products(&sandbox), sums(&sandbox));
    let panel = exported(&sandbox, "panel-product");
    let of_2010 = panel.iter().find(|row| row["year"] == "2010").expect("a row");
    let segment = sandbox.home().join("segments/000027.parquet");
    let without_march = || {
        let aside = sandbox.folder().join("aside");
        std::fs::rename(&segment, &aside).expect("2010-03 is set aside");
        let products = products(&sandbox);
        std::fs::rename(&aside, &segment).expect("and put back");
        products
    };
    let remove = |folder: &str| {
        std::fs::remove_dir_all(sandbox.home().join(folder)).expect("what is kept can be removed");
    };
    let few = ["39091010".to_owned(), format!("{}99", of_2010["hs6"])];
    take_in_late(&sandbox, "201101.csv", of_2010, &few);
    let with_few = without_march();
    let same: Vec<bool> = before.iter().zip(&with_few).map(|(a, b)| a == b).collect();
    assert_eq!(same, [true, false], "2010 alone is another");
    assert_eq!(sums(&sandbox), kept, "a few are not worth keeping the sums anew");
    let many: Vec<String> = (0..400).map(|at| format!("{}10", 390_000 + at)).collect();
    take_in_late(&sandbox, "201102.csv", of_2010, &many);
    let with_many = without_march();
    assert_ne!(sums(&sandbox), kept, "many are");
    remove("panel");
    assert!(without_march() == with_many, "the sums that were kept anew are others");
    let run = sandbox.run(["withdraw", "201102.csv"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(products(&sandbox) == with_few, "what is withdrawn stays in the sums");
    take_in_late(&sandbox, "201102-b.csv", of_2010, &many);
    remove("panel");
    remove("memory");
    assert!(products(&sandbox) == with_many, "the sums are not those of all records");
}

#[test]
fn a_damaged_panel_is_made_again() {
    let sandbox = growing("201012");
    let again = ["--table", "3.4", "--format", "csv", "--cold"];
    let before = estimate(&sandbox, &again).stdout;
    let (path, bytes) = panel_files(&sandbox, "plant").pop_first().expect("a part");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("damaged");
    let after = estimate(&sandbox, &again).stdout;
    let figures = |text: &str| {
        let rows = csv_rows(text);
        rows.into_iter().map(|row| row[8..15].to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(figures(&after), figures(&before));
    assert_eq!(panel_files(&sandbox, "plant").get(&path), Some(&bytes));
}

#[test]
fn a_table_of_ones_own_needs_no_code() {
    let sandbox = demo();
    let file = sandbox.folder().join("mine.toml");
    let text = r#"
title = "My own"
cluster = "city^country + firm"
[[column]]
name = "big"
formula = "ln_export ~ affiliate_growth + experience | firm^year + country^year"
keep = ["plants >= 3"]
[[column]]
name = "robust"
formula = "ln_export ~ affiliate_growth*new | province^year + country"
vcov = "hc1"
"#;
    std::fs::write(&file, text).expect("written");
    let models = models(sandbox, &["--spec", &file.to_string_lossy()]);
    assert_eq!(models["mine.big"]["vcov"], "city^country + firm");
    assert_eq!(models["mine.robust"]["vcov"], "hc1");
    assert_eq!(models["mine.robust"]["terms"].as_array().expect("terms").len(), 3);
    number(&term(&models["mine.big"], "affiliate_growth")["std_error"]);
}

#[test]
fn what_is_not_there_is_refused_with_what_there_is() {
    let cases = [
        (vec!["--table", "7"], "there is no table \"7\"; there are 1, 2, 3"),
        (vec!["--table", "3.9"], "3 has no column 9; it has 1, 2"),
        (vec!["--through", "1999"], "the closed years are 2009 to 2011"),
        (vec!["--path"], "name it, as in --table 3.4"),
        (vec!["--spec", "nowhere.toml"], "cannot read the specification nowhere.toml"),
    ];
    for (arguments, expected) in cases {
        let run = demo().run([&["estimate"], arguments.as_slice()].concat());
        assert_eq!(run.code, Some(1), "{arguments:?}");
        assert!(run.stderr.contains(expected), "{arguments:?}: {}", run.stderr);
    }
    let run = demo().run(["estimate", "--table", "3", "--format", "svg"]);
    assert_eq!(run.code, Some(2), "a usage error, before anything is estimated");
    assert!(run.stderr.contains("--format svg draws --table figure1"), "{}", run.stderr);
    let empty = Sandbox::new();
    let run = empty.run(["estimate"]);
    assert!(run.stderr.contains("ingest a feed first"), "{}", run.stderr);
    let one_year = growing("200812");
    let run = one_year.run(["estimate"]);
    assert!(run.stderr.contains("no closed year has indicators yet"), "{}", run.stderr);
}

#[test]
fn an_estimation_that_fails_is_told_and_kept_and_the_intake_stands() {
    let sandbox = Sandbox::new();
    // One plant for each firm: no firm has two, so no row remains.
    for period in (1..=12).flat_map(|month| [2001 * 100 + month, 2002 * 100 + month]) {
        let line = format!("{period},E,F1,某某厂,11009,502,39091010,10,{period}.00");
        sandbox.write(&format!("{period}.csv"), format!("{HEADER}\n{line}\n"));
    }
    let run = sandbox.run(["ingest".into(), sandbox.feed().into_os_string()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("24 files accepted"), "{}", run.stdout);
    assert!(run.stderr.contains("not estimated, such as 3.1"), "{}", run.stderr);
    let kept = exported(&sandbox, "estimates");
    assert!(!kept.is_empty() && kept.iter().all(|row| !row["error"].is_empty()), "{kept:?}");
}

#[test]
fn a_coefficient_is_followed_over_the_years() {
    let sandbox = growing("201012");
    let run = estimate(&sandbox, &["--table", "3.4", "--path", "--format", "csv"]);
    let rows = csv_rows(&run.stdout);
    let years: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert!(years.ends_with(&["2010"]), "{years:?}");
    let svg = estimate(&sandbox, &["--table", "3.4", "--path", "--format", "svg"]).stdout;
    assert!(svg.contains("2010") && svg.contains("Affiliate growth"), "{svg}");
}

/// The rows of an estimation without the number and the publication of each.
fn figures(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Vec<String>> {
    csv_rows(&estimate(sandbox, &[arguments, &["--format", "csv"]].concat()).stdout)
}

#[test]
fn a_regression_table_is_shown_as_it_stood_at_a_vintage() {
    let sandbox = growing("200912");
    let of_2009 = figures(&sandbox, &["--table", "3"]);
    take_in(&sandbox, "201001", "201012");
    let of_2010 = figures(&sandbox, &["--table", "3"]);
    // A late file changes the data of the estimates, with a new vintage.
    let firm = &exported(&sandbox, "panel")[0];
    let late = format!(
        "{HEADER}\n201003,E,{},某某厂,{}9,{},39091010,10,1234567.00\n",
        firm["firm"], firm["city"], firm["country"]
    );
    let path = sandbox.write("201101.csv", late);
    sandbox.ingest(&[&path], 1);
    let after = figures(&sandbox, &["--table", "3"]);
    // A later estimation for an earlier year differs from the estimates of that time.
    estimate(&sandbox, &["--table", "3", "--through", "2009"]);
    let differ = |a: &[Vec<String>], b: &[Vec<String>]| a.iter().zip(b).all(|(a, b)| a[9] != b[9]);
    assert!(of_2009.len() > 5 && of_2009.len() == of_2010.len() && of_2010.len() == after.len());
    assert!(differ(&of_2009[1..], &of_2010[1..]) && differ(&of_2010[1..], &after[1..]));
    for (vintage, expected) in
        [("24", &of_2009), ("35", &of_2009), ("36", &of_2010), ("37", &after)]
    {
        let shown = figures(&sandbox, &["--table", "3", "--vintage", vintage]);
        assert_eq!(&shown, expected, "vintage {vintage}");
    }
    let through = figures(&sandbox, &["--table", "3", "--vintage", "36", "--through", "2009"]);
    assert_eq!(through, of_2009, "the last year that is asked for");
    let text = estimate(&sandbox, &["--table", "3", "--vintage", "30"]).stdout;
    assert!(text.contains("Closed years up to 2009; stored at vintage 24."), "{text}");
}

#[test]
fn what_was_not_estimated_at_a_vintage_is_told_with_its_first() {
    let sandbox = growing("200912");
    estimate(&sandbox, &["--table", "6.2"]);
    take_in(&sandbox, "201001", "201012");
    estimate(&sandbox, &["--table", "4.2"]);
    let cases = [
        (
            vec!["--table", "3", "--vintage", "23"],
            "no estimate of 3.1 is stored as of vintage 23; its first is of vintage 24",
        ),
        (vec!["--table", "4.2", "--vintage", "24"], "its first is of vintage 36"),
        (vec!["--table", "footnote", "--vintage", "36"], "there is none of a later one"),
        (vec!["--table", "3", "--vintage", "99"], "there is no vintage 99; there are 1 to 36"),
        (vec!["--table", "2", "--vintage", "36"], "only regressions are stored by vintage"),
    ];
    for (arguments, expected) in cases {
        let run = sandbox.run([&["estimate"], arguments.as_slice()].concat());
        assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.stdout);
        assert!(run.stderr.contains(expected), "{arguments:?}: {}", run.stderr);
    }
    let of_both = estimate(&sandbox, &["--table", "4", "--vintage", "35"]).stdout;
    assert!(of_both.contains("(4.2): not estimated: no estimate of 4.2"), "{of_both}");
    let of_two_years = estimate(&sandbox, &["--table", "6", "--vintage", "36"]).stdout;
    for note in [
        "(6.1), (6.4), (6.5): closed years up to 2010; stored at vintage 36.",
        "(6.2): closed years up to 2009; stored at vintage 24.",
    ] {
        assert!(of_two_years.contains(note), "{of_two_years}");
    }
}

#[test]
fn tables_4_and_6_have_main_rows_in_the_papers_order_and_one_row_of_controls() {
    for (table, rows) in [
        (
            "4",
            &["Affiliate growth, weighted", "Affiliate growth ", "Province growth", "Controls"][..],
        ),
        ("6", &["Affiliate growth ", "Affiliate growth × New", "Affiliate density", "Controls"]),
    ] {
        let text = estimate(demo(), &["--table", table]).stdout;
        let first = |label: &str| text.lines().position(|line| line.starts_with(label));
        let places: Vec<Option<usize>> = rows.iter().map(|label| first(label)).collect();
        assert!(places.is_sorted() && places[0].is_some(), "{rows:?} at {places:?}:\n{text}");
        assert_eq!(first("Local growth"), None, "{text}");
        let each = estimate(demo(), &["--table", table, "--controls", "--variables", "columns"]);
        let lines: Vec<&str> = each.stdout.lines().collect();
        let first = |label: &str| lines.iter().position(|line| line.starts_with(label));
        assert!(first("affiliate_ln_density") < first("local_growth "), "{}", each.stdout);
        assert!(first("local_growth ").is_some() && first("Controls").is_none());
    }
}

#[test]
fn digits_and_languages_are_options() {
    let significant = estimate(demo(), &["--table", "3.4", "--significant", "3"]).stdout;
    let observed: Vec<&str> = significant.lines().filter(|line| line.starts_with("R²")).collect();
    assert!(observed[0].ends_with("0.949"), "{significant}");
    let zh = estimate(demo(), &["--table", "1", "--lang", "zh", "--format", "md"]).stdout;
    assert!(zh.starts_with("**表1 多工厂企业**") && zh.contains("| 工厂数，均值 |"), "{zh}");
    let run = demo().run(["estimate", "--table", "3", "--decimals", "2", "--significant", "2"]);
    assert_eq!(run.code, Some(2));
}
