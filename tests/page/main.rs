//! The page in a real Chromium: every view in both languages and themes from 360 to 1920 pixels, by
//! keyboard, with hostile names, and for homes without growth.
//!
//! Needs Chromium, Node and the packages in `tests/page/package.json`. `.ci/run` installs them.
//! `SPILLOVER_SHOTS=FOLDER` keeps screenshots.

#[allow(dead_code, reason = "the tests of the service use the rest")]
#[path = "../serve/client.rs"]
mod client;
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code, reason = "the tests of the service use the rest")]
#[path = "../serve/service.rs"]
mod service;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use common::{HEADER, Sandbox};
use service::Service;

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A program on the path.
fn found(names: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let paths = std::env::split_paths(&folders);
    paths.flat_map(|folder| names.iter().map(move |name| folder.join(name))).find(|at| at.is_file())
}

/// Chromium; fails with the command that installs what is missing.
fn chromium() -> PathBuf {
    assert!(found(&["node"]).is_some(), "node is missing: apt-get install nodejs npm");
    assert!(
        repository("tests/page/node_modules/playwright-core").is_dir(),
        "playwright-core is missing: npm ci --prefix tests/page"
    );
    found(&CHROMIUM).expect("chromium is missing: apt-get install chromium fonts-noto-cjk")
}

/// One browser at a time: several of them starve each other.
static BROWSER: Mutex<()> = Mutex::new(());

/// Runs a check of `check.mjs` on the page of a home; asserts that it checked and found nothing.
fn check(home: &Path, name: &str) {
    let chromium = chromium();
    let _one = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let service = Service::start::<&str>(home, &[]);
    let mut command = Command::new("node");
    command.arg(repository("tests/page/check.mjs")).arg(format!("http://{}/", service.address));
    command.arg(chromium).arg(name);
    if let Some(folder) = std::env::var_os("SPILLOVER_SHOTS") {
        command.arg(folder);
    }
    let output = command.output().expect("node runs");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}:\n{out}{err}");
    let last: serde_json::Value =
        serde_json::from_str(out.lines().last().unwrap_or_default()).expect("a count");
    assert!(last["checked"].as_u64() > Some(0) && last["failures"] == 0, "{out}");
}

/// A rule that holds for several destinations of the demo feed.
const RULES: &str = "[[rule]]\nname = 'growth'\nby = 'country'\nlevel = { beyond = 0.1 }\n";

/// The home of the demo feed, taken in in two steps so that there are two publications; the second
/// one has alerts.
fn demo() -> Sandbox {
    let sandbox = Sandbox::new();
    let demo = repository("streams/demo");
    let last = "201112.csv";
    for entry in std::fs::read_dir(demo).expect("the feed") {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|name| name != last) {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            sandbox.write(&name, std::fs::read(&path).expect("a file"));
        }
    }
    let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let month = std::fs::read(repository("streams/demo").join(last)).expect("a month");
    sandbox.write(last, month);
    std::fs::write(sandbox.home().join("alerts.toml"), RULES).expect("rules");
    let feed = sandbox.feed();
    let run = sandbox.run(["watch".as_ref(), feed.as_os_str(), "--once".as_ref()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = sandbox.run(["estimate", "--table", "3.4", "--leave-one-out"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    sandbox
}

#[test]
fn every_view_looks_right_in_both_languages_and_themes_at_every_width() {
    check(&demo().home(), "looks");
}

#[test]
fn axe_finds_nothing() {
    check(&demo().home(), "axe");
}

#[test]
fn the_keyboard_and_the_search_reach_everything() {
    check(&demo().home(), "keys");
}

#[test]
fn the_first_view_is_small() {
    check(&demo().home(), "weight");
}

#[test]
fn names_from_the_data_are_never_markup() {
    let sandbox = Sandbox::new();
    let hostile = "<img src=x onerror=alert(1)>";
    sandbox.write(
        "cities.csv",
        format!("city,province,area_km2,name,name_en\n4403,44,2000,{hostile},{hostile}\n"),
    );
    sandbox.write(
        "countries.csv",
        format!("country,iso3,name,name_en\n304,DEU,{hostile},{hostile}\n110,HKG,香港,Hong Kong\n"),
    );
    for year in [2000, 2001] {
        for month in 1..=12 {
            let line = |firm: usize| {
                format!(
                    "{year}{month:02},E,44030000{firm:02},{hostile},44039,304,84713000,10,{}\n",
                    100 + firm * month
                )
            };
            let lines: String = (1..=12).map(line).collect();
            sandbox.write(&format!("{year}{month:02}.csv"), format!("{HEADER}\n{lines}"));
        }
    }
    let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    check(&sandbox.home(), "hostile");
}

#[test]
fn a_home_without_growth_says_what_is_missing() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "200801.csv",
        std::fs::read(repository("streams/demo/200801.csv")).expect("a month"),
    );
    for table in ["cities.csv", "countries.csv"] {
        sandbox
            .write(table, std::fs::read(repository("streams/demo").join(table)).expect("a table"));
    }
    let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    check(&sandbox.home(), "empty");
}

#[test]
fn the_charts_library_is_the_one_of_its_recorded_hash() {
    let recorded = std::fs::read_to_string(repository("src/serve/plot/plot.js.sha256"));
    let run = Command::new("sha256sum")
        .arg("plot.js")
        .current_dir(repository("src/serve/page/vendor"))
        .output()
        .expect("sha256sum runs");
    assert_eq!(String::from_utf8_lossy(&run.stdout), recorded.expect("the hash"));
}

#[test]
fn the_centres_of_the_map_are_those_of_the_reference_table() {
    let text = std::fs::read_to_string(repository("src/serve/page/centres.json"));
    let centres: Vec<serde_json::Value> =
        serde_json::from_str(&text.expect("the centres")).expect("JSON");
    let table = repository("streams/reference/cities.csv");
    let mut rows = csv::Reader::from_path(table).expect("the table");
    let header = rows.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|own| own == name).expect("a column");
    let [city, lat, lon] = ["city", "lat", "lon"].map(at);
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    assert!(rows.len() > 300 && rows.len() == centres.len());
    for (row, centre) in rows.iter().zip(&centres) {
        assert_eq!(row[city], *centre["city"].as_str().expect("a code"));
        for (text, field) in [(&row[lat], "lat"), (&row[lon], "lon")] {
            assert_eq!(text.parse::<f64>().ok(), centre[field].as_f64(), "{}", &row[city]);
        }
    }
}
