//! Seals: for each table the database stores the number of rows and the sum of their hashes. A
//! flipped bit on the disk is found before anything is served from the table.
//!
//! ```text
//! INSERT, UPDATE, DELETE ──trigger──▶ seals: name, n_rows, digest = Σ BLAKE3(table, row)
//! opening ──▶ every row is hashed again ──▶ the same sum, or the manifest is damaged
//! ```
//! `SQLite` checks the shape of its pages, not their values: a count or a path with a flipped bit
//! looks like any other value. The sum does not depend on the order of rows, so a transaction costs
//! its changes only. The definitions of tables, indexes and triggers have a seal, too. Triggers
//! update the seals for every kind of write. A program without the two functions below cannot write
//! the tables.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

/// The name for the definitions of everything in the database; no table has it.
const DEFINITIONS: &str = "(definitions)";
/// The number of transactions that wrote. It shows a copy that is older than acknowledged.
const COMMITS: &str = "(commits)";

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS seals (
    name   TEXT PRIMARY KEY,
    n_rows INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT, WITHOUT ROWID";

/// A wrapping sum of hashes, in four lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Digest([u64; 4]);

impl Digest {
    fn of<'v>(
        table: &str,
        values: impl Iterator<Item = rusqlite::Result<ValueRef<'v>>>,
    ) -> rusqlite::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        feed(&mut hasher, ValueRef::Text(table.as_bytes()));
        for value in values {
            feed(&mut hasher, value?);
        }
        Ok(Self::from_bytes(hasher.finalize().as_bytes()))
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (lanes, _) = bytes.as_chunks::<8>();
        Self(std::array::from_fn(|lane| u64::from_le_bytes(lanes[lane])))
    }

    fn to_bytes(self) -> Vec<u8> {
        self.0.iter().flat_map(|lane| lane.to_le_bytes()).collect()
    }

    fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane].wrapping_add(other.0[lane])))
    }

    fn minus(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane].wrapping_sub(other.0[lane])))
    }
}

/// Hashes kind, length and bytes, so that rows with different values never give the same input.
fn feed(hasher: &mut blake3::Hasher, value: ValueRef<'_>) {
    let mut add = |kind: u8, bytes: &[u8]| {
        hasher.update(&[kind]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    };
    match value {
        ValueRef::Null => add(0, &[]),
        ValueRef::Integer(number) => add(1, &number.to_le_bytes()),
        ValueRef::Real(number) => add(2, &number.to_bits().to_le_bytes()),
        ValueRef::Text(text) => add(3, text),
        ValueRef::Blob(bytes) => add(4, bytes),
    }
}

/// Registers the functions that the triggers call. A connection without them cannot write.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("seal_add", -1, flags, |given| fold(given, Digest::plus))?;
    connection.create_scalar_function("seal_take", -1, flags, |given| fold(given, Digest::minus))
}

/// Computes `(digest, table, value, …)`: the digest with a row added or removed.
fn fold(given: &Context<'_>, with: fn(Digest, Digest) -> Digest) -> rusqlite::Result<Vec<u8>> {
    let before = Digest::from_bytes(&given.get::<[u8; 32]>(0)?);
    let table: String = given.get(1)?;
    let row = Digest::of(&table, (2..given.len()).map(|at| Ok(given.get_raw(at))))?;
    Ok(with(before, row).to_bytes())
}

/// Seals every table without a seal, and the current definitions.
pub(super) fn install(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(SCHEMA)?;
    for table in tables(transaction)? {
        if sealed(transaction, &table)?.is_none() {
            let (n_rows, digest) = sum(transaction, &table)?;
            put(transaction, &table, n_rows, digest)?;
            transaction.execute_batch(&triggers(transaction, &table)?)?;
        }
    }
    if sealed(transaction, COMMITS)?.is_none() {
        put(transaction, COMMITS, 0, Digest::default())?;
    }
    let now = definitions(transaction)?;
    if sealed(transaction, DEFINITIONS)? != Some(now) {
        put(transaction, DEFINITIONS, now.0, now.1)?;
    }
    Ok(())
}

