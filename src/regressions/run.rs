//! Specifications to estimates: columns of all specifications with one sample and the same effects
//! are solved once.
//!
//! The sample of a column has the rows with a value of each of its variables and of each variable
//! of its specification's sample formula. A column with an entirely absent variable fails, and the
//! error names the variable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::columns::{Columns, OPTIONAL, names};
use super::content::Identity;
use super::error::RegressionError;
use super::firms;
use super::group::{self, Asked, Fit, Group, Sample, Samples};
use super::memories::Memories;
use super::panels::{Kind, Panels};
use super::placebo::{self, Draws, PlaceboOf};
use super::shift_share::{self, Affiliates, ShiftShare};
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::{Vintage, Year};
use crate::estimate::influence::LeaveOut;
use crate::estimate::partial::Partial;
use crate::home::Publication;
use crate::specification::{Column, Specification, Wording};

/// A request for estimates.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'s> {
    /// The specification.
    pub specification: &'s Specification,
    /// The requested columns.
    pub wanted: &'s dyn Wanted,
}

/// A choice of columns.
pub trait Wanted: std::fmt::Debug {
    /// True if a column is requested.
    fn wants(&self, column: &Column) -> bool;
}

/// The origin of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The outcome was computed now.
    Now,
    /// The home stored the outcome.
    Kept,
    /// The home stored the outcome before layout 3, by the names of its specification and column.
    Before,
}

/// The outcome of a column.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The specification's name.
    pub specification: String,
    /// The column's name.
    pub column: String,
    /// The column's label.
    pub label: Wording,
    /// The identity of the model.
    pub identity: Identity,
    /// The panel.
    pub panel: Kind,
    /// The end of the sample.
    pub through: SampleEnd,
    /// The newest publication and file.
    pub as_of: (Publication, Vintage),
    /// The hash of the panel's sources; empty if the home prevented the computation of the panel,
    /// which may succeed later.
    pub stamp: String,
    /// The origin of the outcome.
    pub origin: Origin,
    /// The estimate, or the reason for its absence.
    pub result: Result<Fit, Arc<RegressionError>>,
}

impl Outcome {
    /// The name of the model: specification and column.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.specification, self.column)
    }
}

/// The regressions of a home.
pub struct Regressions<'a> {
    /// The panels of the home.
    pub panels: Panels<'a>,
    through: Option<SampleEnd>,
    /// The groups of rows to leave out.
    leave_out: Option<LeaveOut>,
    /// The years of the sample; empty while only the feed's first year is closed.
    years: Vec<Year>,
    loaded: BTreeMap<Kind, Result<Columns, Arc<RegressionError>>>,
}

impl<'a> Regressions<'a> {
    /// Regressions over the closed years up to `through` or all, or over the same months of all
    /// years up to it.
    ///
    /// # Errors
    /// - [`RegressionError::NoYear`], [`RegressionError::NotClosed`] if there are no such years.
    /// - [`RegressionError::MonthNotClosed`], [`RegressionError::NoMonths`] for a month.
    pub fn new(panels: Panels<'a>, through: Option<SampleEnd>) -> Result<Self, RegressionError> {
        let years = if through.is_none_or(SampleEnd::is_whole) {
            panels.all_closed_years(through.map(SampleEnd::year))?;
            panels.years(through).unwrap_or_default()
        } else {
            panels.years(through)?
        };
        Ok(Self { panels, through, leave_out: None, years, loaded: BTreeMap::new() })
    }

    /// The same regressions, with groups of rows left out one after another.
    #[must_use]
    pub fn leaving_out(self, leave_out: Option<LeaveOut>) -> Self {
        Self { leave_out, ..self }
    }

    /// The years of the sample.
    #[must_use]
    pub fn years(&self) -> &[Year] {
        &self.years
    }

    /// The last month of each year of the sample.
    fn month(&self) -> u8 {
        self.through.map_or(12, SampleEnd::month)
    }

    /// The end of the sample, once it has a year.
    fn end(&self) -> SampleEnd {
        let last = self.years[self.years.len() - 1];
        SampleEnd::new(last, self.month()).unwrap_or_default()
    }

    /// The plant panel of the sample.
    pub(super) fn plant_panel(&self) -> Kind {
        Kind::Plant.to_month(self.month()).unwrap_or(Kind::Plant)
    }

    /// The panel of a column.
    ///
    /// # Errors
    /// [`RegressionError::WholeYears`] if the sample ends at a month and the panel has none.
    fn kind(&self, column: &Column) -> Result<Kind, RegressionError> {
        Kind::at(column, SampleEnd::new(Year::default(), self.month()).unwrap_or_default())
    }

    /// Refuses a month for results that exist for whole years.
    ///
    /// # Errors
    /// [`RegressionError::WholeYears`] if the sample ends at a month.
    fn whole_years(&self, what: &str) -> Result<(), RegressionError> {
        let is_whole = self.month() == 12;
        is_whole.then_some(()).ok_or_else(|| RegressionError::WholeYears { what: what.to_owned() })
    }

