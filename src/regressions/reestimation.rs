//! Estimation during intake: wraps the observer of an intake, estimates after each commit that
//! closes a year or a month, and passes the results on.

use super::closing::{ClosingEstimates, Estimated};
use super::error::RegressionError;
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::Period;
use crate::engine::{FileOutcome, Observer};
use crate::home::{Home, Publication};

/// An observer of an intake that also receives the results of estimations.
pub trait EstimationObserver: Observer {
    /// A year or a month has closed, and its estimation begins.
    fn estimating(&mut self) {}
    /// The year or the month has no indicators, or no column is estimated at it.
    fn not_estimated(&mut self) {}
    /// An estimation has ended.
    fn estimated(&mut self, estimated: &Estimated);
    /// An estimation has failed, or its state was not stored. The intake continues unless the
    /// disk has failed.
    fn failed(&mut self, failure: &EstimationFailure);
}

/// A failure of an estimation during an intake.
#[derive(Debug, thiserror::Error)]
pub enum EstimationFailure {
    /// The year or the month is published without estimates.
    #[error("{end} has closed, but its estimation failed")]
    Closing {
        /// The year or the month.
        end: SampleEnd,
        /// The cause.
        source: RegressionError,
    },
    /// The estimates of closed years and months could not be listed.
    #[error("the closed years and months without estimates could not be found")]
    Missing(#[source] RegressionError),
    /// The estimates are stored; the next estimation takes longer.
    #[error("the next estimation begins from an earlier solution")]
    State(#[source] RegressionError),
}

impl EstimationFailure {
    /// True if the disk or the quota had no room.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        self.cause().is_no_room()
    }

    /// True if the intake must stop. Estimates that fail for lack of room belong to the publication
    /// that closed their year: a later publication would estimate another state.
    fn stops_intake(&self) -> bool {
        match self {
            Self::Closing { source: error, .. } | Self::Missing(error) => error.is_of_disk(),
            Self::State(error) => error.is_fatal(),
        }
    }

    fn cause(&self) -> &RegressionError {
        let (Self::Closing { source: error, .. } | Self::Missing(error) | Self::State(error)) =
            self;
        error
    }
}

/// An observer that estimates at closings.
#[derive(Debug)]
pub struct Reestimating<'a, O> {
    inner: O,
    closings: &'a mut ClosingEstimates,
    failure: Option<EstimationFailure>,
}

impl<'a, O: EstimationObserver> Reestimating<'a, O> {
    /// Wraps `inner`, and estimates for it.
    pub fn new(inner: O, closings: &'a mut ClosingEstimates) -> Self {
        Self { inner, closings, failure: None }
    }

    /// The wrapped observer, and the failure of the disk that stopped the intake, if one did.
    #[must_use]
    pub fn finish(self) -> (O, Option<EstimationFailure>) {
        (self.inner, self.failure)
    }

    /// Estimates at some ends, until the disk fails.
    fn estimate(&mut self, home: &mut Home, ends: Vec<SampleEnd>) {
        for end in ends {
            if self.failure.is_some() {
                return;
            }
            self.inner.estimating();
            match self.closings.at(home, end) {
                Ok(None) => self.inner.not_estimated(),
                Ok(Some(estimated)) => self.inner.estimated(&estimated),
                Err(source) => self.report_failure(EstimationFailure::Closing { end, source }),
            }
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
        match self.closings.missing(home) {
            Ok(ends) => self.estimate(home, ends),
            Err(error) => self.report_failure(EstimationFailure::Missing(error)),
        }
    }

    fn file(&mut self, outcome: &FileOutcome) {
        self.inner.file(outcome);
    }

    fn publishing(&mut self, publication: Publication) {
        self.inner.publishing(publication);
    }

    fn committed(&mut self, home: &mut Home, closed: &[Period]) {
        self.inner.committed(home, closed);
        self.estimate(home, self.closings.ends(closed));
    }

    fn rested(&mut self, home: &mut Home) {
        self.inner.rested(home);
        if self.failure.is_none()
            && let Err(error) = self.closings.store(home)
        {
            self.report_failure(EstimationFailure::State(error));
        }
    }

    fn stop_asked(&self) -> bool {
        self.failure.is_some() || self.inner.stop_asked()
    }
}
