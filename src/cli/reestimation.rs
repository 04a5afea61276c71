//! Prints the results of estimations during an intake on the standard error.

use spillover::engine::with_causes;
use spillover::regressions::{
    Estimated, EstimationFailure, EstimationObserver, Outcome, RegressionError,
};

use super::estimate;
use super::progress::Files;

impl EstimationObserver for Files {
    fn estimated(&mut self, estimated: &Estimated) {
        for line in lines(estimated) {
            eprintln!("{line}");
        }
    }

    fn failed(&mut self, failure: &EstimationFailure) {
        eprintln!("{}", with_causes(failure));
    }
}

/// The result of an estimation, in one or more lines.
fn lines(estimated: &Estimated) -> Vec<String> {
    let Estimated { end, outcomes, changed, unread, seconds } = estimated;
    let mut lines: Vec<String> = unread.iter().map(estimate::unread).collect();
    if !changed.is_empty() {
        lines.push(estimate::changed(changed));
    }
    let fits = outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
    let headline = outcomes.iter().find_map(headline).map_or(String::new(), |h| format!("; {h}"));
    lines.push(format!("{end} has closed: {fits} models estimated in {seconds:.2} s{headline}"));
    // `estimate` lists the columns without data; a closing does not repeat them.
    let is_news = |one: &&Outcome| {
        let absent = |error: &RegressionError| matches!(error, RegressionError::Absent { .. });
        one.result.as_ref().is_err_and(|error| !absent(error))
    };
    let failed: Vec<&Outcome> = outcomes.iter().filter(is_news).collect();
    if let Some((first, Err(error))) = failed.first().map(|first| (first.name(), &first.result)) {
        let n = failed.len();
        lines.push(format!(
            "{end}: {n} not estimated, such as {first} ({error}); `export estimates` lists all"
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
