//! Feeds with a year and no month on each line, in several chunks per year.

use super::*;

/// The profile of the canonical columns without a month.
fn annual() -> String {
    let changes = [
        (
            "pattern = \"{YYYY}{MM}*.csv\"",
            "pattern = [\"{YYYY}{part}.csv\", \"{part}{YYYY}.csv\"]\ncovers = \"year\"",
        ),
        ("period = \"period\"\n", ""),
        ("format = \"YYYYMM\"", "from = \"name\""),
    ];
    profile(&changes, "")
}

/// Some lines of a year, without their month.
fn chunk(lines: &[String]) -> String {
    let bare = |line: &String| line[7..].to_owned() + "\n";
    HEADER[7..].to_owned() + "\n" + &lines.iter().map(bare).collect::<String>()
}

fn annual_feed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", annual());
    for year in [2008, 2009] {
        let lines = lines(year);
        sandbox.write(&format!("{year}_01.csv"), chunk(&lines[..1]));
        sandbox.write(&format!("chunk2_{year}.csv"), chunk(&lines[1..3]));
        sandbox.write(&format!("{year}_03.csv"), chunk(&lines[3..]));
    }
    sandbox
}

#[test]
fn the_chunks_of_a_year_close_it_together_and_give_the_annual_table() {
    let sandbox = annual_feed();
    let run = taken_in(&sandbox);
    assert!(run.stderr.contains("annual_only: lines have a year and no month"), "{}", run.stderr);
    assert_eq!(city(&sandbox), RIGHT);
    assert_eq!(rows(&sandbox, "city", &["year", "months"])[0], "2009,12");
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("200801 to 200912 closed; next 201001"), "{status}");
    assert!(status.contains("annual_only: "), "{status}");
    // One publication per year: no published state contains a part of a year.
    assert!(status.contains("publications     2,"), "{status}");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    assert_eq!(
        taken_in(&sandbox).stdout.lines().last(),
        Some("nothing new: every file was accepted before")
    );
}

#[test]
fn a_year_without_months_has_the_spans_of_its_december_alone() {
    let sandbox = annual_feed();
    taken_in(&sandbox);
    let spans = rows(&sandbox, "months", &["year", "month", "span"]);
    let mut distinct = spans.clone();
    distinct.dedup();
    assert_eq!(distinct, ["2009,12,12m", "2009,12,ytd"], "{spans:?}");
    let december = sandbox.run(["export", "city", "--month", "200912"]).stdout;
    assert_eq!(december, sandbox.export("city"));
    for words in [["--month", "200906"], ["--month=200912", "--span=month"]] {
        let run = sandbox.run(["export", "city"].into_iter().chain(words));
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("the feed has years and no months"), "{}", run.stderr);
    }
}

#[test]
fn a_refused_chunk_leaves_its_year_open_until_it_is_read() {
    let sandbox = annual_feed();
    let good = std::fs::read(sandbox.feed().join("2008_03.csv")).expect("it was written");
    sandbox.write("2008_03.csv", "flow,firm\nE,F\n");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3));
    let waits = "2009_01.csv is of 200912, but the next month is 200801";
    assert!(run.stderr.contains(waits), "{}", run.stderr);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("none closed; next 200801"), "{status}");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    sandbox.write("2008_03.csv", good);
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_chunk_that_comes_later_is_late_and_one_with_other_bytes_is_refused() {
    let sandbox = annual_feed();
    let later = sandbox.feed().join("2009_03.csv");
    let bytes = std::fs::read(&later).expect("it was written");
    std::fs::remove_file(&later).expect("it was there");
    taken_in(&sandbox);
    assert_ne!(city(&sandbox), RIGHT);
    sandbox.write("2009_03.csv", bytes);
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    sandbox.write("2009_03.csv", chunk(&lines(2009)));
    let run = ingest(&sandbox);
    assert!(run.stderr.contains("200912 has a file already"), "{}", run.stderr);
    assert_eq!(city(&sandbox), RIGHT);
}

#[test]
fn the_command_closes_a_year_as_a_whole() {
    let sandbox = annual_feed();
    sandbox.options("close = \"explicit\"\n");
    taken_in(&sandbox);
    assert_eq!(sandbox.run(["close", "200812"]).code, Some(0));
    assert_eq!(sandbox.run(["close", "200912"]).code, Some(0));
    assert_eq!(city(&sandbox), RIGHT);
    let run = sandbox.run(["close", "201006"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("the next one is 201012"), "{}", run.stderr);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}
