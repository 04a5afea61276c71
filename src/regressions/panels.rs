//! The panels of a home: the regression rows of each closed year, computed again only if their
//! sources change.
//!
//! # Invariant
//! A part has a stamp: one hash of its sources. These are the options, the reference tables, and
//! the segments of the year (product panel) or up to the year (other panels). For the plant and the
//! product panel of a year, the stored parts of its tables are sources too. A plant panel up to a
//! month depends on the segments up to the month. A part with another stamp, or an unreadable one,
//! is computed again.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::RecordBatch;
use rayon::prelude::*;

use super::error::RegressionError;
use super::goods::{Goods, OfYear};
use super::networks::Networks;
use super::plant_years::{self, PlantYear};
use super::product::PlantRows;
use super::rauch::Rauch;
use super::source::{Source, closed_years};
use super::{ordinary, plant, plant_to, product};
use crate::domain::choices::Network;
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::{Period, Vintage, Year};
use crate::home::parts::{Layout, Table};
use crate::home::{Home, HomeError, PanelPart, read_panel};
use crate::specification::{Column, Panel, Trade};

/// Changes with the columns of a panel: parts of earlier versions are then computed again.
const VERSION: &[u8] = b"panel 2";

/// The names of the plant panels up to a month.
const TO_MONTHS: [&str; 12] = [
    "plant-to-01",
    "plant-to-02",
    "plant-to-03",
    "plant-to-04",
    "plant-to-05",
    "plant-to-06",
    "plant-to-07",
    "plant-to-08",
    "plant-to-09",
    "plant-to-10",
    "plant-to-11",
    "plant-to-12",
];

/// The kinds of panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The rows of `plant` in closed years, with further columns for samples and effects.
    Plant,
    /// The rows of `plant` in the months of each year up to one, with the same columns. Month 12 is
    /// the panel of whole years.
    PlantTo(u8),
    /// The rows of whole years, computed from ordinary trade alone.
    Ordinary,
    /// The rows of the plant panel by HS6 product.
    Product,
}

impl Kind {
    /// The panel that a column of a specification is estimated on.
    #[must_use]
    pub fn of(column: &Column) -> Self {
        match (column.panel, column.trade) {
            (Panel::Product, _) => Self::Product,
            (Panel::Plant, Trade::Ordinary) => Self::Ordinary,
            (Panel::Plant, Trade::All) => Self::Plant,
        }
    }

    /// The panel of the months up to one; `None` if the panel has whole years only.
    #[must_use]
    pub fn to_month(self, month: u8) -> Option<Self> {
        match (self, month) {
            (_, 12) => Some(self),
            (Self::Plant, 1..12) => Some(Self::PlantTo(month)),
            _ => None,
        }
    }

    /// The last month of each year.
    #[must_use]
    pub fn month(self) -> u8 {
        if let Self::PlantTo(month) = self { month } else { 12 }
    }

    /// The panel that a column is estimated on at the end of a sample.
    ///
    /// # Errors
    /// [`RegressionError::WholeYears`] if the panel has no months.
    pub fn at(column: &Column, end: SampleEnd) -> Result<Self, RegressionError> {
        let kind = Self::of(column);
        let what = || format!("the {} panel", kind.name());
        kind.to_month(end.month()).ok_or_else(|| RegressionError::WholeYears { what: what() })
    }

    /// The kind with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let to_months = (1..=12).map(Self::PlantTo);
        let mut all = [Self::Plant, Self::Ordinary, Self::Product].into_iter().chain(to_months);
        all.find(|kind| kind.name() == name)
    }

    /// The name in the home and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plant => "plant",
            Self::PlantTo(month) => TO_MONTHS[usize::from(month) - 1],
            Self::Ordinary => "ordinary",
            Self::Product => "product",
        }
    }
}

/// The panels of an open home.
pub struct Panels<'a> {
    /// The home and the definition of its figures.
    pub(super) source: Source<'a>,
    /// Errors of parts that were unreadable and computed again, until they are reported.
    unread: Vec<HomeError>,
    /// Parts of years with matching stamps.
    parts: BTreeMap<(Kind, Year), PanelPart>,
    /// Years computed in a home that cannot be written.
    made: BTreeMap<(Kind, Year), Vec<RecordBatch>>,
}

impl<'a> Panels<'a> {
    /// Opens the panels of a home. In a home opened for reading, computed years are not stored.
    ///
    /// # Errors
    /// [`RegressionError`] if the records of the home cannot be read.
    pub fn open(home: &'a mut Home, n_workers: usize) -> Result<Self, RegressionError> {
        let source = Source::open(home, n_workers)?;
        let (unread, parts, made) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Ok(Self { source, unread, parts, made })
    }

