//! The grid as a LaTeX `table`; it needs the package `booktabs`.

use std::fmt::Write as _;

use super::grid::{Grid, Line};

/// A floating table with its caption above and its notes below.
pub fn table(grid: &Grid) -> String {
    let n_columns = grid.n_columns();
    let mut text = String::from("\\begin{table}\n\\centering\n");
    if !grid.title.is_empty() {
        let _ = writeln!(text, "\\caption{{{}}}", escaped(&grid.title));
    }
    let _ = writeln!(text, "\\begin{{tabular}}{{l{}}}\n\\toprule", "r".repeat(n_columns));
    grid.header.iter().for_each(|line| write_line(&mut text, line));
    text.push_str("\\midrule\n");
    grid.body.iter().for_each(|line| write_line(&mut text, line));
    text.push_str("\\bottomrule\n\\end{tabular}\n");
    if !grid.notes.is_empty() {
        text.push_str("\\par\\smallskip\n\\begin{minipage}{\\linewidth}\\footnotesize\n");
        let notes: Vec<String> = grid.notes.iter().map(|note| escaped(note)).collect();
        let _ = writeln!(text, "{}", notes.join("\\\\\n"));
        text.push_str("\\end{minipage}\n");
    }
    text.push_str("\\end{table}\n");
    text
}

fn write_line(text: &mut String, line: &Line) {
    let _ = match line {
        Line::Rule => writeln!(text, "\\midrule"),
        Line::Cells(label, cells) => {
            let cells: Vec<String> =
                [label].into_iter().chain(cells).map(|cell| escaped(cell)).collect();
            writeln!(text, "{} \\\\", cells.join(" & "))
        }
    };
}

/// Escapes characters with a meaning in LaTeX; stars become superscripts.
fn escaped(text: &str) -> String {
    let stars = text.trim_end_matches('*');
    let n_stars = text.len() - stars.len();
    let mut escaped = String::new();
    let mut letters = stars.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '^' => escaped.push_str("\\^{}"),
            '~' => escaped.push_str("\\~{}"),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '<' => escaped.push_str("$<$"),
            '>' => escaped.push_str("$>$"),
            '*' => {
                let mut n_stars = 1;
                while letters.next_if_eq(&'*').is_some() {
                    n_stars += 1;
                }
                let _ = write!(escaped, "$^{{{}}}$", "*".repeat(n_stars));
            }
            _ => escaped.push(letter),
        }
    }
    if let Some(number) = escaped.strip_prefix('-').filter(|rest| !rest.is_empty()) {
        escaped = format!("$-${number}");
    }
    if n_stars > 0 {
        let _ = write!(escaped, "$^{{{}}}$", "*".repeat(n_stars));
    }
    escaped
}
