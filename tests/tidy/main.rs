//! Rules for the source, checked on the source: imports of stages and files, places of floats,
//! sizes, citations, commands, dependencies. Every failure names the file and the line.

mod circles;
mod citations;
mod commands;
mod dependencies;
mod imports;
mod operations;
mod reference;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The modules that each module may import, besides itself and the standard library. Upstream comes
/// first: no module may import a lower one.
const LAYERS: &[(&str, &[&str])] = &[
    ("visible", &[]),
    ("toml_text", &[]),
    ("clock", &[]),
    ("files", &[]),
    ("theory", &[]),
    ("estimate", &[]),
    ("domain", &[]),
    ("indicators", &["domain"]),
    ("simulate", &["domain", "files", "theory"]),
    ("feed", &["domain", "toml_text", "files"]),
    ("panel", &["files", "estimate", "domain", "feed"]),
    ("specification", &["estimate", "toml_text"]),
    ("home", &["domain", "clock", "toml_text", "files", "feed"]),
    ("dataflow", &["domain"]),
    ("tables", &["domain", "files", "indicators", "feed", "home"]),
    ("engine", &["domain", "files", "feed", "home", "dataflow", "tables"]),
    ("spans", &["domain", "indicators", "feed", "home", "tables", "engine"]),
    ("check", &["domain", "home", "tables", "engine"]),
    (
        "regressions",
        &[
            "domain",
            "indicators",
            "estimate",
            "specification",
            "feed",
            "home",
            "dataflow",
            "tables",
            "engine",
            "spans",
        ],
    ),
    (
        "effect",
        &[
            "domain",
            "indicators",
            "estimate",
            "specification",
            "home",
            "tables",
            "engine",
            "spans",
            "regressions",
        ],
    ),
    ("watch", &["domain", "clock", "files", "feed", "home", "engine", "spans", "regressions"]),
    (
        "reader",
        &[
            "domain",
            "files",
            "feed",
            "specification",
            "home",
            "tables",
            "engine",
            "spans",
            "check",
            "regressions",
            "effect",
            "watch",
        ],
    ),
    (
        "render",
        &[
            "visible",
            "clock",
            "files",
            "domain",
            "estimate",
            "specification",
            "home",
            "tables",
            "regressions",
            "effect",
            "reader",
        ],
    ),
    ("sinks", &["domain", "home", "tables", "engine", "spans", "effect", "reader", "render"]),
    (
        "alerts",
        &[
            "toml_text",
            "clock",
            "files",
            "estimate",
            "domain",
            "home",
            "tables",
            "engine",
            "spans",
            "effect",
            "watch",
            "reader",
        ],
    ),
    (
        "serve",
        &[
            "clock",
            "files",
            "domain",
            "specification",
            "home",
            "tables",
            "engine",
            "spans",
            "regressions",
            "effect",
            "watch",
            "reader",
            "render",
            "alerts",
        ],
    ),
];

/// Stages in which figures are integers.
const INTEGERS_ONLY: &[&str] = &["domain", "indicators", "feed", "home", "dataflow", "engine"];

/// The exceptions where floats are allowed, with the reason. They take logs, each rounded to fixed
/// point at once, or are not figures.
const FLOATS: &[(&str, &str)] = &[
    ("src/domain/types.rs", "a growth is the difference of two logs, rounded to fixed point"),
    ("src/indicators/affiliate.rs", "a log density, rounded to fixed point"),
    ("src/feed/supply.rs", "a firm's supply, whose log is a column and no sum"),
    ("src/home/options.rs", "that share as an option of a home"),
    ("src/feed/read.rs", "the share of lines that may be rejected"),
    ("src/feed/refused.rs", "that share in a message"),
    ("src/feed/formats/number.rs", "cells of tables that are stored as reals, as text"),
    ("src/feed/formats/stata.rs", "numbers of Stata that stand for times"),
    ("src/engine/open.rs", "that share as an option"),
];

/// The exceptions where files are opened outside `src/files`, with the reason. `src/files` refuses
/// special files and protects the home's files.
const OPENS: &[(&str, &str)] = &[
    ("src/home/durable.rs", "a folder is opened to sync it"),
    ("src/sinks/mirror.rs", "new files in a folder that the program made, outside of any home"),
    ("src/cli/target.rs", "a pipe or a device that the user names as an output"),
    ("src/simulate/files.rs", "a feed is written to a folder that was empty"),
];

const LINES_MAX: usize = 500;
const COLUMNS_MAX: usize = 100;

