//! Files that are not simply one month: the months that they close, and the earlier files that they
//! replace.
//!
//! ```text
//! covers   months                                     closes
//! month    the month in its name, in parts            the month, after its last part
//! range    the months from first to last in its name  all of them
//! year     the months of the year in its name         those up to the last one with lines
//! contents the months of its lines, without thin ones all of them
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::EngineError;
use super::again::is_or_is_read_again;
use super::open::{Engine, IntakeOptions};
use super::outcome::Refusal;
use super::reading::Known;
use super::replace::Earlier;
use super::running::{LiveSegment, Running};
use super::span::first_month;
use crate::dataflow::YEARS_MAX;
use crate::domain::calendar::Calendar;
use crate::domain::finding::{Finding, FindingKind};
use crate::domain::record::{Coverage, PeriodFlow};
use crate::domain::types::{Period, Vintage};
use crate::feed::profile::{Covers, Profile, Revision};
use crate::feed::source::FeedFile;
use crate::home::Seen;
use crate::home::options::Close;

/// The effects of an accepted file other than its records.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// The earlier files, or months and flows of them, that the file replaces.
    pub(super) replaces: Vec<Earlier>,
    /// The months that the file closes, in order.
    pub(super) closes: Vec<Period>,
    /// Months with so few records in the file that it neither closes nor replaces them.
    pub(super) thin: Option<Finding>,
}

/// A file with its coverage, and the files that count.
struct Covering<'a> {
    file: &'a FeedFile,
    coverage: &'a Coverage,
    by_month: BTreeMap<Period, u64>,
    profile: &'a Profile,
    options: &'a IntakeOptions,
    segments: &'a [LiveSegment],
    thin: Vec<Period>,
    /// The covered months.
    months: BTreeSet<Period>,
}

impl Engine {
    /// Decides whether a file that is not simply one month may count. All segments are already
    /// written.
    pub(super) fn admit_covering(
        &self,
        file: &FeedFile,
        coverage: &Coverage,
    ) -> Result<Admission, Refusal> {
        let segments = self.running.as_ref().map_or(&[][..], |running| &running.segments);
        let profile = &self.definition.profile;
        let layout = &profile.file;
        let by_month = coverage.by_month();
        let thin = match layout.covers {
            Covers::Contents => thin_months(&by_month),
            _ => Vec::new(),
        };
        let options = &self.options;
        let months = months_of(coverage, layout.covers, &by_month, &thin);
        let covering =
            Covering { file, coverage, by_month, profile, options, segments, thin, months };
        let calendar = self.running.as_ref().map(|running| running.calendar);
        covering.check_span(calendar)?;
        let replaces = covering.replaces()?;
        let closes = covering.closes(calendar.unwrap_or(covering.new_calendar()))?;
        Ok(Admission { replaces, closes, thin: thin_month(&covering.thin) })
    }

    /// The known files, by name and hash of their bytes.
    pub(super) fn known(&self) -> Result<Known, EngineError> {
        let mut known = Known::default();
        for file in self.home.known_files()? {
            let (accepted_as, superseded_by) = (file.name.clone(), file.superseded_by);
            let seen = Seen::Known { accepted_as, superseded_by };
            known.entry(file.name).or_default().insert(file.hash, seen);
        }
        Ok(known)
    }

    /// The month of a file, if the file closes it.
    pub(super) fn closing(&self, period: Period, next: Period) -> Vec<Period> {
        let closes = self.options.close == Close::File && period == next;
        closes.then_some(period).into_iter().collect()
    }

    /// The refusal of a file of a month before the feed's first month. It comes before the check of
    /// lines, which would all be early.
    pub(super) fn before_first(&self, file: &FeedFile) -> Option<Refusal> {
        let first = self.running.as_ref()?.calendar.first();
        let (path, period) = (file.path.clone(), file.period);
        (period < first).then_some(Refusal::BeforeFirst { file: path, period, first })
    }

    /// The calendar that starts with a file that is not simply one month.
    pub(super) fn calendar_of(&self, coverage: &Coverage) -> Calendar {
        Calendar::starting(first_month(
            &self.definition.profile,
            (coverage.first, &coverage.records),
        ))
    }
}

impl Running {
    /// The counted files of a month, by the month in their names.
    pub(super) fn files_of(
        &self,
        period: Period,
        writing: impl Iterator<Item = (Vintage, Period)>,
    ) -> Vec<Vintage> {
        let live = self.segments.iter().map(|segment| (segment.vintage, segment.period));
        live.chain(writing).filter(|(_, of)| *of == period).map(|(vintage, _)| vintage).collect()
    }
}

