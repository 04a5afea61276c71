//! A sync with its database and its messages.

use postgres::Client;

use super::error::{Result, SyncError};
use super::target::Target;

/// The asked-for stop of a sync: true if it should end.
pub type Stopping<'s> = &'s dyn Fn() -> bool;

/// A sync with its messages.
pub struct Session<'s> {
    /// The database.
    pub target: &'s Target,
    /// The asked-for stop.
    pub stopping: Stopping<'s>,
}

impl Session<'_> {
    /// The error of a statement.
    pub fn failed(&self, source: postgres::Error) -> SyncError {
        SyncError::Write { target: self.target.shown().to_owned(), source }
    }

    /// Ends a sync that is asked to stop.
    ///
    /// # Errors
    /// [`SyncError::Stopped`].
    pub fn check_stop(&self) -> Result<()> {
        if (self.stopping)() {
            return Err(SyncError::Stopped { target: self.target.shown().to_owned() });
        }
        Ok(())
    }

    /// Takes the lock of the schema until the connection ends.
    ///
    /// # Errors
    /// [`SyncError::Locked`], [`SyncError::Write`].
    pub fn lock(&self, client: &mut Client) -> Result<()> {
        let sql = "SELECT pg_try_advisory_lock(hashtextextended('spillover sync ' || $1, 0))";
        let row = client.query_one(sql, &[&self.target.schema]);
        let row = row.map_err(|source| self.failed(source))?;
        if row.get::<_, bool>(0) {
            return Ok(());
        }
        let (target, schema) = (self.target.shown().to_owned(), self.target.schema.clone());
        Err(SyncError::Locked { target, schema })
    }
}
