//! The smallest home with a file of every kind, so that every bit of it can be tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use parquet::file::reader::{FileReader, SerializedFileReader};
use spillover::domain::dictionary::Dictionary;
use spillover::domain::types::{City, Flow, Period};
use spillover::estimate::memory::Memory;
use spillover::home::parts::{Chain, PartKind, Table, read_part};
use spillover::home::runs::{self, RunNumbers};
use spillover::home::segment::{self, Fields};
use spillover::home::{Home, HomeError, Stored, read_panel, snapshot};

use super::common::Sandbox;
use super::common::nasty_feed::{CITIES, NastyFeed, text};

/// The only specification that needs the rows of the plant panel and of the product panel.
pub const TABLE: &str = "6";

/// The files of the home, computed once and written for each test: paths inside the home, and
/// bytes.
static FILES: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let sandbox = made();
    let home = sandbox.home();
    let paths = files_below(&home).into_iter().chain([home.join("spillover.toml")]);
    let file = |path: PathBuf| {
        let bytes = fs::read(&path).expect("a file of the home");
        (path.strip_prefix(&home).expect("below it").to_owned(), bytes)
    };
    paths.map(file).collect()
});

/// The home: three years with late records, rejects, a superseded and a withdrawn file, two
/// snapshots, and the estimates and memories of two years.
pub fn home() -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, bytes) in FILES.iter() {
        let target = sandbox.home().join(path);
        fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        fs::write(target, bytes).expect("laid out");
    }
    sandbox
}

/// A monthly file of the home's feed, from its first month. It has few firms, so that it is small.
pub fn month(at: usize) -> (String, String) {
    let of_few = |line: &&String| ["f00", "f01", "f02", "f03"].iter().any(|f| line.contains(f));
    let (month, lines) = NastyFeed::new(5, at + 1).months.pop().expect("a month");
    let lines: Vec<String> = lines.iter().filter(of_few).cloned().collect();
    (format!("{month}.csv"), text(&lines))
}

fn made() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.options(&format!(
        "estimate = [\"{TABLE}\"]\nrevision = \"supersede\"\nmax_rejected_share = 0.5\n"
    ));
    sandbox.write("cities.csv", CITIES);
    let year = |from: usize| {
        for (name, text) in (from..from + 12).map(month) {
            let rejected =
                if from == 12 { "199901,E,early,early,1101,301,01012100,10,1.00\n" } else { "" };
            sandbox.write(&name, text + rejected);
        }
        let run = sandbox.run(["ingest", "feed"]);
        assert!(matches!(run.code, Some(0 | 3)), "{}", run.stderr);
    };
    year(0);
    year(12);
    let (name, text) = month(13);
    let again = sandbox.write(&name.replace(".csv", "-b.csv"), text);
    sandbox.ingest(&[&again], 1);
    year(24);
    assert_eq!(sandbox.run(["withdraw", "200207.csv"]).code, Some(0));
    let run = sandbox.run(["estimate", "--table", "1"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_of_every_kind(&sandbox.home());
    in_small_pages(&sandbox.home().join("manifest.sqlite"));
    sandbox
}

/// Uses small pages: pages of the usual size are mostly empty in such a small database, and take
/// most of the time.
fn in_small_pages(database: &Path) {
    let database = rusqlite::Connection::open(database).expect("the manifest");
    let setting = |text: &str| database.query_row(text, [], |_| Ok(())).expect("a setting");
    setting("PRAGMA journal_mode = DELETE");
    database.execute_batch("PRAGMA page_size = 512; VACUUM").expect("written anew");
    setting("PRAGMA journal_mode = WAL");
}

fn assert_of_every_kind(home: &Path) {
    let opened = Home::read(home).expect("a whole home");
    let files = opened.files().expect("asked");
    let n_row_groups = files.iter().map(|file| {
        let file = file.segment.open(home).expect("a whole segment");
        SerializedFileReader::new(file).expect("Parquet").metadata().num_row_groups()
    });
    assert!(n_row_groups.max() > Some(1), "no segment has late records apart");
    assert!(files.iter().any(|file| file.superseded_by.is_some()), "no file is superseded");
    for table in [Table::City, Table::Plant] {
        let kinds = opened.parts(table, None).expect("asked").into_iter().map(|part| part.kind);
        let kinds: Vec<PartKind> = kinds.collect();
        assert!(PartKind::ALL.iter().all(|kind| kinds.contains(kind)), "{table:?}: {kinds:?}");
    }
    assert_eq!(opened.snapshots().expect("asked").len(), 2);
    let panels = opened.panels().expect("asked").into_iter().map(|part| part.kind);
    assert_eq!(panels.collect::<BTreeSet<_>>(), ["plant", "product"].map(str::to_owned).into());
    let n_tables = files_below(&home.join("memory")).len();
    let keys = opened.memories().expect("asked");
    let named = keys.iter().map(|key| tables_of(key).len());
    assert_eq!(n_tables, named.sum::<usize>());
    for kind in ["goods", "plants", "memories"] {
        assert!(keys.iter().any(|key| kind_of(key) == kind), "no {kind} are kept");
    }
    let n_rejects = files.iter().map(|file| opened.rejects(file.vintage).expect("asked").len());
    assert!(n_rejects.sum::<usize>() > 0, "no line was rejected");
}

/// A file in the manifest, and the way to read it.
pub struct Named {
    /// The kind: `segments`, `runs`, `parts`, `snapshots`, `panels`, `memories`, `goods` or
    /// `plants`.
    pub kind: &'static str,
    /// The path.
    pub path: PathBuf,
    read: Reading,
}

type Reading = Box<dyn Fn(&Home) -> Result<(), HomeError>>;

impl Named {
    /// Reads the file as the engine does.
    pub fn read(&self, home: &Home) -> Result<(), HomeError> {
        (self.read)(home)
    }
}

/// Every file that the manifest names.
pub fn named(home: &Home) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    let mut add = |kind, path: &str, read| {
        all.push(Named { kind, path: home.folder().join(path), read });
    };
    for file in home.files().expect("asked") {
        let stored = file.segment;
        add(
            "segments",
            &stored.path.clone(),
            Box::new(move |home: &Home| {
                let city = |code: &str| code.parse().ok().map(City);
                segment::read(home.folder(), &stored, Fields::All, &city).map(drop)
            }),
        );
    }
    for stored in home.runs().expect("asked").into_values() {
        add("runs", &stored.path.clone(), Box::new(move |home: &Home| open_run(home, &stored)));
    }
    for table in [Table::City, Table::Plant] {
        let chains = home.chains(table, None).expect("asked").expect("the newest are stored");
        for file in chains.iter().flat_map(Chain::files).cloned() {
            add(
                "parts",
                &file.path.clone(),
                Box::new(move |home: &Home| read_part(home.folder(), &file).map(drop)),
            );
        }
    }
    for kept in home.snapshots().expect("asked") {
        add(
            "snapshots",
            &kept.file.path.clone(),
            Box::new(move |home: &Home| snapshot::open(home.folder(), &kept).map(drop)),
        );
    }
    for part in home.panels().expect("asked") {
        add(
            "panels",
            &part.file.path.clone(),
            Box::new(move |home: &Home| read_panel(home.folder(), &part, None).map(drop)),
        );
    }
    for key in home.memories().expect("asked") {
        let of = blake3::hash(key.as_bytes()).to_hex();
        for &name in tables_of(&key) {
            let begins = format!("{}-{name}-", &of[..16]);
            let below = files_below(&home.folder().join("memory"));
            let is_of = |path: &&PathBuf| path.to_string_lossy().contains(&begins);
            let path = below.iter().find(is_of).expect("a table of the memory");
            let of = key.clone();
            let read = Box::new(move |home: &Home| {
                home.read_memory(&of, name).map(|table| drop(table.expect("it is kept")))
            });
            add(kind_of(&key), &path.to_string_lossy(), read);
        }
    }
    all
}

