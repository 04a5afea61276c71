//! Statements that a commit and a rebuild share.

use rusqlite::Transaction;

use super::rows::Summary;
use super::values::integer;
use crate::domain::record::{Counts, Exclusion, Rule};
use crate::domain::types::Vintage;
use crate::home::definition::DefinitionTexts;

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

/// Adds the definition of the figures.
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

/// The beginning of notes on lines that were read again, before the rule that rejected them.
pub(super) const READ_AGAIN: &str = "read again, ";

/// Adds the counts of a file by rule and by month.
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
    let read_again = Rule::OF_CODES.iter().map(|rule| format!("{READ_AGAIN}{}", rule.name()));
    let read_again = read_again.zip(summary.counts.read_again);
    let Counts { rounded, footers, .. } = summary.counts;
    let notes = [("rounded".to_owned(), rounded), ("footers".to_owned(), footers)];
    for (note, n) in notes.into_iter().chain(read_again).filter(|(_, n)| *n > 0) {
        let sql = "INSERT INTO file_notes (vintage, note, n) VALUES (?, ?, ?)";
        transaction.execute(sql, (vintage.0, note, integer(n)))?;
    }
    let sql = "INSERT INTO file_periods (period, vintage, n) VALUES (?, ?, ?)";
    for (period, n) in &summary.periods {
        transaction.execute(sql, (period.as_yyyymm(), vintage.0, integer(*n)))?;
    }
    Ok(())
}
