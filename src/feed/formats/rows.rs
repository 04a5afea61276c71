//! Rows of cells as lines of a text, which another thread reads.
//!
//! ```text
//! reader of a format ─ cells ─▶ Rows ─ portions of text ─▶ Piped ─▶ lines, as of any text
//! ```
//! # Shape
//! Row `n` of the table is line `n`. A line break in a cell becomes a blank. A row without text is
//! a blank line if the format has such rows. A cell that cannot be read begins with `�`, which
//! rejects its line.

use std::fmt::Display;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::number::Number;
use super::problem::TableProblem;
use crate::feed::columns::ColumnName;
use crate::feed::refused::Refused;

/// The size of a portion of text, in bytes.
const PORTION_BYTES: usize = 64 * 1024;
/// The number of portions that may wait.
const N_WAITING: usize = 4;
/// The stack of a thread that reads tables; enough for recursive readers.
const STACK_BYTES: usize = 16 << 20;

/// Receives a table's cells, row by row.
pub struct Rows<'a> {
    sender: SyncSender<Vec<u8>>,
    text: Vec<u8>,
    delimiter: u8,
    /// The columns that hold identifiers and codes.
    code_columns: &'a [&'a ColumnName],
    names: Vec<String>,
    is_code: Vec<bool>,
    /// The number of cells in the row so far.
    n_cells: usize,
    /// The start of the row in the text.
    start: usize,
    row: u64,
    scratch: String,
}

impl Rows<'_> {
    /// Adds the names of the columns as the first row.
    pub(super) fn header<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<(), TableProblem> {
        for name in names {
            self.name(name);
            self.text(name);
        }
        self.end_row()
    }

    /// Stores the name of the next column.
    fn name(&mut self, name: &str) {
        let is_code = self.is_code_name(name) || self.is_code_place(self.names.len());
        self.is_code.push(is_code);
        self.names.push(name.to_owned());
    }

    fn is_code_name(&self, name: &str) -> bool {
        let is_it = |column: &&ColumnName| match column {
            ColumnName::Header(header) => header.trim() == name.trim(),
            ColumnName::Number(_) => false,
        };
        self.code_columns.iter().any(is_it)
    }

    fn is_code_place(&self, at: usize) -> bool {
        let is_it = |column: &&ColumnName| match column {
            ColumnName::Header(_) => false,
            ColumnName::Number(number) => usize::from(number.get()) == at + 1,
        };
        self.code_columns.iter().any(is_it)
    }

    /// True if no row had the names of columns yet.
    pub(super) fn is_unnamed(&self) -> bool {
        self.names.is_empty()
    }

    /// Takes the cells of a row as the names of columns, if the profile names some of them.
    pub(super) fn name_columns(&mut self, cells: &[String]) {
        if cells.iter().any(|cell| self.is_code_name(cell)) {
            for cell in cells {
                self.name(cell);
            }
        }
    }

    /// Adds a cell with a text.
    pub(super) fn text(&mut self, text: &str) {
        self.begin_cell();
        let is_special =
            |byte: &u8| *byte == self.delimiter || matches!(*byte, b'"' | b'\n' | b'\r');
        if !text.bytes().any(|byte| is_special(&byte)) {
            self.text.extend_from_slice(text.as_bytes());
            return;
        }
        self.text.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' => self.text.extend_from_slice(b"\"\""),
                b'\n' | b'\r' => self.text.push(b' '),
                byte => self.text.push(byte),
            }
        }
        self.text.push(b'"');
    }

    /// Adds a cell without a value.
    pub(super) fn empty(&mut self) {
        self.begin_cell();
    }

    /// Adds a cell that cannot be read, with its readable part.
    pub(super) fn bad(&mut self, text: &str) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.push('\u{FFFD}');
        scratch.push_str(text);
        self.text(&scratch);
        self.scratch = scratch;
    }

    /// Adds a cell with a text, or a bad cell with its visible part.
    pub(super) fn text_or_bad(&mut self, text: Option<&str>, seen: &str) {
        match text {
            Some(text) => self.text(text),
            None => self.bad(seen),
        }
    }

    /// Adds a cell with a whole number, or another value without special characters.
    pub(super) fn plain(&mut self, value: impl Display) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        write!(scratch, "{value}").expect("memory does not fail");
        self.text(&scratch);
        self.scratch = scratch;
    }

    /// Adds a cell with a real.
    pub(super) fn real(&mut self, number: impl Into<Number>) -> Result<(), TableProblem> {
        let Number { text, has_lost_digits, n_bits } = number.into();
        // Without names, any column may hold codes.
        if has_lost_digits && self.is_code.get(self.n_cells).is_none_or(|is_code| *is_code) {
            let number = || format!("number {}", self.n_cells + 1);
            let column = self.names.get(self.n_cells).cloned().unwrap_or_else(number);
            return Err(TableProblem::LostDigits { row: self.row, column, value: text, n_bits });
        }
        self.text(&text);
        Ok(())
    }

    /// The number of the current row.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    fn begin_cell(&mut self) {
        if self.n_cells > 0 {
            self.text.push(self.delimiter);
        }
        self.n_cells += 1;
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self) -> Result<(), TableProblem> {
        // A row of one empty cell is not a blank line.
        if self.n_cells == 1 && self.text.len() == self.start {
            self.text.extend_from_slice(b"\"\"");
        }
        self.end_line()
    }

    /// Adds a row without text, which sheets may have between others.
    pub(super) fn blank_row(&mut self) -> Result<(), TableProblem> {
        self.text.truncate(self.start);
        self.end_line()
    }

    fn end_line(&mut self) -> Result<(), TableProblem> {
        self.text.push(b'\n');
        self.n_cells = 0;
        self.row += 1;
        if self.text.len() >= PORTION_BYTES {
            self.hand_on()?;
        }
        self.start = self.text.len();
        Ok(())
    }

    fn hand_on(&mut self) -> Result<(), TableProblem> {
        let portion = std::mem::replace(&mut self.text, Vec::with_capacity(PORTION_BYTES * 2));
        self.sender.send(portion).map_err(|_| TableProblem::Stopped)
    }
}

