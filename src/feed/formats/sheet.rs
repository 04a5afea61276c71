//! Converts cells of a sheet to rows of one width.

use super::number::Number;
use super::problem::TableProblem;
use super::rows::Rows;

/// The number of first rows that determine a sheet's width.
const ROWS_LOOKED_AT: usize = 1000;
/// The largest number of cells that may wait for the width.
const CELLS_WAITING: usize = 1 << 20;
/// The largest number of columns in any program.
pub(super) const COLUMNS_MAX: usize = 16_384;
/// The largest number of rows in any program.
const ROWS_MAX: u64 = 1 << 20;

/// The content of a cell.
#[derive(Clone)]
pub(super) enum Cell {
    Empty,
    Text(String),
    Number(Number),
    /// An unreadable value, with its visible text.
    Bad(String),
}

/// Receives the cells of a sheet in order and produces rows.
pub(super) struct Sheet<'s, 'r> {
    rows: &'s mut Rows<'r>,
    /// Rows that wait until the width is known.
    waiting: Vec<(u64, Vec<Cell>)>,
    n_waiting: usize,
    width: Option<usize>,
    /// The position of the current row, counted from 0.
    at: u64,
    cells: Vec<Cell>,
}

impl<'s, 'r> Sheet<'s, 'r> {
    pub(super) fn new(rows: &'s mut Rows<'r>) -> Self {
        let (waiting, cells) = (Vec::new(), Vec::new());
        Self { rows, waiting, n_waiting: 0, width: None, at: 0, cells }
    }

    /// Receives the cell of a row and a column, both counted from 0.
    pub(super) fn cell(
        &mut self,
        (row, column): (u32, u32),
        cell: Cell,
    ) -> Result<(), TableProblem> {
        let (row, column) = (u64::from(row), column as usize);
        if row >= ROWS_MAX || column >= COLUMNS_MAX {
            let cause = format!("it has a cell in row {row} and column {column}, past any sheet");
            return Err(TableProblem::damaged(cause));
        }
        if row < self.at || (row == self.at && column < self.cells.len()) {
            return Err(TableProblem::damaged(format!(
                "the cells of row {} are in disorder",
                row + 1
            )));
        }
        if matches!(&cell, Cell::Empty) || matches!(&cell, Cell::Text(text) if text.is_empty()) {
            return Ok(());
        }
        if row > self.at {
            self.end_row()?;
            self.at = row;
        }
        self.cells.resize(column, Cell::Empty);
        self.cells.push(cell);
        Ok(())
    }

    /// Produces the waiting rows.
    pub(super) fn finish(mut self) -> Result<(), TableProblem> {
        self.end_row()?;
        self.set_width()
    }

    fn end_row(&mut self) -> Result<(), TableProblem> {
        let cells = std::mem::take(&mut self.cells);
        if cells.is_empty() {
            return Ok(());
        }
        if self.width.is_some() {
            return self.put(self.at, cells);
        }
        self.n_waiting += cells.len();
        self.waiting.push((self.at, cells));
        let is_enough = self.waiting.len() >= ROWS_LOOKED_AT || self.n_waiting >= CELLS_WAITING;
        if is_enough { self.set_width() } else { Ok(()) }
    }

    fn set_width(&mut self) -> Result<(), TableProblem> {
        let waiting = std::mem::take(&mut self.waiting);
        let widest = waiting.iter().map(|(_, cells)| cells.len()).max();
        self.width = self.width.or(widest);
        waiting.into_iter().try_for_each(|(at, cells)| self.put(at, cells))
    }

    fn put(&mut self, at: u64, cells: Vec<Cell>) -> Result<(), TableProblem> {
        while self.rows.row() <= at {
            self.rows.blank_row()?;
        }
        if self.rows.is_unnamed() {
            self.rows.name_columns(&cells.iter().map(text_of).collect::<Vec<_>>());
        }
        let n_cells = cells.len();
        for cell in cells {
            match cell {
                Cell::Empty => self.rows.empty(),
                Cell::Text(text) => self.rows.text(&text),
                Cell::Number(number) => self.rows.real(number)?,
                Cell::Bad(seen) => self.rows.bad(&seen),
            }
        }
        for _ in n_cells..self.width.unwrap_or_default() {
            self.rows.empty();
        }
        self.rows.end_row()
    }
}

fn text_of(cell: &Cell) -> String {
    if let Cell::Text(text) = cell { text.clone() } else { String::new() }
}
