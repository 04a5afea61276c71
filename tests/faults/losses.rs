//! The manifest is damaged, emptied or older than acknowledged: a writer removes no intact file,
//! and no command takes the home for a new one.

use std::fs;

use spillover::home::Home;

use super::bits::Damage;
use super::common::Sandbox;
use super::common::n_points;
use super::common::nasty_feed::{CITIES, NastyFeed, Random};
use super::small_home::{self, month, n_parquet, told};

#[test]
fn a_writer_removes_nothing_from_a_damaged_home() {
    let sandbox = small_home::home();
    let home = sandbox.home();
    let right = told(&home).expect("a whole home");
    let n_files = n_parquet(&home);
    let manifest = home.join("manifest.sqlite");
    let whole = fs::read(&manifest).expect("the manifest");
    let mut random = Random::new(9);
    let (n_points, mut n_refused) = (n_points(60, 4000), 0);
    assert!(n_files > 0, "there is nothing to remove");
    for point in 0..n_points {
        let damage = if point % 4 == 0 {
            Damage::Cut(point * 31 % whole.len())
        } else {
            let bit = random.below(whole.len() as u64 * 8);
            Damage::Flip(usize::try_from(bit).expect("a place in a file"))
        };
        fs::write(&manifest, damage.of(&whole)).expect("damaged");
        let opened = Home::open(&home).map(drop);
        assert_eq!(n_parquet(&home), n_files, "point {point}: {opened:?}");
        n_refused += usize::from(opened.is_err());
        // The table of rejects is checked when it is read, not when the home is opened.
        if let (Ok(()), Ok(text)) = (opened, told(&home)) {
            assert_eq!(text, right, "point {point}");
        }
        for left in ["manifest.sqlite-wal", "manifest.sqlite-shm"] {
            let _ = fs::remove_file(home.join(left));
        }
        fs::write(&manifest, &whole).expect("put back");
    }
    // Every fourth point cuts the file, which is always found.
    assert!(n_refused >= n_points / 4, "only {n_refused} of {n_points} damages are found");
    assert_eq!(told(&home).expect("whole again"), right);
}

#[test]
fn the_manifest_of_another_home_removes_nothing() {
    let sandbox = small_home::home();
    let home = sandbox.home();
    let n_files = n_parquet(&home);
    let other = Sandbox::new();
    other.write("cities.csv", CITIES);
    for (name, text) in NastyFeed::new(3, 2).files() {
        other.write(&name, text);
    }
    other.ingest(&[&other.feed()], 1);
    for name in ["manifest.sqlite", "acknowledged"] {
        fs::copy(other.home().join(name), home.join(name)).expect("put in its place");
    }
    let run = sandbox.run(["snapshot"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert_eq!(n_parquet(&home), n_files);
}

#[test]
fn an_emptied_or_older_manifest_is_a_loss_and_no_new_home() {
    let sandbox = small_home::home();
    let home = sandbox.home();
    let manifest = home.join("manifest.sqlite");
    let older = fs::read(&manifest).expect("the manifest");
    let (name, text) = month(36);
    let next = sandbox.write(&name, text);
    sandbox.ingest(&[&next], 1);
    let n_files = n_parquet(&home);
    for (what, bytes) in [("emptied", &[][..]), ("older", &older[..])] {
        fs::write(&manifest, bytes).expect("replaced");
        for command in [&["export", "city"][..], &["status"], &["ingest", "feed"], &["verify"]] {
            let run = sandbox.run(command);
            assert_eq!(run.code, Some(1), "{what}, {command:?}: {}{}", run.stdout, run.stderr);
            assert!(run.stderr.contains("has lost commits"), "{what}: {}", run.stderr);
        }
        assert_eq!(n_parquet(&home), n_files, "{what}");
    }
    fs::remove_file(&manifest).expect("removed");
    assert_eq!(sandbox.run(["ingest", "feed"]).code, Some(1));
    assert_eq!(n_parquet(&home), n_files);
}
