//! The runs of the files that count at a vintage.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use super::SpanError;
use crate::domain::calendar::Calendar;
use crate::domain::record::PeriodFlow;
use crate::domain::span::{Joint, Span, SpanAt, spans_of_year};
use crate::domain::types::{Flow, Period, Vintage, Year};
use crate::engine::replay::definition_of;
use crate::engine::runs::run_of;
use crate::engine::{EngineError, State};
use crate::home::definition::Definition;
use crate::home::runs::{self, RunNumbers, Section};
use crate::home::{FileEntry, Home, Stored};

/// Everything that figures of spans depend on, at one vintage.
pub struct SpanSource<'a> {
    home: &'a Home,
    definition: Arc<Definition>,
    calendar: Calendar,
    joint: Joint,
    files: Vec<CountedFile>,
    /// Runs that the home lacks, made from segments.
    made: Mutex<BTreeMap<Vintage, runs::Encoded>>,
}

/// A file that counts, with the months and flows of its records that do not.
struct CountedFile {
    entry: FileEntry,
    gone: Vec<PeriodFlow>,
    run: Option<Stored>,
}

/// A section of a run with the months and flows of its file that do not count.
pub(super) struct CountedSection<'a> {
    pub(super) section: Section,
    pub(super) gone: &'a [PeriodFlow],
}

impl<'a> SpanSource<'a> {
    /// The state of a home at a vintage or at the newest one.
    ///
    /// # Errors
    /// - [`SpanError::Home`] if the manifest cannot be read.
    /// - [`SpanError::Engine`] if the home is empty, or other records counted at the vintage than
    ///   the home now has.
    pub fn at(home: &'a Home, vintage: Option<Vintage>, joint: Joint) -> Result<Self, SpanError> {
        let state = match vintage {
            Some(vintage) => State::at(home, vintage)?,
            None => State::now(home)?,
        };
        let state = state.ok_or(EngineError::Empty)?;
        let definition = definition_of(home, &state)?;
        let mut stored = home.runs()?;
        let counted = home.files()?.into_iter().filter(|file| file.counted_at(state.vintage));
        let files = counted.map(|entry| CountedFile {
            gone: entry.gone_at(state.vintage),
            run: stored.remove(&entry.vintage),
            entry,
        });
        let files = files.collect();
        let made = Mutex::default();
        Ok(Self { home, definition, calendar: state.calendar, joint, files, made })
    }

    /// The state of a home at a vintage, with the late records that arrived up to a later one:
    /// those of files that replace no other. The closed months are those of the earlier vintage.
    ///
    /// # Errors
    /// Those of [`SpanSource::at`] for either vintage.
    pub fn with_late(
        home: &'a Home,
        [before, after]: [Vintage; 2],
        joint: Joint,
    ) -> Result<Self, SpanError> {
        let mut source = Self::at(home, Some(before), joint)?;
        let files = home.files()?;
        let was_there = |file: &&FileEntry| file.counted_at(before);
        let is_new = |file: &&FileEntry| file.vintage > before && file.counted_at(after);
        let is_substitute = |file: &FileEntry| {
            files.iter().filter(was_there).any(|old| {
                let is_gone = old.withdrawn_at.is_some_and(|at| at <= after);
                old.superseded_by == Some(file.vintage) || (is_gone && old.period == file.period)
            })
        };
        let replaced_by = |file: &FileEntry| {
            let replaced = files.iter().flat_map(|old| &old.replaced);
            let own = replaced.filter(|of| of.by == file.vintage);
            own.map(|of| (of.period, of.flow)).collect::<Vec<PeriodFlow>>()
        };
        let mut stored = home.runs()?;
        for entry in files.iter().filter(is_new).filter(|file| !is_substitute(file)) {
            let mut gone = entry.gone_at(after);
            gone.extend(replaced_by(entry));
            let (run, entry) = (stored.remove(&entry.vintage), entry.clone());
            source.files.push(CountedFile { entry, gone, run });
        }
        Ok(source)
    }

