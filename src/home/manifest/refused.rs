//! The rejected lines of refused files, for those who correct them.
//!
//! They stay until a file of the same name is accepted, or is refused with other lines. They are no
//! part of a publication: no figure depends on them.

use rusqlite::{Transaction, params};

use super::rows::RefusedFile;
use super::values::{integer, period, reject, unsigned};
use super::{Manifest, REFUSED_REJECTS};
use crate::domain::record::{KeptRejects, Reject};
use crate::domain::types::Period;
use crate::home::error::Result;

/// The number of refused files whose lines are kept; the newest stay.
const FILES_MAX: i64 = 32;

/// Removes the lines of a file, which was accepted.
pub(super) fn remove(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<()> {
    for table in ["refused_rejects", "refused_files"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE name = ?"), [name])?;
    }
    Ok(())
}

impl Manifest {
    /// Keeps the rejected lines of a refused file instead of its earlier ones.
    pub(in crate::home) fn keep_refused(
        &mut self,
        (name, period): (&str, Period),
        rejects: &KeptRejects,
    ) -> Result<()> {
        if self.rejects_of_refused(name)? == rejects.first {
            return Ok(());
        }
        self.write("the rejected lines of a refused file", |transaction| {
            remove(transaction, name)?;
            if rejects.first.is_empty() {
                return Ok(());
            }
            transaction.execute(
                "INSERT INTO refused_files (name, period, n_rejected, position)
                 VALUES (?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM refused_files))",
                params![name, period.as_yyyymm(), integer(rejects.n_all)],
            )?;
            let sql = r#"INSERT INTO refused_rejects (name, line, "column", rule, raw)
                         VALUES (?, ?, ?, ?, ?)"#;
            let mut insert = transaction.prepare(sql)?;
            for Reject { line, column, rule, raw } in &rejects.first {
                insert.execute((name, line, column, rule.name(), raw))?;
            }
            let sql = "SELECT name FROM refused_files ORDER BY position DESC LIMIT -1 OFFSET ?";
            let mut old = transaction.prepare(sql)?;
            let old: Vec<String> =
                old.query_map([FILES_MAX], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            old.iter().try_for_each(|name| remove(transaction, name))
        })
    }

    /// The refused files with kept lines, in the order of their refusals.
    pub(in crate::home) fn refused(&self) -> Result<Vec<RefusedFile>> {
        if !self.has_refused()? {
            return Ok(Vec::new());
        }
        let sql = "SELECT name, period, n_rejected,
                          (SELECT count(*) FROM refused_rejects WHERE name = refused_files.name)
                   FROM refused_files ORDER BY position";
        self.rows("the refused files", sql, [], |row| {
            Ok(RefusedFile {
                name: row.get(0)?,
                period: period(row, 1)?,
                n_rejected: unsigned(row, 2)?,
                n_kept: unsigned(row, 3)?,
            })
        })
    }

    /// The kept lines of a refused file, in order.
    pub(in crate::home) fn rejects_of_refused(&self, name: &str) -> Result<Vec<Reject>> {
        if !self.has_refused()? {
            return Ok(Vec::new());
        }
        self.check_large(REFUSED_REJECTS)?;
        let sql = r#"SELECT line, "column", rule, raw FROM refused_rejects WHERE name = ?
                     ORDER BY line"#;
        self.rows("the rejects of a refused file", sql, [name], reject)
    }
}
