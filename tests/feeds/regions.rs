//! Codes of regions that mean other cities in other months: `valid_from` and `valid_to`.

use super::*;

const NAMES: &str = "region,city,valid_from,valid_to\n";
const OTHERS: &str = "21011,2101,,\n11021,1102,,\n";

/// The small feed by a concordance, with a late line of January 2008 in the last month.
fn by_month(regions: &str) -> Sandbox {
    let sandbox = feed(|month, lines| {
        let mut lines = lines.to_vec();
        if month == "200901" {
            lines.push("200801,E,3100000002,plain,11011,301,84713000,10,5.00".to_owned());
        }
        text(&lines).into_bytes()
    });
    let rule = ("from = \"prefix\"\ndigits = 4", "from = \"concordance\"");
    sandbox.write("feed.toml", profile(&[rule], ""));
    sandbox.write("regions.csv", format!("{NAMES}{regions}{OTHERS}"));
    sandbox
}

/// The figures if region 11011 is in city 2101 from 2009 on.
const MOVED: &[&str] =
    &["1101,301,0.00,305.00,0", "1102,116,40.00,80.00,1", "2101,301,625.00,50.00,1"];

#[test]
fn a_code_changes_its_city_with_the_month_of_the_line() {
    let sandbox = by_month("11011,1101,,200812\n11011,2101,2009-01,\n");
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), MOVED);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_code_outside_of_its_months_is_rejected() {
    let sandbox = by_month("11011,1101,,200812\n");
    sandbox.options("max_rejected_share = 0.9\n");
    assert_eq!(ingest(&sandbox).code, Some(3));
    assert_eq!(rows(&sandbox, "rejects", &["line", "rule"]), ["2,region", "4,region"]);
    // A later row for these months is an addition: the lines are read again.
    let rows = format!("{NAMES}11011,1101,,200812\n11011,2101,200901,\n{OTHERS}");
    sandbox.write("regions.csv", rows);
    let run = taken_in(&sandbox);
    assert!(run.stderr.contains("2 rejected lines of 200901.csv are read again"), "{}", run.stderr);
    assert_eq!(city(&sandbox), MOVED);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn months_that_overlap_are_refused_with_both_lines() {
    for (regions, said) in [
        (
            "11011,1101,,200901\n11011,2101,200901,\n",
            "the months of \"11011\" overlap with those \
          of line 2",
        ),
        ("11011,1101,,\n11011,2101,,\n", "\"11011\" is given twice, first on line 2"),
    ] {
        let run = ingest(&by_month(regions));
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        let said = format!("regions.csv, line 3, column region: {said}");
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
    let run = ingest(&by_month("11011,1101,200901,200812\n"));
    let said = "regions.csv, line 2, column valid_to: is before the first month, 200901";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn a_living_home_takes_other_meanings_of_months_to_come_only() {
    let sandbox = by_month("11011,1101,,\n");
    let january = sandbox.feed().join("200901.csv");
    let text = std::fs::read(&january).expect("the last month");
    std::fs::remove_file(&january).expect("it was there");
    taken_in(&sandbox);
    let table = |rows: &str| sandbox.write("regions.csv", format!("{NAMES}{rows}{OTHERS}"));
    table("11011,1101,,200806\n11011,2101,200807,\n");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let said = "give the region 11011 from 200807 on another meaning";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    table("11011,1101,,200812\n11011,2101,200901,\n");
    sandbox.write("200901.csv", text);
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), MOVED);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}
