//! Tables as SDMX-CSV 2.0: `STRUCTURE,STRUCTURE_ID,ACTION`, the dimensions, then the measures.
//!
//! A table is a dataflow of the agency `SPILLOVER` with several measures. Its keys are the
//! dimensions; the year is the last one, `TIME_PERIOD`. Component names are in upper case. An
//! absent figure is an empty field. A dimension that does not divide a row, such as the firm for
//! figures of a city, is `_T`, the code for a total.

use std::io::{self, Write};

use arrow_array::RecordBatch;

use super::csv::{Lines, Reader};
use crate::tables::cells::Cells;
use crate::tables::sheet::Sheet;

/// The version of the tables' structure. It changes when a column is renamed or removed.
const VERSION: &str = "1.0.0";

/// The code of a dimension over which a row is a total.
const TOTAL: &str = "_T";

/// Writes a header and rows.
pub struct SdmxWriter<W: Write> {
    lines: Lines<W>,
    structure_id: String,
    /// The positions of the columns in the order of writing, each with the text for an absent
    /// value.
    order: Vec<(usize, &'static str)>,
}

impl<W: Write> SdmxWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn start(out: W, sheet: &Sheet) -> io::Result<Self> {
        let fields = sheet.schema.fields();
        let rank = |name: &str| match sheet.keys.contains(&name) {
            true if name == "year" => 1,
            true => 0,
            false => 2,
        };
        let mut order: Vec<usize> = (0..fields.len()).collect();
        order.sort_by_key(|&at| rank(fields[at].name()));
        let fixed = ["STRUCTURE", "STRUCTURE_ID", "ACTION"].map(str::to_owned);
        let names = order.iter().map(|&at| match (rank(fields[at].name()), fields[at].name()) {
            (1, _) => "TIME_PERIOD".to_owned(),
            (_, name) => name.to_uppercase(),
        });
        let lines = Lines::start(out, Reader::Any, fixed.into_iter().chain(names))?;
        let structure_id = format!("SPILLOVER:{}({VERSION})", sheet.name.to_uppercase());
        let absent = |at: usize| if rank(fields[at].name()) == 2 { "" } else { TOTAL };
        let order = order.into_iter().map(|at| (at, absent(at))).collect();
        Ok(Self { lines, structure_id, order })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// An error if `out` cannot be written, or a column has a type that no table has.
    pub fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let columns = self.order.iter().map(|&(at, absent)| Ok((Cells::at(rows, at)?, absent)));
        let columns = columns.collect::<io::Result<Vec<_>>>()?;
        self.lines.write(rows.num_rows(), &["dataflow", &self.structure_id, "I"], &columns)
    }

    /// Writes the buffered bytes.
    ///
    /// # Errors
    /// An error if `out` cannot be written.
    pub fn finish(self) -> io::Result<()> {
        self.lines.finish()
    }
}
