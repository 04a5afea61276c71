//! One publication in one transaction.

use postgres::Transaction;

use super::content::Content;
use super::error::{Changed, Result, SyncError, Synced};
use super::merge::Merge;
use super::schema::{self, Table, quoted};
use super::session::{Session, Stopping};
use super::state::{Found, State};
use super::target::Target;
use crate::domain::span::Joint;
use crate::reader::Reader;

/// Writes the newest publication of a home to a database, unless it is there already.
///
/// # Errors
/// [`SyncError`]; the database keeps the publication from before.
pub fn sync(
    reader: &mut Reader,
    joint: Joint,
    target: &Target,
    stopping: Stopping<'_>,
) -> Result<Synced> {
    if reader.publication()?.0.0 == 0 {
        return Err(SyncError::Empty);
    }
    let mut client = target.connect()?;
    let session = Session { target, stopping };
    session.lock(&mut client)?;
    let transaction = client.transaction().map_err(|source| session.failed(source))?;
    Writer { session: &session }.write(reader, joint, transaction)
}

/// The transaction of a sync.
struct Writer<'s> {
    session: &'s Session<'s>,
}

impl Writer<'_> {
    fn write(
        &self,
        reader: &mut Reader,
        joint: Joint,
        mut transaction: Transaction<'_>,
    ) -> Result<Synced> {
        let tables = schema::tables(reader)?;
        let found = State::read(&mut transaction, self.session)?;
        let state = State::of(reader, joint, &tables)?;
        let (publication, vintage) = reader.publication()?;
        let n_commits = reader.n_commits()?;
        let mut synced =
            Synced { publication: publication.0, vintage: vintage.0, n_commits, changed: None };
        let is_first = match &found {
            Found::State(found) => {
                found.check(&state, reader, self.session)?;
                if *found == state {
                    return Ok(synced);
                }
                if found.basis != state.basis {
                    let sql = schema::descriptions(&tables, &quoted(&self.session.target.schema));
                    self.execute(&mut transaction, &sql)?;
                }
                false
            }
            Found::Nothing | Found::Empty => {
                self.create(&tables, &found, &mut transaction)?;
                true
            }
        };
        let changed = self.write_tables((reader, joint), &tables, &mut transaction)?;
        if is_first {
            self.add_keys(&tables, &mut transaction)?;
        }
        state.write(&mut transaction, self.session)?;
        self.session.check_stop()?;
        transaction.commit().map_err(|source| self.session.failed(source))?;
        synced.changed = Some(changed);
        Ok(synced)
    }

    fn execute(&self, transaction: &mut Transaction<'_>, sql: &str) -> Result<()> {
        transaction.batch_execute(sql).map_err(|source| self.session.failed(source))
    }

    /// Makes the tables, in a schema of their own.
    fn create(&self, tables: &[Table], found: &Found, to: &mut Transaction<'_>) -> Result<()> {
        let schema = quoted(&self.session.target.schema);
        if matches!(found, Found::Nothing) {
            self.execute(to, &format!("CREATE SCHEMA {schema}"))?;
        }
        self.execute(to, &schema::creation(tables, &schema))
    }

    /// Adds the primary keys to new tables, after their rows.
    fn add_keys(&self, tables: &[Table], to: &mut Transaction<'_>) -> Result<()> {
        let schema = quoted(&self.session.target.schema);
        for table in tables {
            if let Some(sql) = table.key(&schema) {
                self.execute(to, &sql)?;
            }
            self.execute(to, &format!("ANALYZE {schema}.{}", quoted(table.name)))?;
        }
        Ok(())
    }

    /// Writes the units that differ, table by table.
    fn write_tables(
        &self,
        (reader, joint): (&mut Reader, Joint),
        tables: &[Table],
        transaction: &mut Transaction<'_>,
    ) -> Result<Changed> {
        let mut changed = Changed::default();
        let content = Content::new(reader, joint)?;
        for table in tables {
            let mut merge = Merge::new(self.session, table, transaction)?;
            for (unit, identity) in content.units(table, reader)? {
                merge.unit(&unit, &identity, |rows| content.write(table, &unit, reader, rows))?;
            }
            let of_table = merge.finish()?;
            changed.n_new += of_table.n_new;
            changed.n_changed += of_table.n_changed;
            changed.n_gone += of_table.n_gone;
        }
        Ok(changed)
    }
}
