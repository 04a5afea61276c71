//! The name and the columns of a table.

use arrow_schema::SchemaRef;

/// A table outside its home, in any format.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The name, as on the command line.
    pub name: &'static str,
    /// The key columns. If `year` is among them, it is the time.
    pub keys: &'static [&'static str],
    /// The columns.
    pub schema: SchemaRef,
}
