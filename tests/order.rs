//! Any order, any number of workers and any split into files give the same tables, byte for byte.

mod common;

use std::path::{Path, PathBuf};

use common::Sandbox;
use common::nasty_feed::{CITIES, NastyFeed, Random};

const N_MONTHS: usize = 31;

/// Both published tables, and those of spans.
#[derive(PartialEq, Eq)]
struct Tables {
    city: String,
    plant: String,
    months: String,
    series: String,
}

/// Shows the first difference of two tables, because their full texts would hide it.
#[track_caller]
fn assert_same(tables: &Tables, expected: &Tables, what: &str) {
    let of = |tables: &Tables| {
        let Tables { city, plant, months, series } = tables;
        [city, plant, months, series].map(String::clone)
    };
    for (ours, theirs) in of(tables).iter().zip(&of(expected)) {
        let differs = ours.lines().zip(theirs.lines()).find(|(a, b)| a != b);
        assert!(differs.is_none(), "{what}: a row differs\n{differs:?}");
        assert_eq!(ours.lines().count(), theirs.lines().count(), "{what}: rows are missing");
    }
    assert!(tables == expected, "{what}: the bytes differ");
}

/// A home and the files of a feed, before ingestion.
struct Case {
    sandbox: Sandbox,
    files: Vec<PathBuf>,
}

impl Case {
    fn new(files: impl IntoIterator<Item = (String, String)>, options: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("cities.csv", CITIES);
        sandbox.options(options);
        let files = files.into_iter().map(|(name, text)| sandbox.write(&name, text)).collect();
        Self { sandbox, files }
    }

    fn all_at_once(self, n_workers: usize) -> Tables {
        self.sandbox.ingest(&[&self.sandbox.feed()], n_workers);
        self.tables()
    }

    /// Ingests each file in another process, which starts from the home of the previous one.
    fn one_by_one(self) -> Tables {
        for file in &self.files {
            self.sandbox.ingest(&[file.as_path()], 1);
        }
        self.tables()
    }

    fn tables(&self) -> Tables {
        let [city, plant, months, series] =
            ["city", "plant", "months", "series"].map(|table| self.sandbox.export(table));
        Tables { city, plant, months, series }
    }
}

/// The tables of a feed ingested in the plain way.
fn plainly(feed: &NastyFeed, options: &str) -> Tables {
    let tables = Case::new(feed.files(), options).all_at_once(1);
    let n_rows = (tables.city.lines().count(), tables.plant.lines().count());
    assert!(n_rows.0 > 40 && n_rows.1 > 150, "only {n_rows:?} rows are compared");
    let n_rows = (tables.months.lines().count(), tables.series.lines().count());
    assert!(n_rows.0 > 500 && n_rows.1 > 500, "only {n_rows:?} rows of spans are compared");
    tables
}

#[test]
fn the_number_of_workers_changes_nothing() {
    let feed = NastyFeed::new(1, N_MONTHS);
    let other = "network = \"active\"\nown_plants = \"exclude\"\nweights = \"destination\"\n";
    for options in ["", other] {
        let expected = plainly(&feed, options);
        for n_workers in [2, 4] {
            let tables = Case::new(feed.files(), options).all_at_once(n_workers);
            assert_same(&tables, &expected, &format!("{n_workers} workers, options {options:?}"));
        }
    }
}

#[test]
fn the_order_of_lines_changes_nothing() {
    for seed in [2, 3] {
        let feed = NastyFeed::new(seed, N_MONTHS);
        let shuffled = feed.shuffled(&mut Random::new(seed + 100));
        let tables = Case::new(shuffled.files(), "").all_at_once(2);
        assert_same(&tables, &plainly(&feed, ""), "shuffled lines");
    }
}

