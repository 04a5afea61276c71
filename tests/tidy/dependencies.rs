//! Dependencies obey deny.toml, with or without an installed cargo-deny.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use super::{assert_none, root, run, source};

/// The crates of a build for this machine with their licences, from cargo.
fn dependencies() -> Vec<(String, String)> {
    let version = run(Command::new("rustc").arg("-vV"));
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let arguments =
        ["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform"];
    let output = run(Command::new(env!("CARGO")).args(arguments).arg(host).current_dir(root()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
    packages.iter().map(|package| (text(&package["name"]), text(&package["license"]))).collect()
}

/// True if a licence expression can be satisfied with licences of a list.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let mut spaced = String::new();
    for letter in expression.chars() {
        match letter {
            '(' | ')' => write!(spaced, " {letter} ").expect("memory does not fail"),
            '/' => spaced.push_str(" OR "),
            _ => spaced.push(letter),
        }
    }
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (value, rest) = any_of(&words, allowed);
    value && rest.is_empty()
}

/// Parses `a OR b`, with each side an `a AND b`: returns whether it is satisfied, and the rest.
fn any_of<'w>(words: &'w [&'w str], allowed: &BTreeSet<&str>) -> (bool, &'w [&'w str]) {
    let (mut value, mut rest) = all_of(words, allowed);
    while let Some((&"OR", after)) = rest.split_first() {
        let (other, after) = all_of(after, allowed);
        (value, rest) = (value || other, after);
    }
    (value, rest)
}

fn all_of<'w>(words: &'w [&'w str], allowed: &BTreeSet<&str>) -> (bool, &'w [&'w str]) {
    let (mut value, mut rest) = licence(words, allowed);
    while let Some((&"AND", after)) = rest.split_first() {
        let (other, after) = licence(after, allowed);
        (value, rest) = (value && other, after);
    }
    (value, rest)
}

fn licence<'w>(words: &'w [&'w str], allowed: &BTreeSet<&str>) -> (bool, &'w [&'w str]) {
    match words {
        ["(", inside @ ..] => {
            let (value, rest) = any_of(inside, allowed);
            (value, rest.strip_prefix(&[")"]).unwrap_or(&["unclosed"]))
        }
        [name, "WITH", exception, rest @ ..] => {
            (allowed.contains(format!("{name} WITH {exception}").as_str()), rest)
        }
        [name, rest @ ..] => (allowed.contains(name), rest),
        [] => (false, &[]),
    }
}

#[test]
fn dependencies_are_of_allowed_licences_crates_and_sources() {
    let deny: toml::Table =
        source(&root().join("deny.toml")).text.parse().expect("deny.toml is TOML");
    let allowed = deny["licenses"]["allow"].as_array().expect("a list");
    let allowed: BTreeSet<&str> = allowed.iter().filter_map(toml::Value::as_str).collect();
    let banned = deny["bans"]["deny"].as_array().expect("a list");
    let banned: BTreeSet<&str> = banned.iter().filter_map(|ban| ban["crate"].as_str()).collect();
    let clarified: BTreeMap<&str, &str> = deny["licenses"]["clarify"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|of| Some((of["crate"].as_str()?, of["expression"].as_str()?)))
        .collect();
    let mut violations = Vec::new();
    for (name, licence) in dependencies() {
        let by_file = clarified.get(name.as_str()).filter(|_| licence.is_empty());
        let licence = by_file.map_or(licence, |expression| (*expression).to_owned());
        if !is_allowed(&licence, &allowed) {
            violations.push(format!("{name}: {licence}"));
        }
    }
    let lock: toml::Table = source(&root().join("Cargo.lock")).text.parse().expect("a lock file");
    for package in lock["package"].as_array().expect("a list") {
        let name = package["name"].as_str().expect("a name");
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        let from = package.get("source").and_then(toml::Value::as_str);
        if banned.contains(name) || from.is_some_and(|from| from != registry) {
            violations.push(format!("{name} from {from:?} is not allowed"));
        }
    }
    assert_none(&violations, "dependencies are as deny.toml has it");
}

#[test]
fn licence_expressions_are_read_as_they_are_meant() {
    let allowed = BTreeSet::from(["MIT", "Unicode-3.0"]);
    for satisfied in ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR MIT", "(GPL-3.0 OR MIT) AND Unicode-3.0"] {
        assert!(is_allowed(satisfied, &allowed), "{satisfied}");
    }
    for unsatisfied in ["", "GPL-3.0", "MIT AND GPL-3.0", "MIT WITH exception", "(MIT", "MIT MIT"] {
        assert!(!is_allowed(unsatisfied, &allowed), "{unsatisfied}");
    }
}
