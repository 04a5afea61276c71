//! Estimation during intake: wraps the observer of an intake, estimates after each commit that
//! closes a year, and passes the results on.

use super::error::RegressionError;
use super::year_close::{Estimated, YearClose};
use crate::domain::types::Period;
use crate::engine::{FileOutcome, Observer};
use crate::home::{Home, Publication};

/// An observer of an intake that also receives the results of estimations.
pub trait EstimationObserver: Observer {
    /// A year has closed, and its estimation begins.
    fn estimating(&mut self) {}
    /// An estimation has ended.
    fn estimated(&mut self, estimated: &Estimated);
    /// An estimation has failed, or its state was not stored. The intake continues unless the
    /// disk has failed.
    fn failed(&mut self, failure: &EstimationFailure);
}

/// A failure of an estimation during an intake.
#[derive(Debug, thiserror::Error)]
pub enum EstimationFailure {
    /// The year is published without estimates.
    #[error("the year has closed, but its estimation failed")]
    Year(#[source] RegressionError),
    /// The estimates are stored; the next estimation takes longer.
    #[error("the next estimation begins from an earlier solution")]
    State(#[source] RegressionError),
}

impl EstimationFailure {
    /// True if the disk or the quota had no room.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        let (Self::Year(error) | Self::State(error)) = self;
        error.is_no_room()
    }

    /// True if the intake must stop. Estimates that fail for lack of room belong to the publication
    /// that closed their year: a later publication would estimate another state.
    fn stops_intake(&self) -> bool {
        match self {
            Self::Year(error) => error.is_of_disk(),
            Self::State(error) => error.is_fatal(),
        }
    }
}

/// An observer that estimates when a year closes.
#[derive(Debug)]
pub struct Reestimating<'a, O> {
    inner: O,
    year_close: &'a mut YearClose,
    failure: Option<EstimationFailure>,
}

impl<'a, O: EstimationObserver> Reestimating<'a, O> {
    /// Wraps `inner`, and estimates for it.
    pub fn new(inner: O, year_close: &'a mut YearClose) -> Self {
        Self { inner, year_close, failure: None }
    }

    /// The wrapped observer, and the failure of the disk that stopped the intake, if one did.
    #[must_use]
    pub fn finish(self) -> (O, Option<EstimationFailure>) {
        (self.inner, self.failure)
    }

    fn report(&mut self, estimated: Result<Option<Estimated>, RegressionError>) {
        match estimated {
            Ok(None) => {}
            Ok(Some(estimated)) => self.inner.estimated(&estimated),
            Err(error) => self.report_failure(EstimationFailure::Year(error)),
        }
    }

    fn report_failure(&mut self, failure: EstimationFailure) {
        if failure.stops_intake() {
            self.failure = Some(failure);
        } else {
            self.inner.failed(&failure);
        }
    }
}

impl<O: EstimationObserver> Observer for Reestimating<'_, O> {
    fn opened(&mut self, home: &mut Home) {
        self.inner.opened(home);
        let estimated = self.year_close.catch_up(home);
        self.report(estimated);
    }

    fn file(&mut self, outcome: &FileOutcome) {
        self.inner.file(outcome);
    }

    fn publishing(&mut self, publication: Publication) {
        self.inner.publishing(publication);
    }

    fn committed(&mut self, home: &mut Home, closed: &[Period]) {
        self.inner.committed(home, closed);
        if closed.iter().any(|month| month.month() == 12) {
            self.inner.estimating();
            let estimated = self.year_close.closed(home, closed);
            self.report(estimated);
        }
    }

    fn rested(&mut self, home: &mut Home) {
        self.inner.rested(home);
        if self.failure.is_none()
            && let Err(error) = self.year_close.store(home)
        {
            self.report_failure(EstimationFailure::State(error));
        }
    }

    fn stop_asked(&self) -> bool {
        self.failure.is_some() || self.inner.stop_asked()
    }
}