/// Months with fewer than a tenth of the records of the median month.
fn thin_months(by_month: &BTreeMap<Period, u64>) -> Vec<Period> {
    let mut numbers: Vec<u64> = by_month.values().copied().collect();
    numbers.sort_unstable();
    let Some(last) = numbers.len().checked_sub(1) else { return Vec::new() };
    // Twice the median is a whole number.
    let twice = numbers[last / 2] + numbers[last.div_ceil(2)];
    by_month.iter().filter(|(_, n)| **n * 20 < twice).map(|(month, _)| *month).collect()
}

/// The thin months of a file, if there are any.
pub(super) fn thin_finding(by_month: &BTreeMap<Period, u64>) -> Option<Finding> {
    thin_month(&thin_months(by_month))
}

fn thin_month(months: &[Period]) -> Option<Finding> {
    let n = months.len() as u64;
    (n > 0).then(|| Finding {
        kind: FindingKind::ThinMonth,
        n,
        of: n,
        first: months.iter().map(ToString::to_string).collect(),
        beside: String::new(),
    })
}

/// The months that a file covers; thin months among its lines are left out.
fn months_of(
    coverage: &Coverage,
    covers: Covers,
    by_month: &BTreeMap<Period, u64>,
    thin: &[Period],
) -> BTreeSet<Period> {
    let last = match covers {
        Covers::Contents => {
            return by_month.keys().filter(|month| !thin.contains(month)).copied().collect();
        }
        Covers::Year => Period::new(coverage.first.year().0, 12).unwrap_or(coverage.last),
        Covers::Month | Covers::Range => coverage.last,
    };
    let all = std::iter::successors(Some(coverage.first), |month| Some(month.next()));
    all.take_while(|month| *month <= last).collect()
}

