//! Runs in the manifest: the month sums of files.

use std::collections::BTreeMap;

use rusqlite::Transaction;

use super::Manifest;
use super::values::{integer, stored};
use crate::domain::types::Vintage;
use crate::home::durable::Stored;
use crate::home::error::Result;

/// Adds the run of a file, in place of an earlier one.
pub(super) fn add(
    transaction: &Transaction<'_>,
    vintage: Vintage,
    run: &Stored,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO runs (vintage, path, hash, n_bytes) VALUES (?, ?, ?, ?)";
    transaction.execute(sql, (vintage.0, &run.path, &run.hash, integer(run.n_bytes)))?;
    Ok(())
}

impl Manifest {
    /// The runs of all files that have one, superseded files included.
    pub(in crate::home) fn runs(&self) -> Result<BTreeMap<Vintage, Stored>> {
        if !self.has_runs()? {
            return Ok(BTreeMap::new());
        }
        let sql = "SELECT vintage, path, hash, n_bytes FROM runs";
        let runs =
            self.rows("the runs", sql, [], |row| Ok((Vintage(row.get(0)?), stored(row, 1)?)))?;
        Ok(runs.into_iter().collect())
    }

    /// Stores the runs of files that lacked one.
    pub(in crate::home) fn add_runs(&mut self, runs: &[(Vintage, Stored)]) -> Result<()> {
        self.write("the runs of files", |transaction| {
            runs.iter().try_for_each(|(vintage, run)| add(transaction, *vintage, run))
        })
    }
}
