//! `watch`, driven from outside. Files arrive one by one; the process is stopped, killed and
//! started again, and meets bad files, full disks and missing folders. The home must equal that of
//! one `ingest` of all files.
//!
//! The tests do not depend on speed: each step waits for the heartbeat or the log.

#[path = "../common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod full;
mod months;
mod preparation;
#[cfg(target_os = "linux")]
mod reads;
mod watcher;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use common::nasty_feed::{CITIES, NastyFeed, Random, text};
use common::{Run, Sandbox, csv_rows};
use spillover::watch::heartbeat::State;
use watcher::Watcher;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox
}

/// Writes a file under its final name, in two pieces, like a copy over a network.
fn copy_slowly(path: &Path, text: &str) {
    let (first, rest) = text.split_at(text.len() / 2);
    let mut file = File::create(path).expect("a file of the feed");
    file.write_all(first.as_bytes()).expect("the first piece");
    file.flush().expect("flushed");
    file.write_all(rest.as_bytes()).expect("the rest");
}

/// The tables of one `ingest` of a feed into a new home.
fn from_scratch(feed: &Path) -> (String, String) {
    let other = Sandbox::new();
    other.options("revision = \"append\"");
    let run = other.run(["ingest", "--workers", "1", feed.to_str().expect("UTF-8")]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    (other.export("city"), other.export("plant"))
}

/// Runs `watch --once`, with every file ready at the first look.
fn once(sandbox: &Sandbox, feed: &Path) -> Run {
    sandbox.run(["watch".as_ref(), feed.as_os_str(), "--once".as_ref(), "--interval=0".as_ref()])
}

/// A watcher that has ingested January.
fn with_january<'a>(sandbox: &'a Sandbox, feed: &NastyFeed) -> Watcher<'a> {
    taking_in_january(Watcher::start(sandbox, 1), sandbox, feed)
}

fn taking_in_january<'a>(
    mut watcher: Watcher<'a>,
    sandbox: &Sandbox,
    feed: &NastyFeed,
) -> Watcher<'a> {
    sandbox.write("200001.csv", text(&feed.months[0].1));
    watcher.until_next("200002");
    watcher
}