/// Opens the exports of a run.
fn open_run(home: &Home, run: &Stored) -> Result<(), HomeError> {
    let city_of = |code: &str| code.parse().ok().map(City);
    let mut numbers = RunNumbers {
        firms: Dictionary::default(),
        countries: Dictionary::default(),
        city_of: &city_of,
    };
    let period = |year| Period::new(year, 1).expect("a month");
    let asked = (Flow::Export, &(period(1999)..=period(2010)));
    runs::open(home.folder(), run, asked, &mut numbers).map(drop)
}

/// The kind of a memory: the products of a year, the exports of its plants, or an estimation.
fn kind_of(key: &str) -> &'static str {
    match key.split(' ').next() {
        Some("goods") => "goods",
        Some("plants") => "plants",
        _ => "memories",
    }
}

/// The tables of a memory.
fn tables_of(key: &str) -> &'static [&'static str] {
    match kind_of(key) {
        "goods" => &["relations", "codes", "sums", "made-of"],
        "plants" => &["plants", "cells", "made-of"],
        _ => &Memory::TABLES,
    }
}

/// All query results of the manifest, with the hash of each file that it names.
pub fn told(home: &Path) -> Result<String, HomeError> {
    let opened = Home::read(home)?;
    let files = opened.files()?;
    let parts = [opened.parts(Table::City, None)?, opened.parts(Table::Plant, None)?];
    let rejects = files.iter().map(|file| opened.rejects(file.vintage));
    let rejects = rejects.collect::<Result<Vec<_>, HomeError>>()?;
    let results = (opened.snapshots()?, opened.panels()?, opened.memories()?);
    Ok(format!(
        "{files:?} {parts:?} {rejects:?} {results:?} {:?} {:?} {:?} {:?} {:?}",
        opened.estimates()?,
        opened.definition()?,
        opened.closed()?,
        opened.publications()?,
        opened.first_period()?,
    ))
}

/// The data files of a home without a running process.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
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

/// The number of files of records and rows.
pub fn n_parquet(home: &Path) -> usize {
    files_below(home).iter().filter(|path| path.extension().is_some_and(|e| e == "parquet")).count()
}
