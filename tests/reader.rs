//! A reader sees one publication, moves to later ones on request, and refuses a home with a damaged
//! manifest or lost commits.

mod common;

use common::{HEADER, Sandbox};
use spillover::domain::types::{Vintage, Year};
use spillover::home::parts::Table;
use spillover::reader::explain::RowKey;
use spillover::reader::{Reader, Steps};
use spillover::tables::export::Selection;

/// The lines of a month: two cities and a firm in both, for two years.
fn month(period: u32) -> String {
    let line = |firm: &str, region: &str, value: u32| {
        format!("{period},E,{firm},,{region},304,84713000,10,{value}\n")
    };
    let lines = [
        line("3101000001", "31011", 100 + period % 100),
        line("3101000001", "11011", 200 + period % 7),
        line("1101000002", "11011", 300),
    ];
    format!("{HEADER}\n{}", lines.concat())
}

fn take_in(sandbox: &Sandbox, periods: impl IntoIterator<Item = u32>) {
    sandbox.write("cities.csv", "city,province,area_km2\n1101,11,100\n3101,31,400\n");
    let files =
        periods.into_iter().map(|period| sandbox.write(&format!("{period}.csv"), month(period)));
    let files: Vec<_> = files.collect();
    sandbox.ingest(&files.iter().map(AsRef::as_ref).collect::<Vec<_>>(), 1);
}

fn rows(reader: &Reader, table: Table) -> usize {
    let standing = reader.standing(None).expect("the newest state");
    let table = reader.table(&standing, table).expect("a table");
    table.rows(None).map(|year| year.expect("a year").1.num_rows()).sum()
}

#[test]
fn a_reader_stays_at_its_publication_until_it_moves_on() {
    let sandbox = Sandbox::new();
    take_in(&sandbox, 200_001..=200_012);
    let mut reader = Reader::open(&sandbox.home()).expect("a home");
    let before = reader.publication().expect("a publication");
    assert_eq!(rows(&reader, Table::Plant), 0, "the feed's first year has no indicators");
    take_in(&sandbox, 200_101..=200_112);
    assert_eq!(reader.publication().expect("the same one"), before);
    assert_eq!(rows(&reader, Table::Plant), 0);
    assert_eq!(reader.status().expect("a status").files, 12);
    assert!(reader.move_on().expect("the next one"), "there is a newer publication");
    assert_eq!(rows(&reader, Table::Plant), 2);
    assert_eq!(reader.status().expect("a status").files, 24);
    assert!(!reader.move_on().expect("the same one"), "nothing has come since");
    let estimates = reader.estimates(Selection::default()).expect("what was stored");
    assert!(!estimates.is_empty(), "the year that closed was tried");
}

#[test]
fn all_answers_are_about_the_same_state() {
    let sandbox = Sandbox::new();
    take_in(&sandbox, (200_001..=200_012).chain(200_101..=200_112));
    let reader = Reader::open(&sandbox.home()).expect("a home");
    let selection = Selection { year: Some(Year(2001)), as_of: None };
    let (_, files) = reader.files(selection).expect("files");
    assert_eq!(files.num_rows(), 12);
    let rejects = reader.rejects(Selection::default()).expect("rejects");
    assert_eq!(rejects.count(), 0);
    let moves = reader.changes(None, Some(Year(2001))).expect("what moved");
    let new: usize = moves.years().map(|year| year.expect("a year").n_rows_new_and_gone()[0]).sum();
    assert_eq!(new, rows(&reader, Table::City) + rows(&reader, Table::Plant));
    let newest = reader.publication().expect("a publication").1;
    let diff = reader.diff(newest, newest, None).expect("no difference");
    assert_eq!(diff.years().count(), 0);
    let revisions: Vec<_> = reader.revisions(Steps::Last(1), 3).expect("steps").collect();
    assert_eq!(revisions.len(), 1);
    let key = |firm: &str| RowKey {
        firm: firm.to_owned(),
        city: "3101".to_owned(),
        country: "304".to_owned(),
        year: Year(2001),
    };
    let explanation = reader.explain(&key("3101000001")).expect("a row");
    assert!(explanation.checks.iter().all(|check| check.adds_up));
    reader.explain(&key("1101000002")).expect_err("a firm with one plant has no row");
    for vintage in [0, newest.0 + 1] {
        let error = reader.standing(Some(Vintage(vintage))).err().expect("no such vintage");
        assert!(error.to_string().starts_with("there is no vintage"), "{error}");
    }
}

#[test]
fn a_home_that_lacks_acknowledged_commits_is_refused_when_a_reader_moves_on() {
    let sandbox = Sandbox::new();
    take_in(&sandbox, 200_001..=200_012);
    let mut reader = Reader::open(&sandbox.home()).expect("a home");
    let number = 1_000_u64;
    let hash = blake3::hash(&number.to_le_bytes()).to_hex();
    let path = sandbox.home().join("acknowledged");
    std::fs::write(&path, format!("{number} {hash}\n")).expect("another number");
    let error = reader.move_on().expect_err("it lacks commits that were acknowledged");
    assert!(error.to_string().contains("1000"), "{error}");
}

/// Both tables as rows.
fn tables(reader: &Reader) -> Vec<arrow_array::RecordBatch> {
    let standing = reader.standing(None).expect("the newest state");
    let years = [Table::City, Table::Plant].into_iter().flat_map(|table| {
        let table = reader.table(&standing, table).expect("a table");
        table.rows(None).map(|year| year.expect("a year").1).collect::<Vec<_>>()
    });
    years.collect()
}

