//! The outcome of a file: it is accepted, skipped or refused with a reason.

use std::path::PathBuf;

use crate::dataflow::YEARS_MAX;
use crate::domain::finding::{Finding, FindingKind};
use crate::domain::record::Counts;
use crate::domain::types::{Period, Vintage};
use crate::feed::profile::Profile;
use crate::feed::refused::Refused;
use crate::feed::source::FeedFile;
use crate::home::{Home, Publication, Seen};

/// The outcome of a file.
#[derive(Debug)]
pub struct FileOutcome {
    /// The file.
    pub path: PathBuf,
    /// BLAKE3 of the unpacked bytes, if they were read to their end.
    pub hash: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of a file.
#[derive(Debug)]
pub enum Outcome {
    /// The file counts after the commit of its step.
    Accepted {
        /// The vintage of the file.
        vintage: Vintage,
        /// The numbers of lines by outcome.
        counts: Counts,
        /// The findings about the file.
        findings: Vec<Finding>,
    },
    /// The bytes were accepted before: the file is skipped, or left out if it was withdrawn.
    Seen(Seen),
    /// No line of the file counts.
    Refused(Refusal),
}

/// The reason why no line of a file counts.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The file cannot be read as a file of the feed.
    #[error(transparent)]
    Unreadable(#[from] Box<Refused>),
    /// The month of the file is before the feed's first month.
    #[error(
        "{file} is of {period}, before the feed's first month {first}; start another home with \
         --data to begin earlier",
        file = file.display()
    )]
    BeforeFirst {
        /// The file.
        file: PathBuf,
        /// The month of the file.
        period: Period,
        /// The feed's first month.
        first: Period,
    },
    /// Months are missing before the month of the file.
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
        /// The month of the file.
        period: Period,
        /// The missing month.
        next: Period,
        /// True if the month already has a file, ingested while the command `close` closed months.
        is_there: bool,
    },
    /// The month already has a file.
    #[error(
        "{file}: {period} has a file already; in spillover.toml in the home, or the file that \
         --config names, set revision = \"append\" to add its lines or \"supersede\" to replace \
         the earlier lines",
        file = file.display()
    )]
    HasFile {
        /// The file.
        file: PathBuf,
        /// The month.
        period: Period,
    },
    /// A month would lose more than half of its records.
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
        /// The current number of records.
        n_before: u64,
        /// The number of records with this file.
        n_now: u64,
    },
    /// Something is odd about it that refuses a file.
    #[error(
        "{file}: {finding}; [findings] refuse in spillover.toml names {}: take it out of the list \
         if the file is right",
        finding.kind,
        file = file.display()
    )]
    Finding {
        /// The file.
        file: PathBuf,
        /// The finding.
        finding: Box<Finding>,
    },
    /// The candidate for the feed's first file was refused.
    #[error(
        "{file}: the feed's first file was refused, and its month begins the calendar; correct \
         that file first",
        file = file.display()
    )]
    FirstRefused {
        /// The file.
        file: PathBuf,
    },
    /// The feed has more years than the engine supports.
    #[error("{file} is of {period}; a feed may span {} years", YEARS_MAX, file = file.display())]
    TooManyYears {
        /// The file.
        file: PathBuf,
        /// The month of the file.
        period: Period,
    },
    /// The feed has more countries than the engine supports.
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
    /// The sum of amounts would not be exact.
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

impl Refusal {
    /// True if rejected lines are the reason; the home keeps them.
    #[must_use]
    pub fn has_rejects(&self) -> bool {
        matches!(self, Self::Unreadable(refused) if refused.kept().is_some())
    }

    /// The reason to refuse a file with a named finding.
    pub(super) fn by_finding(
        file: &FeedFile,
        findings: &[Finding],
        refuse: &[FindingKind],
    ) -> Option<Self> {
        let finding = findings.iter().find(|finding| refuse.contains(&finding.kind))?;
        let (file, finding) = (file.path.clone(), Box::new(finding.clone()));
        Some(Self::Finding { file, finding })
    }
}

impl FileOutcome {
    /// True if no line of the file counts.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.outcome, Outcome::Refused(_))
    }
}

/// The limits of annual data; `None` for a feed whose lines have months.
#[must_use]
pub fn annual_only(profile: &Profile) -> Option<String> {
    profile.is_annual().then(|| {
        "annual_only: lines have a year and no month; each record is one of its year's December, \
         a year closes as a whole, and no figures are of months or of a year to date"
            .to_owned()
    })
}

/// An observer of the intake.
pub trait Observer {
    /// The home is open, in the state of the last process.
    fn opened(&mut self, _home: &mut Home) {}
    /// The engine has judged a file.
    fn file(&mut self, outcome: &FileOutcome);
    /// The engine publishes a step.
    fn publishing(&mut self, publication: Publication);
    /// A step is committed and closed these months.
    fn committed(&mut self, _home: &mut Home, _closed: &[Period]) {}
    /// All requested work is complete; files that save time later may be written now.
    fn rested(&mut self, _home: &mut Home) {}
    /// True if the engine shall leave the remaining files. It still publishes the accepted files.
    fn stop_asked(&self) -> bool {
        false
    }
}

/// An observer that does nothing.
pub struct Unwatched;

impl Observer for Unwatched {
    fn file(&mut self, _: &FileOutcome) {}
    fn publishing(&mut self, _: Publication) {}
}