#[test]
fn the_cut_into_files_changes_nothing() {
    let feed = NastyFeed::new(4, N_MONTHS);
    let expected = plainly(&feed, "");
    for n_parts in [2, 5] {
        let files = feed.shuffled(&mut Random::new(104)).cut(n_parts);
        let tables = Case::new(files, "revision = \"append\"\n").all_at_once(2);
        assert_same(&tables, &expected, &format!("{n_parts} files a month"));
    }
}

#[test]
fn month_by_month_with_a_restart_between_equals_all_at_once() {
    let feed = NastyFeed::new(5, N_MONTHS);
    let tables = Case::new(feed.files(), "").one_by_one();
    assert_same(&tables, &plainly(&feed, ""), "month by month");
}

#[test]
fn pieces_of_months_with_a_restart_between_equal_all_at_once() {
    let feed = NastyFeed::new(6, 16);
    let tables = Case::new(feed.cut(3), "revision = \"append\"\n").one_by_one();
    let expected = Case::new(feed.files(), "").all_at_once(1);
    assert!(expected.plant.lines().count() > 50, "only a few rows are compared");
    assert_same(&tables, &expected, "piece by piece");
}

#[test]
fn files_in_any_order_before_their_months_are_closed_change_nothing() {
    let feed = NastyFeed::new(7, 15);
    let mut case = Case::new(feed.files(), "close = \"explicit\"\n");
    // The first file starts the calendar, for any order of the others.
    Random::new(107).shuffle(&mut case.files[1..]);
    for (at, file) in case.files.iter().enumerate() {
        case.sandbox.ingest(&[file.as_path()], 1);
        // Some months close before later files arrive.
        if at == 8 {
            close(&case.sandbox, &feed, 0..2);
        }
    }
    close(&case.sandbox, &feed, 2..15);
    let expected = Case::new(feed.files(), "").all_at_once(1);
    assert!(expected.plant.lines().count() > 50, "only a few rows are compared");
    assert_same(&case.tables(), &expected, "any order of files");
}

fn close(sandbox: &Sandbox, feed: &NastyFeed, months: std::ops::Range<usize>) {
    for (month, _) in &feed.months[months] {
        let run = sandbox.run(["close", month]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
}

#[test]
fn years_that_were_replaced_equal_years_that_were_right_at_once() {
    let (wrong, right) = (NastyFeed::new(10, 26), NastyFeed::new(11, 26));
    let canonical = include_str!("../streams/profiles/canonical.toml");
    let (monthly, yearly) = ("{YYYY}{MM}*.csv", "{YYYY}*.csv\"\ncovers = \"year");
    assert!(canonical.contains(monthly), "{canonical}");
    let expected = plainly(&right, "");
    for n_workers in [1, 3] {
        let case = Case::new([], "revision = \"replace-periods\"\n");
        case.sandbox.write("feed.toml", canonical.replace(monthly, yearly));
        for (round, feed) in [&wrong, &right].into_iter().enumerate() {
            for (year, text) in feed.years() {
                case.sandbox.write(&format!("{year}-{round}.csv"), text);
            }
            case.sandbox.ingest(&[&case.sandbox.feed()], n_workers);
        }
        assert_same(&case.tables(), &expected, &format!("{n_workers} workers"));
    }
}

#[test]
fn a_feed_that_was_superseded_equals_one_that_was_right_at_once() {
    let (wrong, right) = (NastyFeed::new(8, 18), NastyFeed::new(9, 18));
    let case = Case::new(wrong.files(), "revision = \"supersede\"\n");
    case.sandbox.ingest(&[&case.sandbox.feed()], 2);
    let corrected: Vec<PathBuf> = right
        .files()
        .map(|(name, text)| case.sandbox.write(&format!("{}-b.csv", &name[..6]), text))
        .collect();
    let (some, others) = corrected.split_at(7);
    for paths in [others, some] {
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        case.sandbox.ingest(&paths, 1);
    }
    let expected = Case::new(right.files(), "").all_at_once(1);
    assert!(expected.plant.lines().count() > 50, "only a few rows are compared");
    assert_same(&case.tables(), &expected, "superseded");
}
