//! Flips a bit on the disk, or cuts a file, at every place. The home gives the right figures or
//! names the damaged file.

use std::fs;
use std::path::Path;
use std::time::Instant;

use spillover::home::{Home, HomeError};

use super::common::Sandbox;
use super::common::n_points;
use super::common::nasty_feed::Random;
use super::small_home::{self, TABLE, files_below, month, named, told};

/// A damage to a file: a flipped bit, or the remaining length.
#[derive(Clone, Copy, Debug)]
pub enum Damage {
    Flip(usize),
    Cut(usize),
}

impl Damage {
    /// All bits, or one random bit in each of `n_flips` equal parts; and all lengths, or `n_cuts`
    /// of them.
    fn all(n_bytes: usize, n_flips: usize, n_cuts: usize, seed: u64) -> Vec<Self> {
        let n_bits = n_bytes * 8;
        let (n_flips, n_cuts) = (n_points(n_flips, n_bits), n_points(n_cuts, n_bytes));
        let mut random = Random::new(seed);
        let mut in_part = |at: usize| {
            let (from, to) = (at * n_bits / n_flips, (at + 1) * n_bits / n_flips);
            from + usize::try_from(random.below((to - from) as u64)).expect("a place in a file")
        };
        let flips = (0..n_flips).map(|at| Self::Flip(in_part(at)));
        flips.chain((0..n_cuts).map(|at| Self::Cut(at * n_bytes / n_cuts))).collect()
    }

    pub fn of(self, whole: &[u8]) -> Vec<u8> {
        let mut damaged = whole.to_vec();
        match self {
            Self::Flip(bit) => damaged[bit / 8] ^= 1 << (bit % 8),
            Self::Cut(length) => damaged.truncate(length),
        }
        damaged
    }
}

/// The results of the damage to the files of a kind, printed as a line of `record/bits.csv`.
#[derive(Default)]
struct Count {
    size_bytes: usize,
    n_flips: usize,
    n_cuts: usize,
    n_harmless: usize,
}

impl Count {
    fn add(&mut self, damage: Damage, is_found: bool) {
        match damage {
            Damage::Flip(_) => self.n_flips += 1,
            Damage::Cut(_) => self.n_cuts += 1,
        }
        self.n_harmless += usize::from(!is_found);
    }

    fn print(&self, kind: &str, began: Instant) {
        let Self { size_bytes, n_flips, n_cuts, n_harmless } = self;
        let (n_found, seconds) = (n_flips + n_cuts - n_harmless, began.elapsed().as_secs());
        println!("{kind},{size_bytes},{n_flips},{n_cuts},{n_found},{n_harmless},0,{seconds}");
    }
}

fn assert_file_is_refused_when_damaged(kind: &str) {
    let sandbox = small_home::home();
    let home = Home::read(&sandbox.home()).expect("a whole home");
    let (began, mut count) = (Instant::now(), Count::default());
    for file in named(&home).into_iter().filter(|file| file.kind == kind) {
        let whole = fs::read(&file.path).expect("a file of the home");
        count.size_bytes += whole.len();
        for damage in Damage::all(whole.len(), 30, 10, 1) {
            fs::write(&file.path, damage.of(&whole)).expect("damaged");
            let what = format!("{}, {damage:?}", file.path.display());
            let error = file.read(&home).expect_err(&what);
            assert!(matches!(error, HomeError::Corrupt { .. }), "{what}: {error}");
            count.add(damage, true);
        }
        fs::write(&file.path, &whole).expect("put back");
        file.read(&home).expect("whole again");
    }
    assert!(count.n_flips > 0, "there are no {kind}");
    count.print(kind, began);
}

#[test]
fn damaged_segments_are_found() {
    assert_file_is_refused_when_damaged("segments");
}

#[test]
fn damaged_runs_are_found() {
    assert_file_is_refused_when_damaged("runs");
}

#[test]
fn damaged_parts_are_found() {
    assert_file_is_refused_when_damaged("parts");
}

#[test]
fn damaged_snapshots_are_found() {
    assert_file_is_refused_when_damaged("snapshots");
}

#[test]
fn damaged_panels_are_found() {
    assert_file_is_refused_when_damaged("panels");
}

#[test]
fn damaged_memories_are_found() {
    assert_file_is_refused_when_damaged("memories");
}

#[test]
fn damaged_sums_of_products_are_found() {
    assert_file_is_refused_when_damaged("goods");
}

#[test]
fn damaged_sums_of_plants_are_found() {
    assert_file_is_refused_when_damaged("plants");
}

