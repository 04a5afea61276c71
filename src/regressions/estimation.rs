//! Tables and coefficient paths on request: uses current stored estimates, computes and stores the
//! others.
//!
//! ```text
//! specifications ─▶ stored and not stale? ─yes─────────────────────┐
//!                          └no─▶ panels ─▶ run ─▶ store ───────────┴─▶ TableResult, Path
//! ```
//! Estimation also works while another process writes the home; a [`Notice`] then reports that the
//! estimates are not stored.

use std::path::Path as FolderPath;
use std::sync::Arc;

use super::closing::Choice;
use super::error::RegressionError;
use super::figure::scatter;
use super::keep::{changed_since, keep};
use super::memories::Memories;
use super::panels::Panels;
use super::path::{Path, path};
use super::placebo::{Draws, PlaceboOf};
use super::run::{Ask, Origin, Outcome, Regressions, Wanted as _, check};
use super::shift_share::ShiftShare;
use super::standing::{Standing, as_they_stand, as_they_stood};
use super::summary::summarise;
use super::table::TableResult;
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::{Vintage, Year};
use crate::estimate::formula::Term;
use crate::estimate::influence::LeaveOut;
use crate::home::options::ReestimateWhen;
use crate::home::{Home, HomeError};
use crate::specification::{Column, Content, Specification};

/// The name of the constant among an estimate's terms.
const CONSTANT: &str = "(Intercept)";

/// A specification with its requested columns.
pub type Asked = (Specification, Choice);

/// A column with the regressor of a path, and the regressor's name in its formula.
pub type Followed<'s> = (&'s Column, String);

/// The parts of earlier estimations that are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// Estimates that are not stale; the last solution starts the other estimations.
    #[default]
    Estimates,
    /// The last solution as a start; every column is estimated.
    Solutions,
    /// Nothing.
    Nothing,
}

/// A message during estimation, in addition to the results.
#[derive(Debug)]
pub enum Notice {
    /// The estimates are not stored, with the reason.
    NotStored(String),
    /// A stored file of an earlier estimation cannot be read. It is written again.
    Unread(HomeError),
    /// Closed years that late records have changed since the last estimation.
    Changed(Vec<Year>),
}

/// A request for tables or paths.
pub struct Estimation<'e> {
    /// The home.
    pub home: &'e FolderPath,
    /// The requested columns.
    pub asked: &'e [Asked],
    /// The end of the samples; by default the last closed year.
    pub through: Option<SampleEnd>,
    /// The closings with a point on a path.
    pub when: ReestimateWhen,
    /// The parts of earlier estimations that are used.
    pub reuse: Reuse,
    /// The groups of rows to leave out, one after another.
    pub leave_out: Option<LeaveOut>,
    /// The number of threads.
    pub n_workers: usize,
}

