//! The script `tests/faults/run` finds wrongly exported figures, and faults that never happen.

use std::process::Command;

#[test]
fn the_script_finds_wrong_exports_and_faults_that_never_happen() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/run");
    let mut command = Command::new("python3");
    command.args([script, "--self-test", "--binary", env!("CARGO_BIN_EXE_spillover")]);
    let ended = command.output().expect("python3 starts: install Python 3.9 or later");
    let [stdout, stderr] =
        [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(ended.status.success(), "{stdout}{stderr}");
    assert!(stdout.ends_with("self-test: 8 checks, 0 failed\n"), "{stdout}{stderr}");
}
