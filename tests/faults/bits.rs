//! A bit flips on the disk, or a file is cut short: the home serves what it should, or says which
//! file is damaged, and nothing that is whole is removed.

use std::fs;
use std::path::{Path, PathBuf};

use spillover::archive::parts::Table;
use spillover::archive::{Archive, ArchiveError, Stored};
use spillover::estimate::memory::Memory;

use super::common::Sandbox;
use super::common::nasty_feed::{CITIES, NastyFeed, Random};
use super::n_points;

/// A home with two years, rejects, late records and a superseded file.
fn home() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.options("revision = \"supersede\"\nmax_rejected_share = 0.5\n");
    for (name, text) in NastyFeed::new(5, 14).files() {
        sandbox.write(&name, text + "199901,E,early,early,1101,301,01012100,10,1.00\n");
    }
    assert_eq!(sandbox.run(["ingest", "feed"]).code, Some(3));
    for (name, text) in NastyFeed::new(6, 14).files().skip(12).take(1) {
        let again = sandbox.write(&format!("{}-b.csv", &name[..6]), text);
        sandbox.ingest(&[&again], 1);
    }
    sandbox
}

/// Everything that the archive can be asked for, each file's bytes checked as they are before they
/// are served.
fn served(home: &Path) -> Result<String, ArchiveError> {
    let archive = Archive::read(home)?;
    let files = archive.files()?;
    let parts = [archive.parts(Table::City, None)?, archive.parts(Table::Plant, None)?];
    for file in stored(&archive)? {
        file.open(home)?;
    }
    let rejects = files
        .iter()
        .map(|file| archive.rejects(file.vintage))
        .collect::<Result<Vec<_>, ArchiveError>>()?;
    Ok(format!(
        "{files:?} {parts:?} {rejects:?} {:?} {:?} {:?} {:?} {:?}",
        archive.settings()?,
        archive.references()?,
        archive.closed()?,
        archive.publications()?,
        archive.first_period()?,
    ))
}

/// Every file that the manifest names.
fn stored(archive: &Archive) -> Result<Vec<Stored>, ArchiveError> {
    let segments = archive.files()?.into_iter().map(|file| file.segment);
    let parts =
        archive.parts(Table::City, None)?.into_iter().chain(archive.parts(Table::Plant, None)?);
    let snapshots = archive.snapshots()?.into_iter().map(|snapshot| snapshot.file);
    Ok(segments.chain(parts.map(|part| part.file)).chain(snapshots).collect())
}

/// The files of a home at rest that hold what it knows.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the home") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if !["lock", "spillover.toml", "manifest.sqlite-shm"].contains(&name.as_str()) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// How many files of records and rows there are.
fn n_parquet(home: &Path) -> usize {
    files_below(home).iter().filter(|path| path.extension().is_some_and(|e| e == "parquet")).count()
}

/// Damages a file in a way, looks at the home, and puts the file back.
fn look(home: &Path, file: &Path, damaged: &[u8], whole: &[u8], right: &str, what: &str) -> bool {
    fs::write(file, damaged).expect("damaged");
    let served = served(home);
    let found = match &served {
        Ok(text) => {
            assert!(text == right, "{what}: something else is served");
            false
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(&home.display().to_string()), "{what}: names no file: {text}");
            true
        }
    };
    // The log and its index are of the damaged database.
    for left in ["manifest.sqlite-wal", "manifest.sqlite-shm"] {
        let path = home.join(left);
        if path != file && path.metadata().is_ok_and(|left| left.len() > 0) {
            fs::remove_file(&path).expect("removed");
        }
    }
    fs::write(file, whole).expect("put back");
    found
}

/// The bits to flip of so many: all, or some at random.
fn bits(n_bits: usize, smoke: usize, seed: u64) -> impl Iterator<Item = usize> {
    let n = n_points(smoke, n_bits);
    let mut random = Random::new(seed);
    (0..n).map(move |point| {
        let of = random.below(n_bits as u64);
        if n == n_bits { point } else { usize::try_from(of).expect("a position in a file") }
    })
}

