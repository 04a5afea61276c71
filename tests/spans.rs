//! The tables of spans equal plain loops over the records at every vintage, with runs, without
//! them, and after damage.

mod common;

use std::fs;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use common::nasty_feed::{CITIES, NastyFeed};
use common::span_oracle::compare;
use common::{Sandbox, csv_rows};
use spillover::domain::dictionary::Dictionary;
use spillover::domain::span::{Joint, Span};
use spillover::domain::types::{Period, Vintage, Year};
use spillover::engine::replay::Standing;
use spillover::home::Home;
use spillover::home::parts::Table;
use spillover::home::runs::{self, RunTexts};
use spillover::spans::SpanSource;

/// Groups that overlap, one of them of both kinds.
const GROUPS: &str = "kind,member,group\ncity,1101,North\ncity,2101,North\ncity,2101,Sea\n\
                      country,301,Sea\ncountry,502,Sea\ncountry,601,Far\n";

/// A home with a feed of late and amended records, ingested in two runs.
fn home_of(seed: u64, n_months: usize, options: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("groups.csv", GROUPS);
    sandbox.write("firms.csv", "firm_id,successor,from\nf02,f03,200106\nf05,f09,200203\n");
    sandbox.options(options);
    let feed = NastyFeed::new(seed, n_months);
    let files: Vec<PathBuf> = feed.files().map(|(name, text)| sandbox.write(&name, text)).collect();
    let (first, rest) = files.split_at(n_months / 2);
    for part in [first, rest] {
        let paths: Vec<_> = part.iter().map(PathBuf::as_path).collect();
        sandbox.ingest(&paths, 2);
    }
    sandbox
}

fn open(sandbox: &Sandbox) -> Home {
    Home::read(&sandbox.home()).expect("a home")
}

#[test]
fn every_span_equals_plain_loops_at_every_vintage() {
    let other = "network = \"active\"\nown_plants = \"exclude\"\nweights = \"destination\"\n";
    for (seed, options, joint) in [(21, "", Joint::default()), (22, other, Joint::NONE)] {
        let sandbox = home_of(seed, 33, options);
        assert_eq!(sandbox.run(["withdraw", "200203.csv"]).code, Some(0));
        let home = open(&sandbox);
        let newest = home.last_vintage().expect("asked").expect("files");
        assert_eq!(newest, Vintage(34), "the withdrawal is a vintage");
        let mut n_rows = [0; 2];
        for vintage in [14, 26, 33, 34].map(Vintage) {
            let [n_markets, n_plants] = compare(&home, Some(vintage), joint);
            n_rows = [n_rows[0] + n_markets, n_rows[1] + n_plants];
        }
        assert!(n_rows[0] > 2_000 && n_rows[1] > 1_000, "only {n_rows:?} rows were compared");
    }
}

/// The whole years, and the open year at its last closed month, are the published tables.
#[test]
fn the_year_to_date_at_december_and_now_is_the_published_table_bit_for_bit() {
    let sandbox = home_of(23, 40, "");
    let home = open(&sandbox);
    let source = SpanSource::at(&home, None, Joint::default()).expect("a state");
    let published = Standing::at(&home, None, 1).expect("published");
    let mut n_rows = 0;
    for (year, month) in [(2001, 12), (2002, 12), (2003, 4)] {
        let month = Period::new(year, month).expect("a month");
        let at = source.span(Span::YearToDate, month).expect("a span");
        let of = |table| published.table(&home, table).expect("a table").year(Year(year));
        let city = of(Table::City).expect("rows");
        assert_eq!(source.city(at).expect("rows"), city);
        let plant: RecordBatch = of(Table::Plant).expect("rows");
        let found: Vec<_> =
            source.plant(at).expect("rows").map(|batch| batch.expect("rows")).collect();
        assert_eq!(concat_batches(&plant.schema(), &found).expect("rows"), plant);
        n_rows += city.num_rows() + plant.num_rows();
        if month.month() == 12 {
            let whole = source.span(Span::TwelveMonths, month).expect("a span");
            assert_eq!(source.city(whole).expect("rows"), city, "12m in December is the year");
        }
    }
    assert!(n_rows > 200, "only {n_rows} rows were compared");
}

