//! Runs: the month sums of one accepted file, as one Parquet file beside its segment.
//!
//! ```text
//! month sums of a file ── by market ──▶ runs/000007.parquet
//!                    sections ◀── one row group each: exports, exports of other months,
//!                                 imports, imports of other months; in order of market
//! ```
//! Columns: `country`, `city`, `firm_id`, `period` i32 (YYYYMM), `flow` (E or I), `cents` i64. A
//! section is sorted by the texts of country and city: runs of many files are read together, one
//! market after another. A market may have several rows of a firm; they add up.
//!
//! Invariant: the rows of a run add up to the accepted records of its file. Segments are the truth:
//! a lost or damaged run costs time only.

mod read;
mod write;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

pub use read::{Market, RunNumbers, Section, open};
pub use write::{Encoded, RunTexts, encode};

use crate::domain::types::{City, Flow, Period, Vintage};

/// The number of rows of a row group; a section of more rows has several.
const ROWS_MAX: usize = 1 << 20;
/// The number of rows of a batch in reading. Many sections are open at a time.
const ROWS_PER_BATCH: usize = 1 << 13;

/// The trade of a firm in a city with a country in a month, by the positions of a file's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonthSum {
    /// The firm.
    pub firm: u32,
    /// The partner country.
    pub country: u32,
    /// The city.
    pub city: City,
    /// The month.
    pub period: Period,
    /// Export or import.
    pub flow: Flow,
    /// The value in cents.
    pub cents: i64,
}

/// The path of a file's run, relative to the home.
fn path(vintage: Vintage) -> String {
    format!("runs/{:06}.parquet", vintage.0)
}

/// The columns in memory; on disk the dictionaries are an encoding and the columns plain strings.
fn schema() -> SchemaRef {
    let text = || DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    Arc::new(Schema::new(vec![
        Field::new("country", text(), false),
        Field::new("city", text(), false),
        Field::new("firm_id", text(), false),
        Field::new("period", DataType::Int32, false),
        Field::new("flow", text(), false),
        Field::new("cents", DataType::Int64, false),
    ]))
}

#[cfg(test)]
mod tests;
