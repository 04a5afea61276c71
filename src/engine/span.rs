//! The months of files that are not simply one month.

use std::collections::BTreeMap;

use super::outcome::FileOutcome;
use crate::domain::record::PeriodFlow;
use crate::domain::types::Period;
use crate::feed::profile::{Covers, Profile};
use crate::feed::source::FeedFile;

/// The month that the calendar of a feed begins with, if this is its first file: by the first month
/// that it covers, and its records.
pub(super) fn first_month(
    profile: &Profile,
    (first, records): (Period, &BTreeMap<PeriodFlow, u64>),
) -> Period {
    let found = records.keys().next().map(|(period, _)| *period);
    match profile.file.covers {
        Covers::Year if profile.is_annual() => first,
        Covers::Month | Covers::Range => first,
        Covers::Year | Covers::Contents => found.unwrap_or(first),
    }
}

/// A month and those that follow it in its year.
pub(super) fn months_of_year(first: Period) -> Vec<Period> {
    let months = std::iter::successors(Some(first), |month| Some(month.next()));
    months.take_while(|month| month.year() == first.year()).collect()
}

/// Whether no more files of a year follow the one at a position, and none of the year was refused.
pub(super) fn is_whole_year(files: &[FeedFile], at: usize, outcomes: &[FileOutcome]) -> bool {
    let year = files[at].period.year();
    let is_of_year = |file: &FeedFile| file.period.year() == year;
    let is_refused =
        |(file, outcome): (&FeedFile, &FileOutcome)| is_of_year(file) && outcome.is_refused();
    !files[at + 1..].iter().any(is_of_year) && !files.iter().zip(outcomes).any(is_refused)
}
