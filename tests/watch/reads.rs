//! A disk that fails any one read of the home: the watcher reports it and ends with code 1.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::common::nasty_feed::NastyFeed;
use super::common::run;
use super::full::compiled;
use super::sandbox;

/// Runs `watch --once` under the shim of `tests/faults`, which counts the reads of a home or fails
/// one of them.
fn once(home: &Path, feed: &Path, environment: &[(&str, &str)]) -> super::Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
    command.arg("--data").arg(home).arg("watch").arg(feed);
    command.args(["--once", "--interval", "0", "--workers", "1"]);
    command.env("LD_PRELOAD", compiled("tests/faults/shim.c")).env("FAULT_HOME", home);
    command.env("FAULT_ACTION", "error").env("FAULT_KINDS", "pr");
    run(command.envs(environment.iter().copied()))
}

#[test]
fn an_error_of_any_read_of_the_home_is_told_and_ends_the_watcher() {
    let sandbox = sandbox();
    sandbox.options("estimate = []");
    let feed = NastyFeed::new(33, 3);
    let mut months = feed.files();
    for (name, text) in months.by_ref().take(2) {
        sandbox.write(&name, text);
    }
    let first = once(&sandbox.home(), &sandbox.feed(), &[]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let (name, text) = months.next().expect("a third month");
    sandbox.write(&name, text);
    let (before, home) = (sandbox.folder().join("before"), sandbox.home());
    fs::rename(&home, &before).expect("kept");
    let count = sandbox.folder().join("count");
    super::copy_folder(&before, &home);
    let whole = once(&home, &sandbox.feed(), &[("FAULT_COUNT", count.to_str().expect("text"))]);
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let n_reads: usize = fs::read_to_string(&count).expect("a count").trim().parse().expect("one");
    assert!(n_reads > 20, "only {n_reads} reads");
    for at in 1..=n_reads {
        fs::remove_dir_all(&home).expect("the home of before");
        super::copy_folder(&before, &home);
        let told = sandbox.folder().join("told");
        let _ = fs::remove_file(&told);
        let (number, path) = (at.to_string(), told.to_str().expect("text"));
        let failed = [("FAULT_AT", number.as_str()), ("FAULT_TOLD", path)];
        let run = once(&home, &sandbox.feed(), &failed);
        let of = fs::read_to_string(&told).unwrap_or_default();
        // The database does without its log and index if it can, and reports an error if it cannot.
        if run.code == Some(0) && (of.contains("-wal") || of.contains("-shm") || of == "p \n") {
            continue;
        }
        assert_eq!(run.code, Some(1), "read {at} of {n_reads}, {of}: {}", run.stderr);
        let is_told = ["failed: ", "spillover: "].iter().any(|word| run.stderr.contains(word));
        assert!(is_told, "read {at}, {of}: {}", run.stderr);
    }
}
