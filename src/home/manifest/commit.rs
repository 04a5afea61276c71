//! The transaction that makes files count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Unit;
use rusqlite::ffi::SQLITE_IOERR_FSYNC;
use rusqlite::{Transaction, TransactionBehavior, params};

use super::covered::Covered;
use super::revise::{self, Rebuilt, Withdrawn};
use super::{Manifest, covered, found, seal};
use crate::clock;
use crate::domain::finding::Finding;
use crate::domain::record::{Counts, Coverage, Exclusion, Intake, PeriodFlow, Reject, Rule};
use crate::domain::types::{Period, Vintage};
use crate::feed::findings::unseen::{NewCodes, UNSEEN};
use crate::home::Publication;
use crate::home::definition::DefinitionTexts;
use crate::home::durable::Stored;
use crate::home::error::{HomeError, Result, says};
use crate::home::parts::Part;

/// The content of one transaction; each file that it names is already durable.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The publication; publications increase.
    pub publication: Publication,
    /// The newly counted files, in order of vintage.
    pub files: Vec<AcceptedFile>,
    /// The months that close.
    pub closed: Vec<Period>,
    /// Published rows.
    pub parts: Vec<Part>,
    /// The definition of the figures; given once, with the first commit.
    pub definition: Option<DefinitionTexts>,
    /// The files that no longer count.
    pub withdrawn: Vec<Withdrawn>,
    /// Another definition for the whole home.
    pub rebuilt: Option<Rebuilt>,
    /// True if the snapshots become invalid, because their sums cannot be corrected.
    pub void_snapshots: bool,
}

impl Commit {
    /// The newest vintage of the commit; `None` if it only closes months.
    fn vintage(&self) -> Option<Vintage> {
        let files = self.files.iter().map(|file| file.vintage);
        let withdrawn = self.withdrawn.iter().map(|withdrawn| withdrawn.at);
        files.chain(withdrawn).chain(self.rebuilt.iter().map(|rebuilt| rebuilt.at)).max()
    }

    /// The files of the home in the commit.
    fn stored(&self) -> impl Iterator<Item = &Stored> {
        let segments = self.files.iter().map(|file| &file.segment);
        let reclassified = self.rebuilt.iter().flat_map(|rebuilt| &rebuilt.reclassified);
        let parts = self.parts.iter().map(|part| &part.file);
        segments.chain(reclassified.map(|file| &file.segment)).chain(parts)
    }
}

/// A file that counts after its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedFile {
    /// The vintage of the file.
    pub vintage: Vintage,
    /// The path from which it was read, as given.
    pub path: PathBuf,
    /// Its content.
    pub summary: Summary,
    /// The archived records.
    pub segment: Stored,
    /// The replaced files.
    pub supersedes: Vec<Vintage>,
    /// The coverage, if the file is not simply one month, and the last month closed when the file
    /// was accepted.
    pub coverage: Option<(Coverage, Option<Period>)>,
    /// The replaced months and flows of other files.
    pub replaces: Vec<(Vintage, Vec<PeriodFlow>)>,
    /// The numbers of its new codes, if it replaces no file.
    pub new_codes: Option<[NewCodes; UNSEEN.len()]>,
    /// Its regions that no earlier file has.
    pub new_regions: Vec<String>,
}

impl AcceptedFile {
    /// The coverage as the manifest has it.
    #[must_use]
    pub fn covered(&self) -> Option<Covered> {
        let (coverage, closed_through) = self.coverage.as_ref()?;
        let Coverage { first, last, part, records, .. } = coverage.clone();
        Some(Covered { first, last, part, closed_through: *closed_through, records })
    }
}

/// The data that the manifest stores about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The file's name, without its folder.
    pub name: String,
    /// The month in its name.
    pub period: Period,
    /// BLAKE3 of the unpacked bytes, in hexadecimal.
    pub hash: String,
    /// The unpacked size in bytes.
    pub n_bytes: u64,
    /// The numbers of lines by outcome.
    pub counts: Counts,
    /// The rejected lines.
    pub rejects: Vec<Reject>,
    /// The number of accepted records by month.
    pub periods: BTreeMap<Period, u64>,
    /// The sum of |value| over accepted records, in cents; at most `i64::MAX`.
    pub absolute_cents: i64,
    /// The names of the columns, if a line was rejected because the tables lack its code.
    pub columns: Vec<String>,
    /// The findings about the file.
    pub findings: Vec<Finding>,
}