    /// Reads the named columns into memory, once. A panel that cannot be computed is an outcome of
    /// its columns; a failed or full disk is an error, because the same may succeed later.
    fn load(&mut self, wanted: &BTreeMap<Kind, BTreeSet<String>>) -> Result<(), RegressionError> {
        for (&kind, names) in wanted {
            let loaded = match self.read(kind, names) {
                Err(error) if error.is_of_disk() => return Err(error),
                loaded => loaded.map_err(Arc::new),
            };
            self.loaded.insert(kind, loaded);
        }
        Ok(())
    }

    /// Reads columns of a panel into memory.
    ///
    /// # Errors
    /// [`RegressionError`] if no year has indicators, or a year cannot be computed or read.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        names: &BTreeSet<String>,
    ) -> Result<Columns, RegressionError> {
        self.panels.years(self.through)?;
        self.panels.prepare(kind, &self.years)?;
        Columns::load(&self.panels, kind, &self.years, names)
    }

    /// Multi-plant firms by closed year.
    ///
    /// # Errors
    /// - [`RegressionError::WholeYears`] if the sample ends at a month.
    /// - [`RegressionError`] if a year's plants cannot be read.
    pub(super) fn firms(&mut self) -> Result<Columns, RegressionError> {
        self.whole_years("the table of firms")?;
        let years = self.panels.all_closed_years(self.through.map(SampleEnd::year))?;
        firms::of_years(&mut self.panels, &years)
    }

    /// A panel's columns, once loaded.
    fn columns(&self, kind: Kind) -> Result<&Columns, Arc<RegressionError>> {
        self.loaded[&kind].as_ref().map_err(Arc::clone)
    }

    /// Estimates the requested columns, in their order. Fitting `memories` are used and replaced by
    /// those of the new solutions.
    ///
    /// # Errors
    /// [`RegressionError`] if the home cannot be read or its disk fails; a column that fails is an
    /// outcome.
    pub fn run(
        &mut self,
        asks: &[Ask<'_>],
        mut memories: Option<&mut Memories>,
    ) -> Result<Vec<Outcome>, RegressionError> {
        let mut wanted: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
        for ask in asks {
            let columns = ask.specification.columns().iter();
            for column in columns.filter(|column| ask.wanted.wants(column)) {
                let Ok(kind) = self.kind(column) else { continue };
                let names = wanted.entry(kind).or_default();
                names.extend(column.reads().into_iter().map(str::to_owned));
                let groups = self.leave_out.iter().flat_map(|of| &of.groups.factors);
                names.extend(groups.cloned());
            }
        }
        if !wanted.is_empty() {
            self.panels.years(self.through)?;
        }
        self.load(&wanted)?;
        let (mut outcomes, mut groups, mut samples) = (Vec::new(), Vec::new(), BTreeMap::new());
        for ask in asks {
            self.specification(ask, &mut samples, &mut outcomes, &mut groups)?;
        }
        if let Some(memories) = memories.as_deref_mut() {
            let keys = groups.iter().map(Group::key);
            keys.into_iter().try_for_each(|key| memories.fetch(self.panels.source.home, &key))?;
        }
        for (place, result) in group::solve(&groups, memories, self.leave_out.as_ref()) {
            outcomes[place].result = result;
        }
        Ok(outcomes)
    }

    /// Computes shift-share errors for a column.
    ///
    /// # Errors
    /// - [`RegressionError::NoAffiliates`] if the column has no affiliate terms, or too few rows.
    /// - [`RegressionError`] if the panel or the markets cannot be read, or the column fails.
    pub fn shift_share(
        &mut self,
        specification: &Specification,
        column: &Column,
    ) -> Result<ShiftShare, RegressionError> {
        self.whole_years("a computation by affiliate cities")?;
        let outcome = self.unanswered(specification, column)?;
        let model = outcome.name();
        let (columns, partial) = self.affiliates(&model, column)?;
        let mut networks = Vec::new();
        for year in self.years.clone() {
            networks.push((i32::from(year.0), self.panels.networks(year)?));
        }
        let affiliates = Affiliates { networks: &networks };
        let found = shift_share::errors(&self.panels.source, &columns, &partial, &affiliates)?;
        let why = "there are as many shocks as rows";
        let (n_shocks, terms) =
            found.ok_or_else(|| RegressionError::NoAffiliates { model: model.clone(), why })?;
        let identity = outcome.identity.hash().to_owned();
        let (through, vintage) = (outcome.through.year(), outcome.as_of.1);
        let n_obs = partial.rows.len();
        Ok(ShiftShare { model, identity, through, vintage, n_obs, n_shocks, terms })
    }

    /// The panel of a column, and its residuals for the affiliate terms.
    fn affiliates(
        &mut self,
        model: &str,
        column: &Column,
    ) -> Result<(Columns, Partial), RegressionError> {
        if let Some(why) = placebo::why_none(&self.panels.source, column) {
            return Err(RegressionError::NoAffiliates { model: model.to_owned(), why });
        }
        let kind = Kind::of(column);
        let names = column.reads().into_iter().chain(placebo::READS).map(str::to_owned);
        let columns = self.read(kind, &names.collect())?;
        let sample = Samples::on(&self.panels, kind, &columns).of(column)?;
        let partial = sample.partial(column, &placebo::terms())?;
        drop(sample);
        Ok((columns, partial))
    }

    /// Draws placebo networks for a column.
    ///
    /// # Errors
    /// - [`RegressionError::NoAffiliates`] if the column has none.
    /// - [`RegressionError`] if the panel or the markets cannot be read, or the column fails.
    pub fn placebo(
        &mut self,
        specification: &Specification,
        column: &Column,
        draws: Draws,
    ) -> Result<PlaceboOf, RegressionError> {
        self.whole_years("a computation by affiliate cities")?;
        let outcome = self.unanswered(specification, column)?;
        let model = outcome.name();
        let (columns, partial) = self.affiliates(&model, column)?;
        let placebo = placebo::placebo(&self.panels.source, &columns, &partial, draws)?;
        let identity = outcome.identity.hash().to_owned();
        let (through, vintage) = (outcome.through.year(), outcome.as_of.1);
        Ok(PlaceboOf { model, identity, through, vintage, placebo })
    }

    /// Assigns the columns of a specification to groups; failures become outcomes.
    fn specification<'s>(
        &'s self,
        ask: &Ask<'s>,
        samples: &mut BTreeMap<Kind, Samples<'s>>,
        outcomes: &mut Vec<Outcome>,
        groups: &mut Vec<Group<'s, 's>>,
    ) -> Result<(), RegressionError> {
        for column in ask.specification.columns().iter().filter(|c| ask.wanted.wants(c)) {
            let asked = Asked { place: outcomes.len(), column };
            let mut outcome = self.unanswered(ask.specification, column)?;
            let kind = match self.kind(column) {
                Ok(kind) => kind,
                Err(error) => {
                    outcome.result = Err(Arc::new(error));
                    outcomes.push(outcome);
                    continue;
                }
            };
            match self.columns(kind) {
                Ok(columns) => {
                    let samples = samples.entry(kind);
                    let samples =
                        samples.or_insert_with(|| Samples::on(&self.panels, kind, columns));
                    match samples.of(column) {
                        Ok(sample) => put(groups, sample, asked),
                        Err(error) => outcome.result = Err(Arc::new(error)),
                    }
                }
                Err(error) => {
                    if error.is_of_home() {
                        outcome.stamp.clear();
                    }
                    outcome.result = Err(error);
                }
            }
            outcomes.push(outcome);
        }
        Ok(())
    }

    /// The outcome of a column before its estimation.
    fn unanswered(
        &self,
        specification: &Specification,
        column: &Column,
    ) -> Result<Outcome, RegressionError> {
        let kind = self.kind(column).ok();
        let stamp = kind.map(|kind| self.panels.stamps(kind, &self.years)).transpose()?;
        Ok(Outcome {
            specification: specification.name.clone(),
            column: column.name.clone(),
            label: column.label.clone(),
            identity: Identity::of(column),
            panel: kind.unwrap_or(Kind::of(column)),
            through: self.end(),
            as_of: self.panels.source.home.last_publication()?.unwrap_or_default(),
            stamp: stamp.unwrap_or_default(),
            origin: Origin::Now,
            result: Err(Arc::new(RegressionError::NoYear { through: None })),
        })
    }
}

