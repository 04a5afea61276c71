//! Files that cover several months and are replaced: only differences are fed, and nothing is lost.

use super::*;
use spillover::home::Home;
use spillover::home::parts::{PartKind, Table};

use common::nasty_feed::{CITIES as NASTY_CITIES, NastyFeed, text as nasty_text};

const PATTERN: &str = "pattern = \"{YYYY}{MM}*.csv\"";
const REPLACE: (&str, &str) = ("revision = \"refuse\"", "revision = \"replace-periods\"");

fn covering(covers: &str, pattern: &str) -> String {
    let file = format!("pattern = \"{pattern}\"\ncovers = \"{covers}\"");
    profile(&[(PATTERN, &file), REPLACE], "")
}

fn line(month: u32, firm: &str, value: u32) -> String {
    format!("{month},E,{firm},plain,11011,301,84713000,10,{value}.00")
}

fn verified(sandbox: &Sandbox) {
    let run = sandbox.run(["verify"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
}

#[test]
fn cumulative_files_count_each_month_once() {
    for covers in ["range", "contents"] {
        let sandbox = Sandbox::new();
        sandbox.write("cities.csv", CITIES);
        for (year, value, n_months) in [(2008, 100, 12), (2009, 110, 2)] {
            for last in 1..=n_months {
                let lines: Vec<String> =
                    (1..=last).map(|month| line(year * 100 + month, "F1", value)).collect();
                sandbox.write(&format!("{year}{last:02}.csv"), text(&lines));
            }
        }
        sandbox.write("feed.toml", covering(covers, "{YYYY}{MM}*.csv"));
        taken_in(&sandbox);
        assert_eq!(city(&sandbox), ["1101,301,220.00,200.00,1"], "{covers}");
        let live = rows(&sandbox, "files", &["file", "counts"]);
        let live = live.iter().filter(|row| row.ends_with(",1")).count();
        assert_eq!(live, 2, "of each year the last file counts");
        verified(&sandbox);
    }
}

/// A year file with a line per firm and month, and optionally one changed value.
fn year_file(year: u32, n_months: u32, change: Option<(u32, &str, u32)>) -> String {
    let mut lines = Vec::new();
    for month in 1..=n_months {
        for (at, firm) in ["F1", "F2", "F3"].into_iter().enumerate() {
            let value = 100 * month + u32::try_from(at).expect("a small number") + year - 2008;
            let changed = change.filter(|(of, whose, _)| (*of, *whose) == (month, firm));
            let value = changed.map_or(value, |(_, _, value)| value);
            lines.push(line(year * 100 + month, firm, value));
        }
    }
    text(&lines)
}

#[test]
fn a_year_file_published_again_with_one_line_changed_publishes_one_row() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", covering("year", "{YYYY}.csv"));
    sandbox.write("2008.csv", year_file(2008, 12, None));
    sandbox.write("2009.csv", year_file(2009, 3, None));
    taken_in(&sandbox);
    let before = sandbox.export("city");
    sandbox.write("2009.csv", year_file(2009, 3, Some((2, "F2", 777))));
    taken_in(&sandbox);
    verified(&sandbox);
    let files = rows(&sandbox, "files", &["vintage", "file", "superseded_by"]);
    assert_eq!(files, ["1,2008.csv,", "2,2009.csv,3", "3,2009.csv,"]);
    // Of nine lines one differs: one row is published, on top of the rows before.
    let home = Home::read(&sandbox.home()).expect("the home");
    let parts = home.parts(Table::City, None).expect("asked");
    let newest = parts.last().expect("a part");
    assert_eq!((newest.kind, newest.n_rows), (PartKind::Changes, 1));
    drop(home);
    let right = Sandbox::new();
    right.write("cities.csv", CITIES);
    right.write("feed.toml", covering("year", "{YYYY}.csv"));
    right.write("2008.csv", year_file(2008, 12, None));
    right.write("2009.csv", year_file(2009, 3, Some((2, "F2", 777))));
    taken_in(&right);
    assert_eq!(sandbox.export("city"), right.export("city"));
    assert_eq!(sandbox.run(["export", "city", "--vintage", "2"]).stdout, before);
    // The same bytes are known; another month closes; an earlier year is corrected.
    let run = taken_in(&sandbox);
    assert!(run.stdout.contains("nothing new"), "{}", run.stdout);
    sandbox.write("2009.csv", year_file(2009, 4, Some((2, "F2", 777))));
    sandbox.write("2008.csv", year_file(2008, 12, Some((1, "F1", 5))));
    taken_in(&sandbox);
    verified(&sandbox);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("200801 to 200904 closed"), "{status}");
    // A withdrawn version leaves no records in its months.
    let run = sandbox.run(["withdraw", "2009.csv"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    verified(&sandbox);
}

#[test]
fn flows_that_a_file_does_not_contain_stay() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", covering("contents", "*.csv"));
    let import = |month, value| line(month, "F1", value).replace(",E,", ",I,");
    let both = |month, value| [line(month, "F1", value), import(month, 7)];
    let first: Vec<String> = (1..=12).flat_map(|month| both(200_800 + month, 100)).collect();
    sandbox.write("a.csv", text(&first));
    sandbox.write("b.csv", text(&both(200_901, 200)));
    taken_in(&sandbox);
    // Exports of two months; another file also contains one of them.
    sandbox.write("c.csv", text(&[line(200_812, "F1", 50), line(200_901, "F1", 300)]));
    taken_in(&sandbox);
    verified(&sandbox);
    assert_eq!(city(&sandbox), ["1101,301,300.00,100.00,1"]);
    let files = rows(&sandbox, "files", &["file", "superseded_by", "counts"]);
    assert_eq!(files, ["a.csv,,1", "b.csv,,1", "c.csv,,1"]);
    let after = sandbox.export("city");
    assert_eq!(sandbox.run(["snapshot"]).code, Some(0));
    sandbox.write("d.csv", text(&[line(200_812, "F1", 60), line(200_902, "F1", 1)]));
    taken_in(&sandbox);
    verified(&sandbox);
    assert_eq!(sandbox.run(["export", "city", "--vintage", "3"]).stdout, after);
}

#[test]
fn months_that_would_be_lost_refuse_the_file_unless_they_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", covering("year", "{YYYY}.csv"));
    sandbox.write("2008.csv", year_file(2008, 12, None));
    taken_in(&sandbox);
    let before = sandbox.export("files");
    for (text, expected) in [
        (year_file(2008, 11, None), "200812 had 3 records and has 0 in it"),
        (
            year_file(2008, 12, None)
                .lines()
                .filter(|line| !line.starts_with("200805,E,F1") && !line.starts_with("200805,E,F2"))
                .flat_map(|line| [line, "\n"])
                .collect(),
            "200805 had 3 records and has 1 in it",
        ),
    ] {
        sandbox.write("2008.csv", text);
        let run = ingest(&sandbox);
        assert_eq!(run.code, Some(3));
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(run.stderr.contains("allow_shrink = [\"200"), "{}", run.stderr);
        assert_eq!(sandbox.export("files"), before);
    }
    sandbox.options("allow_shrink = [\"2008-05\"]\n");
    taken_in(&sandbox);
    verified(&sandbox);
}

