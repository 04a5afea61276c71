//! Panels and estimates in the manifest: what is computed from the published tables.

use rusqlite::{Row, TransactionBehavior, params};

use super::queries::{stored, unsigned};
use super::{Manifest, seal};
use crate::archive::Publication;
use crate::archive::durable::Stored;
use crate::archive::error::{ArchiveError, Result};
use crate::types::{Vintage, Year};

/// The tables, made when they are not there: a home of an earlier version gets them.
pub(super) const SCHEMA: &str = include_str!("results.sql");

/// A year of a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelPart {
    /// Which panel: `plant`, `ordinary` or `product`.
    pub kind: String,
    /// The year of its rows.
    pub year: Year,
    /// BLAKE3 over the hashes of what it was made from.
    pub stamp: String,
    /// The newest publication then.
    pub publication: Publication,
    /// Its rows.
    pub n_rows: u64,
    /// Where they are.
    pub file: Stored,
}

/// An estimate as it is kept, or that there is none and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEstimate {
    /// Its number.
    pub number: u64,
    /// The specification.
    pub specification: String,
    /// The specification's column.
    pub column: String,
    /// The last closed year of its sample.
    pub through: Year,
    /// The newest publication then.
    pub publication: Publication,
    /// The newest file then.
    pub vintage: Vintage,
    /// The panel it was estimated on.
    pub panel: String,
    /// BLAKE3 over the stamps of the panel's years.
    pub stamp: String,
    /// The model as JSON, or why it failed.
    pub model: std::result::Result<String, String>,
}

impl Manifest {
    /// Whether this version of the program has written the home.
    fn has_results(&self) -> Result<bool> {
        let sql =
            "SELECT count(*) FROM sqlite_master WHERE name IN ('panels', 'estimates', 'memories')";
        Ok(self.row("its tables", sql, [], |row| row.get(0))? == Some(3))
    }

    pub(in crate::archive) fn panels(&self) -> Result<Vec<PanelPart>> {
        if !self.has_results()? {
            return Ok(Vec::new());
        }
        let sql = "SELECT path, hash, n_bytes, kind, year, stamp, publication, n_rows
                   FROM panels ORDER BY kind, year";
        self.rows("the panels", sql, [], |row| {
            Ok(PanelPart {
                file: stored(row, 0)?,
                kind: row.get(3)?,
                year: Year(row.get(4)?),
                stamp: row.get(5)?,
                publication: Publication(row.get(6)?),
                n_rows: unsigned(row, 7)?,
            })
        })
    }

    pub(in crate::archive) fn estimates(&self) -> Result<Vec<StoredEstimate>> {
        if !self.has_results()? {
            return Ok(Vec::new());
        }
        let sql = r#"SELECT estimate, specification, "column", through, publication, vintage, panel,
                            stamp, model, error
                     FROM estimates ORDER BY estimate"#;
        self.rows("the estimates", sql, [], estimate)
    }

    /// The tables of all memories, with what they are of and what they are called.
    pub(in crate::archive) fn memories(&self) -> Result<Vec<(String, String, Stored)>> {
        if !self.has_results()? {
            return Ok(Vec::new());
        }
        let sql = r#"SELECT path, hash, n_bytes, "key", name FROM memories ORDER BY "key", name"#;
        self.rows("the memories", sql, [], |row| Ok((row.get(3)?, row.get(4)?, stored(row, 0)?)))
    }

    /// Puts the tables of a memory in the place of those of an earlier one.
    pub(in crate::archive) fn replace_memory(
        &mut self,
        key: &str,
        tables: &[(&str, Stored)],
    ) -> Result<()> {
        self.write("what the next estimation begins from", |transaction| {
            transaction.execute(r#"DELETE FROM memories WHERE "key" = ?1"#, [key])?;
            for (name, Stored { path, hash, n_bytes }) in tables {
                transaction.execute(
                    r#"INSERT INTO memories ("key", name, path, hash, n_bytes)
                       VALUES (?1, ?2, ?3, ?4, ?5)"#,
                    params![key, name, path, hash, n_bytes.cast_signed()],
                )?;
            }
            Ok(())
        })
    }

    /// Puts parts in the place of those of the same kind and year.
    pub(in crate::archive) fn replace_panels(&mut self, parts: &[PanelPart]) -> Result<()> {
        self.write("the panels", |transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT OR REPLACE INTO panels
                     (kind, year, stamp, publication, n_rows, path, hash, n_bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for part in parts {
                let PanelPart { kind, year, stamp, publication, n_rows, file } = part;
                let Stored { path, hash, n_bytes } = file;
                insert.execute(params![
                    kind,
                    year.0,
                    stamp,
                    publication.0,
                    n_rows.cast_signed(),
                    path,
                    hash,
                    n_bytes.cast_signed()
                ])?;
            }
            Ok(())
        })
    }

    /// Adds estimates; their numbers are given here.
    pub(in crate::archive) fn add_estimates(&mut self, estimates: &[StoredEstimate]) -> Result<()> {
        self.write("the estimates", |transaction| {
            let mut insert = transaction.prepare_cached(
                r#"INSERT INTO estimates (specification, "column", through, publication, vintage,
                                          panel, stamp, model, error)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"#,
            )?;
            for of in estimates {
                insert.execute(params![
                    of.specification,
                    of.column,
                    of.through.0,
                    of.publication.0,
                    of.vintage.0,
                    of.panel,
                    of.stamp,
                    of.model.as_ref().ok(),
                    of.model.as_ref().err()
                ])?;
            }
            Ok(())
        })
    }

    pub(super) fn write(
        &mut self,
        what: &'static str,
        body: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let path = self.path.clone();
        let run = || {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            body(&transaction)?;
            seal::count(&transaction)?;
            transaction.commit()
        };
        run().map_err(|source| ArchiveError::Keep { path, what, source })?;
        self.acknowledge(0)
    }
}

fn estimate(row: &Row<'_>) -> rusqlite::Result<StoredEstimate> {
    let (model, error): (Option<String>, Option<String>) = (row.get(8)?, row.get(9)?);
    Ok(StoredEstimate {
        number: unsigned(row, 0)?,
        specification: row.get(1)?,
        column: row.get(2)?,
        through: Year(row.get(3)?),
        publication: Publication(row.get(4)?),
        vintage: Vintage(row.get(5)?),
        panel: row.get(6)?,
        stamp: row.get(7)?,
        model: model.ok_or_else(|| error.unwrap_or_default()),
    })
}
