//! The grid as a pipe table.

use std::fmt::Write as _;

use super::grid::{Cell, Grid, Line};

/// A pipe table; a header of several lines becomes one with line breaks.
#[must_use]
pub fn table(grid: &Grid) -> String {
    let mut text = String::new();
    if !grid.title.is_empty() {
        let _ = writeln!(text, "**{}**\n", escaped(&grid.title));
    }
    let n_columns = grid.n_columns();
    let head = |column: usize| {
        let cells = grid.header.iter().filter_map(|line| match line {
            Line::Cells(label, _) if column == 0 => Some(label.clone()),
            Line::Cells(_, cells) => cells.get(column - 1).map(Cell::text),
            Line::Rule => None,
        });
        let cells = cells.filter(|text| !text.is_empty()).map(|text| escaped(&text));
        cells.collect::<Vec<_>>().join("<br>")
    };
    let heads: Vec<String> = (0..=n_columns).map(head).collect();
    let _ = writeln!(text, "| {} |", heads.join(" | "));
    let _ = writeln!(text, "|:--|{}", "--:|".repeat(n_columns));
    for line in &grid.body {
        if let Line::Cells(label, cells) = line {
            let cells = cells.iter().map(|cell| escaped(&cell.text()));
            let cells: Vec<String> = std::iter::once(escaped(label)).chain(cells).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    if !grid.notes.is_empty() {
        let notes: Vec<String> = grid.notes.iter().map(|note| escaped(note)).collect();
        let _ = writeln!(text, "\n{}", notes.join("  \n"));
    }
    text
}

/// Escapes characters with a meaning in Markdown.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if matches!(letter, '|' | '*' | '\\' | '`' | '_' | '<' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
