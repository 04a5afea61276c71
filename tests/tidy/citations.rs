//! Citations of METHODOLOGY.md in the code exist there.

use super::{assert_none, numbered, root, rust, source};

/// The citations in a text after a keyword: labels like `13` or `L1`, and headings in quotes.
fn cited(text: &str) -> Vec<String> {
    let mut labels = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', ',', '–', '-', ':']);
        rest = ["and ", "to ", "or "].iter().find_map(|w| rest.strip_prefix(w)).unwrap_or(rest);
        let ends = [("(", ')'), ("\"", '"')];
        let found =
            ends.iter().find_map(|(open, close)| rest.strip_prefix(open)?.split_once(*close));
        let Some((label, after)) = found else { return labels };
        let is_label = label
            .trim_start_matches(|c: char| c.is_ascii_uppercase())
            .bytes()
            .all(|byte| byte.is_ascii_digit());
        if label.is_empty() || (rest.starts_with('(') && !is_label) {
            return labels;
        }
        labels.push(label.to_owned());
        rest = after;
    }
}

#[test]
fn what_the_code_cites_is_in_the_methodology() {
    let methodology = source(&root().join("METHODOLOGY.md")).text;
    let defined = |label: &str| {
        let equation = format!("**({label})**");
        let heading =
            |line: &str| line.starts_with('#') && line.trim_start_matches('#').trim() == label;
        methodology.matches(&equation).count() + methodology.lines().filter(|l| heading(l)).count()
    };
    let (mut n_cited, mut violations) = (0, Vec::new());
    for source in rust().iter().filter(|source| !source.path.starts_with("tests/tidy/")) {
        // Comments wrap: a citation may continue in the next line.
        let lines = numbered(&source.text).collect::<Vec<_>>();
        for (position, (number, line)) in lines.iter().enumerate() {
            let next = lines.get(position + 1).map_or("", |(_, next)| next);
            let next = next.trim_start().trim_start_matches(['/', '!']);
            let text = format!("{line}{next}");
            for keyword in ["METHODOLOGY", "quations", "quation"] {
                let after = text.match_indices(keyword).filter(|(at, _)| *at < line.len());
                for label in after.flat_map(|(at, _)| cited(&text[at + keyword.len()..])) {
                    n_cited += 1;
                    if defined(&label) != 1 {
                        let n = defined(&label);
                        violations
                            .push(format!("{}: {label} is there {n} times", source.at(*number)));
                    }
                }
            }
        }
    }
    assert_none(&violations, "what the code cites is in METHODOLOGY.md, once");
    assert!(n_cited >= 10, "only {n_cited} citations found: is the rule for finding them broken?");
}

#[test]
fn citations_are_found_in_every_form() {
    assert_eq!(cited(" (13), (14) and (16)."), ["13", "14", "16"]);
    assert_eq!(cited(" (L1)–(L3)"), ["L1", "L3"]);
    assert_eq!(cited(", \"The calendar\"), more"), ["The calendar"]);
    assert_eq!(cited(" of nothing (13)"), [""; 0]);
}
