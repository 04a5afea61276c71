//! Hostile names and texts from outside. Output for people has no character that a terminal acts
//! on, and no name forges a line. Output for programs has the same texts to the byte.
#![cfg(unix)]

mod common;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{HEADER, Run, Sandbox, csv_rows, run};

/// Clears the screen, sets the title, moves to another line, reverses and hides the following text.
/// A line that begins with `FORGED` is forged.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\r\u{202e}\u{200b}\u{7f}\u{2028}\nFORGED";
/// The same without a line break, for fields of CSV.
const EVIL_FIELD: &str = "F\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\u{7f}=1";
/// A hostile city and country.
const EVIL_CITY: &str = "1\u{1b}[m";
const EVIL_COUNTRY: &str = "\u{202e}\u{9b}1";

/// True for characters that must not reach a terminal: control characters except the line end,
/// marks of direction, characters without width, line separators.
fn is_hostile(letter: char) -> bool {
    (letter.is_control() && letter != '\n')
        || ('\u{200b}'..='\u{200f}').contains(&letter)
        || ('\u{2028}'..='\u{202e}').contains(&letter)
        || ('\u{2066}'..='\u{2069}').contains(&letter)
        || letter == '\u{feff}'
}

/// Both streams of a run, checked.
fn shown(run: &Run, what: &str) -> String {
    let text = format!("{}\n{}", run.stdout, run.stderr);
    if let Some(letter) = text.chars().find(|letter| is_hostile(*letter)) {
        panic!("{what} writes {letter:?}:\n{text:?}");
    }
    let forged = text.lines().find(|line| line.trim_start().starts_with("FORGED"));
    assert_eq!(forged, None, "{what} lets a line be forged:\n{text}");
    text
}

/// Writes the feed: two years of a firm with plants in two cities, in files with hostile names.
fn feed(sandbox: &Sandbox) -> Vec<PathBuf> {
    // These tables give the valid countries and cities.
    sandbox.write("countries.csv", format!("country,iso3,name\n{EVIL_COUNTRY},,nowhere\n"));
    let cities = format!("city,province,area_km2\n1101,11,100\n{EVIL_CITY},11,50\n");
    sandbox.write("cities.csv", cities);
    let month = |at: u32| format!("{}{:02}", 2000 + at / 12, at % 12 + 1);
    let lines = |period: &str, at: u32| {
        let line = |firm: &str, region: &str| {
            format!("{period},E,{firm},name,{region}9,{EVIL_COUNTRY},84713000,10,{}.00\n", 100 + at)
        };
        let plants = [EVIL_FIELD, "F2"].map(|firm| line(firm, "1101") + &line(firm, EVIL_CITY));
        format!("{HEADER}\n{}", plants.concat())
    };
    (0..24)
        .map(|at| {
            let period = month(at);
            sandbox.write(&format!("{period}-{EVIL}.csv"), lines(&period, at))
        })
        .collect()
}

