//! Folds in the manifest: the files that replace folded parts.

use rusqlite::{Row, params};

use super::Manifest;
use super::values::{integer, stored, table_of, unsigned};
use crate::domain::types::Year;
use crate::home::Publication;
use crate::home::error::Result;
use crate::home::parts::{Fold, FoldedRows, UndoPart};

/// The condition that a part's rows are in its own file, not in those of a fold.
pub(super) const NOT_FOLDED: &str = r#"NOT EXISTS (
    SELECT 1 FROM folds WHERE folds."table" = parts."table" AND folds.year = parts.year
        AND parts.publication BETWEEN folds.first AND folds.last)"#;

impl Manifest {
    /// Every fold, in order of table, year and publication.
    pub(in crate::home) fn folds(&self) -> Result<Vec<Fold>> {
        if !self.has_facts()? {
            return Ok(Vec::new());
        }
        let sql = r#"SELECT "table", year, first, last, n_rows, path, hash, n_bytes FROM folds
                     ORDER BY "table", year, first"#;
        self.rows("the folds", sql, [], fold)
    }

    /// The undo parts of folds, in order of table, year and publication.
    pub(in crate::home) fn undo_parts(&self) -> Result<Vec<UndoPart>> {
        if !self.has_facts()? {
            return Ok(Vec::new());
        }
        let sql = r#"SELECT "table", year, first, newest, states, n_rows, path, hash, n_bytes
                     FROM undo_parts ORDER BY "table", year, first, newest"#;
        self.rows("what folds undo", sql, [], undo_part)
    }

    /// Replaces parts, or an earlier fold with the same first part, by a fold.
    pub(in crate::home) fn replace_fold(&mut self, fold: &Fold, undo: &[UndoPart]) -> Result<()> {
        self.write("a fold", |transaction| {
            let key = (fold.table.name(), fold.year.0, fold.first.0);
            for table in ["undo_parts", "folds"] {
                let sql =
                    format!(r#"DELETE FROM {table} WHERE "table" = ? AND year = ? AND first = ?"#);
                transaction.execute(&sql, key)?;
            }
            transaction.execute(
                r#"INSERT INTO folds ("table", year, first, last, n_rows, path, hash, n_bytes)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)"#,
                params![
                    fold.table.name(),
                    fold.year.0,
                    fold.first.0,
                    fold.last.0,
                    fold.rows.as_ref().map(|rows| integer(rows.n_rows)),
                    fold.rows.as_ref().map(|rows| &rows.file.path),
                    fold.rows.as_ref().map(|rows| &rows.file.hash),
                    fold.rows.as_ref().map(|rows| integer(rows.file.n_bytes)),
                ],
            )?;
            let mut insert = transaction.prepare(
                r#"INSERT INTO undo_parts
                       ("table", year, first, newest, states, n_rows, path, hash, n_bytes)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"#,
            )?;
            for part in undo {
                let states = part.states.iter().map(ToString::to_string);
                insert.execute(params![
                    part.table.name(),
                    part.year.0,
                    part.first.0,
                    part.newest.0,
                    states.collect::<Vec<_>>().join(" "),
                    integer(part.n_rows),
                    part.file.path,
                    part.file.hash,
                    integer(part.file.n_bytes),
                ])?;
            }
            Ok(())
        })
    }
}

fn fold(row: &Row<'_>) -> rusqlite::Result<Fold> {
    let n_rows: Option<i64> = row.get(4)?;
    let rows = match n_rows {
        None => None,
        Some(_) => Some(FoldedRows { n_rows: unsigned(row, 4)?, file: stored(row, 5)? }),
    };
    Ok(Fold {
        table: table_of(row, 0)?,
        year: Year(row.get(1)?),
        first: Publication(row.get(2)?),
        last: Publication(row.get(3)?),
        rows,
    })
}

fn undo_part(row: &Row<'_>) -> rusqlite::Result<UndoPart> {
    let states: String = row.get(4)?;
    let states: std::result::Result<Vec<Publication>, _> =
        states.split_whitespace().map(|state| state.parse().map(Publication)).collect();
    let bad = |error: std::num::ParseIntError| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(4, kind, Box::new(error))
    };
    Ok(UndoPart {
        table: table_of(row, 0)?,
        year: Year(row.get(1)?),
        first: Publication(row.get(2)?),
        newest: Publication(row.get(3)?),
        states: states.map_err(bad)?,
        n_rows: unsigned(row, 5)?,
        file: stored(row, 6)?,
    })
}
