//! A home is for its owner alone, for any umask; planted links in it are not followed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::common::nasty_feed::{CITIES, NastyFeed};
use super::common::{Run, Sandbox, run};
use super::{says, standing};

/// Runs the binary under a umask.
fn under(umask: &str, sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let script = format!("umask {umask}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_spillover"), "--data", "home"]);
    run(command.args(arguments).current_dir(sandbox.folder()))
}

/// Asserts that only the owner may use the files of a home.
fn assert_private(folder: &Path) {
    let mode = |path: &Path| fs::symlink_metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            assert_private(&path);
        } else if !path.ends_with("spillover.toml") {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

fn feed(sandbox: &Sandbox, n_months: usize) {
    sandbox.write("cities.csv", CITIES);
    for (name, text) in NastyFeed::new(29, 36).files().take(n_months) {
        sandbox.write(&name, text);
    }
}

#[test]
fn a_home_is_for_its_owner_alone_whatever_the_umask_is() {
    for umask in ["000", "022", "277"] {
        let sandbox = Sandbox::new();
        fs::remove_dir(sandbox.home()).expect("no home yet");
        feed(&sandbox, 24);
        says(&under(umask, &sandbox, &["ingest", "feed"]), 0, &[]);
        assert_private(&sandbox.home());
        feed(&sandbox, 36);
        let watch = ["watch", "feed", "--once", "--interval", "0"];
        says(&under(umask, &sandbox, &watch), 0, &[]);
        says(&under(umask, &sandbox, &["estimate", "--table", "3"]), 0, &[]);
        assert_private(&sandbox.home());
    }
}

#[test]
fn an_output_keeps_the_permissions_of_a_new_file() {
    let sandbox = standing();
    says(&under("022", &sandbox, &["export", "city", "-o", "city.csv"]), 0, &[]);
    let mode = fs::metadata(sandbox.folder().join("city.csv")).expect("the file").mode() & 0o777;
    assert_eq!(mode, 0o644);
}

#[test]
fn a_home_that_was_open_to_others_is_closed_by_the_next_writer_and_that_is_said() {
    let sandbox = standing();
    let all =
        |folder: &Path| fs::read_dir(folder).expect("a folder").map(|e| e.expect("one").path());
    for path in all(&sandbox.home()).chain(all(&sandbox.home().join("segments"))) {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("opened");
    }
    fs::set_permissions(sandbox.home(), Permissions::from_mode(0o755)).expect("opened");
    let said = ["open to other users (mode 0755)", "is now private"];
    says(&sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]), 0, &said);
    assert_private(&sandbox.home());
    let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
    assert!(!run.stderr.contains("other users"), "{}", run.stderr);
}

#[test]
fn a_planted_link_is_not_followed() {
    let new = NastyFeed::new(29, 27).files().last().expect("a month");
    for name in [
        "lock",
        "readers",
        "manifest.sqlite-wal",
        "manifest.sqlite-shm",
        "manifest.sqlite-journal",
        "segments",
        "runs",
        "published",
        "memory",
        "panel",
        "snapshots",
        "acknowledged",
        "watch.lock",
        "heartbeat.json",
        "watched.json",
    ] {
        let sandbox = standing();
        sandbox.write(&new.0, &new.1);
        let (victim, link) = (sandbox.folder().join("victim"), sandbox.home().join(name));
        let moved = sandbox.folder().join("moved");
        let _ = fs::rename(&link, &moved);
        fs::create_dir(&victim).expect("a folder");
        fs::write(victim.join("000027.parquet"), "precious").expect("a file");
        let is_folder = moved.is_dir();
        let to = if is_folder { victim.clone() } else { victim.join("000027.parquet") };
        symlink(to, &link).expect("a link");
        for command in [&["ingest", "feed"][..], &["watch", "feed", "--once", "--interval", "0"]] {
            says(&sandbox.run(command), 1, &[name, "links are not followed; move it away"]);
        }
        let left = fs::read(victim.join("000027.parquet")).expect("the victim");
        assert_eq!(left, b"precious", "{name}");
        assert_eq!(fs::read_dir(&victim).expect("the folder").count(), 1, "{name}");
    }
}

#[test]
fn a_link_in_the_place_of_a_draft_goes_and_what_it_leads_to_stays() {
    let new = NastyFeed::new(29, 27).files().last().expect("a month");
    let sandbox = standing();
    sandbox.write(&new.0, &new.1);
    let victim = sandbox.folder().join("victim");
    fs::write(&victim, "precious").expect("a file");
    let drafts = ["acknowledged", "heartbeat.json", "watched.json", "segments/000027.parquet"];
    for name in drafts {
        let draft = sandbox.home().join(format!("{name}.partial"));
        symlink(&victim, draft).expect("a link");
    }
    // The search for leftovers does not follow a link to a folder inside a folder of the home.
    let others = sandbox.folder().join("others");
    fs::create_dir(&others).expect("a folder");
    fs::write(others.join("records.parquet"), "precious").expect("a file");
    symlink(&others, sandbox.home().join("published/city/1999")).expect("a link");
    let watch = ["watch", "feed", "--once", "--interval", "0"];
    says(&sandbox.run(watch), 0, &[]);
    assert_eq!(fs::read(&victim).expect("the victim"), b"precious");
    assert_eq!(fs::read(others.join("records.parquet")).expect("the other"), b"precious");
    assert!(sandbox.home().join("heartbeat.json").is_file());
    assert!(!sandbox.home().join("heartbeat.json").is_symlink());
}
