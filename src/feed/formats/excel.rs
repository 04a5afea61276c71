//! Workbooks of Excel: since 2007 (`.xlsx`, `.xlsb`) and before (`.xls`).
//!
//! Cells are passed on by their type: dates as dates, numbers as numbers, texts as texts, errors of
//! formulas as bad cells.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read as _, Write as _};

use calamine::{Data, DataRef, ExcelDateTime, Reader, Xls, XlsError, Xlsb, Xlsx};
use cfb::{CompoundFile, Version};

use super::biff::check_size;
use super::named::the_one;
use super::number;
use super::problem::TableProblem;
use super::rows::Rows;
use super::sheet::{Cell, Sheet};
use crate::feed::layout::FileLayout;

/// The stream of an encrypted workbook since 2007.
const ENCRYPTED: &str = "/EncryptedPackage";

/// The possible streams of a workbook from before 2007.
const WORKBOOKS: [&str; 2] = ["/Workbook", "/Book"];

/// Defines a reader of workbooks since 2007: calamine's readers of XML and binary sheets have the
/// same methods but no common trait.
macro_rules! reader_since_2007 {
    ($name:ident, $Book:ident, $doc:literal) => {
        #[doc = $doc]
        pub(super) fn $name(
            file: File,
            layout: &FileLayout,
            rows: &mut Rows<'_>,
        ) -> Result<(), TableProblem> {
            let mut book = $Book::new(BufReader::new(file)).map_err(TableProblem::damaged)?;
            let mut names = book.sheet_names();
            if layout.sheet.is_none() && names.len() > 1 {
                names.retain(|name| {
                    let cells = book.worksheet_cells_reader(name);
                    cells.is_ok_and(|mut cells| !matches!(cells.next_cell(), Ok(None)))
                });
            }
            let name = &names[the_one("sheet", layout.sheet.as_ref(), &names)?];
            let cells = book.worksheet_cells_reader(name);
            let mut cells = cells.map_err(TableProblem::damaged)?;
            let mut sheet = Sheet::new(rows);
            while let Some(cell) = cells.next_cell().map_err(TableProblem::damaged)? {
                sheet.cell(cell.get_position(), of_ref(cell.get_value()))?;
            }
            sheet.finish()
        }
    };
}

reader_since_2007!(xlsx, Xlsx, "Puts in the rows of a sheet, of a workbook with sheets of XML.");
reader_since_2007!(xlsb, Xlsb, "Puts in the rows of a sheet, of a workbook with binary sheets.");

/// Produces the rows of a sheet in a workbook from before 2007.
pub(super) fn xls(
    file: File,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    let mut book = Xls::new(workbook_alone(file)?).map_err(|error| match error {
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

/// A compound document with only the workbook of another one.
///
/// Calamine follows a cyclic chain of sectors until memory ends; `cfb` refuses such a chain.
/// Calamine therefore reads a copy that `cfb` wrote.
fn workbook_alone(file: File) -> Result<Cursor<Vec<u8>>, TableProblem> {
    let mut document = CompoundFile::open(file).map_err(TableProblem::damaged)?;
    if document.is_stream(ENCRYPTED) {
        return Err(TableProblem::Password);
    }
    let name = WORKBOOKS.into_iter().find(|name| document.is_stream(name));
    let name = name.ok_or_else(|| TableProblem::damaged("it holds no workbook"))?;
    let mut workbook = Vec::new();
    let mut stream = document.open_stream(name).map_err(TableProblem::damaged)?;
    stream.read_to_end(&mut workbook).map_err(TableProblem::damaged)?;
    check_size(&workbook)?;
    let copy = || {
        let mut alone = CompoundFile::create_with_version(Version::V3, Cursor::default())?;
        alone.create_stream(name)?.write_all(&workbook)?;
        alone.flush()?;
        Ok(alone.into_inner())
    };
    copy().map_err(|error: io::Error| TableProblem::damaged(error))
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

/// A date; a time without a date becomes its number.
fn of_time(value: &ExcelDateTime) -> Cell {
    if !value.is_datetime() {
        return Cell::Number(value.as_f64().into());
    }
    let (year, month, day, hour, minute, second, millisecond) = value.to_ymd_hms_milli();
    let text = number::moment_of((year, month, day), (hour, minute, second, millisecond));
    text.map_or_else(|| Cell::Bad(value.as_f64().to_string()), Cell::Text)
}