/// Removes the seal of a table whose columns will change; [`install`] seals it again.
pub(super) fn open(transaction: &Transaction<'_>, table: &str) -> rusqlite::Result<()> {
    transaction.execute_batch(SCHEMA)?;
    for event in ["INSERT", "DELETE", "UPDATE"] {
        let trigger = quoted(&format!("seal_{table}_{event}"));
        transaction.execute_batch(&format!("DROP TRIGGER IF EXISTS {trigger}"))?;
    }
    transaction.execute("DELETE FROM seals WHERE name = ?", [table])?;
    Ok(())
}

fn put(connection: &Connection, name: &str, n_rows: i64, sum: Digest) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO seals (name, n_rows, digest) VALUES (?, ?, ?)";
    connection.execute(sql, (name, n_rows, sum.to_bytes()))?;
    Ok(())
}

/// Counts a transaction that writes.
pub(super) fn count(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "UPDATE seals SET n_rows = n_rows + 1 WHERE name = ?";
    transaction.execute(sql, [COMMITS])?;
    Ok(())
}

/// The number of transactions that wrote.
pub(super) fn n_commits(connection: &Connection) -> rusqlite::Result<u64> {
    let (n_commits, _) = sealed(connection, COMMITS)?.unwrap_or_default();
    Ok(u64::try_from(n_commits).unwrap_or(0))
}

/// The tables that are sealed or should be.
pub(super) fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'seals'
                    AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
                UNION SELECT name FROM seals WHERE name NOT LIKE '(%' ORDER BY name";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// The damage of some tables and of the definitions; empty if there is none.
///
/// All is read in one transaction, so that a concurrent writer is not reported as damage.
pub(super) fn check(connection: &Connection, tables: &[String]) -> rusqlite::Result<Vec<String>> {
    let nested = !connection.is_autocommit();
    let begun = if nested { None } else { Some(connection.unchecked_transaction()?) };
    let transaction: &Connection = begun.as_deref().unwrap_or(connection);
    let mut found = Vec::new();
    if sealed(transaction, DEFINITIONS)? != Some(definitions(transaction)?) {
        found.push("the definitions of its tables have changed".to_owned());
        return Ok(found);
    }
    for table in tables {
        // The check covers indexes, and the order of keys that a search needs.
        let shape = format!("PRAGMA integrity_check({})", quoted(table));
        let mut shape = transaction.prepare(&shape)?;
        let lines = shape.query_map([], |row| row.get::<_, String>(0))?;
        for line in lines {
            found.push(line?);
        }
        found.retain(|line| line != "ok");
        if sealed(transaction, table)? != Some(sum(transaction, table)?) {
            found.push(format!("the rows of {table} differ from the written ones"));
        }
    }
    Ok(found)
}

fn sealed(connection: &Connection, name: &str) -> rusqlite::Result<Option<(i64, Digest)>> {
    let sql = "SELECT n_rows, digest FROM seals WHERE name = ?";
    let seal = |row: &Row<'_>| Ok((row.get(0)?, Digest::from_bytes(&row.get::<_, [u8; 32]>(1)?)));
    connection.prepare_cached(sql)?.query_row([name], seal).optional()
}

fn sum(connection: &Connection, table: &str) -> rusqlite::Result<(i64, Digest)> {
    sum_of(connection, table, &format!("SELECT * FROM {}", quoted(table)))
}

fn definitions(connection: &Connection) -> rusqlite::Result<(i64, Digest)> {
    let sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema";
    sum_of(connection, DEFINITIONS, sql)
}

fn sum_of(connection: &Connection, table: &str, sql: &str) -> rusqlite::Result<(i64, Digest)> {
    let mut statement = connection.prepare(sql)?;
    let n_columns = statement.column_count();
    let mut rows = statement.query([])?;
    let (mut n_rows, mut digest) = (0, Digest::default());
    while let Some(row) = rows.next()? {
        n_rows += 1;
        digest = digest.plus(Digest::of(table, (0..n_columns).map(|at| row.get_ref(at)))?);
    }
    Ok((n_rows, digest))
}

