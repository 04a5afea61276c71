//! What a watcher prepares between looks: series, and panels for the next month.

use std::collections::BTreeMap;
use std::path::PathBuf;

use spillover::domain::span::Joint;
use spillover::home::Home;
use spillover::spans::series_to_fill;

use super::common::nasty_feed::{NastyFeed, text};
use super::common::{Sandbox, csv_rows};
use super::watcher::Watcher;
use super::{assert_verified, sandbox};

/// The files of stored series with their bytes.
fn series_files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(sandbox.home().join("memory")).expect("what is stored");
    let paths = files.map(|file| file.expect("a file").path());
    let is_series = |path: &PathBuf| {
        ["-ytd-", "-month-", "-12m-"].iter().any(|of| path.to_string_lossy().contains(of))
    };
    paths
        .filter(is_series)
        .map(|path| (path.clone(), std::fs::read(path).expect("its bytes")))
        .collect()
}

#[test]
fn series_are_filled_between_looks_also_after_a_kill_and_shown_unchanged() {
    let sandbox = sandbox();
    sandbox.options("estimate = []");
    let feed = NastyFeed::new(33, 61);
    for (name, text) in feed.files().take(60) {
        sandbox.write(&name, text);
    }
    sandbox.ingest(&[&sandbox.feed()], 1);
    let computed = sandbox.export("series");
    assert!(csv_rows(&computed).len() > 3_000);
    let mut watcher = Watcher::start(&sandbox, 1);
    let beat = watcher.until("some series", |beat| (1..47).contains(&beat.series_months_to_fill));
    watcher.end("-KILL");
    let begun = series_files(&sandbox);
    assert!(!begun.is_empty(), "{beat:?}");
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("  series         "), "{status}");
    let mut watcher = Watcher::start(&sandbox, 1);
    let is_filled = |sandbox: &Sandbox, n_months: usize| {
        let home = Home::read(&sandbox.home()).expect("a home");
        let keys = home.memories().expect("asked").into_iter();
        keys.filter(|key| key.starts_with("series ")).count() == n_months
            && series_to_fill(&home, Joint::default()).expect("asked").is_empty()
    };
    watcher.until("all series", |beat| {
        beat.series_months_to_fill == 0 && beat.looks > 2 && is_filled(&sandbox, 48)
    });
    let filled = series_files(&sandbox);
    assert!(begun.iter().all(|(path, bytes)| filled.get(path) == Some(bytes)), "filled twice");
    assert!(sandbox.export("series") == computed, "stored rows differ");
    // A new month is filled, too.
    sandbox.write(&format!("{}.csv", feed.months[60].0), text(&feed.months[60].1));
    watcher.until_next("200502");
    watcher
        .until("the new month", |beat| beat.series_months_to_fill == 0 && is_filled(&sandbox, 49));
    watcher.stop();
    let status = sandbox.run(["status"]).stdout;
    assert!(!status.contains("  series         "), "{status}");
    assert_verified(&sandbox);
}

#[test]
fn panels_of_earlier_years_are_prepared_for_the_month_that_closes_next() {
    let sandbox = sandbox();
    sandbox.options("estimate = [\"3.1\"]");
    let feed = NastyFeed::new(34, 40);
    for (name, text) in feed.files().take(39) {
        sandbox.write(&name, text);
    }
    sandbox.ingest(&[&sandbox.feed()], 1);
    sandbox.options("estimate = [\"3.1\"]\n[reestimate]\nwhen = \"month\"\n");
    let mut watcher = Watcher::start(&sandbox, 1);
    let panel = |year: u16| sandbox.home().join(format!("panel/plant-to-04/{year}"));
    watcher.until("panels of April", |_| panel(2001).is_dir() && panel(2002).is_dir());
    assert!(!panel(2003).exists(), "April of 2003 is open");
    sandbox.write(&format!("{}.csv", feed.months[39].0), text(&feed.months[39].1));
    watcher.until_next("200305");
    assert!(panel(2003).is_dir());
    watcher.until("panels of May", |_| sandbox.home().join("panel/plant-to-05/2002").is_dir());
    watcher.stop();
    assert_verified(&sandbox);
}
