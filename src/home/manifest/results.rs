//! Panels and estimates in the manifest: results computed from the published tables.

use rusqlite::{Row, Transaction, TransactionBehavior, params};

use super::schema::{LAYOUT_OF_CONTENT, LAYOUT_OF_MONTHS};
use super::values::{stored, unknown, unsigned};
use super::{Manifest, layout_2, seal};
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::{Vintage, Year};
use crate::home::Publication;
use crate::home::durable::Stored;
use crate::home::error::{HomeError, Result};

/// A year of a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelPart {
    /// The panel: `plant`, `ordinary`, `product`, or `plant-to-06`.
    pub kind: String,
    /// The year of its rows.
    pub year: Year,
    /// BLAKE3 over the hashes of its source files.
    pub stamp: String,
    /// The newest publication at the time.
    pub publication: Publication,
    /// The number of rows.
    pub n_rows: u64,
    /// The file of the rows.
    pub file: Stored,
}

/// A stored estimate, or the reason why a column has no estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEstimate {
    /// The number of the estimate.
    pub number: u64,
    /// The model; `None` before layout 3, which did not record it.
    pub model: Option<StoredModel>,
    /// The specification: a label.
    pub specification: String,
    /// The specification's column: a label.
    pub column: String,
    /// The end of its sample.
    pub through: SampleEnd,
    /// The newest publication at the time.
    pub publication: Publication,
    /// The newest vintage at the time.
    pub vintage: Vintage,
    /// The panel it was estimated on.
    pub panel: String,
    /// BLAKE3 over the stamps of the panel's years.
    pub stamp: String,
    /// The result.
    pub state: StoredState,
}

impl StoredEstimate {
    /// The name: specification and column.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.specification, self.column)
    }
}

/// The model of an estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredModel {
    /// BLAKE3 of the content, in hexadecimal.
    pub identity: String,
    /// Everything in the specification that decides figures, as JSON.
    pub content: String,
}

/// The result of an estimation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredState {
    /// A model as JSON.
    Estimated {
        /// The version of the fields.
        schema: u32,
        /// The fields.
        fields: String,
    },
    /// The home does not have the data; the text names what is missing.
    NoData(String),
    /// The estimation failed; the text has the reason.
    Failed(String),
}

impl StoredState {
    /// True if there is a model.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        matches!(self, Self::Estimated { .. })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Estimated { .. } => "estimated",
            Self::NoData(_) => "no-data",
            Self::Failed(_) => "failed",
        }
    }

    fn of(
        name: &str,
        (schema, fields): (Option<u32>, Option<String>),
        error: Option<String>,
    ) -> Option<Self> {
        match (name, schema.zip(fields), error) {
            ("estimated", Some((schema, fields)), None) => Some(Self::Estimated { schema, fields }),
            ("no-data", None, Some(error)) => Some(Self::NoData(error)),
            ("failed", None, Some(error)) => Some(Self::Failed(error)),
            _ => None,
        }
    }
}

impl Manifest {
    /// True if this version of the program has written the home.
    fn has_results(&self) -> Result<bool> {
        let sql =
            "SELECT count(*) FROM sqlite_master WHERE name IN ('panels', 'estimates', 'memories')";
        Ok(self.row("its tables", sql, [], |row| row.get(0))? == Some(3))
    }

