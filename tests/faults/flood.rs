//! A flood: a directory of many files, and a month ten times the usual size. Memory stays within
//! the need of the usual run plus the allowance for the lines of one file.
//!
//! The limit is measured: the smallest one under which the usual run succeeds, in steps of a
//! quarter. `tests/faults/flood` does the same at full size, in a memory cgroup.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::common::Sandbox;

/// The memory allowed for a line of a file while it is read: its text, its record and its place in
/// a segment.
const BYTES_A_LINE: u64 = 400;
const MIB: u64 = 1 << 20;

/// Ingests a feed under a memory limit; returns true if it succeeds.
fn fits(sandbox: &Sandbox, feed: &Path, bytes_max: u64) -> bool {
    let script = format!("ulimit -d {}; exec \"$0\" \"$@\"", bytes_max / 1024);
    let ended = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_spillover"), "--data"])
        .arg(sandbox.home())
        .args(["ingest", "--workers", "2"])
        .arg(feed)
        // One arena: the memory reserved by a second one is not needed.
        .env("MALLOC_ARENA_MAX", "1")
        // If memory is short, the backtrace of that failure deadlocks.
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .expect("sh can be started");
    ended.status.success()
}

fn fresh() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.options("revision = \"append\"\nestimate = []\n");
    sandbox
}

/// The smallest limit under which a feed can be ingested.
fn needed(feed: &Path) -> u64 {
    let steps = std::iter::successors(Some(8 * MIB), |limit| Some(limit + limit / 4));
    let mut steps = steps.take_while(|limit| *limit < 4096 * MIB);
    let needed = steps.find(|limit| fits(&fresh(), feed, *limit)).expect("4 GiB are enough");
    assert!(needed > 8 * MIB, "the limit is not enforced: 8 MiB are enough");
    needed
}

/// Simulates a feed of months into a folder.
fn simulated(sandbox: &Sandbox, name: &str, to: &str) -> std::path::PathBuf {
    let folder = sandbox.folder().join(name);
    let out = folder.to_string_lossy().into_owned();
    let how = ["--from", "2000-01", "--to", to, "--firms", "400", "--seed", "7"];
    let run = sandbox.run([&["simulate", "--out", &out][..], &how].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    folder
}

fn months(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("the feed").map(|entry| entry.expect("one").path());
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let is_month = |path: &std::path::PathBuf| name(path).starts_with('2');
    let mut months: Vec<_> = entries
        .filter(is_month)
        .map(|path| (name(&path), fs::read_to_string(&path).expect("a month")))
        .collect();
    months.sort();
    months
}

fn copy_tables(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for table in ["cities.csv", "countries.csv"] {
        fs::copy(from.join(table), to.join(table)).expect("a reference table");
    }
}

#[test]
fn a_folder_of_many_files_is_taken_in_with_the_memory_of_a_few() {
    let sandbox = fresh();
    let whole = simulated(&sandbox, "whole", "2001-06");
    let cut = sandbox.folder().join("cut");
    copy_tables(&whole, &cut);
    let n_parts = n_parts(20);
    for (name, text) in months(&whole) {
        let (header, lines) = text.split_once('\n').expect("a header");
        let lines: Vec<&str> = lines.lines().collect();
        for part in 0..n_parts {
            let of_it = lines.iter().skip(part).step_by(n_parts);
            let text = of_it.fold(format!("{header}\n"), |text, line| text + line + "\n");
            fs::write(cut.join(format!("{}-{part:03}.csv", &name[..6])), text).expect("a part");
        }
    }
    let limit = needed(&whole) * 5 / 4;
    let [usual, flooded] = [fresh(), fresh()];
    assert!(fits(&usual, &whole, limit));
    assert!(fits(&flooded, &cut, limit), "{n_parts} files a month take more than {limit} bytes");
    assert!(usual.export("plant").lines().count() > 100, "hardly any row is compared");
    assert!(flooded.export("city") == usual.export("city"));
    assert!(flooded.export("plant") == usual.export("plant"));
}

fn n_parts(smoke: usize) -> usize {
    super::common::n_points(smoke, 60)
}

#[test]
fn a_month_ten_times_the_usual_takes_what_its_lines_take_and_no_more() {
    let sandbox = fresh();
    let usual = simulated(&sandbox, "usual", "2001-02");
    let large = sandbox.folder().join("large");
    copy_tables(&usual, &large);
    let months = months(&usual);
    let mut n_lines = 0;
    for (at, (name, text)) in months.iter().enumerate() {
        let mut whole = text.clone();
        if at + 1 == months.len() {
            // New firms.
            for copy in 1..10 {
                for line in text.lines().skip(1) {
                    let fields: Vec<&str> = line.splitn(4, ',').collect();
                    let [period, flow, firm, rest] = fields[..] else { panic!("{line}") };
                    writeln!(whole, "{period},{flow},{copy}{firm},{rest}").expect("a String");
                }
            }
            n_lines = whole.lines().count() as u64;
        }
        fs::write(large.join(name), whole).expect("a month");
    }
    let limit = needed(&usual) * 5 / 4 + n_lines * BYTES_A_LINE;
    let [limited, free] = [fresh(), fresh()];
    assert!(fits(&limited, &large, limit), "{n_lines} lines take more than {limit} bytes");
    free.ingest(&[&large], 2);
    assert!(free.export("city").lines().count() > 100, "hardly any row is compared");
    assert!(limited.export("city") == free.export("city"));
}