fn assert_verified(sandbox: &Sandbox) {
    let run: Run = sandbox.run(["verify"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
}

#[test]
fn a_week_of_files_with_restarts_comes_to_what_one_ingest_comes_to() {
    let sandbox = sandbox();
    sandbox.options("revision = \"append\"");
    let feed = NastyFeed::new(20_26, 28);
    let mut random = Random::new(11);
    let name = |at: usize| format!("{}.csv", feed.months[at].0);
    let content = |at: usize| text(&feed.months[at].1);
    let following = |at: usize| feed.months[at + 1].0.as_str();
    let mut watcher = Watcher::start(&sandbox, 2);
    let mut n_extra = 0;
    let kinds: Vec<u64> = (0..27).map(|_| random.below(7)).collect();
    assert!((0..7).all(|kind| kinds[1..].contains(&kind)), "not everything happens: {kinds:?}");
    for (at, kind) in kinds.into_iter().enumerate() {
        match kind {
            _ if at == 0 => drop(sandbox.write(&name(0), content(0))),
            // A bad file first: none of its lines count, the log has one message, and the month
            // waits.
            0 => {
                sandbox.write(&name(at), "not a customs file\n");
                let beat = watcher.until("a refusal", |beat| beat.files_refused == 1);
                let looks = beat.looks + 3;
                watcher.until("more looks", |beat| beat.looks >= looks);
                sandbox.write(&name(at), content(at));
            }
            // The next month arrives first, and waits.
            1 if at + 2 < 27 => {
                sandbox.write(&name(at + 1), content(at + 1));
                watcher.until("a file that waits", |beat| beat.files_waiting == 1);
                copy_slowly(&sandbox.feed().join(name(at)), &content(at));
            }
            // The same bytes again, under another name.
            2 => {
                let skipped = watcher.until("a heartbeat", |_| true).files_skipped;
                sandbox.write(&format!("{}-again.csv", feed.months[at - 1].0), content(at - 1));
                watcher.until("a file skipped", |beat| beat.files_skipped > skipped);
                sandbox.write(&name(at), content(at));
            }
            // An amendment of an earlier month.
            3 => {
                let earlier = usize::try_from(random.below(at as u64)).expect("a month before");
                n_extra += 1;
                let month = &feed.months[27];
                let of_it = month.1.iter().filter(|line| line.starts_with(&month.0));
                let late: Vec<String> = of_it.take(3 + n_extra).cloned().collect();
                let late = text(&late).replace(&month.0, &feed.months[earlier].0);
                let vintage = watcher.until("a heartbeat", |_| true).vintage;
                sandbox.write(&format!("{}-late{at}.csv", feed.months[earlier].0), late);
                watcher.until("an amendment", |beat| beat.vintage > vintage);
                sandbox.write(&name(at), content(at));
            }
            // Stopped while a file is being ingested, and started again.
            4 => {
                sandbox.write(&name(at), content(at));
                std::thread::sleep(Duration::from_millis(random.below(60)));
                watcher.stop();
                watcher = Watcher::start(&sandbox, 1 + at % 2);
            }
            // Killed while a file is being ingested, and started again.
            5 => {
                copy_slowly(&sandbox.feed().join(name(at)), &content(at));
                watcher.until("some look", |_| true);
                std::thread::sleep(Duration::from_millis(random.below(60)));
                watcher.end("-KILL");
                watcher = Watcher::start(&sandbox, 1 + at % 2);
            }
            _ => copy_slowly(&sandbox.feed().join(name(at)), &content(at)),
        }
        let next = following(at);
        watcher.until(next, |beat| beat.next_month.as_deref() >= Some(next));
    }
    watcher.until_next(following(26));
    let log = watcher.log();
    watcher.stop();
    let (city, plant) = from_scratch(&sandbox.feed());
    assert_eq!(sandbox.export("city"), city, "{log}");
    assert_eq!(sandbox.export("plant"), plant, "{log}");
    assert_verified(&sandbox);
    assert_each_vintage_is_listed(&sandbox, 27 + n_extra);
}

/// Asserts that every file has its own vintage.
fn assert_each_vintage_is_listed(sandbox: &Sandbox, n_files: usize) {
    let rows = csv_rows(&sandbox.export("files"));
    let vintages: Vec<String> = rows[1..].iter().map(|row| row[0].clone()).collect();
    let expected: Vec<String> = (1..=n_files).map(|vintage| vintage.to_string()).collect();
    assert_eq!(vintages, expected);
}

/// A backup as in OPERATIONS.md, with the database's own backup of a changing database.
fn back_up(home: &Path, into: &Path) {
    fs::create_dir(into).expect("a folder for the copy");
    fs::copy(home.join("acknowledged"), into.join("acknowledged")).expect("the number");
    let manifest = rusqlite::Connection::open(home.join("manifest.sqlite")).expect("the manifest");
    let target = into.join("manifest.sqlite");
    manifest.execute("VACUUM INTO ?", [target.to_str().expect("UTF-8")]).expect("copied");
    for folder in ["segments", "runs", "published", "snapshots", "panel", "memory"] {
        copy_folder(&home.join(folder), &into.join(folder));
    }
    fs::copy(home.join("spillover.toml"), into.join("spillover.toml")).expect("the options");
}

/// Copies a folder like `cp`; a file that disappears during the copy is left out.
fn copy_folder(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir(to).expect("a folder of the copy");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            let _ = fs::copy(&path, &target);
        }
    }
}

