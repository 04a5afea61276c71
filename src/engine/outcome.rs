//! The outcome of a file: it counts, it is known, or it is refused with a reason.

use std::path::PathBuf;

use crate::dataflow::YEARS_MAX;
use crate::domain::record::Counts;
use crate::domain::types::{Period, Vintage};
use crate::feed::refused::Refused;
use crate::home::{Archive, Publication, Seen};

/// The outcome of a file.
#[derive(Debug)]
pub struct FileOutcome {
    /// The file.
    pub path: PathBuf,
    /// BLAKE3 of its unpacked bytes, if they were read to their end.
    pub hash: Option<String>,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The outcome of a file.
#[derive(Debug)]
pub enum Outcome {
    /// It counts, once the step it is part of is committed.
    Accepted {
        /// Its number.
        vintage: Vintage,
        /// How its lines ended.
        counts: Counts,
        /// Months of which it has so few records that it neither closed nor replaced them.
        thin: Vec<Period>,
    },
    /// Its bytes were accepted before: it is skipped, or if they were withdrawn, left out.
    Seen(Seen),
    /// Nothing of it counts.
    Refused(Refusal),
}

/// Why nothing of a file counts.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read as a file of the feed.
    #[error(transparent)]
    Unreadable(#[from] Box<Refused>),
    /// Its month is before the feed's first.
    #[error(
        "{file} is of {period}, before the feed's first month {first}; start another home with \
         --data to begin earlier",
        file = file.display()
    )]
    BeforeFirst {
        /// The file.
        file: PathBuf,
        /// Its month.
        period: Period,
        /// The feed's first month.
        first: Period,
    },
    /// Months are missing before it.
    #[error(
        "{file} is of {period}, but the next month is {next}: months close in order without gaps; \
         {}",
        if *is_there { format!("its file is there: `close {next}` first") }
        else { format!("take in {next} first") },
        file = file.display()
    )]
    Gap {
        /// The file.
        file: PathBuf,
        /// Its month.
        period: Period,
        /// The month that is missing.
        next: Period,
        /// Whether the month already has a file, ingested while the command `close` closed months.
        is_there: bool,
    },
    /// Its month has a file already.
    #[error(
        "{file}: {period} has a file already; in spillover.toml in the home, or the file that \
         --config names, set revision = \"append\" to add its lines or \"supersede\" to replace \
         the earlier lines",
        file = file.display()
    )]
    HasFile {
        /// The file.
        file: PathBuf,
        /// Its month.
        period: Period,
    },
    /// A month would lose half of its records, or all.
    #[error(
        "{file}: {period} had {n_before} records and has {n_now} in it; if that is right, set \
         allow_shrink = [\"{period}\"] in spillover.toml in the home or the file that --config \
         names",
        file = file.display()
    )]
    Shrinks {
        /// The file.
        file: PathBuf,
        /// The month.
        period: Period,
        /// How many records it has now.
        n_before: u64,
        /// How many it would have.
        n_now: u64,
    },
    /// The file that would have been the feed's first was refused.
    #[error(
        "{file}: the feed's first file was refused, and its month begins the calendar; correct \
         that file first",
        file = file.display()
    )]
    FirstRefused {
        /// The file.
        file: PathBuf,
    },
    /// More years than the engine keeps apart.
    #[error("{file} is of {period}; a feed may span {} years", YEARS_MAX, file = file.display())]
    TooManyYears {
        /// The file.
        file: PathBuf,
        /// Its month.
        period: Period,
    },
    /// More countries than the engine keeps apart.
    #[error(
        "{file}: with this file the feed has more than {} countries; is the column `country` the \
         right one?",
        u16::MAX,
        file = file.display()
    )]
    TooManyCountries {
        /// The file.
        file: PathBuf,
    },
    /// Amounts whose sum would not be exact.
    #[error(
        "{file}: with this file the amounts of all records exceed 2^62 cents, past the range of \
         exact sums; is the unit of value right?",
        file = file.display()
    )]
    Range {
        /// The file.
        file: PathBuf,
    },
}

impl FileOutcome {
    /// Whether nothing of the file counts.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.outcome, Outcome::Refused(_))
    }
}

/// What months mean of which a file has few records.
#[must_use]
pub fn thin_months(months: &[Period]) -> String {
    let months: Vec<String> = months.iter().map(ToString::to_string).collect();
    format!(
        "thin_month: fewer than a tenth of the median month's records are of {}; they count as \
         late records, and neither close nor replace these months",
        months.join(", ")
    )
}

/// Observes intake.
pub trait Observer {
    /// The home is open, as an earlier process left it.
    fn opened(&mut self, _archive: &mut Archive) {}
    /// A file has been dealt with.
    fn file(&mut self, outcome: &FileOutcome);
    /// A step is being published.
    fn publishing(&mut self, publication: Publication);
    /// A step counts from now on; these are the months that it closed.
    fn committed(&mut self, _archive: &mut Archive, _closed: &[Period]) {}
    /// All that was asked for has been dealt with: what saves time later may be written now.
    fn rested(&mut self, _archive: &mut Archive) {}
    /// Whether files that are not begun are to be left: what was taken in is still published.
    fn stop_asked(&self) -> bool {
        false
    }
}

/// Nobody watches.
pub struct Unwatched;

impl Observer for Unwatched {
    fn file(&mut self, _: &FileOutcome) {}
    fn publishing(&mut self, _: Publication) {}
}