    /// The parts that were unreadable and computed again, reported once.
    pub fn take_unread(&mut self) -> Vec<HomeError> {
        std::mem::take(&mut self.unread)
    }

    /// The years of a sample: the closed years with indicators up to `through` or all, or the years
    /// whose months are closed up to that of `through`.
    ///
    /// # Errors
    /// - [`RegressionError::NoYear`] if there is none.
    /// - [`RegressionError::NotClosed`], [`RegressionError::MonthNotClosed`] if `through` ends
    ///   no sample.
    /// - [`RegressionError::NoMonths`] for a month of an annual feed.
    pub fn years(&self, through: Option<SampleEnd>) -> Result<Vec<Year>, RegressionError> {
        let Some(end) = through.filter(|end| !end.is_whole()) else {
            let closed = closed_years(&self.source.calendar);
            return up_to(closed, through.map(SampleEnd::year));
        };
        if self.source.definition.profile.is_annual() {
            return Err(RegressionError::NoMonths { end });
        }
        let years = self.years_until(end);
        if years.last() == Some(&end.year()) {
            return Ok(years);
        }
        let calendar = &self.source.calendar;
        let (first, last) = (calendar.first_indicator_year(), calendar.last_closed());
        Err(RegressionError::MonthNotClosed { end, first, last })
    }

    /// The years of a sample, as far as their months are closed.
    pub(super) fn years_until(&self, end: SampleEnd) -> Vec<Year> {
        let calendar = &self.source.calendar;
        let is_in = |year: &Year| *year <= end.year() && calendar.months(*year) >= end.month();
        calendar.indicator_years().filter(is_in).collect()
    }

    /// The closed months with indicators up to one, the Decembers left out; none in an annual feed.
    #[must_use]
    pub fn month_ends(&self, until: Option<SampleEnd>) -> Vec<SampleEnd> {
        let calendar = &self.source.calendar;
        if self.source.definition.profile.is_annual() {
            return Vec::new();
        }
        let of_year = |year: Year| (1..=calendar.months(year)).map(move |month| (year, month));
        let ends = calendar.indicator_years().flat_map(of_year);
        ends.filter_map(|(year, month)| SampleEnd::new(year, month))
            .filter(|end| !end.is_whole() && until.is_none_or(|until| *end <= until))
            .collect()
    }

    /// The closed years including the feed's first, up to `through` if given.
    ///
    /// # Errors
    /// [`RegressionError::NoYear`] if there is none, [`RegressionError::NotClosed`] if `through` is
    /// not one of them.
    pub fn all_closed_years(&self, through: Option<Year>) -> Result<Vec<Year>, RegressionError> {
        let (first, last) = (self.source.calendar.first().year(), self.source.calendar.last_year());
        let years = (first.0..=last.0).map(Year);
        up_to(years.filter(|year| self.source.calendar.months(*year) == 12).collect(), through)
    }