#[test]
fn a_flipped_bit_in_a_segment_or_part_is_found() {
    let sandbox = home();
    let home = sandbox.home();
    let mut n_found = 0;
    for file in stored(&Archive::read(&home).expect("a whole home")).expect("asked") {
        let path = home.join(&file.path);
        let whole = fs::read(&path).expect("a file of the home");
        for bit in bits(whole.len() * 8, 60, 1) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &damaged).expect("damaged");
            let error = file.open(&home).expect_err("a flipped bit");
            assert!(matches!(error, ArchiveError::Corrupt { .. }), "{error}");
            n_found += 1;
        }
        fs::write(&path, &whole).expect("put back");
    }
    println!("{n_found} flipped bits found");
}

#[test]
fn a_flipped_bit_in_a_snapshot_a_panel_or_what_an_estimation_left_is_found() {
    let sandbox = Sandbox::new();
    sandbox.ingest(&[&Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo")], 1);
    let home = sandbox.home();
    let archive = Archive::read(&home).expect("a whole home");
    let keys = archive.memories().expect("asked");
    let n_memories_read = || {
        let names = Memory::TABLES;
        let all = keys.iter().flat_map(|key| names.map(|name| archive.read_memory(key, name)));
        all.filter(|table| matches!(table, Ok(Some(_)))).count()
    };
    let snapshots = archive.snapshots().expect("asked").into_iter().map(|one| one.file);
    let panels = archive.panels().expect("asked").into_iter().map(|one| one.file);
    let stored: Vec<Stored> = snapshots.chain(panels).collect();
    let n_whole = n_memories_read();
    assert!(stored.len() > 3 && n_whole > 10, "{} files, {n_whole} tables", stored.len());
    let below = |name: &str| files_below(&home.join(name));
    let mut n_found = 0;
    for path in [below("snapshots"), below("panel"), below("memory")].concat() {
        let whole = fs::read(&path).expect("a file of the home");
        let file = stored.iter().find(|file| home.join(&file.path) == path);
        for bit in bits(whole.len() * 8, 20, 4) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &damaged).expect("damaged");
            match file {
                Some(file) => drop(file.open(&home).expect_err("a flipped bit")),
                None => assert_eq!(n_memories_read(), n_whole - 1, "{}", path.display()),
            }
            n_found += 1;
        }
        fs::write(&path, &whole).expect("put back");
    }
    println!("{n_found} flipped bits found");
}

#[test]
fn a_flipped_bit_in_the_manifest_is_found_or_harmless() {
    let sandbox = home();
    let home = sandbox.home();
    let right = served(&home).expect("a whole home");
    let (mut n_found, mut n_harmless) = (0, 0);
    for name in ["manifest.sqlite", "acknowledged"] {
        let file = home.join(name);
        let whole = fs::read(&file).expect("a file of the home");
        for bit in bits(whole.len() * 8, 1500, 2) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let what = format!("{name}, bit {bit}");
            if look(&home, &file, &damaged, &whole, &right, &what) {
                n_found += 1;
            } else {
                n_harmless += 1;
            }
        }
    }
    assert_eq!(served(&home).expect("whole again"), right);
    println!("{n_found} flipped bits found, {n_harmless} harmless");
    assert!(n_found > n_harmless / 4);
}

#[test]
fn a_file_cut_short_is_found() {
    let sandbox = home();
    let home = sandbox.home();
    let right = served(&home).expect("a whole home");
    for file in files_below(&home) {
        let whole = fs::read(&file).expect("a file of the home");
        let n = n_points(40, whole.len());
        for point in 0..n {
            let length = if n == whole.len() { point } else { point * whole.len() / n };
            let what = format!("{}, cut at {length}", file.display());
            let found = look(&home, &file, &whole[..length], &whole, &right, &what);
            assert!(found, "{what}: not found");
        }
    }
}

