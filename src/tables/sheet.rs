//! The name and the columns of a table.

use arrow_schema::SchemaRef;

/// A table as it leaves a home, whatever the format.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Its name, as on the command line.
    pub name: &'static str,
    /// The columns that tell rows apart; `year` is the time where it is among them.
    pub keys: &'static [&'static str],
    /// Its columns.
    pub schema: SchemaRef,
}
