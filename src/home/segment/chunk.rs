//! A column of one row group, encoded: numbers by Parquet's writer, texts by our own.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_schema::Field;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::Result;
use parquet::file::writer::SerializedRowGroupWriter;

use super::text_chunk::TextChunk;
use crate::domain::types::Period;

/// The number of rows of a numeric column written at a time.
const ROWS_AT_A_TIME: usize = 1 << 14;

/// An encoded column.
pub(in crate::home) enum Chunk {
    /// Numbers.
    Numbers(ArrowColumnChunk),
    /// Texts.
    Texts(TextChunk),
}

impl Chunk {
    /// Writes a column of numbers, some rows at a time, so that the data stay in the cache.
    ///
    /// # Errors
    /// The writer's error.
    pub(in crate::home) fn of_numbers<R, A: Array + 'static>(
        mut writer: ArrowColumnWriter,
        rows: &[R],
        numbers: impl Fn(&[R]) -> A,
    ) -> Result<Self> {
        for rows in rows.chunks(ROWS_AT_A_TIME) {
            let numbers = numbers(rows);
            let field = Field::new("numbers", numbers.data_type().clone(), false);
            for leaf in compute_leaves(&field, &(Arc::new(numbers) as ArrayRef))? {
                writer.write(&leaf)?;
            }
        }
        writer.close().map(Self::Numbers)
    }

    /// Appends the column to its row group.
    ///
    /// # Errors
    /// The writer's error.
    pub(in crate::home) fn append_to<W: Write + Send>(
        self,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        match self {
            Self::Numbers(chunk) => chunk.append_to_row_group(row_group),
            Self::Texts(chunk) => chunk.append_to(row_group),
        }
    }
}

/// The month of a row as its number, 200801.
pub(in crate::home) fn yyyymm(period: Period) -> i32 {
    i32::try_from(period.as_yyyymm()).expect("a year before 2200")
}
