//! Queries of the manifest.

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Params, Row};

use super::folds::NOT_FOLDED;
use super::rows::{FileEntry, Found};
use super::statements::READ_AGAIN;
use super::values::{period, position, reject, stored, table_of, timestamp, unsigned};
use super::{Manifest, REJECTS, seal};
use crate::domain::record::{Counts, Exclusion, Reject, Rule};
use crate::domain::types::{Period, Vintage, Year};
use crate::home::Publication;
use crate::home::definition::DefinitionTexts;
use crate::home::durable::Stored;
use crate::home::error::{HomeError, Result};
use crate::home::parts::{Layout, Part, PartKind, Table};

/// The sizes of a home's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The number of accepted files, superseded ones included: one segment each.
    pub n_segments: u64,
    /// The size of the segments, in bytes.
    pub segment_bytes: u64,
    /// The number of files of the published tables.
    pub n_parts: u64,
    /// The size of these files, in bytes.
    pub part_bytes: u64,
    /// The number of snapshots.
    pub n_snapshots: u64,
    /// The size of the snapshots, in bytes.
    pub snapshot_bytes: u64,
    /// The size of the manifest with its log, in bytes.
    pub manifest_bytes: u64,
}

impl Manifest {
    pub(super) fn rows<T>(
        &self,
        what: &'static str,
        sql: &str,
        parameters: impl Params,
        of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let rows = || {
            self.connection
                .prepare_cached(sql)?
                .query_map(parameters, of)?
                .collect::<rusqlite::Result<_>>()
        };
        rows().map_err(|source| self.not_read(what, source))
    }

    pub(super) fn row<T>(
        &self,
        what: &'static str,
        sql: &str,
        parameters: impl Params,
        of: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let row = || self.connection.prepare_cached(sql)?.query_row(parameters, of).optional();
        row().map_err(|source| self.not_read(what, source))
    }

    fn not_read(&self, what: &'static str, source: rusqlite::Error) -> HomeError {
        HomeError::Query { path: self.path.clone(), what, source }
    }

    pub(in crate::home) fn definition(&self) -> Result<Option<DefinitionTexts>> {
        let options = self.row("the options", "SELECT text FROM settings", [], |row| row.get(0))?;
        let Some(options) = options else { return Ok(None) };
        let sql = "SELECT name, text FROM reference_tables ORDER BY name";
        let references =
            self.rows("the reference tables", sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(DefinitionTexts { options, references }))
    }

    pub(in crate::home) fn files(&self) -> Result<Vec<FileEntry>> {
        let (counts, months) = (self.counts()?, self.months()?);
        let (mut covered, mut replaced) = (self.coverages()?, self.replaced()?);
        let mut found = self.found()?;
        let sql = "SELECT vintage, name, path, period, hash, n_bytes, segment_path, segment_hash,
                          segment_bytes, lines, accepted, absolute_cents, publication,
                          superseded_by, withdrawn_at
                   FROM files ORDER BY vintage";
        self.rows("the files", sql, [], |row| {
            let mut file = file(row, &counts, &months)?;
            file.covered = covered.remove(&file.vintage);
            file.replaced = replaced.remove(&file.vintage).unwrap_or_default();
            file.found = found.remove(&file.vintage).unwrap_or_default();
            Ok(file)
        })
    }

    /// The months of which each file has accepted records.
    fn months(&self) -> Result<BTreeMap<Vintage, Vec<Period>>> {
        let mut months: BTreeMap<Vintage, Vec<Period>> = BTreeMap::new();
        let sql = "SELECT vintage, period FROM file_periods ORDER BY period";
        self.rows("the months of the files", sql, [], |row| {
            months.entry(Vintage(row.get(0)?)).or_default().push(period(row, 1)?);
            Ok(())
        })?;
        Ok(months)
    }

