//! Revisions in a commit: withdrawn files, a home rebuilt under other options, and stored
//! snapshots.

use rusqlite::{Row, Transaction, params};

use super::Manifest;
use super::rows::{Rebuilt, Reclassified, Withdrawn};
use super::statements::{Failure, add_counts, add_definition};
use super::values::{integer, stored, unsigned};
use crate::domain::types::Vintage;
use crate::home::Publication;
use crate::home::definition::DefinitionTexts;
use crate::home::durable::Stored;
use crate::home::error::Result;
use crate::home::snapshot::Snapshot;

/// Marks a file as withdrawn.
pub(super) fn withdraw(
    transaction: &Transaction<'_>,
    withdrawn: Withdrawn,
) -> std::result::Result<(), Failure> {
    let sql = "UPDATE files SET withdrawn_at = ?
               WHERE vintage = ? AND superseded_by IS NULL AND withdrawn_at IS NULL";
    match transaction.execute(sql, (withdrawn.at.0, withdrawn.file.0))? {
        0 => Err(Failure::NotLive(withdrawn.file)),
        _ => Ok(()),
    }
}

/// Records another definition and the reclassified files.
pub(super) fn rebuild(
    transaction: &Transaction<'_>,
    publication: Publication,
    rebuilt: &Rebuilt,
) -> std::result::Result<(), Failure> {
    for sql in [
        "INSERT INTO former_settings (until, text) SELECT ?, text FROM settings",
        "INSERT INTO former_reference_tables (until, name, text)
         SELECT ?, name, text FROM reference_tables",
    ] {
        transaction.execute(sql, [publication.0])?;
    }
    transaction.execute_batch("DELETE FROM settings; DELETE FROM reference_tables")?;
    add_definition(transaction, &rebuilt.definition)?;
    if !rebuilt.reclassified.is_empty() {
        // Snapshots are sums of other records than those that count now.
        transaction.execute("DELETE FROM snapshots", [])?;
    }
    for Reclassified { vintage, segment, summary } in &rebuilt.reclassified {
        transaction.execute(
            "UPDATE files SET segment_path = ?, segment_hash = ?, segment_bytes = ?, accepted = ?,
                 absolute_cents = ? WHERE vintage = ?",
            params![
                segment.path,
                segment.hash,
                integer(segment.n_bytes),
                integer(summary.counts.accepted),
                summary.absolute_cents,
                vintage.0,
            ],
        )?;
        for rows in [
            // Its sums are of other records.
            "runs WHERE",
            "file_counts WHERE",
            "file_periods WHERE",
            // Findings are of the file as it was read.
            "file_notes WHERE (note IN ('rounded', 'footers') OR note LIKE 'read again, %') AND",
        ] {
            let sql = format!("DELETE FROM {rows} vintage = ?");
            transaction.execute(&sql, [vintage.0])?;
        }
        add_counts(transaction, *vintage, summary)?;
    }
    Ok(())
}

impl Manifest {
    /// Records that the records of a file were written again.
    pub(in crate::home) fn replace_segment(
        &mut self,
        vintage: Vintage,
        segment: &Stored,
    ) -> Result<()> {
        self.write("the records that were put back", |transaction| {
            transaction.execute(
                "UPDATE files SET segment_hash = ?, segment_bytes = ? WHERE vintage = ?",
                params![segment.hash, integer(segment.n_bytes), vintage.0],
            )?;
            Ok(())
        })
    }

    /// The definition at a publication.
    pub(in crate::home) fn definition_at(
        &self,
        publication: Publication,
    ) -> Result<Option<DefinitionTexts>> {
        let sql = "SELECT until, text FROM former_settings WHERE until > ? ORDER BY until LIMIT 1";
        let former = self.row("the options", sql, [publication.0], |row| {
            Ok((row.get::<_, u32>(0)?, row.get(1)?))
        })?;
        let Some((until, options)) = former else { return self.definition() };
        let sql = "SELECT name, text FROM former_reference_tables WHERE until = ? ORDER BY name";
        let references =
            self.rows("the reference tables", sql, [until], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(DefinitionTexts { options, references }))
    }

    /// The snapshots, the newest first.
    pub(in crate::home) fn snapshots(&self) -> Result<Vec<Snapshot>> {
        let sql = "SELECT path, hash, n_bytes, publication, n_cells FROM snapshots
                   ORDER BY publication DESC";
        self.rows("the snapshots", sql, [], snapshot)
    }

    /// Adds a snapshot, and removes damaged ones and all but the newest `n_kept`.
    pub(in crate::home) fn add_snapshot(
        &mut self,
        snapshot: &Snapshot,
        damaged: &[Publication],
        n_kept: usize,
    ) -> Result<()> {
        self.write("a snapshot", |transaction| {
            for damaged in damaged {
                let sql = "DELETE FROM snapshots WHERE publication = ?";
                transaction.execute(sql, [damaged.0])?;
            }
            transaction.execute(
                "INSERT OR REPLACE INTO snapshots (publication, n_cells, path, hash, n_bytes)
                 VALUES (?, ?, ?, ?, ?)",
                params![
                    snapshot.publication.0,
                    integer(snapshot.n_cells),
                    snapshot.file.path,
                    snapshot.file.hash,
                    integer(snapshot.file.n_bytes),
                ],
            )?;
            transaction.execute(
                "DELETE FROM snapshots WHERE publication NOT IN
                     (SELECT publication FROM snapshots ORDER BY publication DESC LIMIT ?)",
                [i64::try_from(n_kept).expect("a few generations")],
            )?;
            Ok(())
        })
    }
}

fn snapshot(row: &Row<'_>) -> rusqlite::Result<Snapshot> {
    Ok(Snapshot {
        file: stored(row, 0)?,
        publication: Publication(row.get(3)?),
        n_cells: unsigned(row, 4)?,
    })
}
