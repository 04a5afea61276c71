//! Estimation when a year closes: one function for all commands of intake, called after each
//! commit.
//!
//! The estimation runs after the commit and cannot undo it. A failure is stored as a failed
//! estimate and reported, and intake continues. Solutions and unchanged years of the panel are
//! stored for the next year.

use std::time::Instant;

use super::content::Identity;
use super::error::RegressionError;
use super::keep::{keep, stale_years};
use super::memories::Memories;
use super::panels::{Kind, Panels};
use super::run::{Ask, Outcome, Regressions, Wanted};
use super::source::closed_years;
use super::stored;
use crate::domain::types::{Period, Vintage, Year};
use crate::engine::recorded::calendar;
use crate::home::{Home, HomeError, Publication, StoredEstimate, StoredState};
use crate::specification::{Column, Specification};

/// The models that are estimated when a year closes, and the states of earlier estimations.
#[derive(Debug)]
pub struct YearClose {
    specifications: Vec<(Specification, Choice)>,
    memories: Option<Memories>,
    n_workers: usize,
}

/// The result of estimating a closed year.
#[derive(Debug)]
pub struct Estimated {
    /// The year.
    pub year: Year,
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

/// The tables that are estimated by default.
const MAIN: [&str; 4] = ["3", "4", "5", "6"];

impl YearClose {
    /// The tables and columns of the option `estimate`. Without the option, the columns of tables 3
    /// to 6 on the plant panel.
    ///
    /// # Errors
    /// [`NoTable`] for an entry that names no table.
    pub fn new(option: Option<&[String]>, n_workers: usize) -> Result<Self, NoTable> {
        let specifications = match option {
            None => {
                let main = MAIN.into_iter().filter_map(Specification::named);
                main.map(|specification| (specification, Choice::OnPlants)).collect()
            }
            Some(entries) => chosen(entries)?,
        };
        Ok(Self { specifications, memories: None, n_workers })
    }

    /// Estimates if a commit closed a December; does nothing if the year has no indicators because
    /// it is the feed's first.
    ///
    /// # Errors
    /// [`RegressionError`] if the home cannot be read or written, or a panel cannot be computed;
    /// accepted files remain.
    pub fn closed(
        &mut self,
        home: &mut Home,
        closed: &[Period],
    ) -> Result<Option<Estimated>, RegressionError> {
        let december = closed.iter().rev().find(|period| period.month() == 12);
        let Some(year) = december.map(|period| period.year()) else { return Ok(None) };
        self.estimate_or_keep_failure(home, year)
    }

    /// Estimates the last closed year if no estimation was tried yet. The process may have ended
    /// between the commit and the estimates, or the disk may have failed.
    ///
    /// # Errors
    /// Those of [`YearClose::closed`].
    pub fn catch_up(&mut self, home: &mut Home) -> Result<Option<Estimated>, RegressionError> {
        let last = calendar(home)?.and_then(|calendar| closed_years(&calendar).pop());
        let Some(year) = last else { return Ok(None) };
        let tried = home.estimates()?;
        let is_tried = |identity: &Identity| {
            tried.iter().any(|one| {
                one.model.as_ref().is_some_and(|model| model.identity == identity.hash())
                    && one.through == year
                    && !one.stamp.is_empty()
            })
        };
        let all_tried = self.specifications.iter().all(|(specification, choice)| {
            let mut wanted = specification.columns().iter().filter(|column| choice.wants(column));
            wanted.all(|column| is_tried(&Identity::of(column)))
        });
        if all_tried { Ok(None) } else { self.estimate_or_keep_failure(home, year) }
    }

    fn estimate_or_keep_failure(
        &mut self,
        home: &mut Home,
        year: Year,
    ) -> Result<Option<Estimated>, RegressionError> {
        if self.specifications.is_empty() {
            return Ok(None);
        }
        let estimated = self.estimate(home, year);
        if let Err(error) = &estimated
            && !error.is_of_disk()
        {
            self.keep_failure(home, year, error);
        }
        estimated
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
        year: Year,
    ) -> Result<Option<Estimated>, RegressionError> {
        let begin = Instant::now();
        let changed = stale_years(home)?;
        let mut memories = match self.memories.take() {
            Some(memories) => memories,
            None => Memories::of(home)?,
        };
        let panels = Panels::open(home, self.n_workers)?;
        if panels.years(Some(year)).is_err() {
            return Ok(None);
        }
        let mut regressions = Regressions::new(panels, Some(year))?;
        let asks: Vec<Ask<'_>> = self
            .specifications
            .iter()
            .map(|(specification, wanted)| Ask { specification, wanted })
            .collect();
        let outcomes = regressions.run(&asks, Some(&mut memories))?;
        let unread = [memories.take_unread(), regressions.panels.take_unread()];
        keep(home, &outcomes)?;
        self.memories = Some(memories);
        let seconds = begin.elapsed().as_secs_f64();
        let unread = unread.into_iter().flatten().collect();
        Ok(Some(Estimated { year, outcomes, changed, unread, seconds }))
    }

    /// Stores the failure of an estimation, if the home can be written.
    fn keep_failure(&self, home: &mut Home, year: Year, error: &RegressionError) {
        // If the home cannot be read or written, the error itself reports it.
        let Ok(as_of) = home.last_publication() else { return };
        let as_of = as_of.unwrap_or_default();
        let failed = |(specification, choice): &(Specification, Choice)| {
            let columns = specification.columns().iter().filter(|column| choice.wants(column));
            let failure = |column| failure((specification, column), year, as_of, error);
            columns.map(failure).collect::<Vec<_>>()
        };
        let failures: Vec<StoredEstimate> = self.specifications.iter().flat_map(failed).collect();
        let _ = home.add_estimates(&failures);
    }
}

fn failure(
    (specification, column): (&Specification, &Column),
    through: Year,
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
        panel: Kind::of(column).name().to_owned(),
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
            let error = YearClose::new(Some(&entries(&[bad])), 1).expect_err("no table");
            assert!(error.to_string().contains(&format!("\"{bad}\"")), "{error}");
        }
    }

    #[test]
    fn without_the_option_the_plant_panel_is_all_that_is_read() {
        let main = YearClose::new(None, 1).expect("the main tables");
        let columns = main.specifications.iter().flat_map(|(specification, choice)| {
            let of = specification.columns().iter().filter(|column| choice.wants(column));
            of.map(|column| format!("{}.{}", specification.name, column.name))
        });
        let columns: Vec<String> = columns.collect();
        assert!(columns.contains(&"3.5".to_owned()) && columns.contains(&"6.4".to_owned()));
        assert!(!columns.contains(&"4.2".to_owned()) && !columns.contains(&"6.2".to_owned()));
    }
}
