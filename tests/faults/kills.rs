//! The process is killed at any moment; the same command run again gives the same home.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::common::n_points;
use super::common::nasty_feed::{CITIES, NastyFeed, Random};
use super::common::{Sandbox, csv_rows};

const TABLES: [&str; 4] = ["city", "plant", "files", "rejects"];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    for (name, text) in NastyFeed::new(11, 26).files() {
        sandbox.write(&name, text);
    }
    sandbox
}

fn tables(sandbox: &Sandbox) -> [String; 4] {
    TABLES.map(|table| sandbox.export(table))
}

/// The progress of a run, from the entries on the disk.
fn n_entries(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.map(|path| 1 + if path.is_dir() { n_entries(&path) } else { 0 }).sum()
}

/// Starts to ingest the feed and kills the process at a number of entries on the disk; returns true
/// if it was killed before its end.
fn killed(sandbox: &Sandbox, n_entries_max: usize) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_spillover"))
        .arg("--data")
        .arg(sandbox.home())
        .args(["ingest", "--workers", "1"])
        .arg(sandbox.feed())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary can be started");
    loop {
        if let Some(ended) = child.try_wait().expect("waited for") {
            return !ended.success();
        }
        if n_entries(&sandbox.home()) >= n_entries_max {
            child.kill().expect("killed");
            return !child.wait().expect("waited for").success();
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_ingest_run_again_comes_to_the_same_tables() {
    let whole = sandbox();
    whole.ingest(&[&whole.feed()], 1);
    let (expected, n_whole) = (tables(&whole), n_entries(&whole.home()));
    let mut random = Random::new(17);
    let (n_stories, mut n_midway) = (n_points(4, 200), 0);
    for story in 0..n_stories {
        let sandbox = sandbox();
        let mut kills = Vec::new();
        // Each attempt starts from the result of the previous one.
        for attempt in 0..3 {
            let n_before = n_entries(&sandbox.home());
            // The first kill is anywhere, later kills are after the previous attempt's progress.
            let from = if attempt == 0 { 0 } else { n_before };
            let n_left = (n_whole + 8).saturating_sub(from).max(1) as u64;
            let goal = from + usize::try_from(random.below(n_left)).expect("a small number");
            let is_killed = killed(&sandbox, goal);
            kills.push((goal, is_killed));
            // A kill before the first write, or after the last one, interrupts nothing.
            let n_after = n_entries(&sandbox.home());
            n_midway += usize::from(is_killed && n_before < n_after && n_after < n_whole);
        }
        let feed = sandbox.feed();
        sandbox.ingest(&[&feed], 1);
        assert!(tables(&sandbox) == expected, "story {story}: other tables after {kills:?}");
        let verified = sandbox.run(["verify"]);
        assert_eq!(verified.code, Some(0), "after {kills:?}: {}", verified.stdout);
    }
    println!("{n_midway} kills of {n_stories} stories cut a run off");
    assert!(n_midway >= n_stories, "only {n_midway} kills of {n_stories} stories cut a run off");
}

fn demo() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/streams/demo"))
}

/// The stored estimates of a home, without the facts about their computation and their staleness.
fn estimates(sandbox: &Sandbox) -> Vec<Vec<String>> {
    let mut rows = csv_rows(&sandbox.export("estimates"));
    let header = rows.remove(0);
    let how = ["estimate_id", "seconds", "stale", "iterations", "relative_residual", "warm_start"];
    let tells_how = |name: &str| how.contains(&name);
    let of = |row: Vec<String>| {
        let named = row.into_iter().zip(&header).filter(|(_, name)| !tells_how(name));
        named.map(|(field, _)| field).collect()
    };
    rows.into_iter().map(of).collect()
}

/// Asserts equality within the tolerance: iterations with other starts end near the same solution.
fn assert_same(found: &[Vec<String>], expected: &[Vec<String>]) {
    let same = |(a, b): (&String, &String)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-8 + 1e-6 * b.abs(),
        _ => a == b,
    };
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.iter().zip(expected).all(same), "{found:?} in place of {expected:?}");
    }
}

/// The number of closed years with indicators, and the number of years with estimates.
fn years_closed_and_estimated(manifest: &Path) -> Option<(u32, u32)> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let manifest = rusqlite::Connection::open_with_flags(manifest, flags).ok()?;
    let count = |sql| manifest.query_row(sql, [], |row| row.get(0)).ok();
    let closed = count("SELECT count(*) FROM months WHERE period % 100 = 12 AND period > 200900");
    Some((closed?, count("SELECT count(DISTINCT through) FROM estimates")?))
}

/// Ingests the bundled feed and kills the process after a year has closed and before its
/// estimation; returns true if the home is in that state.
fn killed_in_an_estimation(sandbox: &Sandbox) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_spillover"))
        .arg("--data")
        .arg(sandbox.home())
        .args(["ingest", "--workers", "1"])
        .arg(demo())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary can be started");
    let manifest = sandbox.home().join("manifest.sqlite");
    let is_cut_off = || {
        let years = years_closed_and_estimated(&manifest);
        years.is_some_and(|(closed, estimated)| closed > estimated)
    };
    while child.try_wait().expect("waited for").is_none() && !is_cut_off() {
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("waited for");
    is_cut_off()
}

#[test]
fn a_year_whose_estimation_was_cut_off_by_a_kill_is_estimated_by_the_next_start() {
    let whole = Sandbox::new();
    whole.ingest(&[demo()], 1);
    let (expected, mut n_cut_off) = (estimates(&whole), 0);
    // The moment is short on a fast disk: the test tries until it meets it twice.
    for _ in 0..n_points(60, 600) {
        let sandbox = Sandbox::new();
        let is_cut_off = killed_in_an_estimation(&sandbox);
        sandbox.ingest(&[demo()], 1);
        assert_same(&estimates(&sandbox), &expected);
        n_cut_off += usize::from(is_cut_off);
        if n_cut_off == 2 {
            return;
        }
    }
    panic!("no kill came between a commit and its estimates");
}

#[test]
fn every_command_that_closes_years_estimates_first_what_was_left_undone() {
    for command in [&["close", "201201"][..], &["watch", "--once", "--interval", "0", "FEED"]] {
        let sandbox = Sandbox::new();
        sandbox.options("estimate = []\nclose = \"explicit\"\n");
        sandbox.ingest(&[demo()], 1);
        for year in 2008..2012 {
            for month in 1..=12 {
                assert_eq!(sandbox.run(["close", &format!("{year}{month:02}")]).code, Some(0));
            }
        }
        assert_eq!(estimates(&sandbox), Vec::<Vec<String>>::new());
        sandbox.options("estimate = [\"3\"]\nclose = \"explicit\"\n");
        let feed = demo().to_string_lossy();
        let words = command.iter().map(|word| word.replace("FEED", &feed));
        let run = sandbox.run(words.collect::<Vec<_>>());
        assert_eq!(run.code, Some(0), "{command:?}: {}", run.stderr);
        let estimates = estimates(&sandbox);
        assert!(!estimates.is_empty(), "{command:?}: {}", run.stderr);
        assert!(estimates.iter().all(|row| row[0] == "3" && row[2] == "2011"), "{command:?}");
    }
}
