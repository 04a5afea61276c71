//! A disk that a test fills and empties.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use spillover::watch::heartbeat::State;

use super::common::nasty_feed::{NastyFeed, text};
use super::common::{Sandbox, csv_rows, run};
use super::watcher::Watcher;
use super::{assert_verified, sandbox, taking_in_january};

/// The disk of a home; it has space until it is filled.
pub struct Disk {
    flag: PathBuf,
}

impl Disk {
    /// A disk with space; a file in a folder stands for its state.
    pub fn beside(folder: &Path) -> Self {
        Self { flag: folder.join("is-full") }
    }

    /// The environment of a process on this disk.
    pub fn environment(&self) -> [(&'static str, OsString); 2] {
        [
            ("LD_PRELOAD", compiled("tests/watch/full.c").into()),
            ("FULL_WHILE", self.flag.clone().into()),
        ]
    }

    pub fn fill(&self) {
        fs::write(&self.flag, "").expect("a file that says so");
    }

    pub fn make_room(&self) {
        fs::remove_file(&self.flag).expect("it was full");
    }
}

/// Compiles a shim for the C library, once.
pub fn compiled(source: &str) -> PathBuf {
    static COMPILED: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().expect("nobody panicked");
    let shim = compiled.entry(source.to_owned()).or_insert_with(|| {
        let name = source.replace(['/', '.'], "-");
        let name = format!("{name}-{}.so", std::process::id());
        let shim = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-w", "-o"]).arg(&shim);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(source)).arg("-ldl");
        assert!(command.status().expect("a C compiler").success(), "{source} does not compile");
        shim
    });
    shim.clone()
}

/// A watcher with January ingested, on a disk that can be filled.
fn with_january_on<'a>(disk: &Disk, sandbox: &'a Sandbox, feed: &NastyFeed) -> Watcher<'a> {
    taking_in_january(Watcher::start_in(sandbox, 1, disk.environment()), sandbox, feed)
}

#[test]
fn a_full_disk_pauses_it_and_room_lets_it_go_on() {
    let sandbox = sandbox();
    let feed = NastyFeed::new(6, 4);
    let disk = Disk::beside(sandbox.folder());
    let mut watcher = with_january_on(&disk, &sandbox, &feed);
    disk.fill();
    sandbox.write("200002.csv", text(&feed.months[1].1));
    watcher.until_said("paused: no room is left for ");
    let beat = watcher.until("a pause", |beat| beat.state == State::Paused);
    // It tries again and again, without a further message.
    watcher.until("another try", |next| next.updated > beat.updated);
    disk.make_room();
    watcher.until_said("resumed");
    let beat = watcher.until_next("200003");
    assert_eq!((beat.vintage, beat.error, beat.reason), (2, None, None));
    let log = watcher.log();
    assert_eq!(log.matches("paused: ").count(), 1, "{log}");
    assert!(log.contains("000002.parquet") && log.contains("No space left"), "{log}");
    watcher.stop();
    assert_verified(&sandbox);
}

#[test]
fn a_home_that_is_moved_away_while_its_disk_is_full_is_not_begun_anew() {
    let sandbox = sandbox();
    let feed = NastyFeed::new(6, 3);
    let disk = Disk::beside(sandbox.folder());
    let mut watcher = with_january_on(&disk, &sandbox, &feed);
    disk.fill();
    fs::create_dir(sandbox.folder().join("empty")).expect("an empty folder");
    sandbox.write("200002.csv", text(&feed.months[1].1));
    watcher.until_said("paused: no room is left for ");
    fs::rename(sandbox.home(), sandbox.folder().join("away")).expect("moved away");
    fs::rename(sandbox.folder().join("empty"), sandbox.home()).expect("an empty one");
    watcher.until_failed("is no longer the home that was opened");
    fs::remove_dir(sandbox.home()).expect("nothing was written there");
}

/// The demo's months up to the end of its third year, on which years are estimated.
fn three_years() -> Sandbox {
    let sandbox = Sandbox::new();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo");
    for entry in fs::read_dir(demo).expect("the demo") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !name.starts_with("2011") {
            sandbox.write(&name, fs::read(&path).expect("a file of the demo"));
        }
    }
    sandbox
}

/// The stored estimates, without the column of seconds, which differ from run to run.
fn estimates(sandbox: &Sandbox) -> Vec<Vec<String>> {
    let mut rows = csv_rows(&sandbox.export("estimates"));
    let seconds = rows[0].iter().position(|name| name == "seconds").expect("a column");
    for row in &mut rows {
        row.remove(seconds);
    }
    rows
}

#[test]
fn a_year_whose_estimation_found_no_room_is_estimated_as_of_the_publication_that_closed_it() {
    let whole = three_years();
    whole.ingest(&[&whole.feed()], 1);
    let expected = estimates(&whole);
    let publications: BTreeSet<&str> = expected[1..].iter().map(|row| row[4].as_str()).collect();
    assert_eq!((expected[0][4].as_str(), publications.len()), ("publication", 2));

    let sandbox = three_years();
    let disk = Disk::beside(sandbox.folder());
    disk.fill();
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
    command.envs(disk.environment()).env("FULL_WHERE", "/panel/plant/");
    let full = run(command
        .arg("--data")
        .arg(sandbox.home())
        .args(["ingest", "--workers", "1"])
        .arg(sandbox.feed()));
    assert_eq!(full.code, Some(1), "{}{}", full.stdout, full.stderr);
    let message = "24 files were ingested; run the command again for the rest: 2009 has \
                   closed, but its estimation failed: ";
    assert!(full.stderr.contains(message), "{}", full.stderr);
    assert!(full.stderr.contains("No space left"), "{}", full.stderr);
    assert!(!full.stdout.contains("accepted"), "{}", full.stdout);
    assert_eq!(csv_rows(&sandbox.export("files")).len(), 1 + 24);
    assert_eq!(estimates(&sandbox).len(), 1, "an estimate without room");

    disk.make_room();
    sandbox.ingest(&[&sandbox.feed()], 1);
    assert_eq!(estimates(&sandbox), expected);
    assert_verified(&sandbox);
}