    pub(in crate::home) fn panels(&self) -> Result<Vec<PanelPart>> {
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

    pub(in crate::home) fn estimates(&self) -> Result<Vec<StoredEstimate>> {
        if !self.has_results()? {
            return Ok(Vec::new());
        }
        let layout = self.layout()?;
        let month = if layout < LAYOUT_OF_MONTHS { "12" } else { "month" };
        let own = format!(
            r#"SELECT estimate, identity, content, specification, "column", through, publication,
                      vintage, panel, stamp, state, "schema", model, error, {month}
               FROM estimates ORDER BY estimate"#
        );
        let sql = if layout < LAYOUT_OF_CONTENT { layout_2::estimates() } else { own };
        self.rows("the estimates", &sql, [], estimate)
    }

    /// The tables of all memories, with their keys and names, in order of writing.
    pub(in crate::home) fn memories(&self) -> Result<Vec<(String, String, Stored)>> {
        if !self.has_results()? {
            return Ok(Vec::new());
        }
        let order = if self.layout()? < LAYOUT_OF_CONTENT { "" } else { "written, " };
        let sql = format!(
            r#"SELECT path, hash, n_bytes, "key", name FROM memories ORDER BY {order} "key", name"#
        );
        self.rows("the memories", &sql, [], |row| Ok((row.get(3)?, row.get(4)?, stored(row, 0)?)))
    }

    /// Replaces the tables of an earlier memory.
    pub(in crate::home) fn replace_memory(
        &mut self,
        key: &str,
        tables: &[(&str, Stored)],
    ) -> Result<()> {
        self.write("what the next estimation begins from", |transaction| {
            transaction.execute(r#"DELETE FROM memories WHERE "key" = ?1"#, [key])?;
            let written = seal::n_commits(transaction)?.cast_signed();
            for (name, Stored { path, hash, n_bytes }) in tables {
                transaction.execute(
                    r#"INSERT INTO memories ("key", name, path, hash, n_bytes, written)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)"#,
                    params![key, name, path, hash, n_bytes.cast_signed(), written],
                )?;
            }
            Ok(())
        })
    }

    /// Removes memories.
    pub(in crate::home) fn remove_memories(&mut self, keys: &[String]) -> Result<()> {
        self.write("that earlier solutions are not needed", |transaction| {
            let mut delete = transaction.prepare(r#"DELETE FROM memories WHERE "key" = ?1"#)?;
            keys.iter().try_for_each(|key| delete.execute([key]).map(drop))
        })
    }

    /// Replaces the parts of the same kind and year.
    pub(in crate::home) fn replace_panels(&mut self, parts: &[PanelPart]) -> Result<()> {
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

    /// Adds estimates and assigns their numbers. For each model, only the newest reason for a
    /// missing estimate stays, and only until the model is estimated.
    pub(in crate::home) fn add_estimates(&mut self, estimates: &[StoredEstimate]) -> Result<()> {
        self.write("the estimates", |transaction| {
            estimates.iter().try_for_each(|estimate| {
                add(transaction, estimate)?;
                replace_reasons(transaction, estimate, transaction.last_insert_rowid())
            })
        })
    }

    /// Removes failed estimates by number; other estimates stay.
    pub(in crate::home) fn remove_failures(&mut self, numbers: &[u64]) -> Result<()> {
        self.write("that failures are cleared", |transaction| {
            let sql = "DELETE FROM estimates WHERE estimate = ?1 AND state <> 'estimated'";
            let mut delete = transaction.prepare(sql)?;
            numbers.iter().try_for_each(|number| delete.execute([number.cast_signed()]).map(drop))
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
        run().map_err(|source| HomeError::Keep { path, what, source })?;
        self.acknowledge(0)
    }
}

fn add(transaction: &Transaction<'_>, of: &StoredEstimate) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        r#"INSERT INTO estimates (identity, content, specification, "column", through, publication,
                                  vintage, panel, stamp, state, "schema", model, error, month)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"#,
    )?;
    let (schema, fields, error) = match &of.state {
        StoredState::Estimated { schema, fields } => (Some(schema), Some(fields), None),
        StoredState::NoData(why) | StoredState::Failed(why) => (None, None, Some(why)),
    };
    insert.execute(params![
        of.model.as_ref().map(|model| &model.identity),
        of.model.as_ref().map(|model| &model.content),
        of.specification,
        of.column,
        of.through.year().0,
        of.publication.0,
        of.vintage.0,
        of.panel,
        of.stamp,
        of.state.name(),
        schema,
        fields,
        error,
        of.through.month(),
    ])?;
    Ok(())
}

/// Removes earlier reasons for a missing estimate of a model. After an estimation it removes all of
/// them, of years or of months, else those of the same end. It also removes those from before
/// layout 3, found by their labels.
fn replace_reasons(
    transaction: &Transaction<'_>,
    of: &StoredEstimate,
    number: i64,
) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached(
        r#"DELETE FROM estimates WHERE state <> 'estimated' AND estimate <> ?1
           AND ((identity = ?2 AND ((?3 AND (month = 12) = (?7 = 12))
                                    OR (through, month) = (?4, ?7)))
                OR (identity IS NULL AND (specification, "column") = (?5, ?6)))"#,
    )?;
    let identity = of.model.as_ref().map(|model| &model.identity);
    let is_estimated = of.state.is_estimated();
    let (year, month) = (of.through.year().0, of.through.month());
    let (specification, column) = (&of.specification, &of.column);
    let asked = params![number, identity, is_estimated, year, specification, column, month];
    delete.execute(asked)?;
    Ok(())
}

fn estimate(row: &Row<'_>) -> rusqlite::Result<StoredEstimate> {
    let model = row.get::<_, Option<String>>(1)?.zip(row.get(2)?);
    let name: String = row.get(10)?;
    let state = StoredState::of(&name, (row.get(11)?, row.get(12)?), row.get(13)?);
    Ok(StoredEstimate {
        number: unsigned(row, 0)?,
        model: model.map(|(identity, content)| StoredModel { identity, content }),
        specification: row.get(3)?,
        column: row.get(4)?,
        through: sample_end(row)?,
        publication: Publication(row.get(6)?),
        vintage: Vintage(row.get(7)?),
        panel: row.get(8)?,
        stamp: row.get(9)?,
        state: state.ok_or_else(|| unknown(10, name))?,
    })
}

fn sample_end(row: &Row<'_>) -> rusqlite::Result<SampleEnd> {
    let (year, month): (u16, u8) = (row.get(5)?, row.get(14)?);
    SampleEnd::new(Year(year), month).ok_or_else(|| unknown(14, month.to_string()))
}
