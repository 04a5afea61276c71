//! A home and a feed in a temporary folder, and runs of the binary on them.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod nasty_feed;
pub mod span_oracle;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The header of the canonical layout.
pub const HEADER: &str = "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd";

/// A folder for a home and a feed, removed on drop.
pub struct Sandbox {
    folder: tempfile::TempDir,
}

/// The result of a run of the binary.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` if a signal ended the run.
    pub code: Option<i32>,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

impl Sandbox {
    /// An empty home and an empty feed.
    pub fn new() -> Self {
        let sandbox = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir(sandbox.feed()).expect("a folder for the feed");
        fs::create_dir(sandbox.home()).expect("a folder for the home");
        sandbox
    }

    /// The engine's home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder of the feed.
    pub fn feed(&self) -> PathBuf {
        self.folder.path().join("feed")
    }

    /// The folder around both.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the feed, and returns its path.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.feed().join(name);
        fs::write(&path, bytes).expect("a file of the feed can be written");
        path
    }

    /// Writes the options file.
    pub fn options(&self, text: &str) {
        fs::write(self.home().join("spillover.toml"), text).expect("options can be written");
    }

    /// Runs the binary on the home.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        run(Command::new(env!("CARGO_BIN_EXE_spillover"))
            .current_dir(self.folder())
            .arg("--data")
            .arg(self.home())
            .args(arguments))
    }

    /// Ingests paths; asserts that no file is refused and no line is rejected.
    pub fn ingest(&self, paths: &[&Path], n_workers: usize) {
        let run = self.run(
            ["ingest", "--workers", &n_workers.to_string()]
                .map(std::ffi::OsString::from)
                .into_iter()
                .chain(paths.iter().map(|path| path.as_os_str().to_owned())),
        );
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }

    /// A table as exported.
    pub fn export(&self, table: &str) -> String {
        let run = self.run(["export", table]);
        assert_eq!(run.code, Some(0), "export {table}: {}", run.stderr);
        run.stdout
    }
}

/// Runs a command to its end; a panic of the program fails the test in any case.
pub fn run(command: &mut Command) -> Run {
    let output = command.stdin(Stdio::null()).output().expect("the binary can be started");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the binary writes UTF-8");
    let run = Run {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    };
    assert!(!run.stderr.contains("panicked"), "it panicked:\n{}", run.stderr);
    run
}

/// The lines of a table in CSV, each a list of fields; the first is the header.
pub fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.expect("exported CSV can be read"));
    rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
}

/// The number of points to try, out of `all`: `SPILLOVER_FAULTS`, a number or `all`, else `smoke`.
pub fn n_points(smoke: usize, all: usize) -> usize {
    let n_points = match std::env::var("SPILLOVER_FAULTS").as_deref() {
        Ok("all") => all,
        Ok(number) => number.parse().expect("SPILLOVER_FAULTS is a number or \"all\""),
        Err(_) => smoke,
    };
    assert!(n_points > 0 && all > 0, "SPILLOVER_FAULTS asks for no points: nothing would be tried");
    n_points.min(all)
}