#[test]
fn a_copy_taken_while_it_runs_is_a_home_as_it_stood_then() {
    let sandbox = sandbox();
    sandbox.options("revision = \"append\"");
    let feed = NastyFeed::new(31, 27);
    let mut watcher = Watcher::start(&sandbox, 1);
    let mut copies = Vec::new();
    for (at, (name, text)) in feed.files().enumerate() {
        sandbox.write(&name, text);
        // The backup is made while the watcher works on the file, at any point of the work.
        if at > 0 && at % 4 == 0 {
            let copy = Sandbox::new();
            fs::remove_dir(copy.home()).expect("an empty home");
            back_up(&sandbox.home(), &copy.home());
            copies.push(copy);
        }
        let next = at + 1;
        watcher.until("the month", |beat| beat.vintage as usize >= next);
    }
    watcher.stop();
    assert_eq!(copies.len(), 6);
    for copy in &copies {
        let files = csv_rows(&copy.export("files"));
        let vintage = files.last().expect("a file")[0].clone();
        for table in ["city", "plant"] {
            let then = sandbox.run(["export", table, "--vintage", &vintage]);
            assert_eq!(copy.export(table), then.stdout, "{table} as of {vintage}");
        }
        // The restored home ingests the later files.
        let run = copy.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        for table in ["city", "plant", "files"] {
            assert_eq!(copy.export(table), sandbox.export(table), "{table} from {vintage} on");
        }
        copy.run(["snapshot"]);
        assert_verified(copy);
    }
}

#[test]
fn damaged_records_are_put_back_from_the_feed_and_a_signal_while_the_home_opens_ends_it() {
    let sandbox = sandbox();
    sandbox.options("estimate = []");
    for (name, text) in NastyFeed::new(32, 10).files() {
        sandbox.write(&name, text);
    }
    sandbox.ingest(&[&sandbox.feed()], 1);
    let segment = sandbox.home().join("segments/000004.parquet");
    let whole = fs::read(&segment).expect("a segment");
    fs::write(&segment, &whole[1..]).expect("damaged");
    let mut watcher = Watcher::start(&sandbox, 1);
    watcher.until_said("the records of 200004.csv were damaged and are restored from the file");
    watcher.stop();
    assert_eq!(fs::read(&segment).expect("a segment"), whole);
    assert_verified(&sandbox);
    // A stop request at any time leaves the home unchanged.
    for milliseconds in 0..12 {
        let mut watcher = Watcher::start(&sandbox, 1);
        watcher.until("a start", |_| true);
        std::thread::sleep(Duration::from_millis(milliseconds));
        watcher.stop();
    }
    assert_verified(&sandbox);
}

#[test]
fn a_refused_file_is_said_once_and_tried_again_when_it_changes() {
    let sandbox = sandbox();
    let feed = NastyFeed::new(5, 3);
    let mut watcher = Watcher::start(&sandbox, 1);
    sandbox.write("200001.csv", "period\n200001\n");
    let looks = watcher.until("a refusal", |beat| beat.files_refused == 1).looks;
    sandbox.write("200002.csv", text(&feed.months[1].1));
    watcher.until("February waits", |beat| beat.files_waiting == 1 && beat.looks > looks + 5);
    let log = watcher.log();
    assert_eq!(log.matches("refused: ").count(), 1, "{log}");
    assert!(log.contains("200001.csv, line 1: no column"), "{log}");
    sandbox.write("200001.csv", text(&feed.months[0].1));
    let beat = watcher.until_next("200003");
    assert_eq!((beat.files_refused, beat.vintage, beat.error), (0, 2, None));
    watcher.stop();
    assert_verified(&sandbox);
}

#[test]
fn a_feed_that_goes_is_waited_for() {
    let sandbox = sandbox();
    let feed = NastyFeed::new(8, 3);
    let mut watcher = with_january(&sandbox, &feed);
    let away = sandbox.folder().join("away");
    fs::rename(sandbox.feed(), &away).expect("the feed can be moved away");
    let beat = watcher.until("a pause", |beat| beat.state == State::Paused);
    assert!(beat.reason.is_some_and(|reason| reason.contains("cannot look at ")));
    fs::create_dir(sandbox.feed()).expect("an empty folder where it was mounted");
    watcher.until("another pause", |beat| {
        let reason = beat.reason.as_deref().unwrap_or_default();
        reason.contains("has no file of the feed; is it mounted?")
    });
    fs::remove_dir(sandbox.feed()).expect("it is empty");
    fs::rename(&away, sandbox.feed()).expect("the feed comes back");
    sandbox.write("200002.csv", text(&feed.months[1].1));
    let beat = watcher.until_next("200003");
    // Files ingested before the move are not read again.
    assert_eq!((beat.files_accepted, beat.files_skipped), (2, 0));
    watcher.stop();
}