#[test]
fn a_thin_month_neither_closes_nor_replaces() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", covering("contents", "*.csv"));
    let of = |month: u32, n: u32| (0..n).map(move |at| line(month, &format!("F{at}"), 100 + at));
    let first: Vec<String> = (1..=12).flat_map(|month| of(200_800 + month, 30)).collect();
    sandbox.write("a.csv", text(&first));
    taken_in(&sandbox);
    let whole = (200_901..=200_903).flat_map(|month| of(month, 30));
    let second: Vec<String> = whole.chain(of(200_812, 1)).chain(of(200_904, 2)).collect();
    sandbox.write("b.csv", text(&second));
    let run = taken_in(&sandbox);
    assert!(run.stderr.contains("thin_month: "), "{}", run.stderr);
    assert!(run.stderr.contains("200812, 200904"), "{}", run.stderr);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("200801 to 200903 closed; next 200904"), "{status}");
    assert!(rows(&sandbox, "files", &["counts"]).iter().all(|counts| counts == "1"));
    verified(&sandbox);
    // A file with the whole month replaces the few records.
    sandbox.write("c.csv", text(&of(200_904, 30).collect::<Vec<_>>()));
    taken_in(&sandbox);
    let exported = rows(&sandbox, "city", &["months", "exporters"]);
    assert_eq!(exported, ["4,30"]);
    verified(&sandbox);
}

#[test]
fn replacing_needs_files_of_several_months() {
    let sandbox = feed(|_, lines| text(lines).into_bytes());
    sandbox.options("revision = \"replace-periods\"\n");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("needs files of several months"), "{}", run.stderr);
}

#[test]
fn years_to_date_with_restarts_between_equal_months_at_once() {
    let feed = NastyFeed::new(31, 27);
    let mut by_month = std::collections::BTreeMap::<String, Vec<String>>::new();
    for line in feed.months.iter().flat_map(|(_, lines)| lines) {
        by_month.entry(line[..6].to_owned()).or_default().push(line.clone());
    }
    let (cumulative, plain) = (Sandbox::new(), Sandbox::new());
    for sandbox in [&cumulative, &plain] {
        sandbox.write("cities.csv", NASTY_CITIES);
    }
    cumulative.write("feed.toml", covering("range", "{YYYY}{MM}*.csv"));
    let months: Vec<String> = by_month.keys().cloned().collect();
    for (at, month) in months.iter().enumerate() {
        plain.write(&format!("{month}.csv"), nasty_text(&by_month[month]));
        let year = months.iter().filter(|other| other[..4] == month[..4] && *other <= month);
        // Preliminary lines have other values.
        let lines: Vec<String> = year
            .flat_map(|of| by_month[of].iter().map(move |line| (of, line)))
            .enumerate()
            .map(|(number, (of, line))| {
                let is_last = months.get(at + 1).is_none_or(|next| next[..4] != month[..4]);
                let is_wrong = !is_last && number % 7 == at % 7 && of != month;
                if is_wrong { format!("{line}1") } else { line.clone() }
            })
            .collect();
        let path = cumulative.write(&format!("{month}.csv"), nasty_text(&lines));
        if at % 5 == 4 || at + 1 == months.len() {
            cumulative.ingest(&[&cumulative.feed()], 2);
        }
        assert!(path.exists());
    }
    plain.ingest(&[&plain.feed()], 1);
    for table in ["city", "plant"] {
        let expected = plain.export(table);
        assert!(expected.lines().count() > 40, "only a few rows are compared");
        assert!(cumulative.export(table) == expected, "{table}");
    }
    verified(&cumulative);
}
