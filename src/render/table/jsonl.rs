//! Tables as JSON lines: an object for each row, with members in the table's order and `null` for
//! an absent figure. Amounts keep their two decimals, and floats are shortest round-trip.

use std::io::{self, Write};

use arrow_array::RecordBatch;

use crate::tables::cells::Cells;

/// Writes rows, one on each line.
///
/// # Errors
/// An error if `out` cannot be written, or a column has a type that no table has.
pub fn write(out: &mut impl Write, rows: &RecordBatch) -> io::Result<()> {
    let schema = rows.schema();
    let names: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| serde_json::to_string(field.name()))
        .collect::<Result<_, _>>()?;
    let columns = Cells::of_rows(rows)?;
    let mut field = String::new();
    for row in 0..rows.num_rows() {
        for (at, (name, column)) in names.iter().zip(&columns).enumerate() {
            field.clear();
            column.write(row, &mut field);
            write!(out, "{}{name}:", if at == 0 { '{' } else { ',' })?;
            if column.is_absent(row) {
                out.write_all(b"null")?;
            } else if column.are_numbers() {
                out.write_all(field.as_bytes())?;
            } else {
                serde_json::to_writer(&mut *out, &field)?;
            }
        }
        out.write_all(b"}\n")?;
    }
    Ok(())
}
