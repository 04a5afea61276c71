//! Tables as SDMX-CSV 2.0: `STRUCTURE,STRUCTURE_ID,ACTION`, the dimensions, then the measures.
//!
//! A table is a dataflow of the agency `SPILLOVER` with several measures. Its keys are the
//! dimensions, the year among them as `TIME_PERIOD`, last; component names are in upper case. An
//! absent figure is an empty field.

use std::io::{self, Write};

use arrow_array::RecordBatch;

use super::Sheet;
use super::cells::Cells;
use super::csv::io_of;

/// The version of the tables' structure: changes when a column is renamed or taken away.
const VERSION: &str = "1.0.0";

/// Writes a header and rows.
pub struct SdmxWriter<W: Write> {
    writer: csv::Writer<W>,
    structure_id: String,
    /// Positions of the columns in the order in which they are written.
    order: Vec<usize>,
    field: String,
}

impl<W: Write> SdmxWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn start(out: W, sheet: &Sheet) -> io::Result<Self> {
        let fields = sheet.schema.fields();
        let rank = |name: &str| match sheet.keys.contains(&name) {
            true if name == "year" => 1,
            true => 0,
            false => 2,
        };
        let mut order: Vec<usize> = (0..fields.len()).collect();
        order.sort_by_key(|&at| rank(fields[at].name()));
        let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 17).from_writer(out);
        let fixed = ["STRUCTURE", "STRUCTURE_ID", "ACTION"].map(str::to_owned);
        let names = order.iter().map(|&at| match (rank(fields[at].name()), fields[at].name()) {
            (1, _) => "TIME_PERIOD".to_owned(),
            (_, name) => name.to_uppercase(),
        });
        writer.write_record(fixed.into_iter().chain(names)).map_err(io_of)?;
        let structure_id = format!("SPILLOVER:{}({VERSION})", sheet.name.to_uppercase());
        Ok(Self { writer, structure_id, order, field: String::new() })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If `out` cannot be written, or a column has a type that no table has.
    pub fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let columns: Vec<Cells<'_>> =
            self.order.iter().map(|&at| Cells::of(rows.column(at))).collect::<io::Result<_>>()?;
        for row in 0..rows.num_rows() {
            for fixed in ["dataflow", &self.structure_id, "I"] {
                self.writer.write_field(fixed).map_err(io_of)?;
            }
            for column in &columns {
                self.field.clear();
                column.write(row, &mut self.field);
                self.writer.write_field(&self.field).map_err(io_of)?;
            }
            self.writer.write_record(None::<&[u8]>).map_err(io_of)?;
        }
        Ok(())
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
