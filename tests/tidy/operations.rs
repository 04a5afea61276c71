//! OPERATIONS.md quotes the messages of the program, including every refusal.

use super::{assert_none, numbered, root, source, sources};

/// The sources whose messages must all have a row in the document.
const COVERED: &[&str] =
    &["src/home/error.rs", "src/engine/outcome.rs", "src/feed/refused.rs", "src/watch/error.rs"];

/// The messages quoted under "What can go wrong", each as its fixed pieces.
fn quotes() -> Vec<(String, Vec<String>)> {
    let document = source(&root().join("OPERATIONS.md"));
    let start = document.text.find("## What can go wrong").expect("the chapter");
    let n_before = document.text[..start].lines().count();
    let mut quotes = Vec::new();
    for (number, line) in numbered(&document.text[start..]) {
        let cells: Vec<&str> = line.split('|').collect();
        let [_, _, seen, ..] = cells[..] else { continue };
        for quote in seen.split('`').skip(1).step_by(2) {
            // Punctuation between two variable parts belongs to neither.
            let pieces = quote.split('…').map(|piece| piece.trim_matches([' ', ';', ':', ',']));
            let pieces = pieces.map(str::to_owned);
            let pieces = pieces.filter(|piece| piece.chars().any(char::is_alphanumeric));
            quotes.push((document.at(n_before + number), pieces.collect()));
        }
    }
    quotes
}

/// A source as one text, with continued strings joined.
fn unbroken(text: &str) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let line = if whole.ends_with('\\') { line.trim_start() } else { line };
        if whole.ends_with('\\') {
            whole.pop();
        } else {
            whole.push('\n');
        }
        whole.push_str(line);
    }
    whole.replace("\\\"", "\"")
}

/// The texts of `#[error("…")]` in a source.
fn messages(text: &str) -> Vec<&str> {
    let attributes = text.split("#[error(").skip(1).map(|rest| rest.split(")]").next());
    attributes.flatten().filter(|attribute| *attribute != "transparent").collect()
}

#[test]
fn what_the_document_quotes_is_what_the_program_says() {
    let said: String =
        sources(&["src"], &["rs"]).iter().map(|source| unbroken(&source.text)).collect();
    let quotes = quotes();
    assert!(quotes.len() > 40, "only {} quotes found: is the table's form another?", quotes.len());
    let mut violations = Vec::new();
    for (at, pieces) in quotes {
        for piece in pieces.iter().filter(|piece| !said.contains(piece.as_str())) {
            violations.push(format!("{at}: nothing says \"{piece}\""));
        }
    }
    assert_none(&violations, "OPERATIONS.md quotes the program word for word");
}

#[test]
fn every_refusal_has_a_row_in_the_document() {
    let quotes = quotes();
    let (mut n_messages, mut violations) = (0, Vec::new());
    for path in COVERED {
        let text = unbroken(&source(&root().join(path)).text);
        for message in messages(&text) {
            n_messages += 1;
            let has_row = quotes.iter().any(|(_, pieces)| {
                pieces.iter().any(|piece| piece.len() > 4)
                    && pieces.iter().all(|piece| message.contains(piece.as_str()))
            });
            if !has_row {
                violations.push(format!("{path}: {message}"));
            }
        }
    }
    assert_none(&violations, "OPERATIONS.md has a row for every message");
    assert!(n_messages >= 25, "only {n_messages} messages found: is the rule for them broken?");
}