#[test]
fn a_home_that_is_moved_away_is_not_written_any_more_and_no_other_one_begun() {
    let sandbox = sandbox();
    let feed = NastyFeed::new(8, 3);
    let watcher = with_january(&sandbox, &feed);
    let away = sandbox.folder().join("away");
    fs::rename(sandbox.home(), &away).expect("the home can be moved away");
    fs::create_dir(sandbox.home()).expect("an empty folder, as without its mount");
    sandbox.write("200002.csv", text(&feed.months[1].1));
    watcher.until_failed("is no longer the home that was opened");
    fs::remove_dir(sandbox.home()).expect("nothing was written there");
    // Another home in its place is not taken for it.
    fs::rename(&away, sandbox.home()).expect("the home comes back");
    let mut watcher = Watcher::start(&sandbox, 1);
    watcher.until_next("200003");
    let manifest = sandbox.home().join("manifest.sqlite");
    let copy = sandbox.folder().join("copy");
    fs::copy(&manifest, &copy).expect("a copy of the manifest");
    fs::rename(&copy, &manifest).expect("it takes the manifest's place");
    sandbox.write("200003.csv", text(&feed.months[2].1));
    watcher.until_failed("is no longer the home that was opened");
    assert_eq!(csv_rows(&sandbox.export("files")).len(), 1 + 2);
}

#[test]
fn what_was_withdrawn_stays_out_whether_or_not_it_is_known_what_the_feed_held() {
    let sandbox = sandbox();
    for (name, text) in NastyFeed::new(9, 3).files() {
        sandbox.write(&name, text);
    }
    let once = || {
        let run = once(&sandbox, &sandbox.feed());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stderr
    };
    once();
    assert_eq!(sandbox.run(["withdraw", "200002.csv"]).code, Some(0));
    let files = sandbox.export("files");
    once();
    fs::remove_file(sandbox.home().join("watched.json")).expect("what it knew of the feed");
    let log = once();
    assert!(log.contains("left out, accepted as 200002.csv and withdrawn as vintage 4"), "{log}");
    assert_eq!(sandbox.export("files"), files);
    sandbox.ingest(&[&sandbox.feed().join("200002.csv")], 1);
    assert_eq!(csv_rows(&sandbox.export("files")).len(), 1 + 4);
    assert_verified(&sandbox);
}

#[test]
fn an_earlier_version_counts_again_once_the_one_in_its_place_is_withdrawn() {
    let sandbox = sandbox();
    sandbox.options("revision = \"supersede\"");
    let [first, second] = [1, 2].map(|seed| text(&NastyFeed::new(seed, 1).months[0].1));
    let once = |text: Option<&String>| {
        let path = sandbox.feed().join("200001.csv");
        text.inspect(|text| fs::write(&path, text).expect("a file of the feed"));
        let run = once(&sandbox, &path);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        csv_rows(&sandbox.export("files")).len() - 1
    };
    assert_eq!([&first, &second, &first].map(|text| once(Some(text))), [1, 2, 2]);
    assert_eq!(sandbox.run(["withdraw", "200001.csv"]).code, Some(0));
    // The file is unchanged since it was skipped, so that only the ledger decides about it.
    assert_eq!(once(None), 3);
    assert_verified(&sandbox);
}