    /// The same records with the months after one still open.
    #[must_use]
    pub fn closed_through(self, last: Period) -> Self {
        let calendar = Calendar::closed_through(self.calendar.first(), Some(last));
        Self { calendar, ..self }
    }

    /// The home.
    pub(super) fn home(&self) -> &'a Home {
        self.home
    }

    /// The definition of the figures.
    #[must_use]
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// The closed months.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The joint months of the span `month`.
    #[must_use]
    pub fn joint(&self) -> Joint {
        self.joint
    }

    /// A span at a month, if it exists.
    ///
    /// # Errors
    /// [`SpanError::NotClosed`], [`SpanError::Joint`] or [`SpanError::BeforeFeed`] with the reason.
    pub fn span(&self, span: Span, month: Period) -> Result<SpanAt, SpanError> {
        let (first, last) = (self.calendar.first(), self.calendar.last_closed());
        if !self.calendar.is_closed(month) {
            return Err(SpanError::NotClosed { month, last });
        }
        let at = SpanAt::new(span, month, self.joint).ok_or(SpanError::Joint { month })?;
        if !self.has_months_of(&at) {
            return Err(SpanError::Annual { span, month });
        }
        if at.exists(&self.calendar) {
            return Ok(at);
        }
        Err(SpanError::BeforeFeed { span, month, from: *at.base().start(), first })
    }

    /// The spans of a year that exist, in order of month and name.
    #[must_use]
    pub fn spans_of_year(&self, year: Year) -> Vec<SpanAt> {
        let mut spans = spans_of_year(year, &self.calendar, self.joint);
        spans.retain(|at| self.has_months_of(at));
        spans
    }

    /// Everything that the figures of a month's spans depend on under one definition, as texts: the
    /// first month of the feed, and the files with records up to the month.
    pub fn states(&self, month: Period) -> impl Iterator<Item = String> {
        let first = format!("from {}", self.calendar.first());
        let counted = move |file: &&CountedFile| file.entry.months.iter().any(|of| *of <= month);
        let files = self.files.iter().filter(counted);
        let texts = files.map(|file| format!("{} without {:?}", file.entry.vintage, file.gone));
        std::iter::once(first).chain(texts)
    }

    /// The years with spans, in order.
    pub(super) fn years(&self) -> impl Iterator<Item = Year> {
        let years = (self.calendar.first().year().0..=self.calendar.last_year().0).map(Year);
        years.filter(|year| !self.spans_of_year(*year).is_empty())
    }

    /// True if the records have the months of a span. Those of an annual feed have a year alone;
    /// each is one of December.
    fn has_months_of(&self, at: &SpanAt) -> bool {
        let is_whole_year = at.end().month() == 12 && at.span() != Span::Month;
        !self.definition.profile.is_annual() || is_whole_year
    }

    /// Opens the sections of a flow that may have records in some months.
    pub(super) fn sections(
        &self,
        (flow, months): (Flow, &RangeInclusive<Period>),
        numbers: &mut RunNumbers<'_>,
    ) -> Result<Vec<CountedSection<'_>>, SpanError> {
        let mut all = Vec::new();
        for file in &self.files {
            if file.entry.months.iter().any(|month| months.contains(month)) {
                let sections = self.sections_of(file, (flow, months), numbers)?;
                let counted = |section| CountedSection { section, gone: &file.gone };
                all.extend(sections.into_iter().map(counted));
            }
        }
        Ok(all)
    }

    fn sections_of(
        &self,
        file: &CountedFile,
        asked: (Flow, &RangeInclusive<Period>),
        numbers: &mut RunNumbers<'_>,
    ) -> Result<Vec<Section>, SpanError> {
        if let Some(run) = &file.run {
            match runs::open(self.home.folder(), run, asked, numbers) {
                Err(error) if error.is_damage() => {}
                opened => return Ok(opened?),
            }
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let run = match made.entry(file.entry.vintage) {
            Entry::Occupied(run) => run.into_mut(),
            Entry::Vacant(place) => place.insert(run_of(self.home, &file.entry, &self.definition)?),
        };
        let path = self.home.folder().join(&file.entry.segment.path);
        Ok(run.open(&path, asked, numbers)?)
    }
}
