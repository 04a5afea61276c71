//! Access databases: Jet 3, Jet 4 and ACE, one table at a time, page by page.
//!
//! The page reader skips rows that it cannot read, and has no value for a text that it cannot
//! decode. Here such a row becomes one bad cell, and such a text a bad cell. For this, each row
//! also shows which of its cells have a value. A table with fewer rows than it states is refused.

use std::fs::File;
use std::io::BufReader;

use jetdb::encoding::{decode_text, decode_utf16le};
use jetdb::{
    ColumnDef, ColumnType, FileError, ObjectType, PageReader, TableDef, TableRows, Value,
    calculated_column_types, read_catalog, read_table_def,
};

use super::named::the_one;
use super::number;
use super::problem::TableProblem;
use super::rows::Rows;
use crate::feed::layout::FileLayout;

/// Produces the rows of the profile's table.
pub(super) fn produce(
    file: File,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    let mut reader = PageReader::open_reader(BufReader::new(file)).map_err(problem)?;
    let mut tables = read_catalog(&mut reader).map_err(problem)?;
    tables.retain(|entry| entry.object_type == ObjectType::Table && !entry.is_system_or_hidden());
    let names: Vec<String> = tables.iter().map(|entry| entry.name.clone()).collect();
    let meant = &tables[the_one("table", layout.table.as_ref(), &names)?];
    let table = read_table_def(&mut reader, &meant.name, meant.table_page).map_err(problem)?;
    let calculated = calculated_column_types(&mut reader, &table);
    let columns = shown(&table);
    rows.header(columns.iter().map(|column| column.name.as_str()))?;
    let table = with_presence(table, &columns);
    let mut found = TableRows::new(&table, &calculated);
    let mut n_rows = 0_u64;
    let mut n_unreadable = 0;
    loop {
        let row = found.next_row(&mut reader).map_err(problem)?;
        for _ in n_unreadable..found.skipped_rows() {
            rows.bad("a row that cannot be read");
            rows.end_row()?;
            n_rows += 1;
        }
        n_unreadable = found.skipped_rows();
        let Some(row) = row else { break };
        let (values, present) = row.values.split_at(columns.len());
        for ((column, value), is_present) in columns.iter().zip(values).zip(present) {
            put(rows, (&table, column), value, *is_present == Value::Bool(true))?;
        }
        rows.end_row()?;
        n_rows += 1;
    }
    let stated = u64::from(table.num_rows);
    if n_rows < stated {
        return Err(TableProblem::Rows { table: table.name, stated, found: n_rows });
    }
    Ok(())
}

/// The visible columns, in Access's order.
fn shown(table: &TableDef) -> Vec<ColumnDef> {
    let mut columns: Vec<ColumnDef> =
        table.columns.iter().filter(|column| column.is_shown(false)).cloned().collect();
    columns.sort_by_key(|column| column.display_index);
    columns
}

/// The table with texts as bytes, followed by one truth value per column: whether the row has a
/// value in it. A row stores only this for a column of truth values.
fn with_presence(mut table: TableDef, columns: &[ColumnDef]) -> TableDef {
    let as_bytes = |column: &ColumnDef| {
        let mut column = column.clone();
        if column.col_type == ColumnType::Text && !column.is_calculated {
            column.col_type = ColumnType::Binary;
        }
        column
    };
    let presence = |column: &ColumnDef| {
        let mut column = column.clone();
        (column.col_type, column.is_fixed, column.is_calculated) =
            (ColumnType::Boolean, true, false);
        column
    };
    // All columns, including hidden ones, decide whether rows have variable parts.
    let hidden = table.columns.iter().filter(|column| !column.is_shown(false)).cloned();
    let hidden: Vec<ColumnDef> = hidden.collect();
    table.columns = columns.iter().map(as_bytes).collect();
    table.columns.extend(columns.iter().map(presence));
    table.columns.extend(hidden);
    table
}

fn put(
    rows: &mut Rows<'_>,
    (table, column): (&TableDef, &ColumnDef),
    value: &Value,
    is_present: bool,
) -> Result<(), TableProblem> {
    match value {
        Value::Null if is_present => rows.bad(""),
        Value::Bool(value) => rows.plain(value),
        Value::Byte(value) => rows.plain(value),
        Value::Int(value) => rows.plain(value),
        Value::Long(value) => rows.plain(value),
        Value::BigInt(value) => rows.plain(value),
        Value::Float(value) => rows.real(*value)?,
        Value::Double(value) => rows.real(*value)?,
        Value::Money(text) | Value::Numeric(text) => rows.text(without_zeros(text)),
        Value::Timestamp(days) => {
            rows.text_or_bad(number::days_of_1899(*days).as_deref(), &days.to_string());
        }
        Value::Binary(bytes) if column.col_type == ColumnType::Text => {
            match decode_text(bytes, table.text_encoding) {
                // A code page may lack a letter for some bytes.
                Ok(text) => rows.text(&text),
                Err(_) => rows.bad(&decode_utf16le(bytes).unwrap_or_default()),
            }
        }
        Value::Binary(_) if column.col_type == ColumnType::DateTimeExtended => rows.bad(""),
        // Pictures and attachments are not values of a record.
        Value::Null | Value::Binary(_) => rows.empty(),
        Value::Text(text) | Value::Guid(text) | Value::DateTimeExtended(text) => rows.text(text),
        _ => rows.bad(""),
    }
    Ok(())
}

/// A decimal without trailing zeros; money has four decimals.
fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn problem(error: FileError) -> TableProblem {
    match error {
        FileError::PasswordRequired | FileError::InvalidPassword => TableProblem::Password,
        error => TableProblem::damaged(error),
    }
}