    /// The hash of the sources of a panel's year.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the manifest cannot be read.
    pub fn stamp(&self, kind: Kind, year: Year) -> Result<String, RegressionError> {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(VERSION)
            .update(kind.name().as_bytes())
            .update(self.source.defined.as_bytes());
        let mut segments = |concerned: &dyn Fn(Period) -> bool| {
            for file in &self.source.files {
                if file.months.iter().any(|month| concerned(*month)) {
                    hasher.update(file.segment.hash.as_bytes());
                }
            }
        };
        match kind {
            Kind::Product => segments(&|of| of.year() == year),
            Kind::Plant | Kind::Ordinary => segments(&|of| of.year() <= year),
            Kind::PlantTo(month) => {
                let end = SampleEnd::new(year, month);
                let concerned = |of: Period| Some(SampleEnd::at(of)) <= end;
                segments(&concerned);
                // Replaced months of a file do not count, although its segment has them.
                for file in &self.source.files {
                    let gone = file.gone_at(Vintage(u32::MAX)).into_iter();
                    for (of, flow) in gone.filter(|(of, _)| concerned(*of)) {
                        let text = format!("{} {of} {}", file.vintage, flow.code());
                        hasher.update(text.as_bytes());
                    }
                }
            }
        }
        if matches!(kind, Kind::Plant | Kind::Product) {
            // Rows of facts depend on the markets' rows too; rows of figures contain them.
            for (table, layouts) in
                [(Table::Plant, &Layout::ALL[..]), (Table::City, &[Layout::Facts])]
            {
                for part in self.source.home.parts(table, None)? {
                    if part.year == year && layouts.contains(&part.layout) {
                        for hash in part.hashes() {
                            hasher.update(hash.as_bytes());
                        }
                    }
                }
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// The hash of the sources of some years of a panel.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the manifest cannot be read.
    pub fn stamps(&self, kind: Kind, years: &[Year]) -> Result<String, RegressionError> {
        let mut hasher = blake3::Hasher::new();
        for &year in years {
            hasher.update(self.stamp(kind, year)?.as_bytes());
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// True if a year is not stored with its current stamp.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the manifest cannot be read.
    pub(super) fn is_missing(&self, kind: Kind, year: Year) -> Result<bool, RegressionError> {
        let stamp = self.stamp(kind, year)?;
        let kept = self.source.home.panels()?;
        let is_it = |part: &PanelPart| {
            (part.kind.as_str(), part.year) == (kind.name(), year) && part.stamp == stamp
        };
        Ok(!kept.iter().any(is_it))
    }

    /// Computes years again if their stamp differs from that of their part, and returns them.
    ///
    /// # Errors
    /// [`RegressionError`] if a year cannot be computed or stored.
    pub fn prepare(&mut self, kind: Kind, years: &[Year]) -> Result<Vec<Year>, RegressionError> {
        if kind == Kind::Product {
            self.prepare(Kind::Plant, years)?;
        }
        let kept = self.source.home.panels()?;
        let mut stale = Vec::new();
        for &year in years {
            let key = (kind, year);
            if self.parts.contains_key(&key) || self.made.contains_key(&key) {
                continue;
            }
            let stamp = self.stamp(kind, year)?;
            let part = kept.iter().find(|part| {
                (part.kind.as_str(), part.year) == (kind.name(), year) && part.stamp == stamp
            });
            match part.map(|part| part.file.open(self.source.home.folder()).map(|_| part.clone())) {
                Some(Ok(part)) => {
                    self.parts.insert(key, part);
                }
                Some(Err(error)) => {
                    self.unread.push(error);
                    stale.push((year, stamp));
                }
                None => stale.push((year, stamp)),
            }
        }
        self.make(kind, &stale)?;
        Ok(stale.into_iter().map(|(year, _)| year).collect())
    }

    fn make(&mut self, kind: Kind, stale: &[(Year, String)]) -> Result<(), RegressionError> {
        if stale.is_empty() {
            return Ok(());
        }
        let rows: BTreeMap<Year, RecordBatch> = match kind {
            Kind::Ordinary => {
                let years: Vec<Year> = stale.iter().map(|(year, _)| *year).collect();
                ordinary::rows(&self.source, &years)?
            }
            Kind::Plant => {
                let mut rows = BTreeMap::new();
                for (year, _) in stale {
                    let networks = self.networks(*year)?;
                    rows.insert(*year, plant::rows(&self.source, *year, networks.as_ref())?);
                }
                rows
            }
            Kind::PlantTo(month) => {
                let mut rows = BTreeMap::new();
                for (year, _) in stale {
                    let end = Period::new(year.0, month).expect("a closed month");
                    rows.insert(*year, plant_to::rows(&self.source, end)?);
                }
                rows
            }
            Kind::Product => {
                let rauch = Rauch::bundled()?;
                let mut rows = BTreeMap::new();
                for (year, _) in stale {
                    let goods = self.goods(*year)?;
                    let plants = self.rows(Kind::Plant, *year, Some(&PlantRows::COLUMNS))?;
                    let plants = PlantRows::of(&plants, &self.source.definition.places)?;
                    rows.insert(*year, product::rows(&plants, *year, &goods, &rauch)?);
                }
                rows
            }
        };
        let mut parts = Vec::new();
        for (year, rows) in rows {
            let stamp = stale.iter().find(|(other, _)| *other == year).map(|(_, stamp)| stamp);
            match stamp.filter(|_| self.source.home.is_writable()) {
                Some(stamp) => {
                    let schema = rows.schema();
                    let mut writer =
                        self.source.home.panel_writer(kind.name(), year, stamp, &schema)?;
                    writer.write(&rows)?;
                    parts.push(writer.finish()?);
                }
                None => {
                    self.made.insert((kind, year), vec![rows]);
                }
            }
        }
        if !parts.is_empty() {
            self.source.home.replace_panels(&parts)?;
        }
        self.parts.extend(parts.into_iter().map(|part| ((kind, part.year), part)));
        Ok(())
    }

    /// The sums of a year's records, stored in the home for the next time.
    fn goods(&mut self, year: Year) -> Result<Goods, RegressionError> {
        let of_year = OfYear::of(&self.source, year)?;
        if of_year.is_new && self.source.home.is_writable() {
            of_year.keep(self.source.home, &self.source.definition.places, year)?;
        }
        self.unread.extend(of_year.unread);
        Ok(of_year.goods)
    }

    /// The networks of multi-plant firms in a year; `None` if the options define networks by active
    /// plants. Facts contain them; in a home of an earlier version with figures, records do.
    pub(super) fn networks(&mut self, through: Year) -> Result<Option<Networks>, RegressionError> {
        if self.source.definition.choices.network == Network::Active {
            return Ok(None);
        }
        if let Some(networks) = Networks::of_facts(&self.source, through)? {
            return Ok(Some(networks));
        }
        let first = self.source.calendar.first().year();
        let years = (first.0..=through.0).map(Year);
        let plants = years.map(|year| Ok((year, self.plants(year)?)));
        let plants: Vec<(Year, PlantYear)> = plants.collect::<Result<_, RegressionError>>()?;
        let cities = plants.iter().flat_map(|(year, plants)| {
            plants.cities().map(move |(firm, city)| (firm, city, *year))
        });
        Ok(Some(Networks::of(cities)))
    }

    /// The exports of plants in a year, stored in the home for the next time.
    pub(super) fn plants(&mut self, year: Year) -> Result<PlantYear, RegressionError> {
        let of_year = plant_years::OfYear::of(&self.source, year)?;
        if self.source.home.is_writable() {
            of_year.keep(self.source.home, &self.source.definition.places, year)?;
        }
        self.unread.extend(of_year.unread);
        Ok(of_year.plants)
    }

    /// The identity of the rows of a prepared year: the hash of its file, or the stamp if it has no
    /// file.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the manifest cannot be read.
    pub fn part_hash(&self, kind: Kind, year: Year) -> Result<String, RegressionError> {
        let hash = |kind| self.parts.get(&(kind, year)).map(|part| part.file.hash.clone());
        let hash = match kind {
            Kind::Product => hash(kind).zip(hash(Kind::Plant)).map(|(own, of)| own + &of),
            Kind::Plant | Kind::PlantTo(_) | Kind::Ordinary => hash(kind),
        };
        hash.map_or_else(|| self.stamp(kind, year), Ok)
    }

    /// The rows of a prepared year: the given columns, or all.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if its part cannot be read.
    ///
    /// # Panics
    /// If the year was not prepared.
    pub fn rows(
        &self,
        kind: Kind,
        year: Year,
        columns: Option<&[&str]>,
    ) -> Result<Vec<RecordBatch>, RegressionError> {
        Ok(self.place(kind, year).read(self.source.home.folder(), columns)?)
    }

    /// The rows of several prepared years, read in parallel, each as [`Panels::rows`] gives it.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if a part cannot be read.
    ///
    /// # Panics
    /// If a year was not prepared.
    pub fn rows_of(
        &self,
        kind: Kind,
        years: &[Year],
        columns: &[&str],
    ) -> Result<Vec<Vec<RecordBatch>>, RegressionError> {
        let home = self.source.home.folder();
        let places: Vec<Place<'_>> = years.iter().map(|year| self.place(kind, *year)).collect();
        let read = places.into_par_iter().map(|place| place.read(home, Some(columns)));
        Ok(read.collect::<Result<_, _>>()?)
    }

    fn place(&self, kind: Kind, year: Year) -> Place<'_> {
        if let Some(made) = self.made.get(&(kind, year)) {
            return Place::Memory(made);
        }
        let part = self.parts.get(&(kind, year));
        Place::File(part.unwrap_or_else(|| panic!("{} {year} was not prepared", kind.name())))
    }
}

/// The place of the rows of a year.
enum Place<'p> {
    Memory(&'p [RecordBatch]),
    File(&'p PanelPart),
}

impl Place<'_> {
    fn read(&self, home: &Path, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>, HomeError> {
        match self {
            Self::Memory(rows) => Ok(rows.to_vec()),
            Self::File(part) => read_panel(home, part, columns),
        }
    }
}

/// The years up to `through`, or all.
fn up_to(closed: Vec<Year>, through: Option<Year>) -> Result<Vec<Year>, RegressionError> {
    let (Some(&first), Some(&last)) = (closed.first(), closed.last()) else {
        return Err(RegressionError::NoYear { through });
    };
    if let Some(year) = through.filter(|year| !closed.contains(year)) {
        return Err(RegressionError::NotClosed { year, first, last });
    }
    Ok(closed.into_iter().filter(|year| *year <= through.unwrap_or(last)).collect())
}
