//! Temporary figures do not outlast the process: a signal removes them, and after a kill the next
//! start does.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::common::{Sandbox, run};
use super::{command, pipe, says, send, standing, until};

/// A command in a separate temporary folder, which keeps its figures until a reader opens its pipe.
struct Held<'a> {
    sandbox: &'a Sandbox,
    temporary: PathBuf,
    child: Child,
}

impl<'a> Held<'a> {
    fn start(sandbox: &'a Sandbox, arguments: &[&str]) -> Self {
        let temporary = sandbox.folder().join("tmp");
        fs::create_dir_all(&temporary).expect("a temporary folder");
        let mut command = command(sandbox, arguments);
        command.env("TMPDIR", &temporary).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).spawn().expect("the binary can be started");
        Self { sandbox, temporary, child }
    }

    /// Waits until the command has written figures to its folder.
    fn until_it_has_figures(&mut self) {
        let temporary = self.temporary.clone();
        let child = &mut self.child;
        until("figures in a temporary folder", || {
            assert!(child.try_wait().expect("waited for").is_none(), "it ended too early");
            has_figures(&temporary)
        });
    }
}

impl Drop for Held<'_> {
    /// A failing test leaves no process behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        assert!(self.sandbox.home().is_dir());
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn has_figures(folder: &Path) -> bool {
    entries(folder).iter().any(|path| {
        path.is_dir() && (path.join("published").is_dir() || path.join("home").is_dir())
    })
}

/// Replays whose output has no reader, so that they keep their folder.
const REPLAYS: [&[&str]; 2] =
    [&["export", "plant", "--vintage", "18", "-o", "pipe"], &["diff", "17", "18", "-o", "pipe"]];

#[test]
fn a_signal_removes_what_a_command_computed_for_a_while_and_ends_it() {
    let sandbox = standing();
    pipe(&sandbox.folder().join("pipe"));
    let demo: &[&str] = &["demo"];
    for (signal, number) in [("-HUP", 1), ("-INT", 2), ("-TERM", 15)] {
        for arguments in REPLAYS.iter().chain([&demo]) {
            let mut held = Held::start(&sandbox, arguments);
            held.until_it_has_figures();
            for path in entries(&held.temporary) {
                let mode = path.metadata().expect("it is there").mode() & 0o777;
                assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{path:?}");
            }
            send(signal, &held.child);
            let status = held.child.wait().expect("it ends");
            let code = status.code().or(status.signal().map(|signal| 128 + signal));
            assert_eq!(code, Some(128 + number), "{signal} {arguments:?}");
            let left = entries(&held.temporary);
            assert!(left.is_empty(), "{signal} {arguments:?}: {left:?}");
        }
    }
}

#[test]
fn a_signal_that_the_process_was_started_to_ignore_stays_ignored() {
    let sandbox = standing();
    let fifo = sandbox.folder().join("pipe");
    pipe(&fifo);
    let temporary = sandbox.folder().join("tmp");
    fs::create_dir(&temporary).expect("a temporary folder");
    let script = "trap '' HUP; exec \"$0\" --data home export plant --vintage 18 -o pipe";
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_spillover")])
        .current_dir(sandbox.folder())
        .env("TMPDIR", &temporary)
        .spawn()
        .expect("a shell");
    until("figures", || has_figures(&temporary));
    send("-HUP", &child);
    let rows = fs::read_to_string(&fifo).expect("what it writes");
    assert!(rows.starts_with("year,months,firm"), "{rows}");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(entries(&temporary).is_empty());
}

#[test]
fn what_a_kill_leaves_the_next_start_removes_and_nothing_of_a_living_process() {
    let sandbox = standing();
    pipe(&sandbox.folder().join("pipe"));
    let mut killed = Held::start(&sandbox, REPLAYS[0]);
    killed.until_it_has_figures();
    killed.child.kill().expect("killed");
    killed.child.wait().expect("it ends");
    assert!(has_figures(&killed.temporary), "a kill leaves them");
    let others = sandbox.folder().join("others");
    fs::create_dir(&others).expect("a folder");
    fs::write(others.join("precious"), "").expect("a file");
    // Names that only look like leftovers: without a lock, or with a link in place of the folder or
    // the lock.
    fs::create_dir(killed.temporary.join("spillover-notes")).expect("a folder");
    symlink(&others, killed.temporary.join("spillover-link1")).expect("a link");
    fs::write(killed.temporary.join("spillover-link1.lock"), "").expect("a lock");
    symlink(others.join("precious"), killed.temporary.join("spillover-link2.lock"))
        .expect("a link");
    let left = entries(&killed.temporary);
    let living = Held::start(&sandbox, REPLAYS[1]);
    until("a second folder of figures", || {
        let is_new = |path: &PathBuf| !left.contains(path) && path.join("published").is_dir();
        entries(&living.temporary).iter().any(is_new)
    });
    let status = command(&sandbox, ["status"]).env("TMPDIR", &living.temporary).output();
    assert!(status.expect("it runs").status.success());
    assert!(has_figures(&living.temporary), "the living process keeps its own");
    assert!(others.join("precious").is_file());
    assert!(living.temporary.join("spillover-notes").is_dir());
    let temporary = living.temporary.clone();
    drop(living);
    let status = command(&sandbox, ["status"]).env("TMPDIR", &temporary).output();
    assert!(status.expect("it runs").status.success());
    assert!(!has_figures(&temporary));
}

#[test]
fn a_draft_of_an_output_goes_with_its_process() {
    let sandbox = standing();
    let (out, home) = (sandbox.folder().join("out"), sandbox.home());
    fs::create_dir(&out).expect("a folder for outputs");
    // A segment that is a pipe would stop the command, but is refused; a stopped process holds its
    // drafts.
    let drafts = || entries(&out);
    let left = out.join(".city.csv.Ab12Cd.partial");
    fs::write(&left, "what a kill left").expect("a draft");
    let other = out.join(".plant.csv.Ab12Cd.partial");
    fs::write(&other, "of another output").expect("a draft");
    let run = run(command(&sandbox, ["export", "city", "-o", "out/city.csv"]).stdin(Stdio::null()));
    says(&run, 0, &[]);
    let mut found = drafts();
    found.sort();
    assert_eq!(found, [other, out.join("city.csv")]);
    assert!(home.is_dir());
}