#[test]
fn what_a_reader_reads_stays_while_the_home_is_compacted() {
    let sandbox = Sandbox::new();
    take_in(&sandbox, (200_001..=200_012).chain(200_101..=200_112));
    // Late records of the closed year, one file each.
    for (place, period) in (200_201..=200_206).enumerate() {
        let late = format!("200106,E,3101000001,,31011,304,84713000,10,{}\n", 1000 + place);
        let path = sandbox.write(&format!("{period}.csv"), month(period) + &late);
        sandbox.ingest(&[&path], 1);
    }
    let mut reader = Reader::open(&sandbox.home()).expect("a home");
    let before = tables(&reader);
    let run = sandbox.run(["compact"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(tables(&reader) == before, "its files are there as long as it reads");
    sandbox.options("retention = 1\n");
    assert_eq!(sandbox.run(["compact"]).code, Some(0));
    assert!(tables(&reader) == before);
    reader.move_on().expect("the newest commit");
    assert!(tables(&reader) == before, "compaction changes no figure");
    drop(reader);
    assert_eq!(sandbox.run(["compact"]).code, Some(0));
    let reader = Reader::open(&sandbox.home()).expect("a home");
    assert!(tables(&reader) == before);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

/// Restores a backup into a new home, and returns its tables after `verify` finds no damage.
fn restored(sandbox: &Sandbox, backup: &std::path::Path, name: &str) -> Vec<String> {
    let home = sandbox.folder().join(name);
    let on = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_spillover"));
        common::run(command.arg("--data").arg(&home).args(arguments))
    };
    let run = on(&["restore", backup.to_str().expect("UTF-8")]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = on(&["verify"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    ["city", "plant", "files", "estimates"].map(|table| on(&["export", table]).stdout).to_vec()
}

#[test]
fn a_backup_taken_while_a_writer_works_is_one_publication_and_restores_to_the_same_home() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []\n");
    take_in(&sandbox, 200_001..=200_012);
    let backups: Vec<_> = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for period in 200_101..=200_112 {
                take_in(&sandbox, [period]);
            }
        });
        let mut backups = Vec::new();
        while !writer.is_finished() {
            let to = sandbox.folder().join(format!("backup-{}", backups.len()));
            let run = sandbox.run(["backup", to.to_str().expect("UTF-8")]);
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            backups.push(to);
        }
        backups
    });
    assert!(!backups.is_empty());
    for (at, backup) in backups.iter().enumerate() {
        let tables = restored(&sandbox, backup, &format!("restored-{at}"));
        let n_files = common::csv_rows(&tables[2]).len() - 1;
        let vintage = n_files.to_string();
        let then = ["city", "plant"]
            .map(|table| sandbox.run(["export", table, "--vintage", &vintage]).stdout);
        assert!(then[..] == tables[..2], "the state of vintage {vintage}");
    }
    let last = sandbox.folder().join("last");
    sandbox.run(["backup", last.to_str().expect("UTF-8")]);
    let now = ["city", "plant", "files", "estimates"].map(|table| sandbox.export(table));
    assert!(restored(&sandbox, &last, "restored-last")[..] == now[..]);
    let options = std::fs::read_to_string(last.join("spillover.toml")).expect("the options");
    assert_eq!(options, "estimate = []\n");
}

/// The files of a folder of a home.
fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .flat_map(|entry| {
            let path = entry.expect("an entry").path();
            if path.is_dir() { files_below(&path) } else { vec![path] }
        })
        .collect()
}

#[test]
fn a_backup_of_damaged_records_is_refused_and_leaves_nothing_and_a_spare_file_is_left_out() {
    let sandbox = Sandbox::new();
    take_in(&sandbox, (200_001..=200_012).chain(200_101..=200_112));
    let to = sandbox.folder().join("backup");
    let backup = || sandbox.run(["backup", to.to_str().expect("UTF-8")]);
    let flip = |path: &std::path::Path| {
        let mut bytes = std::fs::read(path).expect("a file");
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        std::fs::write(path, bytes).expect("damaged");
    };
    let snapshot = files_below(&sandbox.home().join("snapshots")).remove(0);
    flip(&snapshot);
    let run = backup();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("not copied: snapshots/"), "{}", run.stderr);
    let run = backup();
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains("is not an empty folder"), "{}", run.stderr);
    std::fs::remove_dir_all(&to).expect("removed");
    for folder in ["segments", "published"] {
        let file = files_below(&sandbox.home().join(folder)).remove(0);
        flip(&file);
        let run = backup();
        assert_eq!(run.code, Some(1), "{folder}: {}", run.stdout);
        let name = file.file_name().expect("a name").to_str().expect("UTF-8");
        assert!(run.stderr.contains(name) && run.stderr.contains("damaged"), "{}", run.stderr);
        assert!(!to.exists(), "nothing is left of it");
        flip(&file);
    }
    let inside = sandbox.home().join("backup");
    let run = sandbox.run(["backup", inside.to_str().expect("UTF-8")]);
    assert!(run.code == Some(1) && run.stderr.contains("is inside the home"), "{}", run.stderr);
    let run = sandbox.run(["restore", to.to_str().expect("UTF-8")]);
    assert!(run.code == Some(1), "{}", run.stdout);
}
