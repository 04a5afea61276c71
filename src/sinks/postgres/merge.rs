//! Rows of a unit into its table: only those that go, change or come are written.
//!
//! A unit that the database does not have is copied into its table. One that it has is copied into
//! a temporary table and compared with its rows by key, bit for bit. A table without a key is small
//! and replaced as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};

use arrow_array::RecordBatch;
use postgres::{CopyInWriter, Transaction};

use super::copy::{self, HEADER, TRAILER};
use super::error::{Changed, Result, SyncError};
use super::schema::{SYNCED, Table, Unit, quoted};
use super::session::Session;

/// The number of bytes that are sent together.
const CHUNK_BYTES: usize = 1 << 18;
/// The unit of a table that is read as a whole.
pub const WHOLE: &str = "all";

/// The rows of a table on their way into the database.
pub struct Merge<'m, 'c> {
    session: &'m Session<'m>,
    table: &'m Table,
    transaction: &'m mut Transaction<'c>,
    /// The schema, as SQL has it.
    schema: String,
    /// The identities of the units that the database has.
    had: BTreeMap<String, String>,
    /// The units of the home.
    seen: BTreeSet<String>,
    is_staged: bool,
    changed: Changed,
}

/// Rows that are sent to the server.
pub struct Rows<'w> {
    writer: CopyInWriter<'w>,
    bytes: Vec<u8>,
    session: &'w Session<'w>,
}

impl Rows<'_> {
    /// Sends rows.
    ///
    /// # Errors
    /// [`SyncError`] if the server does not take them, or a stop is asked for.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.session.check_stop()?;
        // A batch can be a whole year: its rows are encoded in portions.
        for start in (0..batch.num_rows()).step_by(ROWS_AT_A_TIME) {
            let n_rows = ROWS_AT_A_TIME.min(batch.num_rows() - start);
            copy::rows(&batch.slice(start, n_rows), &mut self.bytes)?;
            if self.bytes.len() >= CHUNK_BYTES {
                self.send()?;
            }
        }
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        let sent = self.writer.write_all(&self.bytes);
        self.bytes.clear();
        sent.map_err(|source| not_sent(self.session, source))
    }

    fn finish(mut self) -> Result<u64> {
        self.bytes.extend(TRAILER);
        self.send()?;
        self.writer.finish().map_err(|source| self.session.failed(source))
    }
}

/// The number of rows that are encoded at a time.
const ROWS_AT_A_TIME: usize = 4096;

fn not_sent(session: &Session<'_>, source: io::Error) -> SyncError {
    SyncError::Send { target: session.target.shown().to_owned(), source }
}

/// The condition for the rows of a unit; `None` for a text that no sync wrote.
fn condition(unit: Unit, text: &str) -> Option<String> {
    let number = |text: &str| text.parse::<u16>().ok();
    match unit {
        Unit::Table => (text == WHOLE).then(|| "true".to_owned()),
        Unit::Year => Some(format!("t.year = {}", number(text)?)),
        Unit::Month => {
            let (year, month) = text.split_once('-')?;
            Some(format!("t.year = {} AND t.month = {}", number(year)?, number(month)?))
        }
    }
}

impl<'m, 'c> Merge<'m, 'c> {
    /// A table, with the units that the database has.
    ///
    /// # Errors
    /// [`SyncError::Write`].
    pub fn new(
        session: &'m Session<'m>,
        table: &'m Table,
        transaction: &'m mut Transaction<'c>,
    ) -> Result<Self> {
        let schema = quoted(&session.target.schema);
        let sql = format!("SELECT unit, identity FROM {schema}.{SYNCED} WHERE \"table\" = $1");
        let rows = transaction.query(&sql, &[&table.name]).map_err(|of| session.failed(of))?;
        let had = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let (seen, is_staged, changed) = (BTreeSet::new(), false, Changed::default());
        Ok(Self { session, table, transaction, schema, had, seen, is_staged, changed })
    }

