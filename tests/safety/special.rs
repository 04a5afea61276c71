//! Pipes, devices, sockets and folders in place of a file: they are refused by name, and no command
//! waits.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::common::Sandbox;
use super::common::nasty_feed::{CITIES, NastyFeed};
use super::{command, ended, pipe, says, standing};

/// The kinds of special files, with their names in messages.
const KINDS: [&str; 4] = ["a pipe", "a device", "a socket", "a folder"];

fn put(kind: &str, path: &Path) {
    let _ = fs::remove_file(path);
    match kind {
        "a pipe" => pipe(path),
        "a device" => symlink("/dev/zero", path).expect("a link to a device"),
        // The socket's file stays after its listener is closed.
        "a socket" => drop(UnixListener::bind(path).expect("a socket")),
        _ => fs::create_dir(path).expect("a folder"),
    }
}

fn take_away(path: &Path) {
    if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }.expect("taken away");
}

/// A feed of two months and no home yet.
fn fresh() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    for (name, text) in NastyFeed::new(29, 2).files() {
        sandbox.write(&name, text);
    }
    sandbox
}

#[test]
fn what_lies_beside_a_feed_is_a_regular_file_or_an_error() {
    for name in ["cities.csv", "regions.csv", "countries.csv", "feed.toml"] {
        for kind in KINDS {
            let sandbox = fresh();
            put(kind, &sandbox.feed().join(name));
            let run = ended(&mut command(&sandbox, ["ingest", "feed"]));
            says(&run, 1, &[name, &format!("it is {kind}, not a regular file")]);
        }
    }
}

#[test]
fn what_options_and_arguments_name_is_a_regular_file_or_an_error() {
    for kind in KINDS {
        let sandbox = fresh();
        let said = format!("it is {kind}, not a regular file");
        let path = sandbox.folder().join("special.toml");
        put(kind, &path);
        for arguments in [
            &["--config", "special.toml", "status"][..],
            &["ingest", "feed", "--profile", "special.toml"],
            &["estimate", "--spec", "special.toml"],
            &["watch", "feed", "--once", "--interval", "0", "--profile", "special.toml"],
        ] {
            says(&ended(&mut command(&sandbox, arguments)), 1, &["special.toml", &said]);
        }
        // A folder of Parquet files is a panel, so a folder is not refused there.
        if kind != "a folder" {
            let panel = ["regress", "--panel", "special.toml", "--formula", "y ~ x"];
            let run = ended(&mut command(&sandbox, panel));
            says(&run, 1, &["special.toml is a pipe or a device", "write it to a file first"]);
        }
        sandbox.options("supply = \"../special.toml\"\n");
        says(&ended(&mut command(&sandbox, ["ingest", "feed"])), 1, &["special.toml", &said]);
        take_away(&sandbox.home().join("spillover.toml"));
        put(kind, &sandbox.home().join("spillover.toml"));
        says(&ended(&mut command(&sandbox, ["ingest", "feed"])), 1, &["spillover.toml", &said]);
    }
}

#[test]
fn a_file_of_the_feed_is_a_regular_file_or_refused_named_or_found_in_a_folder() {
    for kind in KINDS {
        let sandbox = fresh();
        let said = format!("it is {kind}, not a regular file");
        put(kind, &sandbox.feed().join("200002.csv"));
        if kind != "a folder" {
            let run = ended(&mut command(&sandbox, ["ingest", "feed/200002.csv"]));
            says(&run, 3, &["refused: ", "200002.csv", &said]);
        }
        let run = ended(&mut command(&sandbox, ["ingest", "feed"]));
        says(&run, 3, &["refused: ", "200002.csv", &said]);
        assert!(run.stdout.contains("1 files accepted"), "{}", run.stdout);
        let watch = ["watch", "feed", "--once", "--interval", "0"];
        let run = ended(&mut command(&sandbox, watch));
        says(&run, 3, &["refused: ", "200002.csv", &said]);
    }
}

#[test]
fn what_is_in_the_place_of_a_file_of_the_home_stops_whoever_needs_it_and_nobody_waits() {
    let sandbox = standing();
    for kind in KINDS {
        for name in ["heartbeat.json", "watched.json", "watch.lock"] {
            put(kind, &sandbox.home().join(name));
            let status = ended(&mut command(&sandbox, ["status"]));
            let watch = ["watch", "feed", "--once", "--interval", "0"];
            let watched = ended(&mut command(&sandbox, watch));
            says(&watched, 1, &[name, "move it away"]);
            if name != "watched.json" {
                says(&status, 1, &[&format!("it is {kind}, not a regular file")]);
            }
            take_away(&sandbox.home().join(name));
        }
        let lock = sandbox.home().join("lock");
        fs::remove_file(&lock).expect("the lock");
        put(kind, &lock);
        says(&ended(&mut command(&sandbox, ["snapshot"])), 1, &["lock", "move it away"]);
        take_away(&lock);
        says(&ended(&mut command(&sandbox, ["snapshot"])), 0, &[]);
    }
}

#[test]
fn options_of_more_than_64_mebibytes_are_not_read() {
    let sandbox = fresh();
    let path = sandbox.folder().join("large.toml");
    fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a file full of holes");
    says(&ended(&mut command(&sandbox, ["--config", "large.toml", "status"])), 1, &["64 MiB"]);
}
