//! Estimates that are kept: written after each estimation, listed, and followed from year to year.

use serde_json::Value;

use super::error::RegressionError;
use super::panels::{Kind, Panels};
use super::run::Outcome;
use crate::archive::parts::Table;
use crate::archive::{Archive, StoredEstimate};
use crate::publish::regression::model_json;
use crate::types::{Vintage, Year};

/// An estimate of the home's.
#[derive(Clone, Debug)]
pub struct KeptEstimate {
    /// As it was kept.
    pub stored: StoredEstimate,
    /// The model as JSON; none where the estimation failed.
    pub model: Option<Value>,
    /// Whether what it was estimated on has changed since.
    pub stale: bool,
}

/// A coefficient by year of estimation.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The specification and its column, `3.4`.
    pub model: String,
    /// The regressor.
    pub term: String,
    /// The years in order, each with its newest estimate.
    pub points: Vec<Point>,
}

/// A coefficient as estimated when a year had closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The last year of the sample.
    pub through: Year,
    /// The newest file then.
    pub vintage: Vintage,
    /// The coefficient.
    pub estimate: f64,
    /// Its standard error.
    pub std_error: Option<f64>,
    /// The lower end of its 95 % interval.
    pub conf_low: Option<f64>,
    /// The upper end.
    pub conf_high: Option<f64>,
    /// Rows used.
    pub n_obs: u64,
    /// Iterations of the absorption.
    pub iterations: u64,
    /// Seconds.
    pub seconds: f64,
    /// Whether an earlier solution started the iteration, or its pieces were not read again.
    pub warm_start: bool,
    /// Whether what it was estimated on has changed since.
    pub stale: bool,
}

/// Keeps outcomes, if the home can be written.
///
/// # Errors
/// [`RegressionError::Archive`] if the manifest does not take them.
pub fn keep(archive: &mut Archive, outcomes: &[Outcome]) -> Result<(), RegressionError> {
    if !archive.is_writable() || outcomes.is_empty() {
        return Ok(());
    }
    let stored: Vec<StoredEstimate> = outcomes.iter().map(stored).collect();
    Ok(archive.add_estimates(&stored)?)
}

fn stored(outcome: &Outcome) -> StoredEstimate {
    let (publication, vintage) = outcome.as_of;
    let model = match &outcome.result {
        Ok(fit) => {
            let name = outcome.name();
            Ok(model_json(&name, &fit.estimate, fit.seconds, Some(vintage)).to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    StoredEstimate {
        number: 0,
        specification: outcome.specification.clone(),
        column: outcome.column.clone(),
        through: outcome.through,
        publication,
        vintage,
        panel: outcome.panel.name().to_owned(),
        stamp: outcome.stamp.clone(),
        model,
    }
}

/// Every estimate of a home in the order in which they were made.
///
/// # Errors
/// [`RegressionError`] if the manifest cannot be read.
pub fn kept(panels: &Panels<'_>) -> Result<Vec<KeptEstimate>, RegressionError> {
    let closed = panels.years(None).unwrap_or_default();
    let mut known: Vec<(Kind, Year, String)> = Vec::new();
    let mut all = Vec::new();
    for stored in panels.archive.estimates()? {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == stored.panel);
        let now = match kind {
            None => None,
            Some(kind) => {
                let is_known =
                    |(k, t, _): &&(Kind, Year, String)| (*k, *t) == (kind, stored.through);
                if !known.iter().any(|one| is_known(&one)) {
                    let years: Vec<Year> =
                        closed.iter().copied().filter(|t| *t <= stored.through).collect();
                    known.push((kind, stored.through, panels.stamps(kind, &years)?));
                }
                known.iter().find(is_known).map(|(.., stamp)| stamp)
            }
        };
        let stale = now.is_none_or(|now| *now != stored.stamp);
        let model = stored.model.as_ref().ok().and_then(|text| serde_json::from_str(text).ok());
        all.push(KeptEstimate { stored, model, stale });
    }
    Ok(all)
}

/// The path of a coefficient: of each year of estimation the newest estimate.
///
/// # Errors
/// [`RegressionError`] if the manifest cannot be read.
pub fn path(
    panels: &Panels<'_>,
    specification: &str,
    column: &str,
    term: &str,
) -> Result<Path, RegressionError> {
    let mut path = Path {
        model: format!("{specification}.{column}"),
        term: term.to_owned(),
        points: Vec::new(),
    };
    for kept in kept(panels)? {
        let of = (kept.stored.specification.as_str(), kept.stored.column.as_str());
        if let Some(point) = point(&kept, term).filter(|_| of == (specification, column)) {
            path.points.retain(|other| other.through != point.through);
            path.points.push(point);
        }
    }
    path.points.sort_by_key(|point| point.through);
    Ok(path)
}

fn point(kept: &KeptEstimate, term: &str) -> Option<Point> {
    let model = kept.model.as_ref()?;
    let found = model["terms"].as_array()?.iter().find(|one| one["term"] == term)?;
    Some(Point {
        through: kept.stored.through,
        vintage: kept.stored.vintage,
        estimate: found["estimate"].as_f64()?,
        std_error: found["std_error"].as_f64(),
        conf_low: found["conf_low"].as_f64(),
        conf_high: found["conf_high"].as_f64(),
        n_obs: model["n_obs"].as_u64()?,
        iterations: model["iterations"].as_u64().unwrap_or_default(),
        seconds: model["seconds"].as_f64().unwrap_or_default(),
        warm_start: model["warm_start"].as_bool().unwrap_or_default(),
        stale: kept.stale,
    })
}

/// The closed years among those estimated whose rows late records have changed since the last
/// estimation.
///
/// # Errors
/// [`RegressionError::Archive`] if the manifest cannot be read.
pub fn stale_years(archive: &Archive) -> Result<Vec<Year>, RegressionError> {
    let estimates = archive.estimates()?;
    let done = || estimates.iter().filter(|one| one.model.is_ok());
    let Some(last) = done().map(|one| one.publication).max() else { return Ok(Vec::new()) };
    let through = done().map(|one| one.through).max().unwrap_or_default();
    let parts = archive.parts(Table::Plant, None)?;
    let changed = parts.iter().filter(|part| part.publication > last && part.year <= through);
    let mut years: Vec<Year> = changed.map(|part| part.year).collect();
    years.dedup();
    Ok(years)
}
