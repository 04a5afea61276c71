//! The running engine: calendar, dictionaries, workers and the contents of the home.

use std::path::Path;

use super::EngineError;
use super::amounts::Amounts;
use super::names::Names;
use super::publisher::Publisher;
use super::recent::Recent;
use super::sums::Sums;
use crate::dataflow::{Epoch, Subject, Workers};
use crate::domain::calendar::{Calendar, Roles};
use crate::domain::record::{PeriodFlow, Record};
use crate::domain::types::{Period, Shipment, Vintage, Year};
use crate::home::definition::Definition;
use crate::home::parts::Part;
use crate::home::segment::{self, Fields};
use crate::home::{AcceptedFile, Covered, HomeError, Publication, Stored};
use crate::tables::Context;

/// A counted segment.
#[derive(Clone, Debug)]
pub struct LiveSegment {
    /// The vintage of the file.
    pub vintage: Vintage,
    /// The file's name.
    pub name: String,
    /// The month in the file's name.
    pub period: Period,
    /// The months with accepted records.
    pub months: Vec<Period>,
    /// The stored file.
    pub stored: Stored,
    /// The coverage, if the file is not simply one month.
    pub covered: Option<Covered>,
    /// Months and flows that later files replaced.
    pub gone: Vec<PeriodFlow>,
}

impl LiveSegment {
    /// The records of a file that is being accepted; nothing has replaced them yet.
    pub(super) fn of(file: &AcceptedFile) -> Self {
        let AcceptedFile { vintage, summary, segment, .. } = file;
        Self {
            vintage: *vintage,
            name: summary.name.clone(),
            period: summary.period,
            months: summary.periods.keys().copied().collect(),
            stored: segment.clone(),
            covered: file.covered(),
            gone: Vec::new(),
        }
    }

    /// Keeps only the records that count.
    pub fn retain_counting(&self, records: &mut Vec<Record>) {
        if !self.gone.is_empty() {
            records.retain(|record| !self.gone.contains(&(record.period, record.flow)));
        }
    }

    /// The error for unreadable records, with the advice to their users.
    pub(super) fn not_read(&self, source: HomeError) -> EngineError {
        records_not_read(&self.name, self.vintage, source)
    }
}

/// Distinguishes damaged records, which a user can restore, from a disk that cannot be read.
pub(super) fn records_not_read(name: &str, vintage: Vintage, source: HomeError) -> EngineError {
    if source.is_damage() {
        EngineError::Records { name: name.to_owned(), vintage, source: Box::new(source) }
    } else {
        source.into()
    }
}

/// The number of updates in a message to a worker: large against a message's overhead, small
/// against a month.
pub(super) const UPDATES_AT_A_TIME: usize = 1 << 13;

/// The engine after the feed's first month is known.
pub struct Running {
    pub(super) calendar: Calendar,
    pub(super) names: Names,
    pub(super) segments: Vec<LiveSegment>,
    pub(super) workers: Workers,
    amounts: Amounts,
    pub(super) recent: Recent,
    whole: Vec<Year>,
}

impl Running {
    /// Starts the workers without shipments.
    ///
    /// # Errors
    /// [`EngineError::Worker`] if they cannot start.
    pub fn start(
        definition: &Definition,
        calendar: Calendar,
        n_workers: usize,
    ) -> Result<Self, EngineError> {
        let subject = Subject {
            network: definition.choices.network,
            first_year: calendar.first().year(),
            first_indicator_year: calendar.first_indicator_year(),
        };
        Ok(Self {
            calendar,
            names: Names::default(),
            segments: Vec::new(),
            workers: Workers::start(n_workers, subject)?,
            amounts: Amounts::default(),
            recent: Recent::default(),
            whole: Vec::new(),
        })
    }

    /// Feeds the shipments of a file, in their roles under the current calendar.
    ///
    /// # Errors
    /// [`EngineError::Worker`] if a worker died.
    pub fn feed(&mut self, sums: &Sums) -> Result<(), EngineError> {
        let mut recent = std::mem::take(&mut self.recent);
        let fed = self.feed_sums(sums, |calendar, shipment| {
            recent.add(shipment);
            (calendar.roles(shipment.period), 1)
        });
        self.recent = recent;
        fed
    }

    pub(super) fn feed_sums(
        &mut self,
        sums: &Sums,
        mut roles: impl FnMut(&Calendar, &Shipment) -> (Roles, i64),
    ) -> Result<(), EngineError> {
        let Self { names, amounts, workers, calendar, .. } = self;
        let mut fed = Ok(());
        sums.shipments(names, |shipment| {
            let (roles, sign) = roles(calendar, &shipment);
            amounts.add(&shipment, roles, sign);
            let updates = amounts.take(UPDATES_AT_A_TIME);
            if !updates.is_empty() && fed.is_ok() {
                fed = workers.feed(updates);
            }
        });
        Ok(fed?)
    }

