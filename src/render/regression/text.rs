//! The grid as text, aligned with blanks. Numbers are aligned by their decimal points, and other
//! cells are in the middle of their column.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::grid::{Cell, Grid, Line};
use super::wrap::wrapped;

/// The smallest and the largest width of labels that continue on the next line.
const LABELS: (usize, usize) = (24, 44);
/// The largest width of a text in the header.
const HEAD_MAX: usize = 20;
/// The blanks between columns.
const GAP: usize = 2;

/// Writes the grid within a width. Columns that do not fit are in further panels below. A grid
/// without columns is its title and notes.
#[must_use]
pub fn table(grid: &Grid, width: usize) -> String {
    let grid = grid.with_heads_within(HEAD_MAX);
    let labels = lines(&grid).map(|(label, _)| label.width()).max().unwrap_or(0);
    let labels = labels.min((width / 3).clamp(LABELS.0, LABELS.1));
    let columns: Vec<Column> = (0..grid.n_columns()).map(|at| Column::of(&grid, at)).collect();
    let mut text = String::new();
    for line in wrapped(&grid.title, width).iter().filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "{line}");
    }
    if columns.is_empty() {
        grid.notes.iter().flat_map(|note| wrapped(note, width)).for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
        return text;
    }
    let in_panels = in_panels(&columns, width.saturating_sub(labels));
    let (mut start, mut widest) = (0, labels);
    for (panel, n) in grid.panels(&in_panels).iter().zip(&in_panels) {
        let columns = &columns[start..start + n];
        if start > 0 {
            text.push('\n');
        }
        let total = labels + columns.iter().map(|column| column.width() + GAP).sum::<usize>();
        panel_text(&mut text, &panel.with_labels_within(labels), labels, columns);
        (start, widest) = (start + n, widest.max(total));
    }
    for note in &grid.notes {
        for line in wrapped(note, width.min(widest.max(60))) {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

fn panel_text(text: &mut String, panel: &Grid, labels: usize, columns: &[Column]) {
    let total = labels + columns.iter().map(|column| column.width() + GAP).sum::<usize>();
    let rule = "─".repeat(total);
    let mut write = |line: &Line| match line {
        Line::Rule => {
            let _ = writeln!(text, "{rule}");
        }
        Line::Cells(label, cells) => {
            let mut row = format!("{label}{}", blanks(labels.saturating_sub(label.width())));
            for (cell, column) in cells.iter().zip(columns) {
                let _ = write!(row, "{}{}", blanks(GAP), column.placed(cell));
            }
            let _ = writeln!(text, "{}", row.trim_end());
        }
    };
    write(&Line::Rule);
    panel.header.iter().for_each(&mut write);
    write(&Line::Rule);
    panel.body.iter().for_each(&mut write);
    write(&Line::Rule);
}

/// The numbers of columns of panels within a width; a panel has at least one column.
fn in_panels(columns: &[Column], width: usize) -> Vec<usize> {
    let mut panels = vec![0];
    let mut used = 0;
    for column in columns {
        let needed = column.width() + GAP;
        let n = panels.last_mut().expect("it has a panel");
        if *n > 0 && used + needed > width {
            used = needed;
            panels.push(1);
        } else {
            (*n, used) = (*n + 1, used + needed);
        }
    }
    panels
}

/// The widths of a column.
struct Column {
    /// The widest text.
    text: usize,
    /// The widest part of a number up to its decimal point.
    whole: usize,
    /// The widest part from the decimal point on.
    rest: usize,
}

impl Column {
    fn of(grid: &Grid, at: usize) -> Self {
        let mut column = Self { text: 0, whole: 0, rest: 0 };
        for cell in lines(grid).filter_map(|(_, cells)| cells.get(at)) {
            match parts(cell) {
                None => column.text = column.text.max(cell.text().width()),
                Some((whole, rest)) => {
                    column.whole = column.whole.max(whole.width());
                    column.rest = column.rest.max(rest.width());
                }
            }
        }
        column
    }

    fn width(&self) -> usize {
        self.text.max(self.whole + self.rest)
    }

    /// A cell with the width of the column.
    fn placed(&self, cell: &Cell) -> String {
        let (text, before) = match parts(cell) {
            None => {
                let text = cell.text();
                let before = (self.width() - text.width()) / 2;
                (text, before)
            }
            Some((whole, rest)) => {
                let left = (self.width() - self.whole - self.rest) / 2;
                (format!("{whole}{rest}"), left + self.whole - whole.width())
            }
        };
        let after = self.width() - before - text.width();
        format!("{}{text}{}", blanks(before), blanks(after))
    }
}

/// A number in front of its decimal point, and from there on.
fn parts(cell: &Cell) -> Option<(String, String)> {
    let Cell::Number { before, digits, after } = cell else { return None };
    let point = digits.find('.').unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(point);
    Some((format!("{before}{whole}"), format!("{rest}{after}")))
}

fn blanks(n: usize) -> String {
    " ".repeat(n)
}

fn lines(grid: &Grid) -> impl Iterator<Item = (&str, &[Cell])> {
    grid.header.iter().chain(&grid.body).filter_map(|line| match line {
        Line::Cells(label, cells) => Some((label.as_str(), cells.as_slice())),
        Line::Rule => None,
    })
}
