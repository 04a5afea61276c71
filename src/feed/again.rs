//! Rejected lines to records: reads lines again whose codes a later table contains.
//!
//! Input: the stored rejects of a file, the names of its columns, and the tables before and after.
//! Output: the lines that are records under the new tables only. A line that an earlier table could
//! read was read at that time. A line that was shortened for storage stays a reject.

use std::io::Cursor;

use super::check::{Checker, Months, NoRecord};
use super::decode;
use super::frame::{Blocks, Dialect, Framed, Lines};
use super::header::Header;
use super::joined::Sheet;
use super::places::Places;
use super::profile::Profile;
use super::refused::Refused;
use super::source::FeedFile;
use crate::domain::record::{Counts, Record, Reject, Rule, Texts};
use crate::domain::types::Period;

/// The rejects of a file.
pub struct Rejected<'a> {
    /// The file.
    pub file: &'a FeedFile,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rejected lines.
    pub rejects: &'a [Reject],
    /// The feed's first month.
    pub first: Period,
}

/// The result of reading rejected lines again.
#[derive(Debug, Default)]
pub struct ReadAgain {
    /// The records of the lines.
    pub records: Vec<Record>,
    /// The texts of the records.
    pub texts: Texts,
    /// Counts of the lines by their end.
    pub counts: Counts,
    /// The numbers of the lines.
    pub lines: Vec<u32>,
}

/// True if the rule rejects a line because the tables lack its code.
#[must_use]
pub fn is_for_a_code(rule: Rule) -> bool {
    Rule::OF_CODES.contains(&rule)
}

/// Reads the rejects of a file again.
///
/// # Errors
/// Those of `Header::of_names`, if the profile's columns are not among those of the file.
pub fn read_again(
    rejected: Rejected<'_>,
    profile: &Profile,
    [before, after]: [&Places; 2],
) -> Result<ReadAgain, Refused> {
    let Rejected { file, columns, rejects, first } = rejected;
    let profile = &profile.of_file(file.period, file.part.flow.as_deref());
    let header = Header::of_names(columns, (&file.path, 1), profile)?;
    let months = Months { first, last: file.period };
    let checker = |places| Checker::new(&header, profile, places, months, false, Texts::default());
    let (mut before, mut after) = (checker(before), checker(after));
    let mut sheet = Sheet::default();
    let mut numbers = Vec::new();
    for Reject { line, rule, raw, .. } in rejects {
        // The cut may have removed three bytes of a character.
        if !is_for_a_code(*rule) || raw.len() + 3 >= Reject::RAW_BYTES_MAX {
            continue;
        }
        let mut lines = Lines::new(profile.file.delimiter.byte());
        let text = Cursor::new(format!("{raw}\n").into_bytes());
        let mut blocks = Blocks::new(text, Dialect::from(&profile.file));
        blocks.fill(&mut lines).map_err(|error| decode::refusal(&file.path, error))?;
        let Some(Framed::Line(framed)) = lines.next_line() else { continue };
        if !before.ends(*line, &framed).iter().any(lacks_a_code) {
            continue;
        }
        let ends = after.ends(*line, &framed);
        if ends.iter().any(is_no_record) {
            continue;
        }
        numbers.push(*line);
        for (of, n) in Rule::OF_CODES.iter().zip(&mut sheet.counts.read_again) {
            *n += u64::from(of == rule);
        }
        for end in ends {
            sheet.counts.lines += 1;
            sheet.end(end, *line, &after, &framed);
        }
    }
    let mut counts = sheet.counts;
    counts.rounded = after.n_rounded();
    Ok(ReadAgain { records: sheet.records, texts: after.into_texts(), counts, lines: numbers })
}

fn lacks_a_code(end: &Result<Record, NoRecord>) -> bool {
    matches!(end, Err(NoRecord::Rejected(fault)) if is_for_a_code(fault.rule))
}

fn is_no_record(end: &Result<Record, NoRecord>) -> bool {
    matches!(end, Err(NoRecord::Rejected(_) | NoRecord::Blank | NoRecord::Footer))
}
