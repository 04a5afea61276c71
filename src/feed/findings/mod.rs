//! Finds odd features of a file with valid lines.
//!
//! Input: the records of a file, before any of them counts. Output: findings, each with its first
//! texts. The search is cheap: by code where codes decide, by a sample of keys where lines decide.

pub mod aggregates;
pub mod near_codes;
pub mod same_lines;
pub mod unseen;

use std::collections::BTreeMap;

use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};

use crate::domain::finding::{Finding, FindingKind, SHOWN};
use crate::domain::record::{Record, Texts};
use crate::domain::types::Period;

/// Finds the odd features of a file alone; `month` is the file's month, if it has only one.
#[must_use]
pub fn of_file(texts: &Texts, records: &[Record], month: Option<Period>) -> Vec<Finding> {
    let late = month.and_then(|month| late_share(records, month));
    let found = [late, aggregates::find(texts, records), near_codes::within(texts)];
    found.into_iter().flatten().collect()
}

/// The number of records that are sampled before all are read.
const DRAWN_MIN: usize = 1 << 12;

/// Finds a majority of records of earlier months: the file repeats the content of earlier files.
fn late_share(records: &[Record], month: Period) -> Option<Finding> {
    let is_late = |record: &&Record| record.period < month;
    let drawn = records.iter().step_by((records.len() / DRAWN_MIN).max(1));
    // If most records are late, more than a quarter of the sample is.
    if drawn.clone().filter(is_late).count() * 4 < drawn.len() {
        return None;
    }
    let n = records.iter().filter(is_late).count();
    if n * 2 <= records.len() {
        return None;
    }
    let late = records.iter().filter(is_late);
    let shown = late.take(SHOWN).map(|late| format!("line {} of {}", late.line, late.period));
    Some(Finding {
        kind: FindingKind::LateShare,
        n: n as u64,
        of: records.len() as u64,
        first: shown.collect(),
        beside: month.to_string(),
    })
}

/// Lines in another encoding than the file's.
#[derive(Debug, Default)]
pub(super) struct ForeignLines {
    n: u64,
    /// The first lines of each thread with their encodings, by line number.
    first: BTreeMap<u32, &'static Encoding>,
}

impl ForeignLines {
    /// Checks a line that is rejected for its encoding. In transcoded text, the mark of a line of
    /// UTF-8 is before its first letter that is not ASCII.
    pub(super) fn look_at(&mut self, line: u32, raw: &[u8]) {
        let encoding = match std::str::from_utf8(raw) {
            Ok(text) => match text.split_once('\u{FFFD}') {
                Some((before, after))
                    if before.is_ascii()
                        && after.starts_with(|letter: char| !letter.is_ascii())
                        && !after.contains('\u{FFFD}') =>
                {
                    UTF_8
                }
                _ => return,
            },
            Err(_) => match GB18030.decode_without_bom_handling_and_without_replacement(raw) {
                Some(_) => GB18030,
                None => WINDOWS_1252,
            },
        };
        self.n += 1;
        if self.first.len() < SHOWN {
            self.first.insert(line, encoding);
        }
    }

    /// Adds the lines of another thread.
    pub(super) fn add(&mut self, other: Self) {
        self.n += other.n;
        self.first.extend(other.first);
    }

    /// The finding about the lines.
    pub(super) fn finding(self, n_lines: u64) -> Option<Finding> {
        let (_, encoding) = self.first.first_key_value()?;
        let shown = self.first.keys().take(SHOWN).map(|line| format!("line {line}"));
        Some(Finding {
            kind: FindingKind::MixedEncoding,
            n: self.n,
            of: n_lines,
            first: shown.collect(),
            beside: encoding.name().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
