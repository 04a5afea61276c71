//! The needed records of a file are damaged on the disk. The home names the file. The original file
//! restores the records, or a withdrawal removes them.

use std::fs;
use std::path::PathBuf;

use super::common::nasty_feed::{CITIES, NastyFeed};
use super::common::{Sandbox, csv_rows};

/// A home of `n_months` months; a year that closes saves a snapshot at the end of a run.
fn home(n_months: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.options("estimate = []\n");
    for (name, text) in NastyFeed::new(41, n_months).files() {
        sandbox.write(&name, text);
    }
    sandbox.ingest(&[&sandbox.feed()], 1);
    sandbox
}

fn segment(sandbox: &Sandbox, vintage: usize) -> PathBuf {
    sandbox.home().join(format!("segments/{vintage:06}.parquet"))
}

/// Damages the records of a file: flips a bit or removes the file.
fn damage(sandbox: &Sandbox, vintage: usize, gone: bool) {
    let path = segment(sandbox, vintage);
    if gone {
        return fs::remove_file(path).expect("removed");
    }
    let mut bytes = fs::read(&path).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("damaged");
}

/// Removes the snapshots, like a home that never closed a year.
fn without_snapshots(sandbox: &Sandbox) {
    let folder = sandbox.home().join("snapshots");
    if folder.is_dir() {
        fs::remove_dir_all(folder).expect("removed");
    }
}

fn tables(sandbox: &Sandbox) -> [String; 2] {
    ["city", "plant"].map(|table| sandbox.export(table))
}

