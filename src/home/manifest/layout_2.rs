//! Layout 2 in terms of layout 3, for readers of an old home and for its first writer.
//!
//! Layout 2 stored a model as the JSON that `estimate` prints, under the names of its specification
//! and column. The JSON does not change, so its figures do not change; it has version 0. Layout 2
//! did not record formula and rules, so the model has no identity.

use rusqlite::{Connection, Transaction};

use super::schema::RESULTS;

/// The estimates of a table of layout 2, in the columns of layout 3. Layout 2 stored missing data
/// as a failure; its text identifies it.
fn estimates_in(table: &str) -> String {
    format!(
        r#"SELECT estimate, NULL AS identity, NULL AS content, specification, "column", through,
                  publication, vintage, panel, stamp,
                  CASE WHEN model IS NOT NULL THEN 'estimated'
                       WHEN error LIKE '"%" is absent in every row of the % panel%'
                         OR error LIKE 'no rows are left of %' THEN 'no-data'
                       ELSE 'failed' END AS state,
                  CASE WHEN model IS NOT NULL THEN 0 END AS "schema", model, error
           FROM {table}"#
    )
}

/// The query for the estimates of a home of layout 2.
pub(super) fn estimates() -> String {
    // Estimates of layout 2 are of closed years.
    format!("SELECT *, 12 FROM ({}) ORDER BY estimate", estimates_in("estimates"))
}

/// Converts the results of layout 2 to layout 3. Memories of estimations are dropped: they were
/// stored by name, and their loss costs time only.
pub(super) fn upgrade(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let has_results = has_table(transaction, "estimates")? && has_table(transaction, "memories")?;
    if !has_results {
        return transaction.execute_batch(RESULTS);
    }
    transaction.execute_batch(
        "ALTER TABLE estimates RENAME TO estimates_of_layout_2;
         ALTER TABLE memories RENAME TO memories_of_layout_2;",
    )?;
    transaction.execute_batch(RESULTS)?;
    let estimates = estimates_in("estimates_of_layout_2");
    let columns = r#"estimate, identity, content, specification, "column", through, publication,
                     vintage, panel, stamp, state, "schema", model, error"#;
    transaction.execute(&format!("INSERT INTO estimates ({columns}) {estimates}"), [])?;
    // The new tables have no triggers yet; both are sealed at the end.
    transaction.execute_batch(
        r#"INSERT INTO memories ("key", name, path, hash, n_bytes, written)
               SELECT "key", name, path, hash, n_bytes, 0 FROM memories_of_layout_2
               WHERE "key" LIKE 'goods %';
           DROP TABLE estimates_of_layout_2;
           DROP TABLE memories_of_layout_2;
           DELETE FROM seals WHERE name IN ('estimates', 'memories');"#,
    )
}

/// True if the database has a table.
pub(super) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?";
    connection.query_row(sql, [name], |row| row.get(0)).map(|n: u32| n == 1)
}
