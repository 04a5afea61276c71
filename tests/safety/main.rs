//! Mistakes and attacks of users on a home: outputs inside it, paths that are not files, killed
//! processes, permissions, limits, and missing names.

#[path = "../common/mod.rs"]
mod common;
mod leftovers;
mod missing;
mod outputs;
mod private;
mod special;
mod troubles;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::nasty_feed::{CITIES, NastyFeed};
use common::{Run, Sandbox};

/// A long deadline: on a busy machine a process may not run for some time.
const DEADLINE: Duration = Duration::from_mins(5);

/// A home of 26 months, published in steps of a year, so that vintages inside a batch are replayed.
fn standing() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.options("estimate = []\n");
    for (name, text) in NastyFeed::new(29, 26).files() {
        sandbox.write(&name, text);
    }
    sandbox.ingest(&[&sandbox.feed()], 1);
    sandbox
}

/// A regression on `panel.csv` that writes its fixed effects.
fn regress_with_effects(path: &str) -> [&str; 7] {
    ["regress", "--panel", "panel.csv", "--formula", "y ~ x | g", "--fixed-effects", path]
}

const BINARY: &str = env!("CARGO_BIN_EXE_spillover");

/// A command of the binary on a sandbox's home, not yet started.
fn command<S: AsRef<std::ffi::OsStr>>(
    sandbox: &Sandbox,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    // `nohup` ignores signals, and what it starts inherits that.
    let mut command = Command::new(if cfg!(target_os = "linux") { "env" } else { BINARY });
    if cfg!(target_os = "linux") {
        command.args(["--default-signal=HUP,INT,TERM", BINARY]);
    }
    command.current_dir(sandbox.folder()).arg("--data").arg(sandbox.home()).args(arguments);
    command
}

/// Runs the binary on another home.
fn run_on<S: AsRef<std::ffi::OsStr>>(
    home: &Path,
    sandbox: &Sandbox,
    arguments: impl IntoIterator<Item = S>,
) -> Run {
    let mut command = Command::new(BINARY);
    common::run(command.current_dir(sandbox.folder()).arg("--data").arg(home).args(arguments))
}

/// Waits until a condition holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < DEADLINE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command that must end by itself.
fn ended(command: &mut Command) -> Run {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let begin = Instant::now();
    while child.try_wait().expect("waited for").is_none() {
        if begin.elapsed() > DEADLINE {
            child.kill().expect("killed");
            panic!("it does not end: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = child.wait().expect("waited for");
    let run = Run { code: status.code(), stdout: all(child.stdout), stderr: all(child.stderr) };
    assert!(!run.stderr.contains("panicked"), "it panicked:\n{}", run.stderr);
    run
}

fn all(from: Option<impl std::io::Read>) -> String {
    let mut text = String::new();
    from.expect("a pipe").read_to_string(&mut text).expect("the binary writes UTF-8");
    text
}

/// Asserts the exit code and the messages of a run.
#[track_caller]
fn says(run: &Run, code: i32, parts: &[&str]) {
    assert_eq!(run.code, Some(code), "{}{}", run.stdout, run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "it does not say {part:?}:\n{}", run.stderr);
    }
}

/// Sends a signal to a process of the test.
fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("kill can be run").success(), "kill {signal}");
}

/// Creates a named pipe.
fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo can be run");
    assert!(made.success(), "mkfifo {}", path.display());
}

/// The files and folders below a folder, each with its bytes.
fn content(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.is_symlink() {
            all.extend(content(&path));
        } else {
            let bytes = fs::read(&path).unwrap_or_default();
            all.push((path, bytes));
        }
    }
    all.sort();
    all
}