    pub(super) fn feed_segment(
        &mut self,
        folder: &Path,
        definition: &Definition,
        of: &LiveSegment,
        roles: impl Fn(&Calendar, Period) -> (Roles, i64),
    ) -> Result<(), EngineError> {
        let city_of = |code: &str| definition.places.city(code);
        let (mut texts, mut records) = segment::read(folder, &of.stored, Fields::Figures, &city_of)
            .map_err(|source| of.not_read(source))?;
        definition.successions.carry_over(&mut texts, &mut records);
        of.retain_counting(&mut records);
        self.feed_sums(&Sums::of(&texts, &records), |calendar, shipment| {
            roles(calendar, shipment.period)
        })
    }

    /// Subtracts the shipments of a file from all of their roles.
    ///
    /// # Errors
    /// [`EngineError::Home`] if its segment cannot be read, [`EngineError::Worker`] if a worker
    /// died.
    pub fn withdraw(
        &mut self,
        folder: &Path,
        definition: &Definition,
        vintage: Vintage,
    ) -> Result<(), EngineError> {
        let position = self.segments.iter().position(|segment| segment.vintage == vintage);
        let Some(position) = position else { return Ok(()) };
        let segment = self.segments.remove(position);
        self.recent.forget_through(segment.period);
        self.feed_segment(folder, definition, &segment, |calendar, month| {
            (calendar.roles(month), -1)
        })
    }

    /// Closes the next month, and adds the home's records in the roles that they gain.
    ///
    /// # Errors
    /// [`EngineError::OutOfOrder`] if another month is next, and those of [`Running::withdraw`].
    pub fn close(
        &mut self,
        folder: &Path,
        definition: &Definition,
        period: Period,
    ) -> Result<(), EngineError> {
        self.calendar.close(period)?;
        if !self.whole.contains(&period.year()) {
            self.whole.push(period.year());
        }
        let before = period.year_before();
        let mut months = vec![period];
        match self.recent.take(before) {
            Some(shipments) => self.feed_base(shipments)?,
            None => months.push(before),
        }
        let concerned =
            |segment: &&LiveSegment| segment.months.iter().any(|month| months.contains(month));
        let segments: Vec<LiveSegment> = self.segments.iter().filter(concerned).cloned().collect();
        let city_of = |code: &str| definition.places.city(code);
        for of in segments {
            let read = segment::read_months(folder, &of.stored, Fields::Figures, &months, &city_of);
            let (mut texts, mut records) = read.map_err(|source| of.not_read(source))?;
            definition.successions.carry_over(&mut texts, &mut records);
            of.retain_counting(&mut records);
            self.feed_sums(&Sums::of(&texts, &records), |_, shipment| {
                let month = shipment.period;
                let base = month == before && months.contains(&before);
                (Roles { cur: month == period, base }, 1)
            })?;
        }
        Ok(())
    }

    /// Makes the next publication publish every year with indicators whole.
    pub fn publish_all_whole(&mut self) {
        self.whole = self.calendar.indicator_years().collect();
    }

    fn feed_base(&mut self, shipments: impl Iterator<Item = Shipment>) -> Result<(), EngineError> {
        for shipment in shipments {
            self.amounts.add(&shipment, Roles { cur: false, base: true }, 1);
            let updates = self.amounts.take(UPDATES_AT_A_TIME);
            if !updates.is_empty() {
                self.workers.feed(updates)?;
            }
        }
        Ok(())
    }

    /// The years that the next publication publishes whole: their closed months changed.
    fn years_published_whole(&self) -> Vec<Year> {
        let with_indicators = |year: &&Year| self.calendar.indicator_years().any(|y| y == **year);
        self.whole.iter().filter(with_indicators).copied().collect()
    }

    /// Publishes everything fed since the last publication.
    ///
    /// # Errors
    /// [`EngineError::Home`] if a part cannot be written, [`EngineError::Worker`] if a worker
    /// died.
    pub fn publish(
        &mut self,
        folder: &Path,
        definition: &Definition,
        publication: Publication,
    ) -> Result<Vec<Part>, EngineError> {
        let names = std::mem::take(&mut self.names);
        let parts = self.publish_named(folder, definition, publication, &names);
        self.names = names;
        parts
    }

    fn publish_named(
        &mut self,
        folder: &Path,
        definition: &Definition,
        publication: Publication,
        names: &Names,
    ) -> Result<Vec<Part>, EngineError> {
        let context = Context { firms: &names.firms, countries: &names.countries, definition };
        let mut publisher = Publisher::start(folder, publication, self.calendar, context);
        self.complete(true, |output| publisher.write(&output))?;
        publisher.finish()
    }

    pub(super) fn complete(
        &mut self,
        publish: bool,
        write: impl FnMut(crate::dataflow::Output) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let rest = self.amounts.take(0);
        self.workers.feed(rest)?;
        let epoch =
            Epoch { whole: self.years_published_whole(), last: self.calendar.last_year(), publish };
        self.whole.clear();
        self.workers.complete(&epoch, write)
    }
}
