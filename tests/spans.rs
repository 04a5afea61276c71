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
use spillover::spans::{SpanSource, fill_series, series_to_fill};

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

/// The months of the stored series, once for each key.
fn stored_months(home: &Home) -> Vec<String> {
    let keys = home.memories().expect("asked").into_iter();
    let mut months: Vec<String> = keys
        .filter_map(|key| key.strip_prefix("series ").map(|rest| rest[..6].to_owned()))
        .collect();
    months.sort_unstable();
    months
}

/// Stores the series of all months that lack them; returns their number.
fn fill(sandbox: &Sandbox) -> usize {
    let mut home = Home::open(&sandbox.home()).expect("a home");
    let mut n_filled = 0;
    while let Some(month) = to_fill(&home).first().copied() {
        fill_series(&mut home, Joint::default(), month).expect("filled");
        n_filled += 1;
    }
    n_filled
}

fn to_fill(home: &Home) -> Vec<Period> {
    series_to_fill(home, Joint::default()).expect("asked")
}

#[test]
fn stored_series_are_the_computed_ones_bit_for_bit_at_every_level_and_vintage() {
    let sandbox = home_of(25, 36, "");
    let at = |vintage: Option<u32>| {
        let vintage = vintage.map(|vintage| format!("--vintage={vintage}"));
        let run = sandbox.run(["export", "series"].map(str::to_owned).into_iter().chain(vintage));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    let vintages = [None, Some(35), Some(20)];
    let computed = vintages.map(at);
    let rows = csv_rows(&computed[0]);
    let levels: std::collections::BTreeSet<&str> =
        rows[1..].iter().map(|row| row[3].as_str()).collect();
    assert!(levels.len() == 8 && rows.len() > 2_000, "{levels:?}, {} rows", rows.len());
    assert_eq!(to_fill(&open(&sandbox))[0].to_string(), "200212", "the newest comes first");
    assert_eq!(fill(&sandbox), 24, "each month of 2001 and 2002");
    assert!(vintages.map(at) == computed, "stored rows differ");
    // Other joint months are other sources.
    assert_eq!(series_to_fill(&open(&sandbox), Joint::NONE).expect("asked").len(), 24);
    // The stored rows are those that readers show: with other rows under its key, a month has them.
    let mut home = Home::open(&sandbox.home()).expect("a home");
    let keys = home.memories().expect("asked");
    let key = keys.iter().find(|key| key.starts_with("series 200208 ")).expect("a key").clone();
    let rows = home.read_memory(&key, "ytd").expect("read").expect("rows");
    home.replace_memory(&key, &[("ytd", rows.slice(0, 1))]).expect("replaced");
    drop(home);
    let shown = csv_rows(&at(None));
    let of_august = |rows: &[Vec<String>], span: &str| {
        let is_it = |row: &&Vec<String>| row[..3] == ["2002", "8", span];
        rows.iter().filter(is_it).count()
    };
    assert_eq!(of_august(&shown, "ytd"), 1, "its one stored row");
    let whole = csv_rows(&computed[0]);
    assert_eq!(of_august(&shown, "12m"), of_august(&whole, "12m"), "a lost span is computed");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_late_record_makes_its_month_and_later_ones_dirty_and_readers_compute_these() {
    let sandbox = home_of(26, 34, "");
    fill(&sandbox);
    let line = "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd\n\
                200109,E,f02,某某厂,11019,502,39091010,10,1234567.00\n";
    let late = sandbox.write("200211.csv", line);
    sandbox.ingest(&[&late], 1);
    let dirty: Vec<String> = to_fill(&open(&sandbox)).iter().map(ToString::to_string).collect();
    let expected: Vec<String> = (200_109..=200_112)
        .chain(200_201..=200_211)
        .rev()
        .map(|month: u32| month.to_string())
        .collect();
    assert_eq!(dirty, expected, "October of 2002 is the last month before the file");
    let shown = sandbox.export("series");
    // Without stored rows, all of them are computed.
    let keys = open(&sandbox).memories().expect("asked").into_iter();
    let keys: Vec<String> = keys.filter(|key| key.starts_with("series ")).collect();
    let n_stored = keys.len();
    let mut home = Home::open(&sandbox.home()).expect("a home");
    home.remove_memories(&keys[..n_stored]).expect("removed");
    drop(home);
    assert!(sandbox.export("series") == shown, "a reader showed a dirty row");
    // Filled again, each month is stored once: rows of other sources are removed.
    fill(&sandbox);
    let months = stored_months(&open(&sandbox));
    assert_eq!(months.len(), 23, "{months:?}");
    assert!(months.windows(2).all(|pair| pair[0] < pair[1]), "{months:?}");
    assert!(sandbox.export("series") == shown);
    // A damaged file is as one that is not there.
    let mut files: Vec<PathBuf> = fs::read_dir(sandbox.home().join("memory"))
        .expect("memories")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.to_string_lossy().contains("-ytd-"))
        .collect();
    files.sort_unstable();
    fs::write(&files[0], "damaged").expect("damaged");
    assert!(sandbox.export("series") == shown);
}

#[test]
fn a_month_that_is_filled_again_has_its_earlier_rows_removed() {
    let sandbox = home_of(27, 30, "");
    fill(&sandbox);
    let before = stored_months(&open(&sandbox));
    assert_eq!(sandbox.run(["withdraw", "200205.csv"]).code, Some(0));
    let n_dirty = to_fill(&open(&sandbox)).len();
    assert!((2..=before.len()).contains(&n_dirty), "{n_dirty} of {}", before.len());
    assert_eq!(fill(&sandbox), n_dirty);
    assert_eq!(stored_months(&open(&sandbox)), before, "each month once");
}
