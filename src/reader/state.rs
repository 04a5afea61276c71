//! The state of a home behind the answers of a reader, and its vintages in time.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use super::error::{InsideBatch, NoVintageThen};
use super::{Reader, ReaderError};
use crate::domain::finding::FindingKind;
use crate::domain::types::{Period, Vintage, Year};
use crate::engine::recorded::calendar;
pub use crate::home::n_commits_acknowledged;
use crate::home::release::ReleaseTime;
use crate::home::{FileEntry, Publication};

/// Hours of China Standard Time before UTC. Commits have times since 2026, and the offset has not
/// changed since 1991.
const CHINA_HOURS: i8 = 8;

/// A vintage of a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VintageEntry {
    /// The vintage.
    pub vintage: Vintage,
    /// The publication that first showed it.
    pub publication: Publication,
    /// The time of the commit; `None` for homes of earlier layouts.
    pub committed_at: Option<Timestamp>,
    /// True if the vintage is the newest of its publication, and its tables are stored.
    pub is_stored: bool,
    /// The file; `None` for a withdrawal or a rebuild.
    pub file: Option<String>,
    /// The month of the file.
    pub month: Option<Period>,
    /// The file that this file replaced.
    pub supersedes: Option<String>,
    /// The file that the vintage withdrew.
    pub withdraws: Option<String>,
}

/// A finding about an accepted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingEntry {
    /// The vintage of the file.
    pub vintage: Vintage,
    /// Its name.
    pub file: String,
    /// The month in its name.
    pub month: Period,
    /// The finding.
    pub finding: FindingKind,
    /// The number of odd lines, codes, groups or months.
    pub n: u64,
    /// True if the file counts at the vintage.
    pub counts: bool,
}

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthEntry {
    /// The month.
    pub month: Period,
    /// The publication that closed it; `None` for the next month.
    pub closed_by: Option<Publication>,
    /// The newest vintage of this publication.
    pub vintage: Option<Vintage>,
    /// The time of its commit; `None` for homes of earlier layouts.
    pub committed_at: Option<Timestamp>,
    /// True if the year before has the month, so that growth exists.
    pub has_growth: bool,
}