    /// The excluded and rejected lines of each file that has any.
    fn counts(&self) -> Result<BTreeMap<Vintage, Counts>> {
        let mut counts: BTreeMap<Vintage, Counts> = BTreeMap::new();
        let sql = "SELECT vintage, kind, rule, n FROM file_counts";
        self.rows("the counts of the files", sql, [], |row| {
            let counts = counts.entry(Vintage(row.get(0)?)).or_default();
            let n = unsigned(row, 3)?;
            if row.get_ref(1)?.as_str()? == "excluded" {
                counts.excluded[position(row, 2, &Exclusion::ALL, Exclusion::name)?] = n;
            } else {
                counts.rejected[position(row, 2, &Rule::ALL, Rule::name)?] = n;
            }
            Ok(())
        })?;
        if self.has_notes()? {
            let sql = "SELECT vintage, note, n FROM file_notes";
            self.rows("the notes on the files", sql, [], |row| {
                let counts = counts.entry(Vintage(row.get(0)?)).or_default();
                let (note, n) = (row.get_ref(1)?.as_str()?, unsigned(row, 2)?);
                match note {
                    "rounded" => counts.rounded = n,
                    "footers" => counts.footers = n,
                    _ => {
                        let of = note.strip_prefix(READ_AGAIN);
                        let is_of = |rule: &Rule| of == Some(rule.name());
                        if let Some(at) = Rule::OF_CODES.iter().position(is_of) {
                            counts.read_again[at] = n;
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(counts)
    }

    pub(in crate::home) fn integrity(&self) -> Result<Vec<String>> {
        let mut found: Vec<String> =
            self.rows("its integrity", "PRAGMA integrity_check", [], |row| row.get(0))?;
        found.retain(|line| line != "ok");
        let sealed = seal::tables(&self.connection)
            .and_then(|tables| seal::check(&self.connection, &tables));
        let sealed = sealed.map_err(|source| self.not_read("its seals", source))?;
        found.extend(sealed);
        let dangling = self.rows("its references", "PRAGMA foreign_key_check", [], |row| {
            Ok(format!("a row of {} points nowhere", row.get::<_, String>(0)?))
        })?;
        found.extend(dangling);
        Ok(found)
    }

    pub(in crate::home) fn segment(&self, vintage: Vintage) -> Result<Stored> {
        let sql = "SELECT segment_path, segment_hash, segment_bytes FROM files WHERE vintage = ?";
        self.row("a segment", sql, [vintage.0], |row| stored(row, 0))?
            .ok_or(HomeError::NoSuchVintage { vintage })
    }

    /// True if a file with these bytes was ever accepted.
    pub(in crate::home) fn has_hash(&self, hash: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM files WHERE hash = ? LIMIT 1";
        Ok(self.row("a file by its hash", sql, [hash], |_| Ok(()))?.is_some())
    }

    pub(in crate::home) fn vintages_of(&self, period: Period) -> Result<Vec<Vintage>> {
        let sql = "SELECT vintage FROM files
                   WHERE period = ? AND superseded_by IS NULL AND withdrawn_at IS NULL
                   ORDER BY vintage";
        self.rows("the files of a month", sql, [period.as_yyyymm()], vintage)
    }

    pub(in crate::home) fn vintages_with(&self, period: Period) -> Result<Vec<Vintage>> {
        let sql = "SELECT vintage FROM file_periods JOIN files USING (vintage)
                   WHERE file_periods.period = ? AND superseded_by IS NULL AND withdrawn_at IS NULL
                   ORDER BY vintage";
        self.rows("the files with a month", sql, [period.as_yyyymm()], vintage)
    }

    pub(in crate::home) fn rejects(&self, vintage: Vintage) -> Result<Vec<Reject>> {
        self.check_large(REJECTS)?;
        let sql =
            r#"SELECT line, "column", rule, raw FROM rejects WHERE vintage = ? ORDER BY line"#;
        self.rows("the rejects", sql, [vintage.0], reject)
    }

    pub(in crate::home) fn columns(&self, vintage: Vintage) -> Result<Vec<String>> {
        if !self.has_columns()? {
            return Ok(Vec::new());
        }
        let sql = "SELECT name FROM columns WHERE vintage = ? ORDER BY position";
        self.rows("the columns of a file", sql, [vintage.0], |row| row.get(0))
    }

    pub(in crate::home) fn closed(&self) -> Result<Vec<(Period, Publication)>> {
        let sql = "SELECT period, closed_at_publication FROM months ORDER BY period";
        let month = |row: &Row<'_>| Ok((period(row, 0)?, Publication(row.get(1)?)));
        self.rows("the closed months", sql, [], month)
    }

    pub(in crate::home) fn first_period(&self) -> Result<Option<Period>> {
        let sql = "SELECT period FROM files ORDER BY period LIMIT 1";
        self.row("the first month", sql, [], |row| period(row, 0))
    }

    pub(in crate::home) fn last_vintage(&self) -> Result<Option<Vintage>> {
        let sql =
            "SELECT vintage FROM publications WHERE vintage > 0 ORDER BY vintage DESC LIMIT 1";
        self.row("the last vintage", sql, [], vintage)
    }

    pub(in crate::home) fn publications(&self) -> Result<Vec<(Publication, Vintage)>> {
        let sql = "SELECT publication, vintage FROM publications ORDER BY publication";
        let publication = |row: &Row<'_>| Ok((Publication(row.get(0)?), Vintage(row.get(1)?)));
        self.rows("the publications", sql, [], publication)
    }

    pub(in crate::home) fn committed_at(&self, of: Publication) -> Result<Option<Timestamp>> {
        if !self.has_times()? {
            return Ok(None);
        }
        let sql = "SELECT committed_at FROM commit_times WHERE publication = ?";
        self.row("the time of a commit", sql, [of.0], |row| timestamp(row, 0))
    }

    pub(in crate::home) fn parts(&self, table: Table, as_of: Option<Vintage>) -> Result<Vec<Part>> {
        let layout = if self.has_facts()? { "layout, stands_for" } else { "'figures', NULL" };
        let sql = format!(
            r#"SELECT path, hash, parts.n_bytes, year, publication, kind, months, n_rows, {layout}
               FROM parts JOIN publications USING (publication)
               WHERE "table" = ?1 AND vintage <= ?2 ORDER BY year, publication"#
        );
        let as_of = as_of.map_or(u32::MAX, |vintage| vintage.0);
        self.rows("the published parts", &sql, (table.name(), as_of), |row| {
            let stands_for: Option<String> = row.get(9)?;
            let hashes = |text: String| text.split_whitespace().map(str::to_owned).collect();
            Ok(Part {
                table,
                file: stored(row, 0)?,
                year: Year(row.get(3)?),
                publication: Publication(row.get(4)?),
                kind: PartKind::ALL[position(row, 5, &PartKind::ALL, PartKind::name)?],
                months: row.get(6)?,
                n_rows: unsigned(row, 7)?,
                layout: Layout::ALL[position(row, 8, &Layout::ALL, Layout::name)?],
                stands_for: stands_for.map(hashes),
            })
        })
    }

    /// The sum is computed here, because the database's own sum fails past 2⁶³.
    pub(in crate::home) fn absolute_cents(&self) -> Result<i128> {
        let sql = "SELECT absolute_cents FROM files
                   WHERE superseded_by IS NULL AND withdrawn_at IS NULL";
        let files = self.rows("the amounts", sql, [], |row| row.get::<_, i64>(0))?;
        Ok(files.into_iter().map(i128::from).sum())
    }

    pub(in crate::home) fn sizes(&self) -> Result<Sizes> {
        let sql = format!(
            "WITH files_of_tables (n_bytes) AS ({})
             SELECT (SELECT count(*) FROM files),
                    (SELECT coalesce(sum(segment_bytes), 0) FROM files),
                    (SELECT count(*) FROM files_of_tables),
                    (SELECT coalesce(sum(n_bytes), 0) FROM files_of_tables),
                    (SELECT count(*) FROM snapshots),
                    (SELECT coalesce(sum(n_bytes), 0) FROM snapshots)",
            self.files_of_tables("n_bytes")?
        );
        let sizes = self.row("the sizes", &sql, [], |row| {
            Ok(Sizes {
                n_segments: unsigned(row, 0)?,
                segment_bytes: unsigned(row, 1)?,
                n_parts: unsigned(row, 2)?,
                part_bytes: unsigned(row, 3)?,
                n_snapshots: unsigned(row, 4)?,
                snapshot_bytes: unsigned(row, 5)?,
                manifest_bytes: 0,
            })
        })?;
        let mut manifest_bytes = 0;
        for path in [self.path.clone(), self.path.with_extension("sqlite-wal")] {
            manifest_bytes += match path.metadata() {
                Ok(file) => file.len(),
                Err(error) if error.kind() == ErrorKind::NotFound => 0,
                Err(source) => return Err(HomeError::Read { path, source }),
            };
        }
        Ok(Sizes { manifest_bytes, ..sizes.unwrap_or_default() })
    }

    /// The files of the published tables, including those of folds.
    pub(in crate::home) fn table_files(&self) -> Result<Vec<(Table, Stored)>> {
        let sql = self.files_of_tables(r#""table", path, hash, n_bytes"#)?;
        self.rows("the files of the tables", &sql, [], |row| {
            Ok((table_of(row, 0)?, stored(row, 1)?))
        })
    }

    /// The number of transactions that wrote.
    pub(in crate::home) fn n_commits(&self) -> Result<u64> {
        seal::n_commits(&self.connection).map_err(|source| self.not_read("its seals", source))
    }

    /// The query for columns of the files of published tables, including those of folds.
    fn files_of_tables(&self, columns: &str) -> Result<String> {
        if !self.has_facts()? {
            return Ok(format!("SELECT {columns} FROM parts"));
        }
        Ok(format!(
            "SELECT {columns} FROM parts WHERE {NOT_FOLDED}
             UNION ALL SELECT {columns} FROM folds WHERE path IS NOT NULL
             UNION ALL SELECT {columns} FROM undo_parts"
        ))
    }

    /// Every file that the manifest names, relative to the home.
    pub(in crate::home) fn paths(&self) -> Result<HashSet<String>> {
        let sql = format!(
            "SELECT segment_path FROM files UNION ALL SELECT path FROM snapshots UNION ALL {}",
            self.files_of_tables("path")?
        );
        let paths = self.rows("the paths", &sql, [], |row| row.get(0))?;
        let panels = self.panels()?.into_iter().map(|part| part.file.path);
        let memories = self.memories()?.into_iter().map(|(.., file)| file.path);
        let runs = self.runs()?.into_values().map(|run| run.path);
        Ok(paths.into_iter().chain(panels).chain(memories).chain(runs).collect())
    }
}

fn file(
    row: &Row<'_>,
    counts: &BTreeMap<Vintage, Counts>,
    months: &BTreeMap<Vintage, Vec<Period>>,
) -> rusqlite::Result<FileEntry> {
    let vintage = vintage(row)?;
    let counts = counts.get(&vintage).cloned().unwrap_or_default();
    Ok(FileEntry {
        vintage,
        name: row.get(1)?,
        path: PathBuf::from(row.get::<_, String>(2)?),
        period: period(row, 3)?,
        hash: row.get(4)?,
        n_bytes: unsigned(row, 5)?,
        segment: stored(row, 6)?,
        counts: Counts { lines: unsigned(row, 9)?, accepted: unsigned(row, 10)?, ..counts },
        months: months.get(&vintage).cloned().unwrap_or_default(),
        absolute_cents: row.get(11)?,
        publication: Publication(row.get(12)?),
        superseded_by: row.get::<_, Option<u32>>(13)?.map(Vintage),
        withdrawn_at: row.get::<_, Option<u32>>(14)?.map(Vintage),
        covered: None,
        replaced: Vec::new(),
        found: Found::default(),
    })
}

fn vintage(row: &Row<'_>) -> rusqlite::Result<Vintage> {
    row.get(0).map(Vintage)
}
