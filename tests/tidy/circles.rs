//! Files import in one direction, inside a stage and between stages.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{circles, imports};
use super::{assert_none, sources};

/// Files that still import each other, with the obstacle. Each circle is listed with all its files:
/// a circle that opens, shrinks or grows fails the test.
const CIRCLES: &[(&[&str], &str)] = &[];

#[test]
fn files_import_in_one_direction() {
    let sources = sources(&["src"], &["rs"]);
    let imports = imports(sources.iter().map(|s| (s.path.as_str(), s.text.as_str())));
    let path = |file: &&str| format!("src/{file}.rs");
    let known: BTreeMap<BTreeSet<String>, &str> =
        CIRCLES.iter().map(|(files, why)| (files.iter().map(path).collect(), *why)).collect();
    let found: BTreeSet<BTreeSet<String>> = circles(&imports).into_iter().collect();
    let mut violations = Vec::new();
    for circle in found.iter().filter(|circle| !known.contains_key(*circle)) {
        violations.push(format!("{} files import each other:", circle.len()));
        for file in circle {
            let own: Vec<&str> = imports[file].intersection(circle).map(String::as_str).collect();
            violations.push(format!("  {file} imports {}", own.join(", ")));
        }
    }
    for (circle, why) in known.iter().filter(|(circle, _)| !found.contains(*circle)) {
        let files: Vec<&str> = circle.iter().map(String::as_str).collect();
        violations.push(format!("{}: no such circle, take it out ({why})", files.join(", ")));
    }
    assert_none(&violations, "files import in one direction");
}