impl Reader {
    /// The number of commits behind the answers. It identifies the state of the home.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn n_commits(&self) -> Result<u64, ReaderError> {
        Ok(self.home.n_commits()?)
    }

    /// The time of the newest publication; `None` for an empty home or one of an earlier layout.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn committed_at(&self) -> Result<Option<Timestamp>, ReaderError> {
        Ok(self.home.committed_at(self.publication()?.0)?)
    }

    /// The time until which the newest publication is held back; `None` once it is released.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn held_until(
        &self,
        release: Option<ReleaseTime>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ReaderError> {
        Ok(ReleaseTime::held_until(release, self.committed_at()?, now))
    }

    /// True if the home has newer commits. The check reads one small file.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the file cannot be read.
    pub fn is_behind(&self) -> Result<bool, ReaderError> {
        Ok(n_commits_acknowledged(self.home.folder())? > self.home.n_commits()?)
    }

    /// The newest vintage that was published by the end of a day in China.
    ///
    /// # Errors
    /// - [`ReaderError::NoVintageThen`] if no publication is known by then.
    /// - [`ReaderError::Home`] if the manifest cannot be read.
    pub fn vintage_on(&self, date: Date) -> Result<Vintage, ReaderError> {
        let (mut found, mut first) = (None, None);
        let zone = TimeZone::fixed(Offset::constant(CHINA_HOURS));
        for (publication, vintage) in self.home.publications()? {
            let Some(at) = self.home.committed_at(publication)? else { continue };
            let day = zone.to_datetime(at).date();
            first = first.or(Some(day));
            if day <= date {
                found = Some(vintage);
            }
        }
        found.ok_or_else(|| NoVintageThen { date, first }.into())
    }

    /// Checks that the tables of a vintage are stored.
    ///
    /// # Errors
    /// - [`ReaderError::Export`] if the vintage does not exist.
    /// - [`ReaderError::InsideBatch`] if only a replay can give its tables.
    pub fn check_stored(&self, vintage: Vintage) -> Result<(), ReaderError> {
        self.check_vintage(Some(vintage))?;
        let stored = self.home.stored_vintages()?;
        if stored.contains(&(vintage, true)) {
            return Ok(());
        }
        // Without a year of indicators, a published vintage has empty tables.
        let published = self.home.publications()?;
        let is_early = stored.first().is_none_or(|(first, _)| vintage < *first);
        if is_early && published.iter().any(|(_, of)| *of == vintage) {
            return Ok(());
        }
        let is_there = stored.iter().filter(|(_, is_stored)| *is_stored).map(|(of, _)| *of);
        Err(InsideBatch {
            vintage,
            before: is_there.clone().filter(|of| *of < vintage).max(),
            after: is_there.filter(|of| *of > vintage).min(),
        }
        .into())
    }

    /// The vintages in order.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn vintages(&self) -> Result<Vec<VintageEntry>, ReaderError> {
        let (files, stored) = (self.home.files()?, self.home.stored_vintages()?);
        let mut entries = Vec::new();
        let mut before = Vintage(0);
        for (publication, newest) in self.home.publications()? {
            let committed_at = self.home.committed_at(publication)?;
            for vintage in (before.0 + 1..=newest.0).map(Vintage) {
                let file = files.iter().find(|file| file.vintage == vintage);
                let name = |file: &FileEntry| file.name.clone();
                let replaced = files.iter().find(|file| file.superseded_by == Some(vintage));
                let withdrawn = files.iter().find(|file| file.withdrawn_at == Some(vintage));
                entries.push(VintageEntry {
                    vintage,
                    publication,
                    committed_at,
                    is_stored: vintage == newest && !stored.contains(&(vintage, false)),
                    file: file.map(name),
                    month: file.map(|file| file.period),
                    supersedes: replaced.map(name),
                    withdraws: withdrawn.map(name),
                });
            }
            before = before.max(newest);
        }
        Ok(entries)
    }

    /// The findings about accepted files up to a vintage, in order of file.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn findings(&self, as_of: Option<Vintage>) -> Result<Vec<FindingEntry>, ReaderError> {
        let newest = self.home.last_vintage()?.unwrap_or_default();
        let as_of = as_of.unwrap_or(newest);
        let mut entries = Vec::new();
        for file in self.home.files()?.iter().filter(|file| file.vintage <= as_of) {
            for (finding, n) in &file.found.findings {
                entries.push(FindingEntry {
                    vintage: file.vintage,
                    file: file.name.clone(),
                    month: file.period,
                    finding: *finding,
                    n: *n,
                    counts: file.counted_at(as_of),
                });
            }
        }
        Ok(entries)
    }

    /// The closed months in order, then the month that closes next; none for an empty home.
    ///
    /// # Errors
    /// [`ReaderError`] if the manifest cannot be read.
    pub fn calendar(&self) -> Result<Vec<MonthEntry>, ReaderError> {
        let Some(calendar) = calendar(&self.home)? else { return Ok(Vec::new()) };
        let published = self.home.publications()?;
        let has_growth = |month: Period| month.year_before() >= calendar.first();
        let mut months = Vec::new();
        for (month, publication) in self.home.closed()? {
            let vintage = published.iter().find(|(of, _)| *of == publication).map(|(_, of)| *of);
            months.push(MonthEntry {
                month,
                closed_by: Some(publication),
                vintage,
                committed_at: self.home.committed_at(publication)?,
                has_growth: has_growth(month),
            });
        }
        let month = calendar.next_to_close();
        let has_growth = has_growth(month);
        let (closed_by, vintage, committed_at) = (None, None, None);
        months.push(MonthEntry { month, closed_by, vintage, committed_at, has_growth });
        Ok(months)
    }

    /// The closed months that have the same month a year before, in order.
    ///
    /// # Errors
    /// [`ReaderError`] if the manifest cannot be read.
    pub fn months_with_growth(&self) -> Result<Vec<Period>, ReaderError> {
        let months = self.calendar()?.into_iter();
        let with_growth = months.filter(|of| of.closed_by.is_some() && of.has_growth);
        Ok(with_growth.map(|of| of.month).collect())
    }

    /// The years of those months.
    ///
    /// # Errors
    /// [`ReaderError`] if the manifest cannot be read.
    pub fn years_with_growth(&self) -> Result<Vec<Year>, ReaderError> {
        let mut years: Vec<Year> =
            self.months_with_growth()?.into_iter().map(Period::year).collect();
        years.dedup();
        Ok(years)
    }
}
