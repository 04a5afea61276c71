//! Layout 9 in terms of layout 10: estimates have a month, and panels can end at one.
//!
//! Every earlier estimate is one of closed years, so its month is 12. No other value changes.

use rusqlite::{Connection, Transaction};

use super::layout_2::has_table;
use super::schema::RESULTS;
use super::seal;

/// Adds months to the results of a home of layout 2 to 9.
pub(super) fn upgrade(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    if has_table(transaction, "estimates")? && !has_month(transaction)? {
        seal::open(transaction, "estimates")?;
        transaction.execute_batch(
            "ALTER TABLE estimates ADD COLUMN month INTEGER NOT NULL DEFAULT 12
                 CHECK (month BETWEEN 1 AND 12);
             DROP INDEX IF EXISTS estimates_by_identity;",
        )?;
    }
    if !has_table(transaction, "panels")? {
        return Ok(());
    }
    // A condition of a table cannot change, so its rows move to a new table.
    seal::open(transaction, "panels")?;
    transaction.execute_batch("ALTER TABLE panels RENAME TO panels_of_layout_9")?;
    transaction.execute_batch(RESULTS)?;
    transaction.execute_batch(
        "INSERT INTO panels (kind, year, stamp, publication, n_rows, path, hash, n_bytes)
             SELECT kind, year, stamp, publication, n_rows, path, hash, n_bytes
             FROM panels_of_layout_9;
         DROP TABLE panels_of_layout_9;",
    )
}

/// True if estimates already have a month, as those of a converted layout 2.
fn has_month(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM pragma_table_info('estimates') WHERE name = 'month'";
    connection.query_row(sql, [], |row| row.get(0)).map(|n: u32| n == 1)
}