impl Estimation<'_> {
    /// The requested tables, in their order.
    ///
    /// # Errors
    /// - [`RegressionError::InColumn`] if a specification does not fit its panel; nothing is
    ///   stored.
    /// - [`RegressionError`] if the home cannot be read, or a panel cannot be computed.
    ///
    /// A column that cannot be estimated is an outcome, not an error.
    pub fn tables(
        &self,
        notify: &mut dyn FnMut(Notice),
    ) -> Result<Vec<TableResult>, RegressionError> {
        let mut home = Home::read(self.home)?;
        let standing = self.standing(&mut home, self.asked, self.through)?;
        let are_stored = |of: &Specification| matches!(of.content, Content::Regressions(_));
        if standing.is_whole() && self.asked.iter().all(|(of, _)| are_stored(of)) {
            let mut outcomes = standing.outcomes;
            let models = |(of, _): &Asked| TableResult::models(of, &mut outcomes);
            return Ok(self.asked.iter().map(models).collect());
        }
        drop(home);
        self.estimated(notify)
    }

    /// The tables at a vintage, from stored estimates alone.
    ///
    /// # Errors
    /// - Those of [`as_they_stood`].
    /// - [`RegressionError::OnlyByVintage`] if no regression is requested.
    /// - The reason of the first column, if none has an estimate.
    pub fn tables_at(&self, vintage: Vintage) -> Result<Vec<TableResult>, RegressionError> {
        stored_tables(&Home::read(self.home)?, self.asked, vintage, self.through)
    }

    /// The current stored estimates of the requested columns; nothing if they are estimated again.
    fn standing(
        &self,
        home: &mut Home,
        asked: &[Asked],
        through: Option<SampleEnd>,
    ) -> Result<Standing, RegressionError> {
        let asks = asks(asked);
        if self.reuse != Reuse::Estimates {
            return Ok(Standing::nothing(&asks));
        }
        let standing = as_they_stand(&Panels::open(home, self.n_workers)?, &asks, through)?;
        Ok(match &self.leave_out {
            Some(asked) => standing.with_influence(&asks, asked),
            None => standing,
        })
    }

    /// Estimates and stores the columns without a current estimate.
    fn estimated(
        &self,
        notify: &mut dyn FnMut(Notice),
    ) -> Result<Vec<TableResult>, RegressionError> {
        let mut home = to_write_if_free(self.home, notify)?;
        // Read again: a file may have been accepted since.
        let standing = self.standing(&mut home, self.asked, self.through)?;
        if let Some((publication, through)) = standing.estimated_before {
            let years = changed_since(&home, publication, through)?;
            if !years.is_empty() {
                notify(Notice::Changed(years));
            }
        }
        let mut memories = self.memories(&home)?;
        let panels = Panels::open(&mut home, self.n_workers)?;
        let regressions = Regressions::new(panels, self.through)?;
        let mut regressions = regressions.leaving_out(self.leave_out.clone());
        let tables = regressions.tables(self.asked, standing, &mut memories)?;
        notify_unread(regressions, &mut memories, notify);
        memories.store(&mut home)?;
        let outcomes = tables.iter().flat_map(TableResult::outcomes);
        let new: Vec<Outcome> = outcomes.filter(|one| one.origin == Origin::Now).cloned().collect();
        keep(&mut home, &new)?;
        Ok(tables)
    }

    /// Draws placebo networks for the one requested column; nothing is stored.
    ///
    /// # Errors
    /// - [`RegressionError::NotOneColumn`] if several columns are requested.
    /// - Those of [`Regressions::placebo`].
    pub fn placebo(
        &self,
        draws: Draws,
        notify: &mut dyn FnMut(Notice),
    ) -> Result<PlaceboOf, RegressionError> {
        let (specification, column) = self.one_column()?;
        let mut home = to_write_if_free(self.home, notify)?;
        let panels = Panels::open(&mut home, self.n_workers)?;
        Regressions::new(panels, self.through)?.placebo(specification, column, draws)
    }

    /// Computes shift-share errors for the one requested column; nothing is stored.
    ///
    /// # Errors
    /// - [`RegressionError::NotOneColumn`] if several columns are requested.
    /// - Those of [`Regressions::shift_share`].
    pub fn shift_share(
        &self,
        notify: &mut dyn FnMut(Notice),
    ) -> Result<ShiftShare, RegressionError> {
        let (specification, column) = self.one_column()?;
        let mut home = to_write_if_free(self.home, notify)?;
        let panels = Panels::open(&mut home, self.n_workers)?;
        Regressions::new(panels, self.through)?.shift_share(specification, column)
    }

    /// The one requested column.
    fn one_column(&self) -> Result<(&Specification, &Column), RegressionError> {
        let mut all = self.asked.iter().flat_map(|(of, wanted)| {
            let columns = of.columns().iter().filter(|column| wanted.wants(column));
            columns.map(move |column| (of, column))
        });
        match (all.next(), all.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(RegressionError::NotOneColumn),
        }
    }

    /// Follows a regressor over the closed years, and over months if the option says so, in the
    /// requested columns with it. Years and months without a current estimate are estimated. Also
    /// returns the outcomes of new estimations.
    ///
    /// # Errors
    /// - [`RegressionError::NotOneTable`], [`RegressionError::NoSuchRegressor`] if the requested
    ///   columns do not allow a path, [`RegressionError::NoPath`] if no year has an estimate.
    /// - Those of [`Estimation::tables`].
    pub fn paths(
        &self,
        term: &str,
        notify: &mut dyn FnMut(Notice),
    ) -> Result<(Vec<Path>, Vec<Outcome>), RegressionError> {
        let (specification, followed) = self.followed(term)?;
        let names = followed.iter().map(|(column, _)| column.name.clone()).collect();
        let asked = [(specification.clone(), Choice::Named(names))];
        let mut home = Home::read(self.home)?;
        let panels = Panels::open(&mut home, self.n_workers)?;
        check(&panels, &asks(self.asked))?;
        let ends = self.ends(&panels)?;
        let mut is_whole = true;
        for &end in &ends {
            is_whole &= self.standing(&mut home, &asked, Some(end))?.is_whole();
        }
        let mut outcomes = Vec::new();
        if !is_whole {
            home = to_write_if_free(self.home, notify)?;
            outcomes = self.ends_estimated(&mut home, &asked, &ends, notify)?;
        }
        let panels = Panels::open(&mut home, self.n_workers)?;
        let paths = followed.iter().map(|(column, term)| {
            let mut path = path(&panels, (specification, column), (term, None), &outcomes)?;
            let is_shown = |end: SampleEnd| {
                ends.contains(&end) || (!end.is_whole() && self.through.is_none_or(|to| end <= to))
            };
            path.points.retain(|point| is_shown(point.through));
            if path.points.is_empty() {
                return Err(RegressionError::NoPath { model: path.model, term: term.clone() });
            }
            Ok(path)
        });
        Ok((paths.collect::<Result<_, RegressionError>>()?, outcomes))
    }

    /// The ends of the points of a path: the closed years, and each closed month if the option says
    /// so; a requested month is the last.
    fn ends(&self, panels: &Panels<'_>) -> Result<Vec<SampleEnd>, RegressionError> {
        let months = match self.when {
            ReestimateWhen::Year => Vec::new(),
            ReestimateWhen::Month => panels.month_ends(self.through),
        };
        let month = self.through.filter(|end| !end.is_whole());
        if month.is_some() {
            panels.years(month)?;
        }
        let whole = self.through.filter(|end| end.is_whole());
        let years = match panels.years(whole) {
            Err(RegressionError::NoYear { .. }) if month.is_some() || !months.is_empty() => {
                Vec::new()
            }
            years => years?,
        };
        let mut ends: Vec<SampleEnd> = years.into_iter().map(SampleEnd::of_year).collect();
        ends.extend(months.into_iter().chain(month));
        ends.retain(|end| self.through.is_none_or(|to| *end <= to));
        ends.sort_unstable();
        ends.dedup();
        Ok(ends)
    }

    /// The columns with a regressor, and its name in each.
    ///
    /// # Errors
    /// [`RegressionError::NotOneTable`], [`RegressionError::NoSuchRegressor`].
    pub fn followed(
        &self,
        term: &str,
    ) -> Result<(&Specification, Vec<Followed<'_>>), RegressionError> {
        let [(specification, wanted)] = self.asked else {
            return Err(RegressionError::NotOneTable);
        };
        let columns = specification.columns().iter();
        let columns: Vec<&Column> = columns.filter(|column| wanted.wants(column)).collect();
        if columns.is_empty() {
            return Err(RegressionError::NoRegressions {
                title: specification.title.english.clone(),
            });
        }
        let asked = Term { factors: term.split(':').map(|name| name.trim().to_owned()).collect() };
        let own = |column: &Column| {
            let mut terms = column.formula.terms.iter();
            let found = terms.find(|own| **own == asked || own.to_string() == term);
            let is_constant = term == CONSTANT && column.formula.effects.is_empty();
            found.map(Term::to_string).or_else(|| is_constant.then(|| term.to_owned()))
        };
        let followed: Vec<Followed<'_>> =
            columns.iter().filter_map(|column| Some((*column, own(column)?))).collect();
        if !followed.is_empty() {
            return Ok((specification, followed));
        }
        let mut there: Vec<String> = Vec::new();
        for own in columns.iter().flat_map(|column| &column.formula.terms).map(Term::to_string) {
            if !there.contains(&own) {
                there.push(own);
            }
        }
        let (specification, term) = (specification.name.clone(), term.to_owned());
        Err(RegressionError::NoSuchRegressor { specification, term, there })
    }

    /// Estimates and stores the ends without a current estimate, each over its own sample.
    fn ends_estimated(
        &self,
        home: &mut Home,
        asked: &[Asked],
        ends: &[SampleEnd],
        notify: &mut dyn FnMut(Notice),
    ) -> Result<Vec<Outcome>, RegressionError> {
        let mut memories = self.memories(home)?;
        let mut all = Vec::new();
        for &end in ends {
            let standing = self.standing(home, asked, Some(end))?;
            if standing.is_whole() {
                continue;
            }
            let panels = Panels::open(home, self.n_workers)?;
            let mut regressions = Regressions::new(panels, Some(end))?;
            let pairs = asked.iter().zip(&standing.missing);
            let asks: Vec<Ask<'_>> =
                pairs.map(|((specification, _), wanted)| Ask { specification, wanted }).collect();
            let outcomes = regressions.checked(&asks, &mut memories)?;
            notify_unread(regressions, &mut memories, notify);
            keep(home, &outcomes)?;
            if !end.is_whole() {
                memories.store_months(home)?;
            }
            all.extend(outcomes);
        }
        memories.store(home)?;
        Ok(all)
    }

    fn memories(&self, home: &Home) -> Result<Memories, RegressionError> {
        match self.reuse {
            Reuse::Estimates | Reuse::Solutions => Memories::of(home),
            Reuse::Nothing => Ok(Memories::default()),
        }
    }
}