/// Adds a column to the group with the same sample and effects, or creates a group.
fn put<'s>(groups: &mut Vec<Group<'s, 's>>, sample: Arc<Sample<'s>>, asked: Asked<'s>) {
    match groups.iter_mut().find(|group| group.takes(&sample, &asked)) {
        Some(group) => group.push(asked),
        None => groups.push(Group::new(sample, asked)),
    }
}

/// Checks that the panels have the variables of all columns, before any estimation.
///
/// # Errors
/// [`RegressionError::InColumn`] with the first column that reads a missing variable.
pub fn check(panels: &Panels<'_>, asks: &[Ask<'_>]) -> Result<(), RegressionError> {
    for Ask { specification, wanted } in asks {
        for column in specification.columns().iter().filter(|column| wanted.wants(column)) {
            let kind = Kind::of(column);
            let there = names(panels, kind);
            let is_there =
                |name: &&str| there.iter().any(|other| other == name) || OPTIONAL.contains(name);
            if let Some(name) = column.reads().into_iter().find(|name| !is_there(name)) {
                let (panel, name) = (kind.name(), name.to_owned());
                return Err(RegressionError::InColumn {
                    specification: specification.name.clone(),
                    column: column.name.clone(),
                    problem: Arc::new(RegressionError::NoColumn { panel, column: name, there }),
                });
            }
        }
    }
    Ok(())
}
