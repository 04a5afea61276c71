//! Errors of writing a table.

use std::io;
use std::path::Path;

use crate::clock::ClockError;
use crate::files::trouble::remark;

/// The largest number of rows below the header in a sheet of a workbook.
pub const WORKBOOK_ROWS_MAX: u32 = (1 << 20) - 1;

/// The reason why a table cannot be written in a format.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file or the pipe cannot be written.
    #[error("cannot write the table{}", remark(Path::new("the output"), _0))]
    Write(#[from] io::Error),
    /// The Parquet encoder failed.
    #[error("cannot write the table as Parquet{}", remark(Path::new("the output"), _0))]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The workbook cannot be written.
    #[error("cannot write the table as a workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The system clock is wrong.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The table has more rows than a sheet of a workbook can hold.
    #[error(
        "the table {table} has more than {} rows, the limit of a workbook; choose one \
         year with --year, or --format csv or parquet",
        WORKBOOK_ROWS_MAX
    )]
    TooManyRows {
        /// The table.
        table: &'static str,
    },
}