/// Damages a file of the database in every way, and checks the answers of the home.
fn assert_found_or_harmless(home: &Path, name: &str, n_flips: usize, n_cuts: usize) -> Count {
    let right = told(home).expect("a whole home");
    let began = Instant::now();
    let file = home.join(name);
    let whole = fs::read(&file).expect("a file of the home");
    let mut count = Count { size_bytes: whole.len(), ..Count::default() };
    for damage in Damage::all(whole.len(), n_flips, n_cuts, 2) {
        fs::write(&file, damage.of(&whole)).expect("damaged");
        let told = told(home);
        if let Err(error) = &told {
            let text = error.to_string();
            let names_it = text.contains(&home.display().to_string());
            assert!(names_it, "{name}, {damage:?}: names no file: {text}");
        }
        assert!(
            told.as_ref().is_ok_and(|told| *told == right) || told.is_err(),
            "{name}, {damage:?}: something else is told"
        );
        let is_cut = matches!(damage, Damage::Cut(_));
        assert!(told.is_err() || !is_cut, "{name}, {damage:?}: not found");
        count.add(damage, told.is_err());
        // The index of the log belongs to the damaged database.
        let _ = fs::remove_file(home.join("manifest.sqlite-shm"));
        fs::write(&file, &whole).expect("put back");
    }
    assert_eq!(told(home).expect("whole again"), right);
    count.print(name, began);
    count
}

#[test]
fn a_damaged_manifest_is_found_or_harmless() {
    let sandbox = small_home::home();
    let count = assert_found_or_harmless(&sandbox.home(), "manifest.sqlite", 600, 40);
    // More than half of the pages of such a small database are unused.
    assert!(count.n_harmless < count.n_flips * 3 / 4, "hardly anything was found");
}

#[test]
fn a_damaged_number_of_acknowledged_transactions_is_found() {
    let sandbox = small_home::home();
    let count = assert_found_or_harmless(&sandbox.home(), "acknowledged", 200, 68);
    assert_eq!(count.n_harmless, 0);
}

/// A reader holds the log, so a commit cannot empty it. The commit is then in the log alone, and
/// the database drops a damaged log without an error.
#[test]
fn a_damaged_log_does_not_take_a_commit_back_in_silence() {
    let sandbox = small_home::home();
    let (home, copy) = (sandbox.home(), sandbox.folder().join("copy"));
    let reader = rusqlite::Connection::open(home.join("manifest.sqlite")).expect("a reader");
    reader.execute_batch("BEGIN; SELECT count(*) FROM files").expect("a view of the database");
    let (name, text) = month(36);
    sandbox.ingest(&[&sandbox.write(&name, text)], 1);
    copy_home(&home, &copy);
    drop(reader);
    let log = fs::metadata(copy.join("manifest.sqlite-wal")).expect("the log");
    assert!(log.len() > 0, "the reader did not hold the log");
    let count = assert_found_or_harmless(&copy, "manifest.sqlite-wal", 400, 50);
    assert_eq!(count.n_harmless, 0);
}

fn copy_home(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).expect("below it"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        fs::copy(&file, &target).expect("copied");
    }
}

/// The test flips a bit of the estimates' inputs. The run reports it, and the estimates are
/// unchanged.
#[test]
fn an_estimation_makes_damaged_panels_and_memories_anew_and_comes_to_the_same() {
    let estimate = |sandbox: &Sandbox| {
        let run = sandbox.run(["estimate", "--again", "--table", TABLE]);
        // The supply file does not exist, so one column fails.
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        (run.stdout, run.stderr)
    };
    let sandbox = small_home::home();
    let home = sandbox.home();
    let (right, _) = estimate(&sandbox);
    let (_, without_damage) = estimate(&sandbox);
    let (mut random, mut n_files) = (Random::new(6), 0);
    for file in named(&Home::read(&home).expect("a whole home")) {
        if !["panels", "memories", "goods"].contains(&file.kind) {
            continue;
        }
        n_files += 1;
        let whole = fs::read(&file.path).expect("a file of the home");
        for _ in 0..n_points(1, 100) {
            let bit = random.below(whole.len() as u64 * 8);
            let damage = Damage::Flip(usize::try_from(bit).expect("a place in a file"));
            fs::write(&file.path, damage.of(&whole)).expect("damaged");
            let what = format!("{}, {damage:?}", file.path.display());
            if file.kind == "goods" {
                // Sums are read when the panel that needs them is computed.
                fs::remove_dir_all(home.join("panel/product")).expect("removed");
            }
            let (shown, said) = estimate(&sandbox);
            assert_eq!(shown, right, "{what}");
            let path = file.path.display().to_string();
            assert!(said.contains("is computed again") && said.contains(&path), "{what}: {said}");
            let (shown, said) = estimate(&sandbox);
            assert_eq!(
                (shown.as_str(), said.as_str()),
                (right.as_str(), without_damage.as_str()),
                "{what}: again"
            );
        }
    }
    assert!(n_files >= 11, "{n_files} files");
}