#[test]
fn a_writer_removes_nothing_from_a_damaged_home() {
    let sandbox = home();
    let home = sandbox.home();
    let right = served(&home).expect("a whole home");
    let n_files = n_parquet(&home);
    let manifest = home.join("manifest.sqlite");
    let whole = fs::read(&manifest).expect("the manifest");
    let mut random = Random::new(9);
    for point in 0..n_points(60, 4000) {
        let mut damaged = whole.clone();
        if point % 4 == 0 {
            damaged.truncate(point * 31 % whole.len());
        } else {
            let bit = random.below(whole.len() as u64 * 8);
            let byte = usize::try_from(bit / 8).expect("a position in a file");
            damaged[byte] ^= 1 << (bit % 8);
        }
        fs::write(&manifest, &damaged).expect("damaged");
        let opened = Archive::open(&home).map(drop);
        assert_eq!(n_parquet(&home), n_files, "point {point}: {opened:?}");
        // The table of rejects is checked when it is read, not when the home is opened.
        if let (Ok(()), Ok(text)) = (opened, served(&home)) {
            assert_eq!(text, right, "point {point}");
        }
        for left in ["manifest.sqlite-wal", "manifest.sqlite-shm"] {
            let _ = fs::remove_file(home.join(left));
        }
        fs::write(&manifest, &whole).expect("put back");
    }
    assert_eq!(served(&home).expect("whole again"), right);
}

/// While a reader holds the log, a commit cannot empty it: what is acknowledged stands in the log
/// alone, and a damaged log is cut off in silence by the database.
#[test]
fn a_damaged_log_does_not_take_a_commit_back_in_silence() {
    let sandbox = home();
    let (home, copy) = (sandbox.home(), sandbox.folder().join("copy"));
    let reader = rusqlite::Connection::open(home.join("manifest.sqlite")).expect("a reader");
    reader.execute_batch("BEGIN; SELECT count(*) FROM files").expect("a view of the database");
    let (name, text) = NastyFeed::new(5, 15).files().last().expect("one more month");
    sandbox.ingest(&[&sandbox.write(&name, text)], 1);
    copy_home(&home, &copy);
    drop(reader);
    let log = copy.join("manifest.sqlite-wal");
    let whole = fs::read(&log).expect("the log");
    assert!(!whole.is_empty(), "the reader did not hold the log");
    let manifest = fs::read(copy.join("manifest.sqlite")).expect("the manifest");
    let right = served(&home).expect("a whole home");
    for (point, bit) in bits(whole.len() * 8, 400, 3).enumerate() {
        let mut damaged = whole.clone();
        if point % 8 == 0 {
            damaged.truncate(bit / 8);
        } else {
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
        fs::write(&log, &damaged).expect("damaged");
        match served(&copy) {
            Ok(text) => assert!(text == right, "point {point}: an older state is served"),
            Err(error) => assert!(error.to_string().contains("manifest"), "{error}"),
        }
        let _ = fs::remove_file(copy.join("manifest.sqlite-shm"));
        fs::write(copy.join("manifest.sqlite"), &manifest).expect("put back");
    }
}

fn copy_home(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).expect("below it"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        fs::copy(&file, &target).expect("copied");
    }
}

#[test]
fn an_emptied_or_older_manifest_is_a_loss_and_no_new_home() {
    let sandbox = home();
    let home = sandbox.home();
    let manifest = home.join("manifest.sqlite");
    let older = fs::read(&manifest).expect("the manifest");
    let (name, text) = NastyFeed::new(5, 15).files().last().expect("one more month");
    let next = sandbox.write(&name, text);
    sandbox.ingest(&[&next], 1);
    let n_files = n_parquet(&home);
    for (what, bytes) in [("emptied", &[][..]), ("older", &older[..])] {
        fs::write(&manifest, bytes).expect("replaced");
        for command in [&["export", "city"][..], &["status"], &["ingest", "feed"], &["verify"]] {
            let run = sandbox.run(command);
            assert_eq!(run.code, Some(1), "{what}, {command:?}: {}{}", run.stdout, run.stderr);
            assert!(run.stderr.contains("has lost what was committed"), "{what}: {}", run.stderr);
        }
        assert_eq!(n_parquet(&home), n_files, "{what}");
    }
    fs::remove_file(&manifest).expect("removed");
    assert_eq!(sandbox.run(["ingest", "feed"]).code, Some(1));
    assert_eq!(n_parquet(&home), n_files);
}