/// A home with that feed, after a run of the binary without hostile output.
fn home() -> (Sandbox, Vec<PathBuf>) {
    let sandbox = Sandbox::new();
    let files = feed(&sandbox);
    let run = sandbox.run([OsStr::new("ingest"), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    shown(&run, "ingest");
    (sandbox, files)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).expect("a name of text")
}

#[test]
fn what_commands_say_of_a_home_is_visible() {
    let (sandbox, files) = home();
    let row = |firm: &str, year: &str| {
        ["explain", "--firm", firm, "--city", EVIL_CITY, "--country", EVIL_COUNTRY, "--year", year]
            .map(OsString::from)
            .to_vec()
    };
    let explained = sandbox.run(row(EVIL_FIELD, "2001"));
    assert_eq!(explained.code, Some(0), "{}", explained.stderr);
    let text = shown(&explained, "explain");
    assert!(
        text.contains("F\\u{1b}[2J\\u{9b}31m\\u{202e}\\u{200b}\\u{7f}=1 in 1\\u{1b}[m"),
        "{text}"
    );
    let commands: [&[&str]; 14] = [
        &["status"],
        &["revisions"],
        &["verify"],
        &["snapshot"],
        &["close", "200201"],
        &["export", EVIL],
        &["export", "plant", "--year", EVIL],
        &["export", "plant", "-o", EVIL_FIELD],
        &["estimate", "--table", EVIL],
        &["estimate", "--spec", EVIL],
        &["withdraw", EVIL],
        &["regress", "--panel", EVIL, "--formula", "y ~ x"],
        &["regress", "--panel", EVIL, "--formula", EVIL],
        &[EVIL],
    ];
    for command in commands {
        shown(&sandbox.run(command), &format!("{command:?}"));
    }
    for (firm, year) in [(EVIL, "2001"), (EVIL_FIELD, "1999"), (EVIL_FIELD, EVIL)] {
        shown(&sandbox.run(row(firm, year)), "explain of no row");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
    let nowhere = run(command.current_dir(sandbox.folder()).args(["status", "--data", EVIL]));
    assert!(shown(&nowhere, "no home").contains("there is no spillover home at \\u{1b}[2J"));
    let options = sandbox.run(["ingest", "--config", EVIL, "feed"]);
    assert!(shown(&options, "no options").contains("cannot read the options in \\u{1b}[2J"));
    let withdrawn = sandbox.run(["withdraw", file_name(&files[23])]);
    assert_eq!(withdrawn.code, Some(0), "{}", withdrawn.stderr);
    let text = shown(&withdrawn, "withdraw") + &shown(&sandbox.run(["revisions"]), "revisions");
    assert!(text.contains("\\nFORGED.csv (vintage 24)"), "{text}");
    sandbox.options("own_plants = \"exclude\"\n");
    shown(&sandbox.run(["status"]), "status");
    shown(&sandbox.run(["rebuild"]), "rebuild");
}

#[test]
fn what_is_said_of_files_that_are_not_taken_in_is_visible() {
    let (sandbox, files) = home();
    let odd: [(&[u8], &str); 5] = [
        (b"no-month-\x9b\xff\n FORGED.csv", HEADER),
        (b"200201-\x1b[2J\nFORGED.csv", "period,flow\u{1b}[2J\n"),
        (b"200202-\x1b[2J\nFORGED.csv", "\u{1b}[2J\u{202e}"),
        (b"200203-\x1b[2J\nFORGED.csv", ""),
        (b"200204-\xe2\x80\xae.csv.gz", "no gzip"),
    ];
    for (name, text) in odd {
        fs::write(sandbox.feed().join(OsStr::from_bytes(name)), text).expect("a file of the feed");
    }
    // The earlier months are there, with one rejected line; this month has another file.
    let line = format!("200112,E,{EVIL_FIELD},n,11019,{EVIL_COUNTRY},8,10,{EVIL_FIELD}\n");
    sandbox.write(&format!("200112-again-{EVIL}.csv"), format!("{HEADER}\n{line}"));
    let run = sandbox.run([OsStr::new("ingest"), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let text = shown(&run, "ingest");
    assert!(text.matches("refused: ").count() >= 3 && text.contains("skipped"), "{text}");
    sandbox.options("revision = \"append\"\nmax_rejected_share = 1.0\n");
    let run = sandbox.run([OsStr::new("ingest"), sandbox.feed().as_os_str()]);
    assert!(shown(&run, "ingest").contains("lines rejected"), "{}", run.stderr);
    let rejects = csv_rows(&sandbox.export("rejects"));
    assert_eq!(rejects[1][5], line.trim_end(), "tables keep texts as they are");
    for log in ["json", "text"] {
        let watched = sandbox.run([
            OsStr::new("watch"),
            sandbox.feed().as_os_str(),
            OsStr::new("--once"),
            OsStr::new("--interval"),
            OsStr::new("0"),
            OsStr::new("--log"),
            OsStr::new(log),
        ]);
        let text = shown(&watched, "watch");
        assert!(text.contains("refused: "), "{text}");
        if log == "json" {
            let lines = watched.stderr.lines().map(serde_json::from_str::<serde_json::Value>);
            let events: Vec<_> = lines.map(|line| line.expect("JSON")).collect();
            let names = events.iter().filter_map(|event| event["file"].as_str());
            let names: Vec<&str> = names.collect();
            assert!(names.iter().any(|name| name.ends_with(file_name(&files[0]))), "{names:?}");
        }
    }
    shown(&sandbox.run(["status"]), "status beside a heartbeat with hostile errors");
    let json = sandbox.run(["status", "--json"]).stdout;
    let heartbeat: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let error = heartbeat["watcher"]["error"].as_str().expect("the last trouble");
    assert!(error.contains(is_hostile), "it is kept as it was: {error:?}");
    assert!(!json.contains(is_hostile), "{json:?}");
}

#[test]
fn what_is_wrong_with_options_profiles_and_tables_is_visible() {
    let sandbox = Sandbox::new();
    feed(&sandbox);
    let ingest = || sandbox.run([OsStr::new("ingest"), sandbox.feed().as_os_str()]);
    let key = "\"a\\u001b[2J\\u202e\\u009b\\nFORGED\" = 1\n";
    for options in [
        key,
        "close = \"\\u001b[2J\\nFORGED\"",
        "close = \u{1b}[2J\nFORGED",
        "supply = \"\\u001b[2J\\nFORGED\"",
    ] {
        sandbox.options(options);
        let run = ingest();
        assert_eq!(run.code, Some(1), "{options:?}: {}", run.stderr);
        shown(&run, options);
    }
    sandbox.options("");
    for (table, text) in [
        ("feed.toml", key.to_owned()),
        ("feed.toml", "name = \"\\u001b[2J\\nFORGED\"\n".to_owned()),
        ("cities.csv", format!("city,province,area_km2\n1101,11,{EVIL_FIELD}\n")),
        ("cities.csv", format!("city,province,{EVIL_FIELD}\n1101,11,1\n")),
        ("countries.csv", format!("country,{EVIL_FIELD}\n1,2,3,{EVIL_FIELD}\n")),
    ] {
        let there = fs::read(sandbox.feed().join(table)).ok();
        let path = sandbox.write(table, &text);
        let run = ingest();
        assert_eq!(run.code, Some(1), "{table} {text:?}: {}", run.stderr);
        shown(&run, table);
        fs::remove_file(path).expect("the table");
        if let Some(there) = there {
            sandbox.write(table, there);
        }
    }
}

#[test]
fn regressions_of_any_name_are_visible_in_every_layout() {
    let sandbox = Sandbox::new();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo");
    sandbox.ingest(&[&demo], 1);
    let evil = "\\u001b[2J\\u202e\\u009b\\nFORGED";
    let column = |name: &str, formula: &str| {
        format!("[[column]]\nname = \"{name}{evil}\"\nlabel = \"{evil}\"\nformula = '{formula}'\n")
    };
    let specification = format!(
        "title = \"{evil}\"\n{}{}",
        column("a", "ln_export ~ affiliate_growth | plant^year"),
        column("b", "ln_export ~ ln_supply | plant^year"),
    );
    let file = sandbox.write("x\u{1b}[2J\nFORGED.toml", specification);
    for format in ["text", "md", "latex", "html", "json"] {
        let run = sandbox.run([
            OsStr::new("estimate"),
            OsStr::new("--spec"),
            file.as_os_str(),
            OsStr::new("--format"),
            OsStr::new(format),
        ]);
        assert_eq!(run.code, Some(3), "one column lacks data, {format}: {}", run.stderr);
        let text = shown(&run, format);
        assert!(text.contains("[2J") && text.contains("ln\\_supply") | text.contains("ln_supply"));
    }
    let panel = sandbox.write("panel.csv", format!("y,{EVIL_FIELD}\n1,2\n2,1\n"));
    let arguments = [OsStr::new("regress"), OsStr::new("--panel"), panel.as_os_str()];
    let run = sandbox.run(arguments.into_iter().chain(["--formula", "y ~ z"].map(OsStr::new)));
    assert!(shown(&run, "regress").contains("F\\u{1b}[2J"), "{}", run.stderr);
}

#[test]
fn documents_for_programs_hold_texts_to_the_byte() {
    let (sandbox, files) = home();
    let plant = csv_rows(&sandbox.export("plant"));
    let at = |name: &str| plant[0].iter().position(|column| column == name).expect("a column");
    assert!(plant.iter().any(|row| {
        (&*row[at("firm")], &*row[at("city")], &*row[at("country")])
            == (EVIL_FIELD, EVIL_CITY, EVIL_COUNTRY)
    }));
    let names: Vec<String> =
        csv_rows(&sandbox.export("files")).iter().map(|r| r[2].clone()).collect();
    assert_eq!(names[1], file_name(&files[0]));
    let row = ["explain", "--json", "--firm", EVIL_FIELD, "--city", EVIL_CITY, "--country"];
    let run = sandbox.run(row.into_iter().chain([EVIL_COUNTRY, "--year", "2001"]));
    assert!(!run.stdout.contains(is_hostile), "JSON has escapes: {:?}", run.stdout);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!((&json["firm"], &json["city"]), (&EVIL_FIELD.into(), &EVIL_CITY.into()));
}
