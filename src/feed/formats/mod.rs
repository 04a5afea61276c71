//! Binary tables, converted to text.
//!
//! ```text
//! bytes ─ kind ─┬─ Stata, Access, dBase ──────────┐
//!   (the first  ├─ Excel, OpenDocument ─ sheet ───┼─ rows ─▶ text, as of a CSV file
//!    of them)   └─ Parquet, Arrow ────────────────┘
//! ```
//! Input: a file on disk, its kind, and the profile's choice of a table. Output: the table's rows
//! as lines of text, beginning with the names of its columns. One checker serves every kind of
//! file.
//!
//! Invariant: a cell is passed on as it is stored, or its line is rejected, or the file is refused.

mod access;
mod biff;
mod columnar;
mod dbase;
mod excel;
pub mod kind;
mod named;
pub mod number;
mod ods;
pub mod problem;
mod rows;
mod sheet;
mod stata;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use self::kind::Kind;
use self::problem::TableProblem;
pub use self::rows::READER;
use self::rows::{Rows, piped};
use super::columns::ColumnName;
use super::container::{Measured, workbook};
use super::layout::FileLayout;
use super::refused::Refused;

/// A table in a file.
#[derive(Debug)]
pub struct Table<'a> {
    /// The file's bytes.
    pub file: File,
    /// The number of bytes.
    pub n_bytes: u64,
    /// The kind of the file.
    pub kind: Kind,
    /// The profile's layout of the file.
    pub layout: &'a FileLayout,
    /// The columns that hold identifiers and codes.
    pub code_columns: &'a [&'a ColumnName],
}

impl Table<'_> {
    /// Passes the table's rows to `consume`, as text of at most `max_bytes`.
    ///
    /// # Errors
    /// The problem of the table, or the error of `consume`.
    pub fn read<T>(
        self,
        max_bytes: u64,
        consume: impl FnOnce(&mut (dyn Read + Send)) -> Result<T, Refused>,
    ) -> Result<Result<T, Refused>, TableProblem> {
        let Self { file, n_bytes, kind, layout, code_columns } = self;
        let produce = |rows: &mut Rows<'_>| produce(file, kind, layout, rows);
        piped((layout.delimiter.byte(), code_columns), produce, |text| {
            consume(&mut Measured::new(text, n_bytes, max_bytes))
        })
    }
}

fn produce(
    mut file: File,
    kind: Kind,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    file.seek(SeekFrom::Start(0)).map_err(TableProblem::damaged)?;
    match kind {
        Kind::Parquet => columnar::parquet(file, rows),
        Kind::ArrowFile => columnar::arrow_file(file, rows),
        Kind::ArrowStream => columnar::arrow_stream(file, rows),
        Kind::Stata => stata::produce(&file, layout, rows),
        Kind::Access => access::produce(file, layout, rows),
        Kind::Dbase => dbase::produce(file, layout, rows),
        Kind::Compound => excel::xls(file, layout, rows),
        Kind::Zip => match workbook(&mut file) {
            Some("xl/workbook.xml") => excel::xlsx(file, layout, rows),
            Some("xl/workbook.bin") => excel::xlsb(file, layout, rows),
            _ => ods::produce(&file, layout, rows),
        },
        Kind::Text | Kind::Packed | Kind::Foreign(_) => {
            unreachable!("this kind of file has no reader of tables: {kind:?}")
        }
    }
}
