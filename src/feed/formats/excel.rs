//! Workbooks of Excel: since 2007 (`.xlsx`, `.xlsb`) and before (`.xls`).
//!
//! Cells go out by their type: dates as dates, numbers as numbers, texts as texts, errors of
//! formulas as bad cells.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use calamine::{Data, DataRef, ExcelDateTime, Reader, Xls, XlsError, Xlsb, Xlsx};
use memchr::memmem;

use super::named::the_one;
use super::number;
use super::problem::TableProblem;
use super::rows::Rows;
use super::sheet::{Cell, Sheet};
use crate::feed::layout::FileLayout;

/// A workbook that is encrypted has a stream of this name.
const ENCRYPTED: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";

/// Puts the rows of the sheet that is meant in, of a workbook with sheets of XML.
pub(super) fn xlsx(
    file: File,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    let mut book = Xlsx::new(BufReader::new(file)).map_err(TableProblem::damaged)?;
    let mut names = book.sheet_names();
    if layout.sheet.is_none() && names.len() > 1 {
        names.retain(|name| {
            let cells = book.worksheet_cells_reader(name);
            cells.is_ok_and(|mut cells| !matches!(cells.next_cell(), Ok(None)))
        });
    }
    let name = &names[the_one("sheet", layout.sheet.as_ref(), &names)?];
    let mut cells = book.worksheet_cells_reader(name).map_err(TableProblem::damaged)?;
    let mut sheet = Sheet::new(rows);
    while let Some(cell) = cells.next_cell().map_err(TableProblem::damaged)? {
        sheet.cell(cell.get_position(), of_ref(cell.get_value()))?;
    }
    sheet.finish()
}

/// The same of a workbook with binary sheets.
pub(super) fn xlsb(
    file: File,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    let mut book = Xlsb::new(BufReader::new(file)).map_err(TableProblem::damaged)?;
    let mut names = book.sheet_names();
    if layout.sheet.is_none() && names.len() > 1 {
        names.retain(|name| {
            let cells = book.worksheet_cells_reader(name);
            cells.is_ok_and(|mut cells| !matches!(cells.next_cell(), Ok(None)))
        });
    }
    let name = &names[the_one("sheet", layout.sheet.as_ref(), &names)?];
    let mut cells = book.worksheet_cells_reader(name).map_err(TableProblem::damaged)?;
    let mut sheet = Sheet::new(rows);
    while let Some(cell) = cells.next_cell().map_err(TableProblem::damaged)? {
        sheet.cell(cell.get_position(), of_ref(cell.get_value()))?;
    }
    sheet.finish()
}

/// The same of a workbook of before 2007.
pub(super) fn xls(
    mut file: File,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    if is_encrypted(&mut file).map_err(TableProblem::damaged)? {
        return Err(TableProblem::Password);
    }
    let mut book = Xls::new(BufReader::new(file)).map_err(|error| match error {
        XlsError::Password => TableProblem::Password,
        error => TableProblem::damaged(error),
    })?;
    let mut names = book.sheet_names();
    if layout.sheet.is_none() && names.len() > 1 {
        names.retain(|name| book.worksheet_range(name).is_ok_and(|range| !range.is_empty()));
    }
    let name = &names[the_one("sheet", layout.sheet.as_ref(), &names)?];
    let range = book.worksheet_range(name).map_err(TableProblem::damaged)?;
    let (first_row, first_column) = range.start().unwrap_or_default();
    let mut sheet = Sheet::new(rows);
    for (row, column, value) in range.used_cells() {
        let place = u32::try_from(row).ok().zip(u32::try_from(column).ok());
        let (row, column) = place.ok_or_else(|| TableProblem::damaged("it has no end"))?;
        sheet.cell((first_row + row, first_column + column), of(value))?;
    }
    sheet.finish()
}

/// Whether a compound document is a workbook that was encrypted; it is at its start afterwards.
fn is_encrypted(file: &mut File) -> std::io::Result<bool> {
    let mut reader = BufReader::new(&mut *file);
    let mut portion = vec![0; 64 * 1024];
    let mut n_kept = 0;
    let is_encrypted = loop {
        let n = reader.read(&mut portion[n_kept..])?;
        if n == 0 {
            break false;
        }
        let held = &portion[..n_kept + n];
        if memmem::find(held, ENCRYPTED).is_some() {
            break true;
        }
        // A name may stand across two portions.
        let from = held.len() - held.len().min(ENCRYPTED.len() - 1);
        let end = held.len();
        portion.copy_within(from..end, 0);
        n_kept = end - from;
    };
    file.rewind()?;
    Ok(is_encrypted)
}

fn of(value: &Data) -> Cell {
    match value {
        Data::Empty => Cell::Empty,
        Data::Int(value) => Cell::Text(value.to_string()),
        Data::Float(value) => Cell::Number((*value).into()),
        Data::Bool(value) => Cell::Text(value.to_string()),
        Data::DateTime(value) => of_time(value),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            Cell::Text(text.clone())
        }
        Data::Error(error) => Cell::Bad(error.to_string()),
    }
}

fn of_ref(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        other => of(&other.clone().into()),
    }
}

/// A date, or a time without one as the number that stands for it.
fn of_time(value: &ExcelDateTime) -> Cell {
    if !value.is_datetime() {
        return Cell::Number(value.as_f64().into());
    }
    let (year, month, day, hour, minute, second, millisecond) = value.to_ymd_hms_milli();
    let text = number::moment_of((year, month, day), (hour, minute, second, millisecond));
    text.map_or_else(|| Cell::Bad(value.as_f64().to_string()), Cell::Text)
}