impl Covering<'_> {
    fn new_calendar(&self) -> Calendar {
        Calendar::starting(first_month(self.profile, (self.coverage.first, &self.coverage.records)))
    }

    /// Refuses records of months outside the possible calendar.
    fn check_span(&self, calendar: Option<Calendar>) -> Result<(), Refusal> {
        let file = || self.file.path.clone();
        let first = calendar.unwrap_or(self.new_calendar()).first();
        if let Some(period) = self.by_month.keys().copied().find(|month| *month < first) {
            return Err(Refusal::BeforeFirst { file: file(), period, first });
        }
        let period = self.coverage.last;
        if period.year().0 - first.year().0 >= YEARS_MAX - 1 {
            return Err(Refusal::TooManyYears { file: file(), period });
        }
        Ok(())
    }

    /// The files of the same part.
    fn of_part(&self) -> impl Iterator<Item = &LiveSegment> {
        let part = &self.coverage.part;
        self.segments.iter().filter(move |segment| {
            segment.covered.as_ref().map_or(part == "/", |covered| covered.part == *part)
        })
    }

    fn replaces(&self) -> Result<Vec<Earlier>, Refusal> {
        let months = &self.months;
        let overlaps = |segment: &&LiveSegment| match &segment.covered {
            Some(covered) => months.range(covered.first..=covered.last).next().is_some(),
            None => months.contains(&segment.period),
        };
        let earlier: Vec<&LiveSegment> = self.of_part().filter(overlaps).collect();
        let period = self.coverage.last;
        let has_file = || Refusal::HasFile { file: self.file.path.clone(), period };
        match self.options.revision {
            Revision::ReplacePeriods => self.replaced(),
            Revision::Append => Ok(Vec::new()),
            Revision::Refuse if earlier.is_empty() => Ok(Vec::new()),
            Revision::Refuse => Err(has_file()),
            Revision::Supersede => {
                let is_same = |segment: &&&LiveSegment| {
                    let span =
                        segment.covered.as_ref().map(|covered| (covered.first, covered.last));
                    span == Some((self.coverage.first, self.coverage.last))
                };
                if !earlier.iter().all(|segment| is_same(&segment)) {
                    return Err(has_file());
                }
                let whole =
                    |segment: &&LiveSegment| Earlier { vintage: segment.vintage, cells: None };
                Ok(earlier.iter().map(whole).collect())
            }
        }
    }

    /// The months and flows of earlier files that the file replaces. Refuses a loss of records that
    /// may be an accident.
    fn replaced(&self) -> Result<Vec<Earlier>, Refusal> {
        let flows = self.coverage.flows();
        let mut before: BTreeMap<Period, u64> = BTreeMap::new();
        let mut replaced = Vec::new();
        for segment in self.of_part() {
            let Some(covered) = &segment.covered else { continue };
            let live: Vec<PeriodFlow> = covered
                .records
                .keys()
                .filter(|cell| !segment.gone.contains(cell))
                .copied()
                .collect();
            // A new version of the same file also loses a month that is absent or thin.
            let name = &self.file.name;
            let is_version = is_or_is_read_again(&segment.name, name);
            let goes = |(month, flow): &PeriodFlow| {
                flows.contains(flow) && (self.months.contains(month) || is_version)
            };
            let cells: Vec<PeriodFlow> = live.iter().filter(|cell| goes(cell)).copied().collect();
            for cell in &cells {
                *before.entry(cell.0).or_insert(0) += covered.records[cell];
            }
            if !cells.is_empty() {
                let cells = (cells.len() < live.len()).then_some(cells);
                replaced.push(Earlier { vintage: segment.vintage, cells });
            }
        }
        for (month, n_before) in before {
            let n_now = self.by_month.get(&month).copied().unwrap_or(0);
            if n_now * 2 < n_before && !self.options.allow_shrink.contains(&month) {
                let file = self.file.path.clone();
                return Err(Refusal::Shrinks { file, period: month, n_before, n_now });
            }
        }
        Ok(replaced)
    }

    /// The months that the file closes.
    fn closes(&self, mut calendar: Calendar) -> Result<Vec<Period>, Refusal> {
        let mut closes = Vec::new();
        if self.options.close == Close::Explicit {
            return Ok(closes);
        }
        if self.profile.is_annual() {
            return self.closes_nothing(calendar.next_to_close());
        }
        while self.is_closable(calendar.next_to_close()) {
            let month = calendar.next_to_close();
            calendar.close(month).expect("the next month closes");
            closes.push(month);
        }
        let next = calendar.next_to_close();
        let months = &self.months;
        let is_later = |month: &&Period| **month > next && !months.contains(&next);
        let has_records = |month: &&Period| self.by_month.contains_key(month);
        let of_month = self.profile.file.covers == Covers::Month;
        let later = months.iter().filter(|month| of_month || has_records(month)).find(is_later);
        match later {
            None => Ok(closes),
            Some(period) => {
                let is_there = self.segments.iter().any(|segment| segment.period == next);
                let (file, period) = (self.file.path.clone(), *period);
                Err(Refusal::Gap { file, period, next, is_there })
            }
        }
    }

    /// A year closes once the last of its files was read; that of the year before must be closed by
    /// then.
    fn closes_nothing(&self, next: Period) -> Result<Vec<Period>, Refusal> {
        let period = self.coverage.last;
        if period.year() <= next.year() {
            return Ok(Vec::new());
        }
        Err(Refusal::Gap { file: self.file.path.clone(), period, next, is_there: false })
    }

    /// True if a month is complete with this file.
    fn is_closable(&self, month: Period) -> bool {
        let Coverage { first, last, .. } = *self.coverage;
        let covers = match self.profile.file.covers {
            Covers::Month | Covers::Range => (first..=last).contains(&month),
            // The file of a later year implies that this year is over.
            Covers::Year => {
                let of_year = |segment: &LiveSegment| {
                    let year = segment.covered.as_ref().map(|covered| covered.first.year());
                    year == Some(month.year())
                };
                (first..=last).contains(&month)
                    || (month < first && self.segments.iter().any(of_year))
            }
            Covers::Contents => self.months.contains(&month),
        };
        let has = |part: &String, of: &str| of.split('/').any(|of| of == part);
        let is_there = |part: &String| {
            let covers_month = |segment: &LiveSegment| {
                segment.covered.as_ref().is_some_and(|covered| {
                    has(part, &covered.part) && (covered.first..=covered.last).contains(&month)
                })
            };
            has(part, &self.coverage.part) || self.segments.iter().any(covers_month)
        };
        covers && self.profile.file.parts.iter().all(is_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_with_less_than_a_tenth_of_the_median_is_thin() {
        let months = |numbers: &[u64]| -> BTreeMap<Period, u64> {
            let month = |at| Period::new(2001, at).expect("a month");
            (1..).zip(numbers).map(|(at, n)| (month(at), *n)).collect()
        };
        let thin = |numbers: &[u64]| {
            thin_months(&months(numbers)).iter().map(|month| month.month()).collect::<Vec<_>>()
        };
        assert_eq!(thin(&[100, 100, 9, 10, 100]), [3]);
        assert_eq!(thin(&[100, 4]), [2]);
        assert_eq!(thin(&[1]), [] as [u8; 0]);
        assert_eq!(thin(&[]), [] as [u8; 0]);
    }
}
