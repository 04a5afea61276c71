//! What a database has: the publication, the history of its home, the layout of its tables.

use std::time::SystemTime;

use postgres::Transaction;

use super::error::{Result, SyncError};
use super::schema::{PUBLICATION, Table, layout, quoted};
use super::session::Session;
use crate::domain::span::Joint;
use crate::home::Publication;
use crate::reader::Reader;

/// The state of a database, or of a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The identity of columns, types and keys.
    layout: String,
    /// The identity of the publications.
    history: String,
    publication: i64,
    vintage: i64,
    /// The time of the publication in microseconds, in UTC.
    committed_at_us: Option<i64>,
    n_commits: i64,
    /// The identity of the program and the definition.
    pub basis: String,
}

/// What a schema has.
pub enum Found {
    /// It does not exist.
    Nothing,
    /// It has no table.
    Empty,
    /// It has a publication.
    State(State),
}

const COLUMNS: [&str; 7] =
    ["layout", "history", "publication", "vintage", "committed_at_us", "n_commits", "basis"];

impl State {
    /// The state of a home.
    ///
    /// # Errors
    /// [`SyncError::Reader`] if the home cannot be read.
    ///
    /// # Panics
    /// Never: a home has its own publication.
    pub fn of(reader: &Reader, joint: Joint, tables: &[Table]) -> Result<Self> {
        let (publication, vintage) = reader.publication()?;
        let history = reader.history(publication)?;
        Ok(Self {
            layout: layout(tables),
            history: history.expect("a home has its publication"),
            publication: i64::from(publication.0),
            vintage: i64::from(vintage.0),
            committed_at_us: reader.committed_at()?.map(jiff::Timestamp::as_microsecond),
            n_commits: i64::try_from(reader.n_commits()?).expect("a home has fewer commits"),
            basis: reader.basis(joint)?,
        })
    }

    /// The state of the database.
    ///
    /// # Errors
    /// [`SyncError::Foreign`] if no sync made the tables; [`SyncError::Write`].
    pub fn read(transaction: &mut Transaction<'_>, session: &Session<'_>) -> Result<Found> {
        let failed = |source| session.failed(source);
        let schema = &session.target.schema;
        let sql = "SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1";
        let Some(row) = transaction.query_opt(sql, &[schema]).map_err(failed)? else {
            return Ok(Found::Nothing);
        };
        let schema_id: u32 = row.get(0);
        let sql = "SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = $1";
        let row = transaction.query_one(sql, &[&schema_id]).map_err(failed)?;
        if row.get::<_, i64>(0) == 0 {
            return Ok(Found::Empty);
        }
        let sql = "SELECT count(*) FROM pg_catalog.pg_attribute a \
                   JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
                   WHERE c.relnamespace = $1 AND c.relname = $2 AND a.attname = ANY ($3)";
        let columns = COLUMNS.as_slice();
        let row = transaction.query_one(sql, &[&schema_id, &PUBLICATION, &columns]);
        let n_columns: i64 = row.map_err(failed)?.get(0);
        let (target, schema) = (session.target.shown().to_owned(), schema.clone());
        if usize::try_from(n_columns) != Ok(COLUMNS.len()) {
            return Err(SyncError::Foreign { target, schema });
        }
        let sql = format!(
            "SELECT layout, history, publication, vintage, committed_at_us, n_commits, basis \
             FROM {}.{PUBLICATION}",
            quoted(&schema)
        );
        let row = transaction.query_opt(&sql, &[]).map_err(failed)?;
        let row = row.ok_or(SyncError::Foreign { target, schema })?;
        Ok(Found::State(Self {
            layout: row.get(0),
            history: row.get(1),
            publication: row.get(2),
            vintage: row.get(3),
            committed_at_us: row.get(4),
            n_commits: row.get(5),
            basis: row.get(6),
        }))
    }

    /// Checks that the state of a database is an earlier one of a home, or the same.
    ///
    /// # Errors
    /// [`SyncError::Layout`], [`SyncError::Newer`], [`SyncError::OtherHome`].
    pub fn check(&self, home: &Self, reader: &Reader, session: &Session<'_>) -> Result<()> {
        let (target, schema) = (session.target.shown().to_owned(), session.target.schema.clone());
        if self.layout != home.layout {
            let (found, expected) = (self.layout.clone(), home.layout.clone());
            return Err(SyncError::Layout { target, schema, found, expected });
        }
        if self.publication > home.publication {
            let (found, newest) = (self.vintage, home.vintage);
            return Err(SyncError::Newer { target, schema, found, newest });
        }
        let own = u32::try_from(self.publication).ok().map(Publication);
        let history = own.map(|own| reader.history(own)).transpose()?.flatten();
        if history.as_ref() != Some(&self.history) {
            let publication = self.publication;
            return Err(SyncError::OtherHome { target, schema, publication });
        }
        Ok(())
    }

    /// Writes the state in place of the one before.
    ///
    /// # Errors
    /// [`SyncError::Write`].
    pub fn write(&self, transaction: &mut Transaction<'_>, session: &Session<'_>) -> Result<()> {
        let table = format!("{}.{PUBLICATION}", quoted(&session.target.schema));
        let removed = transaction.execute(&format!("DELETE FROM {table}"), &[]);
        removed.map_err(|source| session.failed(source))?;
        let sql = format!(
            "INSERT INTO {table} (layout, history, publication, vintage, committed_at_us, \
             n_commits, basis, committed_at, synced_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \
             clock_timestamp())"
        );
        let committed_at = self.committed_at_us.map(|us| {
            let since = std::time::Duration::from_micros(u64::try_from(us).unwrap_or_default());
            SystemTime::UNIX_EPOCH + since
        });
        let written = transaction.execute(
            &sql,
            &[
                &self.layout,
                &self.history,
                &self.publication,
                &self.vintage,
                &self.committed_at_us,
                &self.n_commits,
                &self.basis,
                &committed_at,
            ],
        );
        written.map(|_| ()).map_err(|source| session.failed(source))
    }
}
