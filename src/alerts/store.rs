//! `alerts.sqlite` in the home: states, alerts, and the outbox.
//!
//! One transaction has what a publication changes: states, alerts and the outbox. So a process that
//! ends anywhere judges the publication again, or has all its alerts; identifiers do not depend on
//! the attempt. Acknowledgements are transactions of their own, from any process.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use super::alert::{Alert, Outcome};
use super::states::{Progress, States, UnitState};
use crate::domain::types::{Period, Vintage};
use crate::files::private;

/// The name of the database in the home.
pub const FILE: &str = "alerts.sqlite";
/// The layout of the database.
const LAYOUT: i64 = 1;
/// The longest wait for another process.
const BUSY_MAX: Duration = Duration::from_secs(10);

/// The reason why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be created.
    #[error("cannot create {}; make the home a writable folder", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It cannot be read or written.
    #[error(
        "cannot use {}; if it is damaged, move it away, and alerts begin at the newest publication",
        path.display()
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// The error of the database.
        source: rusqlite::Error,
    },
    /// Its content is damaged.
    #[error(
        "{} is damaged: {found}; restore it from a backup, or move it away, and alerts begin at \
         the newest publication",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database says.
        found: String,
    },
    /// A later version wrote it.
    #[error(
        "{} has layout {found}, and this version reads layout {LAYOUT}; use the version that \
         wrote it",
        path.display()
    )]
    Layout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
    },
    /// An alert cannot be read.
    #[error("an alert in {} cannot be read; move the file away", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The error.
        source: serde_json::Error,
    },
}

/// The result of database calls.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An alert with its times.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAlert {
    /// The place in the order of alerts.
    pub number: i64,
    /// The alert.
    pub alert: Alert,
    /// The time at which it was raised, in UTC.
    pub raised_at: String,
    /// The time at which it ended.
    pub cleared_at: Option<String>,
    /// The vintage at which it ended.
    pub cleared_vintage: Option<u32>,
    /// The time at which a user acknowledged it.
    pub acknowledged_at: Option<String>,
}

impl StoredAlert {
    /// `raised`, or `cleared` once it has ended.
    #[must_use]
    pub fn state(&self) -> &'static str {
        if self.cleared_at.is_some() { "cleared" } else { "raised" }
    }
}

/// The result of an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// The alert is acknowledged from now on.
    Now(String),
    /// It was acknowledged before, at this time.
    Before(String),
    /// There is no such alert.
    NoAlert,
}

