//! Estimates in the home: versioned typed data, written and read in one place.
//!
//! ```text
//! Outcome ──▶ StoredEstimate {labels, model, state} ──▶ manifest ──▶ KeptEstimate
//! ```
//! The result of a model is the [`Estimate`] with its duration, as JSON of version 1; it has the
//! covariance matrix and all digits. Version 2 also has the influence of groups. Version 0 is the
//! JSON of layout 2, which `estimate` printed, without a covariance matrix. Any other version is an
//! error.

use serde::{Deserialize, Serialize};

use super::content::{Content, Identity};
use super::error::RegressionError;
use super::group::Fit;
use super::run::Outcome;
use crate::estimate::result::Estimate;
use crate::home::{StoredEstimate, StoredModel, StoredState};

/// The version of a model's fields.
const SCHEMA: u32 = 1;
/// The version of the fields of a model with the influence of groups.
const WITH_INFLUENCE: u32 = 2;
/// The version of the fields of layout 2.
const LAYOUT_2: u32 = 0;

/// The stored fields of a model.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    estimate: Estimate,
    seconds: f64,
}

/// The stored form of an outcome.
///
/// # Panics
/// Never: an estimate is plain data.
pub(super) fn stored(outcome: &Outcome) -> StoredEstimate {
    let (publication, vintage) = outcome.as_of;
    let state = match &outcome.result {
        Ok(Fit { estimate, seconds }) => {
            let fields = Fields { estimate: estimate.clone(), seconds: *seconds };
            let fields = serde_json::to_string(&fields).expect("an estimate is plain data");
            let schema = if estimate.influence.is_some() { WITH_INFLUENCE } else { SCHEMA };
            StoredState::Estimated { schema, fields }
        }
        Err(error) if error.is_no_data() => StoredState::NoData(error.to_string()),
        Err(error) => StoredState::Failed(error.to_string()),
    };
    StoredEstimate {
        number: 0,
        model: Some(model(&outcome.identity)),
        specification: outcome.specification.clone(),
        column: outcome.column.clone(),
        through: outcome.through,
        publication,
        vintage,
        panel: outcome.panel.name().to_owned(),
        stamp: outcome.stamp.clone(),
        state,
    }
}

/// The stored form of an identity.
pub(super) fn model(of: &Identity) -> StoredModel {
    StoredModel { identity: of.hash().to_owned(), content: of.text().to_owned() }
}

/// The result of a stored estimate; `None` if nothing was estimated.
///
/// # Errors
/// [`RegressionError::OtherVersion`], [`RegressionError::Unreadable`] if it cannot be read.
pub(super) fn fit(kept: &StoredEstimate) -> Result<Option<Fit>, RegressionError> {
    let StoredState::Estimated { schema, fields } = &kept.state else { return Ok(None) };
    let number = kept.number;
    let unreadable = |source| RegressionError::Unreadable { number, source };
    match *schema {
        SCHEMA | WITH_INFLUENCE => {
            let Fields { estimate, seconds } = serde_json::from_str(fields).map_err(unreadable)?;
            Ok(Some(Fit { estimate, seconds }))
        }
        LAYOUT_2 => of_layout_2(fields).map(Some).map_err(unreadable),
        found => Err(RegressionError::OtherVersion { number, found, newest: WITH_INFLUENCE }),
    }
}

/// The result of a model of layout 2: the estimate among the other fields of a document.
fn of_layout_2(document: &str) -> Result<Fit, serde_json::Error> {
    #[derive(Deserialize)]
    struct Beside {
        seconds: f64,
    }
    let Beside { seconds } = serde_json::from_str(document)?;
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(document)?;
    fields.retain(|name, _| !["name", "seconds", "vintage"].contains(&name.as_str()));
    let estimate = serde_json::from_value(fields.into())?;
    Ok(Fit { estimate, seconds })
}

/// The content of a stored model; `None` if it was not recorded.
///
/// # Errors
/// [`RegressionError::Unreadable`] if another version wrote it.
pub fn content(kept: &StoredEstimate) -> Result<Option<Content>, RegressionError> {
    let number = kept.number;
    let unreadable = |source| RegressionError::Unreadable { number, source };
    kept.model.as_ref().map(|model| Content::read(&model.content).map_err(unreadable)).transpose()
}
