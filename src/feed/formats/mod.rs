//! Tables that are no text, as text.
//!
//! ```text
//! bytes ─ kind ─┬─ Stata, Access, dBase ──────────┐
//!   (the first  ├─ Excel, OpenDocument ─ sheet ───┼─ rows ─▶ text, as of a CSV file
//!    of them)   └─ Parquet, Arrow ────────────────┘
//! ```
//! Comes in: a file on disk, its kind, and which of its tables the profile means. Goes out: its
//! rows as lines of text, the names of its columns first. One checker serves every kind of file.
//!
//! The invariant: a cell goes out as it is stored, or its line is rejected, or the file is refused.

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
    /// Their number.
    pub n_bytes: u64,
    /// What they are.
    pub kind: Kind,
    /// What the profile says of them.
    pub layout: &'a FileLayout,
    /// The columns that hold identifiers and codes.
    pub code_columns: &'a [&'a ColumnName],
}

impl Table<'_> {
    /// Hands the table's rows to `consume`, as text of at most `max_bytes`.
    ///
    /// # Errors
    /// What is wrong with the table; else what `consume` gives.
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
