//! The rejected lines of refused files: `export rejects --refused`.

use super::*;

const GOOD: &str = "200801,E,3100000001,plain,11011,301,84713000,10,1.00\n";
const BAD: &str = "200801,E,3100000001,plain,11011,301,84713000,10,x\n";

/// The rejected lines of refused files.
fn refused(sandbox: &Sandbox) -> Vec<String> {
    let run = sandbox.run(["export", "rejects", "--refused"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout.lines().skip(1).map(str::to_owned).collect()
}

fn with_month(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("200801.csv", format!("{HEADER}\n{text}"));
    sandbox
}

#[test]
fn the_rejected_lines_of_a_refused_file_stay_until_the_file_is_accepted() {
    let sandbox = with_month(&format!("{GOOD}{BAD}"));
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("; see `export rejects --refused`"), "{}", run.stderr);
    let raw = BAD.trim_end();
    let row = format!("200801.csv,3,value_usd,number,\"{raw}\"");
    assert_eq!(refused(&sandbox), std::slice::from_ref(&row));
    // Another file of the month does not touch them, nor does a restart or the same refusal.
    ingest(&sandbox);
    assert_eq!(refused(&sandbox), [row]);
    // The next version is refused for other lines.
    sandbox.write("200801.csv", format!("{HEADER}\n{BAD}{GOOD}"));
    ingest(&sandbox);
    assert_eq!(refused(&sandbox), [format!("200801.csv,2,value_usd,number,\"{raw}\"")]);
    sandbox.write("200801.csv", format!("{HEADER}\n{GOOD}"));
    taken_in(&sandbox);
    assert_eq!(refused(&sandbox), [""; 0]);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_file_that_is_refused_for_a_finding_keeps_its_rejects_too() {
    let sandbox = with_month(GOOD);
    taken_in(&sandbox);
    sandbox.options("max_rejected_share = 0.9\n[findings]\nrefuse = [\"late_share\"]\n");
    let late = format!("{HEADER}\n{GOOD}{GOOD}{BAD}");
    sandbox.write("200802.csv", late);
    let run = ingest(&sandbox);
    assert!(run.stderr.contains("late_share"), "{}", run.stderr);
    assert_eq!(refused(&sandbox).len(), 1);
    assert_eq!(rows(&sandbox, "rejects", &["line"]), [""; 0]);
}

#[test]
fn the_kept_lines_are_bounded_and_the_command_says_so() {
    let long = BAD.replace("plain", &"plain".repeat(180));
    let sandbox = with_month(&long.repeat(6_000));
    assert_eq!(ingest(&sandbox).code, Some(3));
    let run = sandbox.run(["export", "rejects", "--refused"]);
    let n_kept = run.stdout.lines().count() - 1;
    assert!((3_000..6_000).contains(&n_kept), "{n_kept}");
    let said = format!("200801.csv: the first {n_kept} of 6000 rejected lines are kept");
    assert!(run.stderr.contains(&said), "{}", run.stderr);
    // The newest refused files stay.
    for month in 1..=33 {
        let name = format!("2008{:02}{}.csv", month % 12 + 1, "abc".repeat(month));
        sandbox.write(&name, format!("{HEADER}\n{BAD}"));
    }
    ingest(&sandbox);
    assert_eq!(refused(&sandbox).len(), 32);
}

#[test]
fn the_option_is_of_one_table() {
    let sandbox = with_month(GOOD);
    taken_in(&sandbox);
    let run = sandbox.run(["export", "city", "--refused"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("write `export rejects --refused`"), "{}", run.stderr);
}
