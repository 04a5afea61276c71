//! The grid as an HTML `table`: plain elements with classes, without style.

use std::fmt::Write as _;

use super::grid::{Grid, Line};

/// A table with a caption, a head, a body for each block between rules, and the notes as its foot.
pub fn table(grid: &Grid) -> String {
    let mut text = String::from("<table class=\"regression\">\n");
    if !grid.title.is_empty() {
        let _ = writeln!(text, "<caption>{}</caption>", escaped(&grid.title));
    }
    text.push_str("<thead>\n");
    for line in &grid.header {
        if let Line::Cells(label, cells) = line {
            let _ = write!(text, "<tr><th>{}</th>", escaped(label));
            for cell in cells {
                let _ = write!(text, "<th scope=\"col\">{}</th>", escaped(cell));
            }
            text.push_str("</tr>\n");
        }
    }
    text.push_str("</thead>\n<tbody>\n");
    for line in &grid.body {
        match line {
            Line::Rule => text.push_str("</tbody>\n<tbody>\n"),
            Line::Cells(label, cells) => {
                let _ = write!(text, "<tr><th scope=\"row\">{}</th>", escaped(label));
                for cell in cells {
                    let _ = write!(text, "<td>{}</td>", raised(cell));
                }
                text.push_str("</tr>\n");
            }
        }
    }
    text.push_str("</tbody>\n");
    if !grid.notes.is_empty() {
        let notes: Vec<String> = grid.notes.iter().map(|note| escaped(note)).collect();
        let span = grid.n_columns() + 1;
        let _ = writeln!(
            text,
            "<tfoot><tr><td colspan=\"{span}\">{}</td></tr></tfoot>",
            notes.join("<br>\n")
        );
    }
    text.push_str("</table>\n");
    text
}

/// A figure with superscript stars.
fn raised(cell: &str) -> String {
    let number = cell.trim_end_matches('*');
    let stars = &cell[number.len()..];
    let stars = if stars.is_empty() { String::new() } else { format!("<sup>{stars}</sup>") };
    format!("{}{stars}", escaped(number))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
