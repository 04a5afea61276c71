//! Regression tables as they stood: of each column the estimate that was newest as of a vintage.
//!
//! Nothing is computed. An estimate is kept with the newest file that it knew, so that what stood
//! then is among those kept; a column without one is told, with the vintage of its first.

use std::sync::Arc;

use serde::Deserialize;

use super::error::RegressionError;
use super::panels::Kind;
use super::run::{Ask, Fit, Outcome};
use crate::archive::{Archive, Publication, StoredEstimate};
use crate::estimate::result::Estimate;
use crate::publish::export::ExportError;
use crate::types::{Vintage, Year};

/// A model as it is kept, as far as it is shown.
#[derive(Deserialize)]
struct KeptModel {
    #[serde(flatten)]
    estimate: Estimate,
    seconds: f64,
}

/// The columns asked for as they stood at a vintage: of the estimates made until then those of the
/// last year, or of the one asked for, and the newest of these.
///
/// # Errors
/// - [`ExportError::NoVintage`] if there is no such vintage.
/// - [`RegressionError::Archive`] if the manifest cannot be read.
/// - [`RegressionError::OtherVersion`] if an estimate cannot be.
pub fn as_they_stood(
    archive: &Archive,
    asks: &[Ask<'_>],
    vintage: Vintage,
    through: Option<Year>,
) -> Result<Vec<Outcome>, RegressionError> {
    let newest = archive.last_vintage()?.unwrap_or_default();
    if vintage > newest {
        return Err(ExportError::NoVintage { vintage, newest }.into());
    }
    let mut kept = archive.estimates()?;
    // Without a stamp the home kept it from being tried.
    kept.retain(|one| !one.stamp.is_empty() && through.is_none_or(|year| one.through == year));
    let mut outcomes = Vec::new();
    for Ask { specification, wanted } in asks {
        for column in specification.columns().iter().filter(|column| wanted.wants(column)) {
            let is_it = |one: &&StoredEstimate| {
                (&one.specification, &one.column) == (&specification.name, &column.name)
            };
            let own: Vec<&StoredEstimate> = kept.iter().filter(is_it).collect();
            let then = own.iter().filter(|one| one.vintage <= vintage);
            let mut outcome = Outcome {
                specification: specification.name.clone(),
                column: column.name.clone(),
                label: column.label.clone(),
                panel: Kind::of(column),
                through: through.unwrap_or_default(),
                as_of: (Publication::default(), vintage),
                stamp: String::new(),
                result: Err(Arc::new(RegressionError::NotYet {
                    model: format!("{}.{}", specification.name, column.name),
                    vintage,
                    first: own.iter().map(|one| one.vintage).min(),
                })),
            };
            if let Some(one) = then.max_by_key(|one| (one.through, one.number)) {
                outcome.through = one.through;
                outcome.as_of = (one.publication, one.vintage);
                outcome.stamp.clone_from(&one.stamp);
                outcome.result = fit(one)?;
            }
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

/// What a kept estimate came to.
fn fit(kept: &StoredEstimate) -> Result<Result<Fit, Arc<RegressionError>>, RegressionError> {
    let text = match &kept.model {
        Ok(text) => text,
        Err(told) => return Ok(Err(Arc::new(RegressionError::Before { told: told.clone() }))),
    };
    let number = kept.number;
    let KeptModel { estimate, seconds } = serde_json::from_str(text)
        .map_err(|source| RegressionError::OtherVersion { number, source })?;
    Ok(Ok(Fit { estimate, seconds }))
}