impl Regressions<'_> {
    /// Estimates columns without a current estimate, and returns all tables in the requested order.
    ///
    /// # Errors
    /// Those of [`Estimation::tables`].
    pub fn tables(
        &mut self,
        asked: &[Asked],
        standing: Standing,
        memories: &mut Memories,
    ) -> Result<Vec<TableResult>, RegressionError> {
        let missing = asked.iter().zip(&standing.missing);
        let missing: Vec<Ask<'_>> =
            missing.map(|((specification, _), wanted)| Ask { specification, wanted }).collect();
        let mut outcomes = self.checked(&missing, memories)?;
        outcomes.extend(standing.outcomes);
        let mut tables = Vec::new();
        for (specification, _) in asked {
            let (name, title) = (specification.name.clone(), specification.title.clone());
            tables.push(match &specification.content {
                Content::Regressions(_) => TableResult::models(specification, &mut outcomes),
                Content::Summary(summary) => {
                    let rows = summarise(self, summary)?;
                    TableResult::Summary { name, title, summary: summary.clone(), rows }
                }
                Content::Figure(figure) => {
                    TableResult::Figure { name, title, scatter: scatter(self, figure)? }
                }
            });
        }
        Ok(tables)
    }

    /// Estimates columns. An invalid specification is an error, and none of its results should be
    /// stored.
    fn checked(
        &mut self,
        asks: &[Ask<'_>],
        memories: &mut Memories,
    ) -> Result<Vec<Outcome>, RegressionError> {
        check(&self.panels, asks)?;
        let outcomes = self.run(asks, Some(memories))?;
        for one in &outcomes {
            match &one.result {
                Err(error) if error.is_of_specification() => {
                    return Err(RegressionError::InColumn {
                        specification: one.specification.clone(),
                        column: one.column.clone(),
                        problem: Arc::clone(error),
                    });
                }
                _ => {}
            }
        }
        Ok(outcomes)
    }
}

