//! The findings about files, and the numbers of their new codes.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Transaction;

use super::Manifest;
use super::rows::{AcceptedFile, Found};
use super::values::{integer, unsigned};
use crate::domain::finding::FindingKind;
use crate::domain::types::Vintage;
use crate::feed::findings::unseen::UNSEEN;
use crate::home::error::Result;

/// The names of the notes on codes, in the order of [`UNSEEN`].
const CODES: [(&str, &str); UNSEEN.len()] =
    [("firms", "new firms"), ("countries", "new countries"), ("regions", "new regions")];

pub(super) fn add(transaction: &Transaction<'_>, file: &AcceptedFile) -> rusqlite::Result<()> {
    let findings = file.summary.findings.iter().map(|finding| (finding.kind.name(), finding.n));
    let codes = file.new_codes.iter().flat_map(|codes| CODES.iter().zip(codes));
    let codes = codes.flat_map(|((all, new), codes)| [(*all, codes.n_codes), (*new, codes.n_new)]);
    // A finding may be of several fields.
    let sql = "INSERT INTO file_notes (vintage, note, n) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET n = n + ?3";
    for (note, n) in findings.chain(codes).filter(|(_, n)| *n > 0) {
        transaction.execute(sql, (file.vintage.0, note, integer(n)))?;
    }
    let sql = "INSERT INTO seen_regions (region, vintage) VALUES (?, ?) ON CONFLICT DO NOTHING";
    for region in &file.new_regions {
        transaction.execute(sql, (region, file.vintage.0))?;
    }
    Ok(())
}

impl Manifest {
    /// Reads the findings about all files.
    pub(super) fn found(&self) -> Result<BTreeMap<Vintage, Found>> {
        let mut found: BTreeMap<Vintage, Found> = BTreeMap::new();
        if !self.has_notes()? {
            return Ok(found);
        }
        let sql = "SELECT vintage, note, n FROM file_notes";
        self.rows("the findings on the files", sql, [], |row| {
            let (note, n) = (row.get_ref(1)?.as_str()?, unsigned(row, 2)?);
            let found = found.entry(Vintage(row.get(0)?)).or_default();
            if let Some(kind) = FindingKind::named(note) {
                found.findings.insert(kind, n);
            }
            for ((all, new), codes) in CODES.iter().zip(&mut found.codes) {
                if note == *all {
                    codes.n_codes = n;
                } else if note == *new {
                    codes.n_new = n;
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The regions of all files that were taken in since they are kept; for a writer, who makes
    /// the table.
    pub(in crate::home) fn seen_regions(&self) -> Result<BTreeSet<String>> {
        let mut regions = BTreeSet::new();
        self.rows("the regions", "SELECT region FROM seen_regions", [], |row| {
            regions.insert(row.get(0)?);
            Ok(())
        })?;
        Ok(regions)
    }
}
