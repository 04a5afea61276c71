//! Estimation when a year closes, or a month: one function for all commands of intake, called after
//! each commit.
//!
//! The estimation runs after the commit and cannot undo it. A failure is stored as a failed
//! estimate and reported, and intake continues. Solutions and unchanged years of the panel are
//! stored for the next year. A month estimates the columns on the plant panel alone; December is
//! the estimation of its year.

use std::time::Instant;

use super::content::Identity;
use super::error::RegressionError;
use super::keep::{keep, newly_stale_years};
use super::memories::Memories;
use super::panels::{Kind, Panels};
use super::run::{Ask, Outcome, Regressions, Wanted};
use super::stored;
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::{Period, Vintage, Year};
use crate::engine::EngineError;
use crate::home::options::{Config, ReestimateWhen};
use crate::home::{Home, HomeError, Publication, StoredEstimate, StoredState};
use crate::specification::{Column, Specification};

/// The models that are estimated at closings, and the states of earlier estimations.
#[derive(Debug)]
pub struct ClosingEstimates {
    specifications: Vec<(Specification, Choice)>,
    when: ReestimateWhen,
    memories: Option<Memories>,
    n_workers: usize,
}

/// The result of estimating at a closing.
#[derive(Debug)]
pub struct Estimated {
    /// The end of the sample: the closed year, or the closed month.
    pub end: SampleEnd,
    /// The outcomes of the columns.
    pub outcomes: Vec<Outcome>,
    /// Earlier years that late records have changed since the last estimation.
    pub changed: Vec<Year>,
    /// The stored states of earlier estimations that were unreadable and are computed again.
    pub unread: Vec<HomeError>,
    /// The duration in seconds, including the panels.
    pub seconds: f64,
}

/// An entry of the option `estimate` that does not name a table.
#[derive(Debug, thiserror::Error)]
#[error(
    "the option estimate has \"{entry}\"; write a table as 3, or a column as 3.4 or \
     footnote.trimmed"
)]
pub struct NoTable {
    /// The entry.
    pub entry: String,
}

/// The requested columns of a specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// All columns.
    All,
    /// Columns on the plant panel; other panels read the home.
    OnPlants,
    /// The columns with these names.
    Named(Vec<String>),
}

impl Wanted for Choice {
    fn wants(&self, column: &Column) -> bool {
        match self {
            Self::All => true,
            Self::OnPlants => Kind::of(column) == Kind::Plant,
            Self::Named(names) => names.contains(&column.name),
        }
    }
}

/// The columns of a choice that are estimated at the end of a sample.
#[derive(Clone, Copy, Debug)]
struct AtEnd<'c> {
    choice: &'c Choice,
    end: SampleEnd,
}

impl Wanted for AtEnd<'_> {
    fn wants(&self, column: &Column) -> bool {
        self.choice.wants(column) && Kind::at(column, self.end).is_ok()
    }
}

/// The tables that are estimated by default.
const MAIN: [&str; 4] = ["3", "4", "5", "6"];

impl ClosingEstimates {
    /// The estimates that options ask for.
    ///
    /// # Errors
    /// [`NoTable`] for an entry that names no table.
    pub fn of(config: &Config, n_workers: usize) -> Result<Self, NoTable> {
        Self::new(config.estimate.as_deref(), config.reestimate_when(), n_workers)
    }

    /// The tables and columns of the option `estimate`. Without the option, the columns of tables 3
    /// to 6 on the plant panel.
    ///
    /// # Errors
    /// [`NoTable`] for an entry that names no table.
    fn new(
        option: Option<&[String]>,
        when: ReestimateWhen,
        n_workers: usize,
    ) -> Result<Self, NoTable> {
        let specifications = match option {
            None => {
                let main = MAIN.into_iter().filter_map(Specification::named);
                main.map(|specification| (specification, Choice::OnPlants)).collect()
            }
            Some(entries) => chosen(entries)?,
        };
        Ok(Self { specifications, when, memories: None, n_workers })
    }

    /// The ends of samples at which a commit that closed some months estimates: the last December
    /// among them, and every month if the option says so.
    #[must_use]
    pub fn ends(&self, closed: &[Period]) -> Vec<SampleEnd> {
        let december = closed.iter().rposition(|period| period.month() == 12);
        let is_end = |(place, _): &(usize, &Period)| match self.when {
            ReestimateWhen::Year => Some(*place) == december,
            ReestimateWhen::Month => true,
        };
        let ends = closed.iter().enumerate().filter(is_end);
        ends.map(|(_, period)| SampleEnd::at(*period)).collect()
    }