/// A file of the repository.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Numbered lines of code, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.text).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The number of lines before the tests at the end of the file.
    fn n_lines_without_tests(&self) -> usize {
        let lines: Vec<_> = self.text.lines().collect();
        let tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ");
        lines.windows(2).position(tests).unwrap_or(lines.len())
    }

    fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(position, line)| (position + 1, line))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files in some folders with one of some extensions, in order of path.
fn sources(folders: &[&str], extensions: &[&str]) -> Vec<Source> {
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut paths = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder);
        for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                // The build folder of the fuzzers has no sources.
                folders.extend((!path.ends_with("target")).then_some(path));
            } else if path.extension().is_some_and(|has| extensions.iter().any(|ext| has == *ext)) {
                paths.insert(path);
            }
        }
    }
    assert!(!paths.is_empty(), "no source is below what is searched");
    paths.into_iter().map(|path| source(&path)).collect()
}

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let path = path.strip_prefix(root()).expect("below the root").display().to_string();
    Source { path, text }
}

fn rust() -> Vec<Source> {
    let files = ["src", "tests", "benches"].map(|folder| sources(&[folder], &["rs"]));
    files.into_iter().flatten().collect()
}

fn documents() -> Vec<Source> {
    let folders = [root().to_owned(), root().join("docs")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|has| has == "md"))
        .map(|p| source(&p))
        .collect()
}

