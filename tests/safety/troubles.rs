//! System errors are reported with their cause and remedy: a limit, a permission.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::common::nasty_feed::{CITIES, NastyFeed};
use super::common::{Run, Sandbox, run};
use super::{regress_with_effects, says, standing};

/// The user `nobody`, on every system.
const NOBODY: u32 = 65_534;

/// Runs the binary as a user bound by permissions: as `nobody` if the tests run as root.
fn bound(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    bound_on("home", sandbox, arguments)
}

fn bound_on(data: &str, sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let binary = sandbox.folder().join("spillover");
    if !binary.exists() {
        fs::hard_link(env!("CARGO_BIN_EXE_spillover"), &binary)
            .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_spillover"), &binary).map(drop))
            .expect("the binary where anybody can run it");
    }
    fs::set_permissions(sandbox.folder(), Permissions::from_mode(0o755)).expect("passable");
    let mut command = Command::new(binary);
    command.current_dir(sandbox.folder()).args(["--data", data]).args(arguments);
    if fs::metadata(sandbox.folder()).expect("the folder").uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    run(&mut command)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("permissions");
}

#[test]
fn a_missing_permission_is_told_with_whose_it_is() {
    let sandbox = standing();
    let home = sandbox.home();
    set_mode(&sandbox.folder().join("home"), 0o000);
    for arguments in [
        &["status"][..],
        &["export", "city"],
        &["verify"],
        &["ingest", "feed"],
        &["watch", "feed", "--once", "--interval", "0"],
    ] {
        let run = bound(&sandbox, arguments);
        says(&run, 1, &["home belongs to ", "(mode 0000)", "this process runs as ", "the owner"]);
        for wrong in ["restore it from a copy", "rebuild", "ingest a feed first"] {
            assert!(!run.stderr.contains(wrong), "{arguments:?} advises {wrong}: {}", run.stderr);
        }
    }
    set_mode(&home, 0o755);
    set_mode(&home.join("acknowledged"), 0o644);
    for name in ["manifest.sqlite", "acknowledged"] {
        let file = home.join(name);
        let before = fs::metadata(&file).expect("the file").mode();
        set_mode(&file, 0o000);
        let run = bound(&sandbox, &["status"]);
        says(&run, 1, &[name, "belongs to ", "(mode 0000)", "this process runs as "]);
        set_mode(&file, before);
    }
}

#[test]
fn a_feed_or_an_output_without_permission_says_whose_is_missing() {
    let sandbox = standing();
    let closed = sandbox.folder().join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::write(closed.join("cities.csv"), CITIES).expect("a table");
    fs::write(closed.join("options.toml"), "").expect("options");
    set_mode(&closed, 0o000);
    let run = bound_on("other", &sandbox, &["ingest", "closed"]);
    says(&run, 1, &["closed belongs to ", "(mode 0000)", "this process runs as "]);
    let run = bound(&sandbox, &["--config", "closed/options.toml", "status"]);
    says(&run, 1, &["closed belongs to ", "(mode 0000)"]);
    let panel = ["regress", "--panel", "closed/panel.csv", "--formula", "y ~ x"];
    says(&bound(&sandbox, &panel), 1, &["closed belongs to ", "(mode 0000)"]);
    set_mode(&closed, 0o555);
    fs::write(sandbox.folder().join("panel.csv"), "y,x,g\n1,1,a\n2,3,a\n2,2,b\n4,5,b\n9,1,b\n")
        .expect("a panel");
    let run = bound(&sandbox, &regress_with_effects("closed/effects.csv"));
    says(&run, 1, &["cannot write closed/effects.csv", "closed belongs to ", "(mode 0555)"]);
    set_mode(&closed, 0o755);
}

/// Runs the binary in a shell that sets a limit first.
fn limited(limit: &str, sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let script = format!("{limit}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_spillover"), "--data", "home"]);
    run(command.args(arguments).current_dir(sandbox.folder()))
}

#[test]
fn a_process_without_descriptors_says_so_and_how_to_raise_the_limit() {
    for n_descriptors in [4, 5, 6, 8, 10, 12] {
        for begun in [false, true] {
            let sandbox = if begun { standing() } else { Sandbox::new() };
            if !begun {
                sandbox.write("cities.csv", CITIES);
            }
            let (name, text) = NastyFeed::new(29, 27).files().last().expect("a month");
            sandbox.write(&name, text);
            let limit = format!("ulimit -n {n_descriptors}");
            for arguments in [&["ingest", "feed"][..], &["status"], &["export", "city"]] {
                let run = limited(&limit, &sandbox, arguments);
                let is_not_begun = ["there is no spillover home", "the home has no file yet"]
                    .iter()
                    .any(|told| run.stderr.contains(told));
                // With enough descriptors, it accepts the file or rejects its lines.
                if run.code != Some(1) || (is_not_begun && arguments != ["ingest", "feed"]) {
                    continue;
                }
                let how = format!("{limit}, {arguments:?}, begun {begun}: {}", run.stderr);
                assert!(run.stderr.contains("has reached its limit of open files"), "{how}");
                assert!(run.stderr.contains("ulimit -n 1024"), "{how}");
                for wrong in ["check the disk", "integrity_check", "restore it from a copy"] {
                    assert!(!run.stderr.contains(wrong), "{how}");
                }
            }
        }
    }
}

#[test]
fn a_write_past_the_limit_of_file_sizes_is_an_error_and_no_signal_ends_the_process() {
    let sandbox = standing();
    let run = limited("ulimit -f 1", &sandbox, &["export", "city", "-o", "city.csv"]);
    says(&run, 1, &["cannot write"]);
    assert!(!sandbox.folder().join("city.csv").exists());
    let (name, text) = NastyFeed::new(29, 27).files().last().expect("a month");
    sandbox.write(&name, text);
    let run = limited("ulimit -f 1", &sandbox, &["ingest", "feed"]);
    says(&run, 1, &["ulimit -f"]);
    says(&sandbox.run(["ingest", "feed"]), 0, &[]);
}