/// The database.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database of a home, and creates it if it does not exist.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be created or read, or a later version wrote it.
    pub fn open(home: &Path) -> Result<Self> {
        let path = home.join(FILE);
        private::create_if_missing(&path)
            .map_err(|source| StoreError::Create { path: path.clone(), source })?;
        let connection = connect(&path).map_err(|source| database(&path, source))?;
        let mut store = Self { connection, path };
        if store.layout()? == 0 {
            let created =
                store.connection.transaction_with_behavior(TransactionBehavior::Immediate);
            let created = created.and_then(|transaction| {
                // Another process may have created it meanwhile.
                let found: i64 =
                    transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
                if found == 0 {
                    transaction.execute_batch(include_str!("schema.sql"))?;
                    transaction.pragma_update(None, "user_version", LAYOUT)?;
                }
                transaction.commit()
            });
            created.map_err(|source| database(&store.path, source))?;
        }
        store.check()
    }

    /// Opens the database of a home for reading; `None` if it does not exist.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn read(home: &Path) -> Result<Option<Self>> {
        let path = home.join(FILE);
        match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Ok(there) if there.len() == 0 => return Ok(None),
            _ => {}
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)
            .and_then(|of| of.busy_timeout(BUSY_MAX).map(|()| of))
            .map_err(|source| database(&path, source))?;
        let store = Self { connection, path };
        // Another process creates it now.
        if store.layout()? == 0 { Ok(None) } else { store.check().map(Some) }
    }

    fn layout(&self) -> Result<i64> {
        let asked = self.connection.query_row("PRAGMA user_version", [], |row| row.get(0));
        asked.map_err(|source| self.failed(source))
    }

    fn check(self) -> Result<Self> {
        match self.layout()? {
            LAYOUT => Ok(self),
            found => Err(StoreError::Layout { path: self.path, found }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> StoreError {
        database(&self.path, source)
    }

    /// The last judged publication; `None` before the first.
    ///
    /// # Errors
    /// [`StoreError::Database`] if it cannot be read.
    pub fn progress(&self) -> Result<Option<Progress>> {
        let text = "SELECT vintage, last_closed FROM progress";
        let progress = self.connection.query_row(text, [], |row| {
            let last_closed: Option<u32> = row.get(1)?;
            let last_closed = last_closed.and_then(Period::from_yyyymm);
            Ok(Progress { vintage: Vintage(row.get(0)?), last_closed })
        });
        progress.optional().map_err(|source| self.failed(source))
    }

    /// The states of units.
    ///
    /// # Errors
    /// [`StoreError::Database`] if they cannot be read.
    pub fn states(&self) -> Result<States> {
        let text = "SELECT rule, key, month, raised, alert, n_normal, n_normal_before, sign \
                    FROM units";
        let states = (|| {
            let mut query = self.connection.prepare(text)?;
            let states = query.query_map([], |row| {
                let month: Option<u32> = row.get(2)?;
                let state = UnitState {
                    month: month.and_then(Period::from_yyyymm),
                    raised: row.get(3)?,
                    alert: row.get(4)?,
                    n_normal: row.get(5)?,
                    n_normal_before: row.get(6)?,
                    sign: row.get(7)?,
                };
                Ok(((row.get(0)?, row.get(1)?), state))
            })?;
            states.collect::<rusqlite::Result<States>>()
        })();
        states.map_err(|source| self.failed(source))
    }

    /// Stores what a publication changes: completely, or not at all. `sinks_of` names the sinks of
    /// an alert. Returns the number of new alerts.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn record(
        &mut self,
        (progress, states): (Progress, &States),
        outcome: &Outcome,
        now: Timestamp,
        sinks_of: &dyn Fn(&Alert) -> Vec<String>,
    ) -> Result<usize> {
        let path = self.path.clone();
        let contents: Vec<String> = outcome
            .alerts
            .iter()
            .map(serde_json::to_string)
            .collect::<std::result::Result<_, _>>()
            .map_err(|source| StoreError::Content { path, source })?;
        let now = second(now);
        let written = (|| {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut n_new = 0;
            for (alert, content) in outcome.alerts.iter().zip(&contents) {
                let inserted = transaction.execute(
                    "INSERT OR IGNORE INTO alerts (id, rule, vintage, raised_at, content) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![alert.id, alert.rule, alert.vintage, now, content],
                )?;
                n_new += inserted;
                for sink in sinks_of(alert).iter().filter(|_| inserted > 0) {
                    transaction.execute(
                        "INSERT OR IGNORE INTO outbox (alert, sink) VALUES (?1, ?2)",
                        params![alert.id, sink],
                    )?;
                }
            }
            for id in &outcome.cleared {
                transaction.execute(
                    "UPDATE alerts SET cleared_at = ?2, cleared_vintage = ?3 \
                     WHERE id = ?1 AND cleared_at IS NULL",
                    params![id, now, progress.vintage.0],
                )?;
            }
            write_states(&transaction, states)?;
            transaction.execute(
                "INSERT OR REPLACE INTO progress (id, vintage, last_closed) VALUES (1, ?1, ?2)",
                params![progress.vintage.0, progress.last_closed.map(Period::as_yyyymm)],
            )?;
            transaction.commit()?;
            Ok(n_new)
        })();
        written.map_err(|source| self.failed(source))
    }

    /// Alerts with a larger number than a given one, in order.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn alerts(&self, after: i64) -> Result<Vec<StoredAlert>> {
        let text = "SELECT number, content, raised_at, cleared_at, cleared_vintage, \
                    acknowledged_at FROM alerts WHERE number > ?1 ORDER BY number";
        let rows = (|| {
            let mut query = self.connection.prepare(text)?;
            let rows = query.query_map([after], |row| {
                let content: String = row.get(1)?;
                let times = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
                Ok((row.get(0)?, content, times))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })();
        let rows = rows.map_err(|source| self.failed(source))?;
        let stored = rows.into_iter().map(|(number, content, times)| {
            let alert = serde_json::from_str(&content)
                .map_err(|source| StoreError::Content { path: self.path.clone(), source })?;
            let (raised_at, cleared_at, cleared_vintage, acknowledged_at) = times;
            let (cleared_at, acknowledged_at) = (cleared_at, acknowledged_at);
            Ok(StoredAlert {
                number,
                alert,
                raised_at,
                cleared_at,
                cleared_vintage,
                acknowledged_at,
            })
        });
        stored.collect()
    }

    /// Checks every page, every reference and every alert of the database.
    ///
    /// # Errors
    /// [`StoreError`] if one is damaged.
    pub fn verify(&self) -> Result<()> {
        let found: rusqlite::Result<String> =
            self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        let found = found.map_err(|source| self.failed(source))?;
        let text = "SELECT count(*) FROM pragma_foreign_key_check";
        let n_lost: rusqlite::Result<i64> = self.connection.query_row(text, [], |row| row.get(0));
        let n_lost = n_lost.map_err(|source| self.failed(source))?;
        if found != "ok" || n_lost > 0 {
            return Err(StoreError::Damaged { path: self.path.clone(), found });
        }
        self.alerts(0).map(drop)
    }

    /// The database as the content of a file, at one moment.
    ///
    /// # Errors
    /// [`StoreError::Database`] if it cannot be read.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let bytes = (|| {
            let mut copy = Connection::open_in_memory()?;
            Backup::new(&self.connection, &mut copy)?.step(-1)?;
            Ok(copy.serialize("main")?.to_vec())
        })();
        bytes.map_err(|source| self.failed(source))
    }

    /// The number of the newest alert; 0 without alerts.
    ///
    /// # Errors
    /// [`StoreError::Database`] if it cannot be read.
    pub fn last_number(&self) -> Result<i64> {
        let text = "SELECT coalesce(max(number), 0) FROM alerts";
        let number = self.connection.query_row(text, [], |row| row.get(0));
        number.map_err(|source| self.failed(source))
    }

    /// Acknowledges an alert.
    ///
    /// # Errors
    /// [`StoreError::Database`] if it cannot be written.
    pub fn acknowledge(&mut self, id: &str, now: Timestamp) -> Result<Acknowledged> {
        let now = second(now);
        let acknowledged = (|| {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let text = "SELECT acknowledged_at FROM alerts WHERE id = ?1";
            let before: Option<Option<String>> =
                transaction.query_row(text, [id], |row| row.get(0)).optional()?;
            let result = match before {
                None => Acknowledged::NoAlert,
                Some(Some(before)) => Acknowledged::Before(before),
                Some(None) => {
                    let text = "UPDATE alerts SET acknowledged_at = ?2 WHERE id = ?1";
                    transaction.execute(text, params![id, now])?;
                    Acknowledged::Now(now)
                }
            };
            transaction.commit()?;
            Ok(result)
        })();
        acknowledged.map_err(|source| self.failed(source))
    }

    /// The numbers of alerts: raised, and of these not acknowledged.
    ///
    /// # Errors
    /// [`StoreError::Database`] if they cannot be read.
    pub fn n_open(&self) -> Result<(u32, u32)> {
        let text = "SELECT count(*), count(*) FILTER (WHERE acknowledged_at IS NULL) FROM alerts \
                    WHERE cleared_at IS NULL";
        let counts = self.connection.query_row(text, [], |row| Ok((row.get(0)?, row.get(1)?)));
        counts.map_err(|source| self.failed(source))
    }

    /// The names of sinks with undelivered alerts: their number, and the last error.
    ///
    /// # Errors
    /// [`StoreError::Database`] if they cannot be read.
    pub fn undelivered(&self) -> Result<BTreeMap<String, (u32, Option<String>)>> {
        let text = "SELECT o.sink, count(*), max(m.error) FROM outbox o \
                    LEFT JOIN messages m ON m.id = o.message \
                    WHERE m.delivered_at IS NULL GROUP BY o.sink";
        let rows = (|| {
            let mut query = self.connection.prepare(text)?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
            rows.collect::<rusqlite::Result<_>>()
        })();
        rows.map_err(|source| self.failed(source))
    }
}