    /// Writes a unit if the database has another identity of it.
    ///
    /// # Errors
    /// [`SyncError`] if the server does not take the rows; the errors of `rows`.
    pub fn unit(
        &mut self,
        unit: &str,
        identity: &str,
        rows: impl FnOnce(&mut Rows<'_>) -> Result<()>,
    ) -> Result<()> {
        self.session.check_stop()?;
        self.seen.insert(unit.to_owned());
        match self.had.get(unit) {
            Some(had) if had == identity => return Ok(()),
            Some(_) if !self.table.keys.is_empty() => self.merge(unit, rows)?,
            had => {
                if had.is_some() {
                    self.changed.n_gone += self.remove(unit)?;
                }
                let to = format!("{}.{}", self.schema, quoted(self.table.name));
                self.changed.n_new += self.copy(&to, rows)?;
            }
        }
        let sql = format!(
            "INSERT INTO {}.{SYNCED} (\"table\", unit, identity) VALUES ($1, $2, $3) \
             ON CONFLICT (\"table\", unit) DO UPDATE SET identity = excluded.identity",
            self.schema
        );
        let written = self.transaction.execute(&sql, &[&self.table.name, &unit, &identity]);
        written.map(|_| ()).map_err(|source| self.session.failed(source))
    }

    /// Removes the rows of units that the home no longer has; returns what changed.
    ///
    /// # Errors
    /// [`SyncError::Write`].
    pub fn finish(mut self) -> Result<Changed> {
        let gone: Vec<String> =
            self.had.keys().filter(|unit| !self.seen.contains(*unit)).cloned().collect();
        for unit in gone {
            self.changed.n_gone += self.remove(&unit)?;
            let sql =
                format!("DELETE FROM {}.{SYNCED} WHERE \"table\" = $1 AND unit = $2", self.schema);
            let removed = self.transaction.execute(&sql, &[&self.table.name, &unit]);
            removed.map_err(|source| self.session.failed(source))?;
        }
        if self.is_staged {
            self.execute(&format!("DROP TABLE {}", self.staging()))?;
        }
        Ok(self.changed)
    }

    fn staging(&self) -> String {
        format!("pg_temp.{}", quoted(&format!("incoming_{}", self.table.name)))
    }

    fn execute(&mut self, sql: &str) -> Result<u64> {
        self.transaction.execute(sql, &[]).map_err(|source| self.session.failed(source))
    }

    fn remove(&mut self, unit: &str) -> Result<u64> {
        let Some(condition) = condition(self.table.unit, unit) else { return Ok(0) };
        let table = quoted(self.table.name);
        self.execute(&format!("DELETE FROM {}.{table} t WHERE {condition}", self.schema))
    }

    /// Copies rows into a table; returns their number.
    fn copy(&mut self, to: &str, rows: impl FnOnce(&mut Rows<'_>) -> Result<()>) -> Result<u64> {
        let columns: Vec<String> = self.table.columns().map(quoted).collect();
        let sql = format!("COPY {to} ({}) FROM STDIN (FORMAT BINARY)", columns.join(", "));
        let session = self.session;
        let writer = self.transaction.copy_in(&sql).map_err(|source| session.failed(source))?;
        let mut sent = Rows { writer, bytes: HEADER.to_vec(), session };
        rows(&mut sent)?;
        sent.finish()
    }

    /// Compares the rows of a unit with those of the database, and writes the difference.
    fn merge(&mut self, unit: &str, rows: impl FnOnce(&mut Rows<'_>) -> Result<()>) -> Result<()> {
        let Some(condition) = condition(self.table.unit, unit) else { return Ok(()) };
        let (staging, table) = (self.staging(), self.table);
        let own = format!("{}.{}", self.schema, quoted(table.name));
        if self.is_staged {
            self.execute(&format!("TRUNCATE {staging}"))?;
        } else {
            self.execute(&format!(
                "CREATE TEMP TABLE {} (LIKE {own})",
                &staging["pg_temp.".len()..]
            ))?;
            self.is_staged = true;
        }
        self.copy(&staging, rows)?;
        self.execute(&format!("ANALYZE {staging}"))?;
        let is_key = |column: &&str| table.keys.contains(column);
        let same = |column: &&str| format!("t.{0} = n.{0}", quoted(column));
        let keys: Vec<String> = table.keys.iter().map(same).collect();
        let keys = keys.join(" AND ");
        let figures = || table.columns().filter(|column| !is_key(column)).map(quoted);
        let own_columns: Vec<String> = figures().collect();
        let new_columns: Vec<String> = figures().map(|column| format!("n.{column}")).collect();
        let (to, from) = (own_columns.join(", "), new_columns.join(", "));
        self.changed.n_gone += self.execute(&format!(
            "DELETE FROM {own} t WHERE {condition} \
             AND NOT EXISTS (SELECT FROM {staging} n WHERE {keys})"
        ))?;
        // The operator compares the bits, so that -0 is not 0 and 1.0 is not 1.00.
        self.changed.n_changed += self.execute(&format!(
            "UPDATE {own} t SET ({to}) = ROW({from}) FROM {staging} n WHERE {condition} AND {keys} \
             AND t.* OPERATOR(pg_catalog.*<>) n.*"
        ))?;
        self.changed.n_new += self.execute(&format!(
            "INSERT INTO {own} SELECT n.* FROM {staging} n \
             WHERE NOT EXISTS (SELECT FROM {own} t WHERE {keys})"
        ))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_a_condition_and_other_texts_are_none() {
        let of = |unit, text| condition(unit, text);
        assert_eq!(of(Unit::Year, "2011").as_deref(), Some("t.year = 2011"));
        let month = of(Unit::Month, "2011-03");
        assert_eq!(month.as_deref(), Some("t.year = 2011 AND t.month = 3"));
        assert_eq!(of(Unit::Table, WHOLE).as_deref(), Some("true"));
        for (unit, text) in
            [(Unit::Year, "2011 OR true"), (Unit::Month, "2011"), (Unit::Table, "2011")]
        {
            assert_eq!(of(unit, text), None);
        }
    }
}
