//! Gives a release binary the commit that it is built from. Other builds have none, because each
//! commit would compile the whole crate again.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // A source archive has no repository; one around the source is not its own.
    let has_commit = is_release && Path::new(".git").exists();
    let commit = has_commit.then(|| git(&["rev-parse", "--short=12", "HEAD"])).flatten();
    let text = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    println!("cargo::rustc-env=SPILLOVER_COMMIT={text}");
    let log = has_commit.then(|| git(&["rev-parse", "--git-path", "logs/HEAD"])).flatten();
    if let Some(log) = log.filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
}

/// The output of a git command; none if there is no git, or it fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
