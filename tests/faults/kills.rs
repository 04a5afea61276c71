//! The process is killed at any moment; the same command run again comes to the same home.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::common::Sandbox;
use super::common::nasty_feed::{CITIES, NastyFeed, Random};
use super::n_points;

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

/// How far a run has come, by what is on the disk.
fn n_entries(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.map(|path| 1 + if path.is_dir() { n_entries(&path) } else { 0 }).sum()
}

/// Starts to take the feed in and kills the process once so much is on the disk; whether it was
/// killed before its end.
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
    for story in 0..n_points(4, 200) {
        let sandbox = sandbox();
        let mut kills = Vec::new();
        // Each attempt finds what the one before left.
        for _ in 0..3 {
            let goal = usize::try_from(random.below(n_whole as u64 + 8)).expect("a small number");
            kills.push((goal, killed(&sandbox, goal)));
        }
        let feed = sandbox.feed();
        sandbox.ingest(&[&feed], 1);
        assert!(tables(&sandbox) == expected, "story {story}: other tables after {kills:?}");
        let verified = sandbox.run(["verify"]);
        assert_eq!(verified.code, Some(0), "after {kills:?}: {}", verified.stdout);
    }
}