fn assert_none(violations: &[String], rule: &str) {
    assert!(violations.is_empty(), "{rule}:\n{}", violations.join("\n"));
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// The module that a file of `src` belongs to.
fn module_of(source: &Source) -> &str {
    let inside = source.path.strip_prefix("src/").expect("a file of src");
    inside.split(['/', '.']).next().expect("a first part")
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The words that follow `prefix` wherever it is a separate word in a line.
fn words_after<'l>(line: &'l str, prefix: &'l str) -> impl Iterator<Item = &'l str> {
    line.match_indices(prefix)
        .filter(|(at, _)| !line[..*at].ends_with(|before| is_word(before) || before == '$'))
        .map(move |(at, _)| {
            let rest = &line[at + prefix.len()..];
            &rest[..rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())]
        })
}

#[test]
fn stages_import_upstream_only() {
    let mut violations = Vec::new();
    let mut upstream = BTreeSet::new();
    for (module, allowed) in LAYERS {
        for import in allowed.iter().filter(|import| !upstream.contains(*import)) {
            violations.push(format!("table: {module} stands above {import}, which it imports"));
        }
        upstream.insert(module);
    }
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    for source in sources(&["src"], &["rs"]) {
        let module = module_of(&source);
        if ["lib", "main", "cli"].contains(&module) {
            continue;
        }
        let Some(allowed) = layers.get(module) else {
            violations.push(format!("{}: {module} has no place in the table", source.path));
            continue;
        };
        for (number, line) in source.code() {
            for import in words_after(line, "crate::") {
                if import != module && !allowed.contains(&import) {
                    violations.push(format!("{}: {module} imports {import}", source.at(number)));
                }
            }
            if line.contains("super::super") {
                violations.push(format!("{}: write crate:: instead", source.at(number)));
            }
        }
    }
    assert_none(&violations, "stages import upstream only");
}

#[test]
fn figures_are_integers_up_to_the_published_tables() {
    let mut violations = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources(&["src"], &["rs"]) {
        let is_test = source.path.ends_with("/tests.rs");
        if is_test || !INTEGERS_ONLY.contains(&module_of(&source)) {
            continue;
        }
        let n_lines = source.n_lines_without_tests();
        for (number, line) in source.code().take_while(|(number, _)| *number <= n_lines) {
            if line.split(|letter| !is_word(letter)).any(|word| word == "f64" || word == "f32") {
                if FLOATS.iter().any(|(path, _)| *path == source.path) {
                    used.insert(source.path.clone());
                } else {
                    violations.push(format!("{}: {}", source.at(number), line.trim()));
                }
            }
        }
    }
    for (path, why) in FLOATS.iter().filter(|(path, _)| !used.contains(*path)) {
        violations.push(format!("{path}: no float left, take out the exception ({why})"));
    }
    assert_none(&violations, "no floats above the published tables");
}

#[test]
fn files_are_opened_in_one_place() {
    let calls = [
        "File::open(",
        "File::create",
        "File::options",
        "OpenOptions",
        "fs::read(",
        "fs::read_to_string(",
        "fs::write(",
        "tempfile::tempdir",
        ".tempdir(",
    ];
    let mut violations = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources(&["src"], &["rs"]) {
        if source.path.ends_with("/tests.rs") || source.path.starts_with("src/files/") {
            continue;
        }
        let n_lines = source.n_lines_without_tests();
        for (number, line) in source.code().take_while(|(number, _)| *number <= n_lines) {
            // A compound document is read from an open file.
            let line = line.replace("CompoundFile::", "");
            if !calls.iter().any(|call| line.contains(call)) {
                continue;
            }
            if OPENS.iter().any(|(path, _)| *path == source.path) {
                used.insert(source.path.clone());
            } else {
                violations.push(format!("{}: {}", source.at(number), line.trim()));
            }
        }
    }
    for (path, why) in OPENS.iter().filter(|(path, _)| !used.contains(*path)) {
        violations.push(format!("{path}: opens no file, take out the exception ({why})"));
    }
    assert_none(&violations, "files are opened by src/files");
}

#[test]
fn files_and_lines_are_short() {
    let mut violations = Vec::new();
    for source in rust() {
        let n_lines = source.n_lines_without_tests();
        if n_lines > LINES_MAX && !source.path.ends_with("/tests.rs") {
            violations.push(format!("{}: {n_lines} lines", source.path));
        }
    }
    let mut files = rust();
    files.extend(sources(&["src", "streams", ".cargo"], &["sql", "toml"]));
    for name in ["Cargo.toml", "clippy.toml", "deny.toml", "rustfmt.toml", ".ci/run"] {
        files.push(source(&root().join(name)));
    }
    for source in &files {
        for (number, line) in numbered(&source.text) {
            let n_columns = line.chars().count();
            if n_columns > COLUMNS_MAX && !line.contains("://") {
                violations.push(format!("{}: {n_columns} columns", source.at(number)));
            }
        }
    }
    assert_none(&violations, "at most 500 lines without tests, at most 100 columns");
}

#[test]
fn nothing_is_left_undone_or_switched_off() {
    let words = [
        concat!("TO", "DO"),
        concat!("to", "do!"),
        concat!("unimpl", "emented!"),
        concat!("db", "g!"),
    ];
    let ignored = concat!("#[", "ignore");
    let mut violations = Vec::new();
    for source in rust() {
        for (number, line) in numbered(&source.text) {
            for word in words.iter().chain([&ignored]).filter(|word| line.contains(**word)) {
                violations.push(format!("{}: {word}", source.at(number)));
            }
        }
    }
    assert_none(&violations, "nothing undone, no test switched off");
}

/// The places where the standard output and the standard error may be named, with the reason.
const STREAMS: &[(&str, &str)] = &[
    ("src/cli/init.rs", "asks on a terminal only"),
    ("src/cli/terminal.rs", "a line for people is made visible there"),
    ("src/cli/target.rs", "tables go out as they are"),
    ("src/cli/table_output.rs", "asks whether it is a terminal"),
];

#[test]
fn what_is_written_for_people_is_written_in_one_place_and_a_line_at_a_time() {
    let streams = ["stdout()", "stderr()", "io::stdout", "io::stderr", " print!(", "eprint!("];
    let (mut used, mut violations) = (BTreeSet::new(), Vec::new());
    for source in sources(&["src"], &["rs"]) {
        let n_lines = source.n_lines_without_tests();
        let code: Vec<_> = source.code().take_while(|(number, _)| *number <= n_lines).collect();
        for (number, line) in &code {
            if streams.iter().any(|stream| line.contains(stream)) {
                if STREAMS.iter().any(|(path, _)| *path == source.path) {
                    used.insert(source.path.clone());
                } else {
                    violations.push(format!("{}: {}", source.at(*number), line.trim()));
                }
            }
        }
        // A text of two lines becomes one with an escape in it.
        let text = code.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        for call in text.split("println!(").skip(1) {
            let format = call.split(");").next().unwrap_or_default();
            if format.contains("\\n") {
                violations.push(format!("{}: two lines in {}", source.path, format.trim()));
            }
        }
        let outside = ["lib", "main", "cli"].contains(&module_of(&source));
        if !outside && text.contains("println!(") {
            violations.push(format!("{}: only the command line prints", source.path));
        }
    }
    for (path, why) in STREAMS.iter().filter(|(path, _)| !used.contains(*path)) {
        violations.push(format!("{path}: names no stream, take out the exception ({why})"));
    }
    assert_none(&violations, "println! and eprintln! of src/main.rs write one visible line");
}