    /// The ends at which no estimation was tried yet: the last closed year, and with the option the
    /// closed months of the newest year. The process may have ended between the commit and the
    /// estimates, or the disk may have failed.
    ///
    /// # Errors
    /// [`RegressionError`] if the home cannot be read.
    pub fn missing(&self, home: &mut Home) -> Result<Vec<SampleEnd>, RegressionError> {
        if self.specifications.is_empty() {
            return Ok(Vec::new());
        }
        let panels = match Panels::open(home, self.n_workers) {
            Err(RegressionError::Engine(EngineError::Empty)) => return Ok(Vec::new()),
            panels => panels?,
        };
        let mut ends = Vec::new();
        if let Some(year) = panels.years(None).unwrap_or_default().last() {
            ends.push(SampleEnd::of_year(*year));
        }
        if self.when == ReestimateWhen::Month {
            let months = panels.month_ends(None);
            let newest = panels.source.calendar.last_year();
            ends.extend(months.into_iter().filter(|end| end.year() == newest));
        }
        ends.sort_unstable();
        let tried = panels.source.home.estimates()?;
        let is_tried = |identity: &Identity, end: SampleEnd| {
            tried.iter().any(|one| {
                one.model.as_ref().is_some_and(|model| model.identity == identity.hash())
                    && one.through == end
                    && !one.stamp.is_empty()
            })
        };
        let all_tried = |end: &SampleEnd| {
            let end = *end;
            self.specifications.iter().all(|(specification, choice)| {
                let choice = AtEnd { choice, end };
                let mut wanted = specification.columns().iter().filter(|own| choice.wants(own));
                wanted.all(|column| is_tried(&Identity::of(column), end))
            })
        };
        // Closings are in order: a month before one that was tried was tried, too.
        let month = ends.iter().filter(|end| !end.is_whole()).rfind(|end| all_tried(end)).copied();
        ends.retain(|end| if end.is_whole() { !all_tried(end) } else { Some(*end) > month });
        Ok(ends)
    }

    /// Estimates at the end of a sample; does nothing if the year has no indicators because it is
    /// the feed's first, or if no column is estimated at a month.
    ///
    /// # Errors
    /// [`RegressionError`] if the home cannot be read or written, or a panel cannot be computed;
    /// accepted files remain.
    pub fn at(
        &mut self,
        home: &mut Home,
        end: SampleEnd,
    ) -> Result<Option<Estimated>, RegressionError> {
        let is_wanted = |(specification, choice): &(Specification, Choice)| {
            specification.columns().iter().any(|column| AtEnd { choice, end }.wants(column))
        };
        if !self.specifications.iter().any(is_wanted) {
            return Ok(None);
        }
        let estimated = self.estimate(home, end);
        if let Err(error) = &estimated
            && !error.is_of_disk()
        {
            self.keep_failure(home, end, error);
        }
        estimated
    }

