//! A coefficient by end of its sample: the newest estimate of one model for each year and month.

use std::collections::BTreeMap;

use super::content::Identity;
use super::error::RegressionError;
use super::group::Fit;
use super::keep::kept;
use super::panels::Panels;
use super::run::{Origin, Outcome};
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::Vintage;
use crate::specification::{Column, Specification};

/// A coefficient by end of its sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The specification and its column, `3.4`.
    pub model: String,
    /// The model's identity.
    pub identity: String,
    /// The regressor.
    pub term: String,
    /// The ends of samples in order, each with its newest estimate.
    pub points: Vec<Point>,
}

/// A coefficient as estimated when a year or a month had closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The end of the sample.
    pub through: SampleEnd,
    /// The newest file at that time.
    pub vintage: Vintage,
    /// The coefficient.
    pub estimate: f64,
    /// The standard error.
    pub std_error: Option<f64>,
    /// The lower end of its 95 % interval.
    pub conf_low: Option<f64>,
    /// The upper end.
    pub conf_high: Option<f64>,
    /// The number of rows used.
    pub n_obs: usize,
    /// The number of iterations of the absorption.
    pub iterations: usize,
    /// The duration in seconds.
    pub seconds: f64,
    /// True if an earlier solution started the iteration, or its pieces were reused.
    pub warm_start: bool,
    /// True if the sources of the estimate have changed since.
    pub stale: bool,
    /// The origin of the estimate.
    pub origin: Origin,
}

/// The path of a coefficient of one model, under any file or name: from the stored estimates of the
/// home, up to a vintage or all, and the new outcomes.
///
/// # Errors
/// [`RegressionError`] if the manifest cannot be read, or another version stored an estimate.
pub fn path(
    panels: &Panels<'_>,
    (specification, column): (&Specification, &Column),
    (term, until): (&str, Option<Vintage>),
    now: &[Outcome],
) -> Result<Path, RegressionError> {
    let identity = Identity::of(column);
    let mut points: BTreeMap<SampleEnd, Point> = BTreeMap::new();
    for kept in kept(panels)? {
        let is_it = kept.stored.model.as_ref().is_some_and(|of| of.identity == identity.hash());
        let (through, vintage) = (kept.stored.through, kept.stored.vintage);
        if until.is_some_and(|until| vintage > until) {
            continue;
        }
        if let Some(fit) = kept.fit.filter(|_| is_it) {
            let beside = (through, vintage, kept.stale, Origin::Kept);
            points.extend(point(&fit, term, beside).map(|point| (through, point)));
        }
    }
    for one in now.iter().filter(|one| one.identity == identity) {
        if let Ok(fit) = &one.result {
            let beside = (one.through, one.as_of.1, false, Origin::Now);
            points.extend(point(fit, term, beside).map(|point| (one.through, point)));
        }
    }
    Ok(Path {
        model: format!("{}.{}", specification.name, column.name),
        identity: identity.hash().to_owned(),
        term: term.to_owned(),
        points: points.into_values().collect(),
    })
}

fn point(
    fit: &Fit,
    term: &str,
    (through, vintage, stale, origin): (SampleEnd, Vintage, bool, Origin),
) -> Option<Point> {
    let found = fit.estimate.terms.iter().find(|one| one.term == term)?;
    Some(Point {
        through,
        vintage,
        estimate: found.estimate,
        std_error: found.std_error,
        conf_low: found.conf_low,
        conf_high: found.conf_high,
        n_obs: fit.estimate.n_obs,
        iterations: fit.estimate.iterations,
        seconds: fit.seconds,
        warm_start: fit.estimate.warm_start,
        stale,
        origin,
    })
}
