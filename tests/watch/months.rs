//! A watcher that estimates at the close of each month.

use std::time::Duration;

use super::common::nasty_feed::{NastyFeed, text};
use super::common::{Sandbox, csv_rows};
use super::watcher::Watcher;
use super::{assert_verified, sandbox};

const OPTIONS: &str = "estimate = [\"3.1\"]\n[reestimate]\nwhen = \"month\"\n";

/// The ends of the stored estimates in the order of time, each once.
fn ends(sandbox: &Sandbox) -> Vec<(u32, u32)> {
    let rows = csv_rows(&sandbox.export("estimates"));
    let place = |name: &str| rows[0].iter().position(|own| own == name).expect("a column");
    let (year, month) = (place("year"), place("month"));
    let end = |row: &Vec<String>| (row[year].parse(), row[month].parse());
    let ends = rows[1..].iter().map(end).map(|(y, m)| (y.expect("a year"), m.expect("a month")));
    let mut ends: Vec<(u32, u32)> = ends.collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}

#[test]
fn a_point_is_stored_for_each_month_that_closes_also_after_a_kill() {
    let sandbox = sandbox();
    sandbox.options(OPTIONS);
    let feed = NastyFeed::new(31, 27);
    let name = |at: usize| format!("{}.csv", feed.months[at].0);
    let content = |at: usize| text(&feed.months[at].1);
    for at in 0..12 {
        sandbox.write(&name(at), content(at));
    }
    let mut watcher = Watcher::start(&sandbox, 1);
    watcher.until_next("200101");
    let mut n_killed = 0;
    for at in 12..26 {
        sandbox.write(&name(at), content(at));
        // Killed as soon as the commit can be seen, with the estimation before or behind it.
        let vintage = u32::try_from(at + 1).expect("a small number");
        watcher.until("a commit", |beat| beat.vintage >= vintage || beat.publication >= vintage);
        if at % 3 == 1 {
            std::thread::sleep(Duration::from_millis(at as u64));
            watcher.end("-KILL");
            n_killed += 1;
            watcher = Watcher::start(&sandbox, 1);
        }
        let next = feed.months[at + 1].0.clone();
        watcher.until_next(&next);
    }
    watcher.stop();
    assert!(n_killed >= 4, "{n_killed}");
    // A month without rows to estimate has a message, until a later month is estimated.
    let other = Sandbox::new();
    other.options(OPTIONS);
    other.ingest(&[&sandbox.feed()], 1);
    assert_eq!(ends(&sandbox), ends(&other));
    assert!(ends(&other).len() >= 12, "{:?}", ends(&other));
    assert_verified(&sandbox);
}

#[test]
fn months_that_closed_without_an_estimate_are_estimated_at_the_next_start() {
    let sandbox = sandbox();
    sandbox.options("estimate = [\"3.1\"]");
    let feed = NastyFeed::new(31, 16);
    for (name, text) in feed.files().take(15) {
        sandbox.write(&name, text);
    }
    sandbox.ingest(&[&sandbox.feed()], 1);
    assert_eq!(ends(&sandbox), Vec::new(), "no year with indicators has closed");
    // As a kill between the commit and the estimation leaves the home.
    sandbox.options(OPTIONS);
    let mut watcher = Watcher::start(&sandbox, 1);
    watcher.until_next("200104");
    watcher.stop();
    assert_eq!(ends(&sandbox), [(2001, 2), (2001, 3)], "January has no rows to estimate");
}