/// The exports of all tables of spans.
fn exports(sandbox: &Sandbox) -> [String; 3] {
    let export = |words: &[&str]| {
        let run = sandbox.run(words.iter().copied());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    [
        export(&["export", "months"]),
        export(&["export", "plant", "--month", "200208"]),
        export(&["export", "city", "--month", "200208", "--span", "12m"]),
    ]
}

#[test]
fn lost_and_damaged_runs_change_no_figure_and_are_made_again() {
    let sandbox = home_of(24, 34, "");
    let expected = exports(&sandbox);
    assert!(csv_rows(&expected[0]).len() > 500);
    let run = |n: u32| sandbox.home().join(format!("runs/{n:06}.parquet"));
    let before = fs::read(run(30)).expect("a run");
    for lost in [3, 30, 34] {
        fs::remove_file(run(lost)).expect("removed");
    }
    let mut damaged = fs::read(run(29)).expect("a run");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(run(29), &damaged).expect("damaged");
    assert!(exports(&sandbox) == expected, "figures without runs");
    let verified = sandbox.run(["verify"]);
    assert_eq!(verified.stdout.matches("the next `ingest` makes it again").count(), 4);
    fs::remove_file(run(29)).expect("removed");
    sandbox.ingest(&[&sandbox.feed()], 1);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    assert!(fs::read(run(30)).expect("made again") == before, "the same bytes");
    assert!(exports(&sandbox) == expected, "figures after runs were made again");
}

#[test]
fn a_run_with_other_sums_than_its_file_is_found_by_verify() {
    let sandbox = home_of(27, 15, "");
    let mut home = Home::open(&sandbox.home()).expect("a home");
    let none = Dictionary::default();
    let texts = RunTexts { firms: none.list(), countries: none.list(), city: &|_| "" };
    let empty = runs::encode(texts, &[]).expect("no sums").store(home.folder(), Vintage(14));
    home.add_runs(&[(Vintage(14), empty.expect("durable"))]).expect("stored");
    drop(home);
    let run = sandbox.run(["verify"]);
    assert_eq!(run.code, Some(1));
    let message = "runs/000014.parquet differs from the records of 200102.csv, so tables of its";
    assert_eq!(run.stdout.matches(message).count(), 1, "{}", run.stdout);
    fs::remove_file(sandbox.home().join("runs/000014.parquet")).expect("removed");
    sandbox.ingest(&[&sandbox.feed()], 1);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_home_from_before_runs_gets_them_with_its_next_files() {
    let sandbox = home_of(25, 34, "");
    let expected = exports(&sandbox);
    fs::remove_dir_all(sandbox.home().join("runs")).expect("removed");
    let n_runs = || fs::read_dir(sandbox.home().join("runs")).map_or(0, Iterator::count);
    sandbox.ingest(&[&sandbox.feed()], 1);
    assert_eq!(n_runs(), 24, "two years at a time");
    assert!(exports(&sandbox) == expected);
    sandbox.ingest(&[&sandbox.feed()], 1);
    assert_eq!(n_runs(), 34);
    assert!(exports(&sandbox) == expected);
}

#[test]
fn a_span_that_does_not_exist_says_why() {
    let sandbox = home_of(26, 16, "");
    for (words, reason) in [
        (["city", "--month", "200105"], "200105 is not closed; the last closed month is 200104"),
        (["city", "--month", "200003"], "the feed begins in 200001; name a later month"),
        (["months", "--month", "200003"], "the feed begins in 200001; name a later month"),
        (["months", "--year", "2003"], "months has no year 2003; there is 2001"),
        (["city", "--span", "12m"], "--span needs --month"),
        (["files", "--month", "200103"], "leave it out for this table"),
        (["months", "--span", "weeks"], "there is no span \"weeks\"; write ytd, month or 12m"),
    ] {
        let run = sandbox.run(["export"].into_iter().chain(words));
        assert!(run.code.is_some_and(|code| code > 0), "{words:?}");
        assert!(run.stderr.contains(reason), "{words:?}: {}", run.stderr);
    }
    let january = ["export", "city", "--month", "200101", "--span", "month"];
    assert!(sandbox.run(january).stderr.contains("together with later months"));
    sandbox.options("joint = []");
    assert_eq!(sandbox.run(january).code, Some(0));
    sandbox.options("joint = [1, 3]");
    assert!(sandbox.run(january).stderr.contains("joint is [1, 3]; list two or more months"));
}