/// Text that another thread produces.
struct Piped {
    receiver: Receiver<Vec<u8>>,
    portion: Vec<u8>,
    at: usize,
}

impl Read for Piped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.portion.len() {
            match self.receiver.recv() {
                Ok(portion) => (self.portion, self.at) = (portion, 0),
                // The producing thread has ended.
                Err(_) => return Ok(0),
            }
        }
        let n = (self.portion.len() - self.at).min(buffer.len());
        buffer[..n].copy_from_slice(&self.portion[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// The result of reading the text of rows that `produce` creates on its own thread. A problem of
/// the table overrides its consequences for the text.
pub(super) fn piped<T>(
    (delimiter, code_columns): (u8, &[&ColumnName]),
    produce: impl FnOnce(&mut Rows<'_>) -> Result<(), TableProblem> + Send,
    consume: impl FnOnce(&mut (dyn Read + Send)) -> Result<T, Refused>,
) -> Result<Result<T, Refused>, TableProblem> {
    let (sender, receiver) = sync_channel(N_WAITING);
    let mut rows = Rows {
        sender,
        text: Vec::with_capacity(PORTION_BYTES * 2),
        delimiter,
        code_columns,
        names: Vec::new(),
        is_code: Vec::new(),
        n_cells: 0,
        start: 0,
        row: 1,
        scratch: String::new(),
    };
    // A panic leaves only the rows behind, which are dropped.
    let produce = AssertUnwindSafe(move || produce(&mut rows).and_then(|()| rows.hand_on()));
    thread::scope(|scope| {
        let builder = thread::Builder::new().name(READER.to_owned()).stack_size(STACK_BYTES);
        let reader = builder
            .spawn_scoped(scope, move || catch_unwind(produce))
            .expect("the system can start one more thread");
        let value = consume(&mut Piped { receiver, portion: Vec::new(), at: 0 });
        match reader.join().and_then(|read| read) {
            Ok(Ok(()) | Err(TableProblem::Stopped)) => Ok(value),
            Ok(Err(problem)) => Err(problem),
            Err(_) => Err(TableProblem::damaged("its reader gave up on it")),
        }
    })
}

/// The name of the threads that read tables; their panics become refusals, without a message.
pub const READER: &str = "table";
