//! Grids in a layout: the one place that knows all writers.

use super::grid::Grid;
use super::{html, latex, markdown, text};
use crate::render::style::Style;

/// The format of a laid-out table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Text, aligned with blanks.
    Text,
    /// A pipe table.
    Markdown,
    /// A `table` with `booktabs` rules and `siunitx` columns.
    Latex,
    /// A page with a `table` element.
    Html,
}

/// Writes tables as one document.
#[must_use]
pub fn document(grids: &[Grid], layout: Layout, style: &Style) -> String {
    let grids: Vec<Grid> = grids.iter().map(Grid::visible).collect();
    let each =
        |table: &dyn Fn(&Grid) -> String| grids.iter().map(table).collect::<Vec<_>>().join("\n");
    match layout {
        Layout::Text => each(&|grid| text::table(grid, style.width)),
        Layout::Markdown => each(&markdown::table),
        Layout::Latex => format!("{}{}", latex::preamble(style.language), each(&latex::table)),
        Layout::Html => html::page(&grids),
    }
}