impl Summary {
    /// Computes the summary of a read file.
    #[must_use]
    pub fn of(intake: &Intake) -> Self {
        let accepted = || intake.records.iter().filter(|record| record.exclusion.is_none());
        let mut periods = BTreeMap::new();
        // Late records are few, so runs of one month are long: runs are counted, not records.
        for run in intake.records.chunk_by(|a, b| a.period == b.period) {
            let n = run.iter().filter(|record| record.exclusion.is_none()).count() as u64;
            if n > 0 {
                *periods.entry(run[0].period).or_insert(0) += n;
            }
        }
        let absolute: i128 = accepted().map(|record| i128::from(record.value_cents).abs()).sum();
        Self {
            name: intake.name.clone(),
            period: intake.period,
            hash: intake.hash.clone(),
            n_bytes: intake.n_bytes,
            counts: intake.counts.clone(),
            rejects: intake.rejects.clone(),
            periods,
            absolute_cents: i64::try_from(absolute).unwrap_or(i64::MAX),
            columns: intake.columns.clone(),
            findings: intake.findings.clone(),
        }
    }

    fn assert_adds_up(&self) {
        let Counts { lines, accepted, .. } = self.counts;
        let (excluded, rejected) = (self.counts.excluded_total(), self.counts.rejected_total());
        assert!(
            lines == accepted + excluded + rejected
                && rejected == self.rejects.len() as u64
                && accepted == self.periods.values().sum::<u64>(),
            "{}: {lines} lines, {accepted} accepted ({:?}), {excluded} excluded, \
             {rejected} rejected ({} kept)",
            self.name,
            self.periods,
            self.rejects.len()
        );
    }
}

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

/// The reason for a rollback.
pub(super) enum Failure {
    NotLive(Vintage),
    Recorded,
    Refused(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(source: rusqlite::Error) -> Self {
        Self::Refused(source)
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

pub(super) fn add_definition(
    transaction: &Transaction<'_>,
    definition: &DefinitionTexts,
) -> std::result::Result<(), Failure> {
    let sql = "INSERT INTO settings (id, text) VALUES (1, ?) ON CONFLICT DO NOTHING";
    if transaction.execute(sql, [&definition.options])? == 0 {
        return Err(Failure::Recorded);
    }
    for (name, text) in &definition.references {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let sql = "INSERT INTO reference_tables (name, text, hash) VALUES (?, ?, ?)";
        transaction.execute(sql, (name, text, hash.as_str()))?;
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
    add_counts(transaction, *vintage, summary)?;
    add_rejects(transaction, *vintage, &summary.rejects)?;
    let sql = "INSERT INTO columns (vintage, position, name) VALUES (?, ?, ?)";
    for (position, name) in (0_i64..).zip(&summary.columns) {
        transaction.execute(sql, (vintage.0, position, name))?;
    }
    found::add(transaction, file)?;
    Ok(())
}

pub(super) fn add_counts(
    transaction: &Transaction<'_>,
    vintage: Vintage,
    summary: &Summary,
) -> rusqlite::Result<()> {
    let Counts { excluded, rejected, .. } = &summary.counts;
    let excluded = Exclusion::ALL.iter().map(|rule| ("excluded", rule.name())).zip(excluded);
    let rejected = Rule::ALL.iter().map(|rule| ("rejected", rule.name())).zip(rejected);
    let sql = "INSERT INTO file_counts (vintage, kind, rule, n) VALUES (?, ?, ?, ?)";
    for ((kind, rule), n) in excluded.chain(rejected).filter(|(_, n)| **n > 0) {
        transaction.execute(sql, (vintage.0, kind, rule, integer(*n)))?;
    }
    let notes = [("rounded", summary.counts.rounded), ("footers", summary.counts.footers)];
    for (note, n) in notes.iter().filter(|(_, n)| *n > 0) {
        let sql = "INSERT INTO file_notes (vintage, note, n) VALUES (?, ?, ?)";
        transaction.execute(sql, (vintage.0, note, integer(*n)))?;
    }
    let sql = "INSERT INTO file_periods (period, vintage, n) VALUES (?, ?, ?)";
    for (period, n) in &summary.periods {
        transaction.execute(sql, (period.as_yyyymm(), vintage.0, integer(*n)))?;
    }
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

/// Converts to the signed integers of the database.
pub(super) fn integer(n: u64) -> i64 {
    i64::try_from(n).expect("a number of bytes or lines below 2^63")
}
