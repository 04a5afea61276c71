//! The months of files that cover other spans than one month.

use std::collections::BTreeMap;

use super::outcome::FileOutcome;
use crate::domain::record::PeriodFlow;
use crate::domain::types::Period;
use crate::feed::profile::{Covers, Profile};
use crate::feed::source::FeedFile;

/// The first month of a feed's calendar, if this is its first file: from the first month that the
/// file covers, and from its records.
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

/// A month and the later months of its year.
pub(super) fn months_of_year(first: Period) -> Vec<Period> {
    let months = std::iter::successors(Some(first), |month| Some(month.next()));
    months.take_while(|month| month.year() == first.year()).collect()
}

/// True if the file at a position is the last of its year, and no file of the year was refused.
pub(super) fn is_whole_year(files: &[FeedFile], at: usize, outcomes: &[FileOutcome]) -> bool {
    let year = files[at].period.year();
    let is_of_year = |file: &FeedFile| file.period.year() == year;
    let is_refused =
        |(file, outcome): (&FeedFile, &FileOutcome)| is_of_year(file) && outcome.is_refused();
    !files[at + 1..].iter().any(is_of_year) && !files.iter().zip(outcomes).any(is_refused)
}