fn assert_verified(sandbox: &Sandbox) {
    let run = sandbox.run(["verify"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
}

/// Asserts that all newest figures equal the records, although `verify` reports damaged records of
/// files that no longer count.
fn assert_current(sandbox: &Sandbox) {
    let run = sandbox.run(["verify", "--json"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    let told: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_ne!(told["affected"], "published", "{}", run.stdout);
}

#[test]
fn a_home_with_damaged_records_says_which_file_and_what_to_do_and_is_read_as_before() {
    let sandbox = home(15);
    without_snapshots(&sandbox);
    let right = tables(&sandbox);
    sandbox.options("estimate = []\nclose = \"explicit\"\n");
    damage(&sandbox, 14, false);
    for command in [&["close", "200104"][..], &["snapshot"], &["withdraw", "200005.csv"]] {
        let run = sandbox.run(command);
        assert_eq!(run.code, Some(1), "{command:?}: {}", run.stderr);
        for said in ["200102.csv (vintage 14)", "`ingest`", "`withdraw 200102.csv`", "000014"] {
            assert!(run.stderr.contains(said), "{command:?} does not say {said}: {}", run.stderr);
        }
    }
    assert_eq!(tables(&sandbox), right);
}

#[test]
fn damaged_records_are_put_back_from_the_file_whether_or_not_a_snapshot_is_newer() {
    for (n_months, vintage, gone, newer) in
        [(15, 14, false, false), (15, 3, true, false), (24, 7, false, true), (24, 24, true, true)]
    {
        let sandbox = home(n_months);
        if !newer {
            without_snapshots(&sandbox);
        }
        let (right, bytes) = (tables(&sandbox), fs::read(segment(&sandbox, vintage)));
        damage(&sandbox, vintage, gone);
        let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
        assert_eq!(run.code, Some(0), "{vintage}: {}", run.stderr);
        assert!(run.stderr.contains("were damaged and are restored"), "{vintage}: {}", run.stderr);
        assert_eq!(fs::read(segment(&sandbox, vintage)).ok(), bytes.ok(), "{vintage}");
        assert_eq!(tables(&sandbox), right, "{vintage}");
        assert_verified(&sandbox);
    }
}

#[test]
fn damaged_records_that_do_not_count_any_more_stop_nothing_and_are_told_and_put_back() {
    let sandbox = home(26);
    sandbox.options("estimate = []\nrevision = \"supersede\"\n");
    let month = fs::read_to_string(sandbox.feed().join("200105.csv")).expect("a month");
    let first_half = month.lines().take(month.lines().count() / 2);
    sandbox.write("200105-b.csv", first_half.collect::<Vec<_>>().join("\n"));
    sandbox.ingest(&[&sandbox.feed()], 1);
    let (right, bytes) = (tables(&sandbox), fs::read(segment(&sandbox, 17)));
    damage(&sandbox, 17, false);
    let run = sandbox.run(["verify"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stdout.contains("200105.csv, which no longer count, are"), "{}", run.stdout);
    assert!(!run.stdout.contains("all figures equal those of the records"), "{}", run.stdout);
    assert!(run.stdout.contains("000017.parquet is damaged"), "{}", run.stdout);
    // The snapshot has those records in its sums, which cannot be corrected.
    let run = sandbox.run(["snapshot"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("restored from the segments alone"), "{}", run.stderr);
    assert_eq!(tables(&sandbox), right);
    let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("200105.csv were damaged and are restored"), "{}", run.stderr);
    assert_eq!(fs::read(segment(&sandbox, 17)).ok(), bytes.ok());
    assert_verified(&sandbox);
}

#[test]
fn a_published_table_that_is_damaged_is_made_anew_by_a_rebuild() {
    let sandbox = home(26);
    let right = tables(&sandbox);
    assert!(sandbox.run(["rebuild"]).stdout.contains("nothing to rebuild"));
    fs::remove_dir_all(sandbox.home().join("published/plant/2001")).expect("removed");
    assert_eq!(sandbox.run(["export", "plant"]).code, Some(1));
    let run = sandbox.run(["rebuild"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(tables(&sandbox), right);
    let run = sandbox.run(["verify"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    let said = "no current figure is affected, but vintage";
    assert!(
        run.stdout.contains(said) && run.stdout.contains("cannot be exported"),
        "{}",
        run.stdout
    );
}

/// The files of the published tables, relative to the home, in order.
fn part_files(sandbox: &Sandbox) -> Vec<String> {
    let mut folders = vec![sandbox.home().join("published")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of parts") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let file = path.strip_prefix(sandbox.home()).expect("a file of the home");
                files.push(file.to_str().expect("UTF-8").to_owned());
            }
        }
    }
    files.sort();
    files
}

/// The arguments that explain the first row of the newest year of `plant`.
fn explain_newest(sandbox: &Sandbox) -> Vec<String> {
    let rows = csv_rows(&sandbox.export("plant"));
    let newest = rows[1..].iter().map(|row| &row[0]).max().expect("a row");
    let row = rows.iter().find(|row| row[0] == *newest).expect("a row of the year");
    let key = [("--year", 0), ("--firm", 2), ("--city", 3), ("--country", 4)];
    let key = key.iter().flat_map(|&(name, at)| [name.to_owned(), row[at].clone()]);
    std::iter::once("explain".to_owned()).chain(key).collect()
}

#[test]
fn a_part_that_is_missing_or_damaged_is_named_and_never_costs_rows() {
    let sandbox = home(26);
    let words = |command: &str| command.split(' ').map(str::to_owned).collect();
    let mut commands: Vec<Vec<String>> =
        ["export city", "export plant", "export changes", "diff 24 26", "revisions --last 9"]
            .map(words)
            .to_vec();
    commands.push(explain_newest(&sandbox));
    let right: Vec<_> = commands.iter().map(|command| sandbox.run(command)).collect();
    assert!(right.iter().all(|run| run.code == Some(0) && run.stdout.lines().count() > 3));
    let mut n_refused = vec![0; commands.len()];
    for (n, file) in part_files(&sandbox).iter().enumerate() {
        let path = sandbox.home().join(file);
        let bytes = fs::read(&path).expect("a part");
        fs::remove_file(&path).expect("removed");
        match n % 3 {
            0 => {}
            1 => fs::write(&path, &bytes[..bytes.len() / 2]).expect("cut"),
            _ => fs::write(&path, vec![0; bytes.len()]).expect("damaged"),
        }
        for (at, command) in commands.iter().enumerate() {
            let run = sandbox.run(command);
            if run.code == Some(0) {
                assert_eq!(run.stdout, right[at].stdout, "{command:?} without {file}");
                continue;
            }
            assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{command:?}, {file}");
            let remedy = "restore it from a copy of the home, or run `rebuild`";
            let is_named = run.stderr.contains(file) && run.stderr.contains(remedy);
            assert!(is_named, "{command:?}, {file}: {}", run.stderr);
            n_refused[at] += 1;
        }
        fs::write(&path, bytes).expect("restored");
    }
    assert!(n_refused.iter().all(|n| *n > 0), "{n_refused:?} of {commands:?}");
}

#[test]
fn records_that_do_not_count_any_more_are_read_when_vintages_that_need_them_would_go_and_only_then()
{
    let sandbox = home(26);
    let run = sandbox.run(["withdraw", "200201.csv"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // A reader of the records finds a folder, which is an error but not damage. A restart, which
    // subtracts them from the snapshot, would fail in the same way.
    let records = segment(&sandbox, 25);
    fs::remove_file(&records).expect("removed");
    fs::create_dir(&records).expect("a folder");
    let compact = |retention: &str| {
        sandbox.options(&format!("estimate = []\nretention = {retention}\n"));
        sandbox.run(["compact"])
    };
    for retention in ["99", "\"all\""] {
        let run = compact(retention);
        assert_eq!(run.code, Some(0), "{retention}: {}", run.stderr);
    }
    let run = compact("1");
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("segments/000025.parquet"), "{}", run.stderr);
}

#[test]
fn a_file_of_the_same_name_with_other_bytes_puts_nothing_back() {
    let sandbox = home(15);
    without_snapshots(&sandbox);
    damage(&sandbox, 14, false);
    let other = fs::read_to_string(sandbox.feed().join("200103.csv")).expect("another month");
    let path = sandbox.write("200102.csv", other.replace("200103,", "200102,"));
    let run = sandbox.run(["ingest".as_ref(), path.as_os_str()]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("`withdraw 200102.csv`"), "{}", run.stderr);
}

#[test]
fn a_file_withdrawn_without_its_records_leaves_what_one_withdrawn_with_them_leaves() {
    let (whole, damaged) = (home(26), home(26));
    for gone in [false, true] {
        let (name, vintage) = if gone { ("200201.csv", 25) } else { ("200012.csv", 12) };
        damage(&damaged, vintage, gone);
        for sandbox in [&whole, &damaged] {
            let run = sandbox.run(["withdraw", name]);
            assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
        }
        assert_verified(&whole);
        assert_current(&damaged);
        assert_eq!(tables(&damaged), tables(&whole), "{name}");
    }
    // The remaining home is an ordinary home: the months can be delivered again.
    for sandbox in [&whole, &damaged] {
        let feed = sandbox.feed();
        sandbox.ingest(&[&feed.join("200012.csv"), &feed.join("200201.csv")], 1);
    }
    assert_verified(&whole);
    assert_current(&damaged);
    assert_eq!(tables(&damaged), tables(&whole));
    assert_eq!(damaged.export("files"), whole.export("files"));
}

#[test]
fn several_damaged_files_are_withdrawn_together() {
    let sandbox = home(15);
    without_snapshots(&sandbox);
    damage(&sandbox, 2, false);
    damage(&sandbox, 14, true);
    let alone = sandbox.run(["withdraw", "200002.csv"]);
    assert_eq!(alone.code, Some(1), "{}", alone.stderr);
    assert!(alone.stderr.contains("200102.csv (vintage 14)"), "{}", alone.stderr);
    let both = sandbox.run(["withdraw", "200002.csv", "200102.csv"]);
    assert_eq!(both.code, Some(0), "{}", both.stderr);
    assert_current(&sandbox);
}

#[test]
fn a_year_whose_panel_damaged_records_kept_from_being_made_is_estimated_once_they_are_back() {
    let sandbox = home(35);
    sandbox.options("estimate = [\"4.2\"]\n");
    let whole = fs::read(segment(&sandbox, 3)).expect("a segment");
    damage(&sandbox, 3, false);
    let (name, text) = NastyFeed::new(41, 36).files().last().expect("a December");
    let december = sandbox.write(&name, text);
    sandbox.ingest(&[&december], 1);
    assert!(sandbox.export("estimates").contains("000003.parquet is damaged"));
    fs::write(segment(&sandbox, 3), whole).expect("put back");
    sandbox.ingest(&[&december], 1);
    let estimates = sandbox.export("estimates");
    let newest = estimates.lines().last().expect("an estimate");
    assert!(newest.starts_with("3,4,2,2002,") && !newest.contains("damaged"), "{estimates}");
}
