//! The transaction that makes files count.

use std::path::Path;

use jiff::Unit;
use rusqlite::ffi::SQLITE_IOERR_FSYNC;
use rusqlite::{Transaction, TransactionBehavior, params};

use super::rows::{AcceptedFile, Commit};
use super::statements::{Failure, add_counts, add_definition};
use super::values::integer;
use super::{Manifest, covered, found, refused, revise, runs, seal};
use crate::clock;
use crate::domain::record::Reject;
use crate::domain::types::Vintage;
use crate::home::Publication;
use crate::home::durable::Stored;
use crate::home::error::{HomeError, Result, says};
use crate::home::parts::Part;

impl Manifest {
    /// Adds a commit completely or not at all.
    ///
    /// # Errors
    /// - [`HomeError::NotWritten`] if one of its files is missing.
    /// - [`HomeError::NotLive`] if it withdraws a file that does not count.
    /// - [`HomeError::Recorded`] if it has a definition and the home has one already.
    /// - [`HomeError::Commit`] if the database refuses it, for example a publication or bytes
    ///   that it already has.
    ///
    /// # Panics
    /// If the counts of a file do not add up.
    pub(in crate::home) fn commit(&mut self, home: &Path, commit: &Commit) -> Result<()> {
        for stored in commit.stored() {
            check_written(home, stored, commit.publication)?;
        }
        let Self { connection, path, .. } = self;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Failure::Refused)
            .and_then(|transaction| {
                add(&transaction, commit)?;
                seal::count(&transaction)?;
                Ok(transaction.commit()?)
            });
        transaction.map_err(|failure| match failure {
            Failure::NotLive(vintage) => HomeError::NotLive { vintage },
            Failure::Recorded => HomeError::Recorded { path: path.clone() },
            Failure::Refused(source) if says(&source, SQLITE_IOERR_FSYNC) => {
                HomeError::Unconfirmed { path: path.clone(), source }
            }
            Failure::Refused(source) => {
                HomeError::Commit { path: path.clone(), publication: commit.publication, source }
            }
        })?;
        self.acknowledge(0)
    }
}

fn check_written(home: &Path, stored: &Stored, publication: Publication) -> Result<()> {
    let not_written = || HomeError::NotWritten { path: home.join(&stored.path), publication };
    stored.is_there(home).then_some(()).ok_or_else(not_written)
}

fn add(transaction: &Transaction<'_>, commit: &Commit) -> std::result::Result<(), Failure> {
    let Commit { publication, files, closed, parts, definition, withdrawn, .. } = commit;
    add_publication(transaction, *publication, commit.vintage())?;
    if let Some(definition) = definition {
        add_definition(transaction, definition)?;
    }
    for withdrawn in withdrawn {
        revise::withdraw(transaction, *withdrawn)?;
    }
    if let Some(rebuilt) = &commit.rebuilt {
        revise::rebuild(transaction, *publication, rebuilt)?;
    }
    if commit.void_snapshots {
        transaction.execute("DELETE FROM snapshots", [])?;
    }
    for file in files {
        add_file(transaction, *publication, file)?;
    }
    for period in closed {
        let sql = "INSERT INTO months (period, closed_at_publication) VALUES (?, ?)";
        transaction.execute(sql, (period.as_yyyymm(), publication.0))?;
    }
    for part in parts {
        add_part(transaction, *publication, part)?;
    }
    Ok(())
}

fn add_publication(
    transaction: &Transaction<'_>,
    publication: Publication,
    vintage: Option<Vintage>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO publications (publication, vintage)
         VALUES (?1, coalesce(?2, (SELECT max(vintage) FROM publications), 0))",
        (publication.0, vintage.map(|vintage| vintage.0)),
    )?;
    // No figure depends on the time, so a wrong clock does not stop a commit.
    if let Ok(now) = clock::now() {
        let sql = "INSERT INTO commit_times (publication, committed_at) VALUES (?, ?)";
        let now = now.round(Unit::Second).unwrap_or(now);
        transaction.execute(sql, (publication.0, now.to_string()))?;
    }
    Ok(())
}

fn add_file(
    transaction: &Transaction<'_>,
    publication: Publication,
    file: &AcceptedFile,
) -> std::result::Result<(), Failure> {
    let AcceptedFile { vintage, path, summary, segment, supersedes, coverage, replaces, .. } = file;
    summary.assert_adds_up();
    for earlier in supersedes {
        let sql = "UPDATE files SET superseded_by = ?
                   WHERE vintage = ? AND superseded_by IS NULL AND withdrawn_at IS NULL";
        if transaction.execute(sql, (vintage.0, earlier.0))? == 0 {
            return Err(Failure::NotLive(*earlier));
        }
    }
    transaction.execute(
        "INSERT INTO files (vintage, name, path, period, hash, n_bytes, segment_path, segment_hash,
             segment_bytes, lines, accepted, absolute_cents, publication)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            vintage.0,
            summary.name,
            path.to_string_lossy(),
            summary.period.as_yyyymm(),
            summary.hash,
            integer(summary.n_bytes),
            segment.path,
            segment.hash,
            integer(segment.n_bytes),
            integer(summary.counts.lines),
            integer(summary.counts.accepted),
            summary.absolute_cents,
            publication.0,
        ],
    )?;
    if let Some((coverage, closed_through)) = coverage {
        covered::add(transaction, *vintage, coverage, *closed_through)?;
    }
    for (earlier, cells) in replaces {
        covered::replace(transaction, *earlier, cells, *vintage)?;
    }
    refused::remove(transaction, &summary.name)?;
    if let Some(run) = &file.run {
        runs::add(transaction, *vintage, run)?;
    }
    add_counts(transaction, *vintage, summary)?;
    add_rejects(transaction, *vintage, &summary.rejects)?;
    let sql = "INSERT INTO columns (vintage, position, name) VALUES (?, ?, ?)";
    for (position, name) in (0_i64..).zip(&summary.columns) {
        transaction.execute(sql, (vintage.0, position, name))?;
    }
    found::add(transaction, file)?;
    Ok(())
}

fn add_rejects(
    transaction: &Transaction<'_>,
    vintage: Vintage,
    rejects: &[Reject],
) -> rusqlite::Result<()> {
    let sql = r#"INSERT INTO rejects (vintage, line, "column", rule, raw) VALUES (?, ?, ?, ?, ?)"#;
    let mut insert = transaction.prepare(sql)?;
    for Reject { line, column, rule, raw } in rejects {
        insert.execute((vintage.0, line, column, rule.name(), raw))?;
    }
    Ok(())
}

fn add_part(
    transaction: &Transaction<'_>,
    publication: Publication,
    part: &Part,
) -> rusqlite::Result<()> {
    transaction.execute(
        r#"INSERT INTO parts ("table", year, publication, kind, months, n_rows, path, hash, n_bytes,
               layout, stands_for)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"#,
        params![
            part.table.name(),
            part.year.0,
            publication.0,
            part.kind.name(),
            part.months,
            integer(part.n_rows),
            part.file.path,
            part.file.hash,
            integer(part.file.n_bytes),
            part.layout.name(),
            part.stands_for.as_ref().map(|hashes| hashes.join(" ")),
        ],
    )?;
    Ok(())
}