/// Tables from stored estimates alone, at a vintage.
///
/// # Errors
/// Those of [`Estimation::tables_at`].
pub fn stored_tables(
    home: &Home,
    asked: &[Asked],
    vintage: Vintage,
    through: Option<SampleEnd>,
) -> Result<Vec<TableResult>, RegressionError> {
    let mut outcomes = as_they_stood(home, &asks(asked), vintage, through)?;
    let failures = || outcomes.iter().map(|one| one.result.as_ref().err());
    if outcomes.is_empty() {
        return Err(RegressionError::OnlyByVintage);
    }
    if let Some(Some(first)) = failures().next()
        && failures().all(|failure| failure.is_some())
    {
        return Err(RegressionError::NoneStored { why: Arc::clone(first) });
    }
    let is_stored = |(of, _): &&Asked| matches!(of.content, Content::Regressions(_));
    let stored = asked.iter().filter(is_stored);
    Ok(stored.map(|(of, _)| TableResult::models(of, &mut outcomes)).collect())
}

/// The requested columns, by reference.
#[must_use]
pub fn asks(asked: &[Asked]) -> Vec<Ask<'_>> {
    asked.iter().map(|(specification, wanted)| Ask { specification, wanted }).collect()
}

/// Ends some regressions, and reports the unreadable files of earlier estimations.
fn notify_unread(
    mut regressions: Regressions<'_>,
    memories: &mut Memories,
    notify: &mut dyn FnMut(Notice),
) {
    let unread = regressions.panels.take_unread().into_iter().chain(memories.take_unread());
    unread.for_each(|error| notify(Notice::Unread(error)));
}

/// Opens a home for estimation: for writing unless another process writes it.
fn to_write_if_free(
    home: &FolderPath,
    notify: &mut dyn FnMut(Notice),
) -> Result<Home, RegressionError> {
    // An unreadable home is an error here, before the attempt to write it.
    Home::read(home)?;
    match Home::open(home) {
        Ok(home) => return Ok(home),
        Err(HomeError::Locked { .. }) => {
            notify(Notice::NotStored("another process writes this home".to_owned()));
        }
        // A full disk would lose the estimates, and exit code 0 stands for stored ones.
        Err(error) if error.is_fatal() || error.is_no_room() => return Err(error.into()),
        Err(error) => notify(Notice::NotStored(error.to_string())),
    }
    Ok(Home::read(home)?)
}