    /// Computes and stores one missing year of the plant panel that the close of the next month
    /// needs, the newest first; false if none is missing, or the option has no months.
    ///
    /// # Errors
    /// [`RegressionError`] if the home cannot be read or written, or the year cannot be computed.
    pub fn prepare(&self, home: &mut Home) -> Result<bool, RegressionError> {
        if self.when != ReestimateWhen::Month || self.specifications.is_empty() {
            return Ok(false);
        }
        let mut panels = Panels::open(home, self.n_workers)?;
        let next = SampleEnd::at(panels.source.calendar.next_to_close());
        if panels.source.definition.profile.is_annual() {
            return Ok(false);
        }
        let Some(kind) = Kind::Plant.to_month(next.month()) else { return Ok(false) };
        for year in panels.years_until(next).into_iter().rev() {
            if panels.is_missing(kind, year)? {
                panels.prepare(kind, &[year])?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the solutions to the home, for the first estimation of the next process; once for all
    /// years of a backfill.
    ///
    /// # Errors
    /// [`RegressionError::Home`] if the home cannot be written; the estimates remain.
    pub fn store(&mut self, home: &mut Home) -> Result<(), RegressionError> {
        self.memories.as_mut().map_or(Ok(()), |memories| memories.store(home))
    }

    fn estimate(
        &mut self,
        home: &mut Home,
        end: SampleEnd,
    ) -> Result<Option<Estimated>, RegressionError> {
        let begin = Instant::now();
        let changed = newly_stale_years(home)?;
        let mut memories = match self.memories.take() {
            Some(memories) => memories,
            None => Memories::of(home)?,
        };
        let panels = Panels::open(home, self.n_workers)?;
        if panels.years(Some(end)).is_err() {
            self.memories = Some(memories);
            return Ok(None);
        }
        let mut regressions = Regressions::new(panels, Some(end))?;
        let choices: Vec<(&Specification, AtEnd<'_>)> = self
            .specifications
            .iter()
            .map(|(specification, choice)| (specification, AtEnd { choice, end }))
            .collect();
        let ask = |(specification, wanted)| Ask { specification, wanted };
        let asks: Vec<Ask<'_>> =
            choices.iter().map(|(of, wanted)| ask((*of, wanted as &dyn Wanted))).collect();
        let outcomes = regressions.run(&asks, Some(&mut memories))?;
        let unread = [memories.take_unread(), regressions.panels.take_unread()];
        keep(home, &outcomes)?;
        if !end.is_whole() {
            memories.store_months(home)?;
        }
        self.memories = Some(memories);
        let seconds = begin.elapsed().as_secs_f64();
        let unread = unread.into_iter().flatten().collect();
        Ok(Some(Estimated { end, outcomes, changed, unread, seconds }))
    }

    /// Stores the failure of an estimation, if the home can be written.
    fn keep_failure(&self, home: &mut Home, end: SampleEnd, error: &RegressionError) {
        // If the home cannot be read or written, the error itself reports it.
        let Ok(as_of) = home.last_publication() else { return };
        let as_of = as_of.unwrap_or_default();
        let failed = |(specification, choice): &(Specification, Choice)| {
            let choice = AtEnd { choice, end };
            let columns = specification.columns().iter().filter(|column| choice.wants(column));
            let failure = |column| failure((specification, column), end, as_of, error);
            columns.map(failure).collect::<Vec<_>>()
        };
        let failures: Vec<StoredEstimate> = self.specifications.iter().flat_map(failed).collect();
        let _ = home.add_estimates(&failures);
    }
}

fn failure(
    (specification, column): (&Specification, &Column),
    through: SampleEnd,
    (publication, vintage): (Publication, Vintage),
    error: &RegressionError,
) -> StoredEstimate {
    StoredEstimate {
        number: 0,
        model: Some(stored::model(&Identity::of(column))),
        specification: specification.name.clone(),
        column: column.name.clone(),
        through,
        publication,
        vintage,
        panel: Kind::at(column, through).unwrap_or(Kind::of(column)).name().to_owned(),
        stamp: String::new(),
        state: StoredState::Failed(error.to_string()),
    }
}

/// The specifications of entries such as `3` and `4.1`; columns of one specification are merged.
fn chosen(entries: &[String]) -> Result<Vec<(Specification, Choice)>, NoTable> {
    let mut chosen: Vec<(Specification, Choice)> = Vec::new();
    for entry in entries {
        let bad = || NoTable { entry: entry.clone() };
        let (name, column) = match entry.split_once('.') {
            Some((name, column)) => (name, Some(column.to_owned())),
            None => (entry.as_str(), None),
        };
        let specification = Specification::named(name).ok_or_else(bad)?;
        let columns = specification.columns();
        let is_there = column.as_ref().is_none_or(|name| columns.iter().any(|c| c.name == *name));
        if columns.is_empty() || !is_there {
            return Err(bad());
        }
        let known = chosen.iter_mut().find(|(other, _)| other.name == specification.name);
        match (known, column) {
            (Some((_, choice)), None) => *choice = Choice::All,
            (Some((_, Choice::Named(names))), Some(column)) => names.push(column),
            (Some(_), Some(_)) => {}
            (None, None) => chosen.push((specification, Choice::All)),
            (None, Some(column)) => chosen.push((specification, Choice::Named(vec![column]))),
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_names_tables_and_columns() {
        let entries = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let choices = |texts: &[&str]| {
            let chosen = chosen(&entries(texts)).expect("tables");
            chosen.into_iter().map(|(s, choice)| (s.name, choice)).collect::<Vec<_>>()
        };
        let named = |names: &[&str]| Choice::Named(entries(names));
        assert_eq!(
            choices(&["3", "4.1", "4.3"]),
            [("3".to_owned(), Choice::All), ("4".to_owned(), named(&["1", "3"]))]
        );
        assert_eq!(choices(&["3.1", "3"]), [("3".to_owned(), Choice::All)]);
        for bad in ["7", "3.9", "1", ""] {
            let error = ClosingEstimates::new(Some(&entries(&[bad])), ReestimateWhen::Year, 1)
                .expect_err("no table");
            assert!(error.to_string().contains(&format!("\"{bad}\"")), "{error}");
        }
    }

    #[test]
    fn without_the_option_the_plant_panel_is_all_that_is_read() {
        let main = ClosingEstimates::new(None, ReestimateWhen::Year, 1).expect("the main tables");
        let columns = main.specifications.iter().flat_map(|(specification, choice)| {
            let of = specification.columns().iter().filter(|column| choice.wants(column));
            of.map(|column| format!("{}.{}", specification.name, column.name))
        });
        let columns: Vec<String> = columns.collect();
        assert!(columns.contains(&"3.5".to_owned()) && columns.contains(&"6.4".to_owned()));
        assert!(!columns.contains(&"4.2".to_owned()) && !columns.contains(&"6.2".to_owned()));
    }

    #[test]
    fn a_commit_estimates_at_its_last_december_or_at_each_of_its_months() {
        let closed = |months: &[&str]| -> Vec<Period> {
            months.iter().map(|of| of.parse().expect("a month")).collect()
        };
        let ends = |when, months: &[&str]| {
            let all = ClosingEstimates::new(Some(&["3.4".to_owned()]), when, 1).expect("a column");
            let ends = all.ends(&closed(months)).into_iter();
            ends.map(|end| end.to_string()).collect::<Vec<_>>()
        };
        let of_years = |months: &[&str]| ends(ReestimateWhen::Year, months);
        assert_eq!(of_years(&["201011", "201012", "201101"]), ["2010"]);
        assert_eq!(of_years(&["201101", "201102"]), Vec::<String>::new());
        let months = ends(ReestimateWhen::Month, &["201011", "201012", "201101"]);
        assert_eq!(months, ["2010-11", "2010", "2011-01"]);
    }
}
