//! The grid as text aligned with blanks, and as a pipe table.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::grid::{Grid, Line};

/// Aligns the grid with blanks.
pub fn plain(grid: &Grid) -> String {
    let widths = widths(grid);
    let total: usize = widths.iter().map(|width| width + 2).sum::<usize>() - 2;
    let mut text = String::new();
    if !grid.title.is_empty() {
        let _ = writeln!(text, "{}", grid.title);
    }
    let rule = "─".repeat(total);
    let write = |text: &mut String, line: &Line| match line {
        Line::Rule => {
            let _ = writeln!(text, "{rule}");
        }
        Line::Cells(label, cells) => {
            let blanks = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.width()));
            let mut row = format!("{label}{}", blanks(label, widths[0]));
            for (cell, &width) in cells.iter().zip(&widths[1..]) {
                let _ = write!(row, "  {}{cell}", blanks(cell, width));
            }
            let _ = writeln!(text, "{}", row.trim_end());
        }
    };
    write(&mut text, &Line::Rule);
    grid.header.iter().for_each(|line| write(&mut text, line));
    write(&mut text, &Line::Rule);
    grid.body.iter().for_each(|line| write(&mut text, line));
    write(&mut text, &Line::Rule);
    for note in &grid.notes {
        let _ = writeln!(text, "{note}");
    }
    text
}

/// The widths of the label and each model, in columns of a terminal: a Chinese character takes two.
fn widths(grid: &Grid) -> Vec<usize> {
    let mut widths = vec![0; grid.n_columns() + 1];
    for line in grid.header.iter().chain(&grid.body) {
        let Line::Cells(label, cells) = line else { continue };
        let texts = [label].into_iter().chain(cells);
        for (width, text) in widths.iter_mut().zip(texts) {
            *width = (*width).max(text.width());
        }
    }
    widths
}

/// A pipe table; a header of several lines becomes one with line breaks.
pub fn markdown(grid: &Grid) -> String {
    let mut text = String::new();
    if !grid.title.is_empty() {
        let _ = writeln!(text, "**{}**\n", grid.title);
    }
    let n_columns = grid.n_columns();
    let head = |column: usize| {
        let cells = grid.header.iter().filter_map(|line| match line {
            Line::Cells(label, _) if column == 0 => Some(label.as_str()),
            Line::Cells(_, cells) => cells.get(column - 1).map(String::as_str),
            Line::Rule => None,
        });
        cells.filter(|text| !text.is_empty()).map(escaped).collect::<Vec<_>>().join("<br>")
    };
    let heads: Vec<String> = (0..=n_columns).map(head).collect();
    let _ = writeln!(text, "| {} |", heads.join(" | "));
    let _ = writeln!(text, "|:--|{}", "--:|".repeat(n_columns));
    for line in &grid.body {
        if let Line::Cells(label, cells) = line {
            let cells: Vec<String> =
                [label].into_iter().chain(cells).map(|cell| escaped(cell)).collect();
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
        if matches!(letter, '|' | '*' | '\\' | '`' | '_' | '<') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
