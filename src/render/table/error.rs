//! Errors of writing a table.

use std::io;
use std::path::Path;

use crate::clock::ClockError;
use crate::files::trouble::remark;

/// The most rows that a sheet of a workbook holds below its header.
pub const WORKBOOK_ROWS_MAX: u32 = (1 << 20) - 1;

/// A table that cannot be written in a format.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file or the pipe.
    #[error("cannot write the table{}", remark(Path::new("the output"), _0))]
    Write(#[from] io::Error),
    /// The Parquet encoder.
    #[error("cannot write the table as Parquet{}", remark(Path::new("the output"), _0))]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The workbook.
    #[error("cannot write the table as a workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The system's clock is off.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// More rows than a sheet of a workbook has.
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
