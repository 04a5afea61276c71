//! Estimates again when a year closes, and reports on the standard error; wraps another observer.

use spillover::domain::types::Period;
use spillover::engine::{FileOutcome, Observer, with_causes};
use spillover::home::{Archive, Publication};
use spillover::regressions::{Estimated, Outcome, RegressionError, YearClose};

use super::estimate;

/// Estimates after each commit that closes a year; intake continues after any result.
pub struct Reestimating<O> {
    /// The other observer.
    pub inner: O,
    /// The estimation.
    pub year_close: YearClose,
}

impl<O: Observer> Observer for Reestimating<O> {
    fn opened(&mut self, archive: &mut Archive) {
        self.inner.opened(archive);
        tell(self.year_close.catch_up(archive));
    }

    fn file(&mut self, outcome: &FileOutcome) {
        self.inner.file(outcome);
    }

    fn publishing(&mut self, publication: Publication) {
        self.inner.publishing(publication);
    }

    fn committed(&mut self, archive: &mut Archive, closed: &[Period]) {
        self.inner.committed(archive, closed);
        tell(self.year_close.closed(archive, closed));
    }

    fn rested(&mut self, archive: &mut Archive) {
        self.inner.rested(archive);
        if let Err(error) = self.year_close.store(archive) {
            failed("the next estimation begins from an earlier solution", &error);
        }
    }

    fn stop_asked(&self) -> bool {
        self.inner.stop_asked()
    }
}

/// Reports the result of an estimation; intake continues after any result.
fn tell(estimated: Result<Option<Estimated>, RegressionError>) {
    match estimated {
        Ok(None) => {}
        Ok(Some(estimated)) => told(&estimated).iter().for_each(|line| eprintln!("{line}")),
        Err(error) => failed("the year has closed, but its estimation failed", &error),
    }
}

/// Reports a failure. Committed data stay; on a disk that does not confirm, nothing more may be
/// written.
fn failed(what: &str, error: &RegressionError) {
    if error.is_fatal() {
        eprintln!("spillover: {}", with_causes(error));
        std::process::exit(1);
    }
    eprintln!("{what}: {}", with_causes(error));
}

/// The result of an estimation, in one or more lines.
fn told(estimated: &Estimated) -> Vec<String> {
    let Estimated { year, outcomes, changed, unread, seconds } = estimated;
    let mut lines: Vec<String> = unread.iter().map(estimate::unread).collect();
    if !changed.is_empty() {
        lines.push(estimate::changed(changed));
    }
    let fits = outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
    let headline = outcomes.iter().find_map(headline).map_or(String::new(), |h| format!("; {h}"));
    lines.push(format!("{year} has closed: {fits} models estimated in {seconds:.2} s{headline}"));
    // What the home has no data for is told by `estimate`, and not again with every year.
    let is_news = |one: &&Outcome| {
        let absent = |error: &RegressionError| matches!(error, RegressionError::Absent { .. });
        one.result.as_ref().is_err_and(|error| !absent(error))
    };
    let failed: Vec<&Outcome> = outcomes.iter().filter(is_news).collect();
    if let Some((first, Err(error))) = failed.first().map(|first| (first.name(), &first.result)) {
        let n = failed.len();
        lines.push(format!(
            "{year}: {n} not estimated, such as {first} ({error}); `export estimates` lists all"
        ));
    }
    lines
}

/// The first coefficient of a model, with its standard error.
fn headline(outcome: &Outcome) -> Option<String> {
    let fit = outcome.result.as_ref().ok()?;
    let term = fit.estimate.terms.first()?;
    let error = term.std_error.map_or(String::new(), |error| format!(" ({error:.4})"));
    Some(format!("({}) {} {:.4}{error}", outcome.name(), term.term, term.estimate))
}