fn write_states(transaction: &rusqlite::Transaction<'_>, states: &States) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM units", [])?;
    let mut insert = transaction.prepare(
        "INSERT INTO units (rule, key, month, raised, alert, n_normal, n_normal_before, sign) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for ((rule, key), state) in states {
        let month = state.month.map(Period::as_yyyymm);
        let UnitState { raised, alert, n_normal, n_normal_before, sign, .. } = state;
        insert.execute(params![
            rule,
            key,
            month,
            raised,
            alert,
            n_normal,
            n_normal_before,
            sign
        ])?;
    }
    Ok(())
}

/// A time to the second, as text.
fn second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_MAX)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn database(path: &Path, source: rusqlite::Error) -> StoreError {
    StoreError::Database { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(id: &str, vintage: u32) -> Alert {
        Alert { id: id.to_owned(), rule: "r".to_owned(), vintage, ..Alert::default() }
    }

    #[test]
    fn a_publication_is_stored_once_and_acknowledged_once() {
        let home = tempfile::tempdir().expect("a temporary folder");
        assert!(Store::read(home.path()).expect("no error").is_none());
        let mut store = Store::open(home.path()).expect("created");
        assert_eq!(store.progress().expect("read"), None);
        let month = Period::new(2011, 6);
        let progress = Progress { vintage: Vintage(7), last_closed: month };
        let state =
            UnitState { month, raised: -1, alert: Some("a".into()), ..UnitState::default() };
        let states = States::from([(("r".to_owned(), "304".to_owned()), state)]);
        let outcome = Outcome { alerts: vec![alert("a", 7), alert("b", 7)], ..Outcome::default() };
        let now = Timestamp::from_second(1_700_000_000).expect("a time");
        let sinks = |of: &Alert| if of.id == "a" { vec!["duty".to_owned()] } else { Vec::new() };
        for n_new in [2, 0] {
            let stored = store.record((progress, &states), &outcome, now, &sinks).expect("stored");
            assert_eq!(stored, n_new);
        }
        let other = Store::read(home.path()).expect("read").expect("it exists");
        assert_eq!(other.progress().expect("read"), Some(progress));
        assert_eq!(other.states().expect("read"), states);
        assert_eq!(other.undelivered().expect("read"), [("duty".to_owned(), (1, None))].into());
        assert_eq!(other.alerts(1).expect("read").len(), 1);
        let at = "2023-11-14T22:13:20Z".to_owned();
        assert_eq!(store.acknowledge("a", now).expect("read"), Acknowledged::Now(at.clone()));
        assert_eq!(store.acknowledge("a", now).expect("read"), Acknowledged::Before(at));
        assert_eq!(store.acknowledge("c", now).expect("read"), Acknowledged::NoAlert);
        assert_eq!(store.n_open().expect("read"), (2, 1));
        let cleared = Outcome { cleared: vec!["a".to_owned()], ..Outcome::default() };
        let progress = Progress { vintage: Vintage(8), last_closed: month };
        store.record((progress, &States::new()), &cleared, now, &sinks).expect("stored");
        let stored = &other.alerts(0).expect("read")[0];
        assert_eq!((stored.state(), stored.cleared_vintage), ("cleared", Some(8)));
        assert!(other.states().expect("read").is_empty());
    }
}
