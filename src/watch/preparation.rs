//! Work between two looks: series of closed months that are not stored, and panels that the close
//! of the next month needs.
//!
//! ```text
//! a look without files ─▶ one step after another until the next look
//!                           newest month's series ─▶ panels ─▶ series of earlier months
//! ```
//! A step is one month of series or one year of a panel, so a new file waits for one step at most.
//! Each step is stored when it ends, so a killed watcher continues where it was. No figure depends
//! on this work: readers compute what is not stored.

use std::time::Instant;

use tracing::warn;

use super::heartbeat::Pulse;
use super::stop::Stop;
use crate::domain::span::Joint;
use crate::domain::types::Period;
use crate::engine::{Engine, with_causes};
use crate::home::{Home, Publication};
use crate::regressions::{ClosingEstimates, RegressionError};
use crate::spans::{SpanError, fill_series, series_to_fill};

/// A failed step.
#[derive(Debug, thiserror::Error)]
enum PreparationError {
    #[error("series of closed months cannot be stored; readers compute them")]
    Series(#[from] SpanError),
    #[error("panels for the next month cannot be prepared; its close computes them")]
    Panels(#[from] RegressionError),
}

/// The missing work of one publication.
#[derive(Debug)]
pub struct Preparation {
    joint: Joint,
    /// The publication of the lists; `None` before the first.
    publication: Option<Publication>,
    /// The months to fill, the newest last.
    months: Vec<Period>,
    /// The next kind of work.
    next: Work,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// The series of the newest month, which readers ask for first.
    Newest,
    /// Panels for the next month.
    Panels,
    /// The other series.
    Series,
    /// None: all is stored, or a step failed.
    Nothing,
}

impl Preparation {
    /// The work of a home under some joint months.
    pub fn new(joint: Joint) -> Self {
        Self { joint, publication: None, months: Vec::new(), next: Work::Nothing }
    }

    /// Does missing work until the next look, at least one step. A failure is reported, and the
    /// work continues with the next publication.
    pub fn work(
        &mut self,
        engine: &mut Engine,
        closings: &ClosingEstimates,
        pulse: &mut Pulse,
        (stop, until): (&Stop, Instant),
    ) {
        loop {
            let done = self.step(engine.home_mut(), closings);
            pulse.heartbeat.series_months_to_fill = self.months.len();
            match done {
                Ok(false) => return,
                Ok(true) => pulse.write(),
                Err(error) => {
                    warn!("{}", with_causes(&error));
                    self.next = Work::Nothing;
                    return;
                }
            }
            if stop.is_asked() || Instant::now() >= until {
                return;
            }
        }
    }

    /// Does one step; false if nothing is missing.
    fn step(
        &mut self,
        home: &mut Home,
        closings: &ClosingEstimates,
    ) -> Result<bool, PreparationError> {
        let Some((publication, _)) = home.last_publication().map_err(SpanError::from)? else {
            return Ok(false);
        };
        if self.publication != Some(publication) {
            self.publication = Some(publication);
            self.months = series_to_fill(home, self.joint)?;
            self.months.reverse();
            self.next = Work::Newest;
        }
        loop {
            match self.next {
                Work::Newest => {
                    self.next = Work::Panels;
                    if self.fill(home)? {
                        return Ok(true);
                    }
                }
                Work::Panels => {
                    if closings.prepare(home)? {
                        return Ok(true);
                    }
                    self.next = Work::Series;
                }
                Work::Series => {
                    if self.fill(home)? {
                        return Ok(true);
                    }
                    self.next = Work::Nothing;
                }
                Work::Nothing => return Ok(false),
            }
        }
    }

    /// Fills the newest missing month; false if none is missing.
    fn fill(&mut self, home: &mut Home) -> Result<bool, PreparationError> {
        let Some(month) = self.months.last() else { return Ok(false) };
        fill_series(home, self.joint, *month)?;
        self.months.pop();
        Ok(true)
    }
}
