//! `spillover mirror`: the tables of the newest publication as Parquet files, switched as a whole.

#[path = "../common/mod.rs"]
mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use arrow_array::RecordBatch;
use common::{Sandbox, csv_rows, run};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A home of the demo feed up to a month, and the feed's files after it.
fn demo(through: &str) -> (Sandbox, Vec<PathBuf>) {
    let (sandbox, mut later) = (Sandbox::new(), Vec::new());
    for entry in std::fs::read_dir(repository("streams/demo")).expect("the feed") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let is_month = name.starts_with(|first: char| first.is_ascii_digit());
        if is_month && name.as_str() > through {
            later.push(path);
        } else {
            sandbox.write(&name, std::fs::read(&path).expect("a file"));
        }
    }
    later.sort();
    take_in(&sandbox);
    (sandbox, later)
}

fn take_in(sandbox: &Sandbox) {
    let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

fn mirrored(sandbox: &Sandbox) -> String {
    let run = sandbox.run(["mirror", "mirror"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout
}

fn rows(path: &Path) -> Vec<RecordBatch> {
    let file =
        std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    reader.build().expect("rows").map(|batch| batch.expect("a batch")).collect()
}

/// The folders of publications.
fn folders(mirror: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(mirror).expect("the mirror");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "current").collect()
}

#[test]
fn every_table_has_the_rows_of_its_export() {
    let (sandbox, _) = demo("201112.csv");
    let said = mirrored(&sandbox);
    assert!(said.starts_with("publication 4 written to mirror/publication-4-"), "{said}");
    let current = sandbox.folder().join("mirror/current");
    let mut n_rows = 0;
    for table in ["city", "plant", "months", "series"] {
        for year in ["2009", "2010", "2011"] {
            let run = sandbox.run(["export", table, "--year", year, "-o", "rows.parquet"]);
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            let found = rows(&current.join(table).join(format!("{year}.parquet")));
            assert_eq!(found, rows(&sandbox.folder().join("rows.parquet")), "{table} {year}");
            n_rows += found.iter().map(RecordBatch::num_rows).sum::<usize>();
        }
    }
    for table in ["files", "estimates"] {
        let run = sandbox.run(["export", table, "-o", "rows.parquet"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let found = rows(&current.join(format!("{table}.parquet")));
        assert_eq!(found, rows(&sandbox.folder().join("rows.parquet")), "{table}");
        n_rows += found.iter().map(RecordBatch::num_rows).sum::<usize>();
    }
    assert!(n_rows > 5_000, "{n_rows}");
    let description = std::fs::read(current.join("publication.json")).expect("the description");
    let description: serde_json::Value = serde_json::from_slice(&description).expect("JSON");
    assert_eq!((&description["publication"], &description["vintage"]), (&4.into(), &48.into()));
}

#[test]
fn a_new_publication_moves_the_link_and_the_one_before_stays() {
    let (sandbox, later) = demo("201109.csv");
    mirrored(&sandbox);
    let mirror = sandbox.folder().join("mirror");
    let first = std::fs::read_link(mirror.join("current")).expect("a link");
    assert!(mirrored(&sandbox).contains("already"), "nothing is new");
    for path in later {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        sandbox.write(&name, std::fs::read(&path).expect("a file"));
        let before = std::fs::read_link(mirror.join("current")).expect("a link");
        take_in(&sandbox);
        mirrored(&sandbox);
        let now = std::fs::read_link(mirror.join("current")).expect("a link");
        assert_ne!(now, before);
        let there = folders(&mirror);
        assert_eq!(there.len(), 2, "{there:?}");
        assert!(there.iter().any(|name| Path::new(name) == before), "{there:?}");
    }
    assert!(!folders(&mirror).iter().any(|name| Path::new(name) == first));
}

#[test]
fn a_kill_leaves_the_old_publication_or_the_new_one() {
    let (sandbox, later) = demo("201111.csv");
    mirrored(&sandbox);
    let current = sandbox.folder().join("mirror/current");
    let before = std::fs::read_link(&current).expect("a link");
    let name = later[0].file_name().expect("a name").to_string_lossy().into_owned();
    sandbox.write(&name, std::fs::read(&later[0]).expect("a file"));
    take_in(&sandbox);
    let mut n_killed = 0;
    for wait_ms in [0, 20, 60, 120, 250, 400] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
        command.current_dir(sandbox.folder()).arg("--data").arg(sandbox.home());
        command.args(["mirror", "mirror"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        std::thread::sleep(Duration::from_millis(wait_ms));
        let is_over = child.try_wait().expect("a state").is_some();
        child.kill().expect("killed");
        child.wait().expect("ended");
        n_killed += usize::from(!is_over);
        let has_rows = !rows(&current.join("city/2010.parquet")).is_empty();
        assert!(has_rows && current.join("publication.json").is_file());
    }
    assert!(n_killed > 0, "every run was over before it was killed");
    mirrored(&sandbox);
    assert_ne!(std::fs::read_link(&current).expect("a link"), before);
    assert!(folders(&sandbox.folder().join("mirror")).iter().all(|name| !name.starts_with('.')));
}

#[test]
fn something_else_in_place_of_the_link_is_left_alone() {
    let (sandbox, _) = demo("200812.csv");
    let current = sandbox.folder().join("mirror/current");
    std::fs::create_dir_all(&current).expect("a folder");
    std::fs::write(current.join("mine"), "mine").expect("a file");
    let run = sandbox.run(["mirror", "mirror"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(
        run.stderr.contains("is not a link of a mirror; choose an empty folder"),
        "{}",
        run.stderr
    );
    assert_eq!(std::fs::read_to_string(current.join("mine")).expect("the file"), "mine");
    let inside = sandbox.run(["mirror".into(), sandbox.home().join("mirror").into_os_string()]);
    assert_eq!(inside.code, Some(1), "a mirror inside the home: {}", inside.stdout);
}

/// A Python with `DuckDB` and pandas.
fn python() -> Option<PathBuf> {
    let candidates = [repository("target/mirror/bin/python"), PathBuf::from("python3")];
    candidates.into_iter().find(|python| {
        let tried = Command::new(python).args(["-c", "import duckdb, pandas, pyarrow"]).output();
        tried.is_ok_and(|output| output.status.success())
    })
}

/// An amount in cents.
fn cents(amount: &str) -> i64 {
    let (whole, rest) = amount.split_once('.').unwrap_or((amount, "0"));
    let number = |text: &str| text.parse::<i64>().expect("digits");
    100 * number(whole) + number(&format!("{rest:0<2}"))
}

#[test]
fn duckdb_and_pandas_read_every_figure() {
    let Some(python) = python() else {
        let missing = "DuckDB and pandas are missing: run `python3 -m venv target/mirror` and \
                       `target/mirror/bin/pip install duckdb==1.5.6 pandas==3.1.1 pyarrow==26.0.1`";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
        eprintln!("{missing}");
        return;
    };
    let (sandbox, _) = demo("201112.csv");
    mirrored(&sandbox);
    let current = sandbox.folder().join("mirror/current");
    let read = run(Command::new(python).arg(repository("tests/mirror/read.py")).arg(&current));
    assert_eq!(read.code, Some(0), "{}", read.stderr);
    let found: serde_json::Value = serde_json::from_str(&read.stdout).expect("JSON");
    for table in ["city", "plant", "months", "series", "files", "estimates"] {
        let exported = csv_rows(&sandbox.export(table));
        let column = |name| exported[0].iter().position(|own| own == name);
        let growth = column("growth").or(column("local_growth"));
        let value = column("export_value");
        let cells = |at: usize| exported[1..].iter().map(move |row| row[at].as_str());
        for reader in ["duckdb", "pandas"] {
            let of = &found[reader][table];
            assert!(exported.len() > 1, "{table} is empty");
            assert_eq!(of["rows"], exported.len() - 1, "{reader} {table}");
            if let (Some(growth), Some(value)) = (growth, value) {
                // Equal to the last bit, in the order of the key.
                let growth: Vec<Option<f64>> =
                    cells(growth).map(|cell| cell.parse().ok()).collect();
                assert_eq!(of["growth"], serde_json::json!(growth), "{reader} {table}");
                let sum: i64 = cells(value).map(cents).sum();
                assert_eq!(cents(of["value"].as_str().expect("a sum")), sum, "{reader} {table}");
            }
        }
    }
    let types = &found["duckdb"]["city"]["types"];
    assert_eq!(types["export_value"], "DECIMAL(19,2)");
    assert_eq!((&types["growth"], &types["city"]), (&"DOUBLE".into(), &"VARCHAR".into()));
}