#[test]
fn a_home_is_not_begun_while_a_folder_of_the_feed_is_not_there() {
    let sandbox = sandbox();
    let other = sandbox.folder().join("other");
    sandbox.write("200001.csv", text(&NastyFeed::new(9, 1).months[0].1));
    let feed = sandbox.feed();
    let [feed, other] = [&feed, &other].map(|path| path.to_str().expect("UTF-8"));
    for said in ["cannot look at ", "has no file called like "] {
        let run = sandbox.run(["watch", feed, other, "--once", "--interval", "0"]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert!(!sandbox.home().join("segments").exists());
        let _ = fs::create_dir(other);
    }
}

#[test]
fn a_file_with_a_name_that_is_no_text_or_from_before_1970_is_one_like_others() {
    let sandbox = sandbox();
    let feed = NastyFeed::new(9, 2);
    let (name, old) = (OsStr::from_bytes(b"200001\xba\xa3.csv"), text(&feed.months[1].1));
    fs::write(sandbox.feed().join(name), text(&feed.months[0].1)).expect("a file of the feed");
    let path = sandbox.write("200002.csv", old);
    let before = std::time::SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 28);
    File::open(path).and_then(|file| file.set_modified(before)).expect("a time");
    for _ in 0..2 {
        let run = once(&sandbox, &sandbox.feed());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    assert_eq!(csv_rows(&sandbox.export("files")).len(), 1 + 2);
}

#[test]
fn a_first_month_that_cannot_be_read_is_waited_for_and_not_passed_over() {
    let sandbox = sandbox();
    let feed = NastyFeed::new(9, 2);
    symlink("nowhere/200001.csv", sandbox.feed().join("200001.csv")).expect("a link");
    sandbox.write("200002.csv", text(&feed.months[1].1));
    let path = sandbox.feed();
    let path = path.to_str().expect("UTF-8");
    for command in [&["ingest", path][..], &["watch", path, "--once", "--interval", "0"]] {
        let run = sandbox.run(command);
        assert_eq!(run.code, Some(3), "{command:?}: {}", run.stderr);
        assert!(run.stderr.contains("200001.csv"), "{command:?}: {}", run.stderr);
    }
    fs::remove_file(sandbox.feed().join("200001.csv")).expect("the link");
    sandbox.write("200001.csv", text(&feed.months[0].1));
    sandbox.ingest(&[&sandbox.feed()], 1);
    assert_eq!(csv_rows(&sandbox.export("files")).len(), 1 + 2);
}

#[test]
fn a_second_watcher_is_told_of_the_first() {
    let sandbox = sandbox();
    let mut watcher = Watcher::start(&sandbox, 1);
    watcher.until("a look", |beat| beat.looks > 0);
    let feed = sandbox.feed();
    let run = sandbox.run([Path::new("watch"), &feed]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("another watcher runs on "), "{}", run.stderr);
    watcher.stop();
}

#[test]
fn once_takes_in_what_is_there_and_says_by_its_code_whether_all_of_it_was_good() {
    let sandbox = sandbox();
    let feed = NastyFeed::new(9, 3);
    let watch = |more: &[&str]| {
        let feed = sandbox.feed();
        let mut arguments = vec!["watch", feed.to_str().expect("UTF-8"), "--once"];
        arguments.extend(more);
        sandbox.run(arguments)
    };
    sandbox.write("200001.csv", text(&feed.months[0].1));
    let twice = watch(&["--interval", "0.05"]);
    assert_eq!(twice.code, Some(0), "{}", twice.stderr);
    sandbox.write("200002.csv", text(&feed.months[1].1));
    let unmarked = watch(&["--interval", "0.05", "--markers-only"]);
    assert_eq!(unmarked.code, Some(0), "{}", unmarked.stderr);
    assert!(!unmarked.stderr.contains("ingested"), "{}", unmarked.stderr);
    sandbox.write("200002.csv.done", "");
    let marked = watch(&["--interval", "0.05", "--markers-only"]);
    assert!(marked.stderr.contains("ingested"), "{}", marked.stderr);
    sandbox.write("200003.csv", "period\n");
    let refused = watch(&["--interval", "0", "--log", "json"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("200003.csv"), "{}", refused.stderr);
    for line in refused.stderr.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(line["message"].is_string(), "{line}");
    }
    let status = sandbox.run(["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    assert_eq!(status["watched"], false);
    assert_eq!(status["watcher"]["state"], "stopped");
    assert_eq!(status["watcher"]["files_refused"], 1);
    assert_eq!(status["watcher"]["vintage"], 2);
    fs::rename(sandbox.feed(), sandbox.folder().join("away")).expect("the feed can be moved");
    let gone = watch(&[]);
    assert_eq!(gone.code, Some(1), "{}", gone.stderr);
}
