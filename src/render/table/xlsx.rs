//! Tables as a workbook of one sheet. The header stays in view, codes are texts, figures are
//! numbers, and an absent figure is a blank cell.
//!
//! A workbook's numbers are floating point: it rounds amounts past 2⁵³ cents. No other format does.

use std::io::Write;

use arrow_array::RecordBatch;
use rust_xlsxwriter::{Format, Workbook, Worksheet};

use super::error::{FormatError, WORKBOOK_ROWS_MAX};
use crate::clock;
use crate::tables::cells::Cells;
use crate::tables::sheet::Sheet;

/// A workbook while rows are added; it is held in memory.
pub struct Book {
    table: &'static str,
    sheet: Worksheet,
    n_rows: u32,
}

impl Book {
    /// Starts a sheet with its header.
    ///
    /// # Errors
    /// - [`FormatError::Workbook`] if the format does not accept a name.
    /// - [`FormatError::Clock`] if the system clock is wrong.
    pub fn start(table: &Sheet) -> Result<Self, FormatError> {
        // The workbook has its creation time, and its library panics on a wrong clock.
        clock::now()?;
        let mut sheet = Worksheet::new();
        sheet.set_name(table.name)?;
        sheet.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (column, field) in (0..).zip(table.schema.fields()) {
            sheet.write_string_with_format(0, column, field.name(), &bold)?;
        }
        Ok(Self { table: table.name, sheet, n_rows: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// - [`FormatError::TooManyRows`] past the format's limit.
    /// - [`FormatError::Write`] if a column has a type that no table has.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), FormatError> {
        let n_more = u32::try_from(rows.num_rows()).unwrap_or(u32::MAX);
        if n_more > WORKBOOK_ROWS_MAX - self.n_rows {
            return Err(FormatError::TooManyRows { table: self.table });
        }
        for (column, array) in (0..).zip(rows.columns()) {
            let cells = Cells::of(array)?;
            let mut text = String::new();
            for (row, line) in (0..rows.num_rows()).zip(self.n_rows + 1..) {
                if cells.is_absent(row) {
                    continue;
                }
                text.clear();
                cells.write(row, &mut text);
                match text.parse::<f64>() {
                    Ok(number) if cells.are_numbers() => {
                        self.sheet.write_number(line, column, number)?;
                    }
                    _ => {
                        self.sheet.write_string(line, column, &text)?;
                    }
                }
            }
        }
        self.n_rows += n_more;
        Ok(())
    }

    /// Writes the workbook.
    ///
    /// # Errors
    /// [`FormatError::Workbook`], [`FormatError::Write`] if it cannot be written.
    pub fn finish(self, mut out: impl Write) -> Result<(), FormatError> {
        let mut book = Workbook::new();
        book.push_worksheet(self.sheet);
        out.write_all(&book.save_to_buffer()?)?;
        Ok(out.flush()?)
    }
}