fn triggers(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let columns = connection.prepare(&format!("SELECT * FROM {}", quoted(table)))?;
    let values = |row: &str| {
        let values = columns.column_names().map(|name| format!(", {row}.{}", quoted(name)));
        format!("'{}'{}", table.replace('\'', "''"), values.collect::<String>())
    };
    let trigger = |event: &str, change: &str, digest: &str| {
        let (name, on) = (quoted(&format!("seal_{table}_{event}")), quoted(table));
        let of = table.replace('\'', "''");
        format!(
            "CREATE TRIGGER {name} AFTER {event} ON {on} BEGIN
                UPDATE seals SET n_rows = n_rows {change}, digest = {digest} WHERE name = '{of}';
             END;\n"
        )
    };
    let (old, new) = (values("OLD"), values("NEW"));
    let replaced = format!("seal_add(seal_take(digest, {old}), {new})");
    Ok([
        trigger("INSERT", "+ 1", &format!("seal_add(digest, {new})")),
        trigger("DELETE", "- 1", &format!("seal_take(digest, {old})")),
        trigger("UPDATE", "+ 0", &replaced),
    ]
    .concat())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().expect("a database in memory");
        connection.pragma_update(None, "recursive_triggers", true).expect("set");
        register(&connection).expect("registered");
        let tables = "CREATE TABLE a (key INTEGER PRIMARY KEY, text TEXT, number REAL) STRICT;
                      CREATE TABLE b (\"from\" TEXT PRIMARY KEY, raw BLOB) STRICT, WITHOUT ROWID;
                      INSERT INTO b VALUES ('before', x'00')";
        connection.execute_batch(tables).expect("tables");
        let transaction = connection.transaction().expect("a transaction");
        install(&transaction).expect("sealed");
        transaction.commit().expect("committed");
        connection
    }

    fn found(connection: &Connection) -> Vec<String> {
        check(connection, &tables(connection).expect("tables")).expect("checked")
    }

    #[test]
    fn what_is_written_through_the_triggers_stays_sealed() {
        let connection = database();
        for sql in [
            "INSERT INTO a VALUES (1, 'x', 1.5), (2, NULL, NULL)",
            "UPDATE a SET text = 'y' WHERE key = 2",
            "INSERT OR REPLACE INTO b VALUES ('before', x'01'), ('after', NULL)",
            "INSERT INTO a VALUES (1, 'x', 1.5) ON CONFLICT DO NOTHING",
            "DELETE FROM a WHERE key = 1",
        ] {
            connection.execute(sql, []).expect(sql);
            assert_eq!(found(&connection), Vec::<String>::new(), "{sql}");
        }
    }

    #[test]
    fn what_is_changed_behind_the_triggers_is_named() {
        let changes = [
            ("DROP TRIGGER seal_a_INSERT", "the definitions"),
            ("UPDATE seals SET n_rows = 7 WHERE name = 'a'", "the rows of a "),
            ("DELETE FROM seals WHERE name = 'b'", "the rows of b "),
            ("UPDATE seals SET digest = zeroblob(32) WHERE name = 'b'", "the rows of b "),
        ];
        for (sql, expected) in changes {
            let connection = database();
            connection.execute(sql, []).expect(sql);
            let found = found(&connection);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{sql}: {found:?}");
        }
    }

    #[test]
    fn values_of_another_kind_or_cut_are_other_rows() {
        let of = |values: &[ValueRef<'_>]| Digest::of("t", values.iter().map(|v| Ok(*v)));
        let rows = [
            of(&[ValueRef::Text(b"ab"), ValueRef::Text(b"c")]),
            of(&[ValueRef::Text(b"a"), ValueRef::Text(b"bc")]),
            of(&[ValueRef::Text(b"ab"), ValueRef::Blob(b"c")]),
            of(&[ValueRef::Text(b"ab"), ValueRef::Text(b"c"), ValueRef::Null]),
            of(&[ValueRef::Integer(0)]),
            of(&[ValueRef::Real(0.0)]),
        ];
        for (at, row) in rows.iter().enumerate() {
            let row = row.as_ref().expect("a digest");
            assert!(rows[at + 1..].iter().all(|other| other.as_ref().is_ok_and(|o| o != row)));
        }
    }

    #[test]
    fn a_program_without_the_functions_cannot_write() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.sqlite");
        let sealed = database();
        sealed.execute("VACUUM INTO ?", [path.to_string_lossy()]).expect("copied");
        let foreign = Connection::open(&path).expect("opened");
        let error = foreign.execute("INSERT INTO a VALUES (9, '', 0.0)", []).expect_err("foreign");
        assert!(error.to_string().contains("seal_add"), "{error}");
        assert_eq!(found(&foreign), Vec::<String>::new());
    }
}
