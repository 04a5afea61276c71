//! Estimates as tables for any format: `estimates`, and `covariance`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, Float64Array, RecordBatch, StringArray, UInt8Array, UInt16Array,
    UInt32Array,
};
use arrow_schema::{Field, Schema, SchemaRef};

use super::tidy::{Entry, ModelEntry};
use crate::domain::sample_end::SampleEnd;
use crate::home::{StoredEstimate, StoredState};
use crate::regressions::content::{Content, short};
use crate::regressions::{KeptEstimate, Outcome};
use crate::tables::sheet::Sheet;

/// The identity shown for an estimate from before layout 3.
const BEFORE: &str = "before";

/// The entry of an outcome, which may not be stored.
#[must_use]
pub fn of_outcome(of: &Outcome) -> Entry {
    let state = match &of.result {
        Ok(_) => "estimated",
        Err(error) if error.is_no_data() => "no-data",
        Err(_) => "failed",
    };
    let identity = of.identity.hash();
    Entry {
        number: None,
        specification: of.specification.clone(),
        column: of.column.clone(),
        through: Some(of.through),
        publication: Some(of.as_of.0.0.into()),
        vintage: Some(of.as_of.1.0.into()),
        stale: None,
        fit: of.result.as_ref().ok().map(|fit| (fit.estimate.clone(), fit.seconds)),
        error: of.result.as_ref().err().map(ToString::to_string),
        model: model(Some((identity, of.identity.content())), of.panel.name(), state),
    }
}

/// The entry of a stored estimate.
#[must_use]
pub fn of_kept(of: &KeptEstimate) -> Entry {
    let StoredEstimate { specification, column, through, publication, vintage, .. } = &of.stored;
    let (state, error) = match &of.stored.state {
        StoredState::Estimated { .. } => ("estimated", None),
        StoredState::NoData(why) => ("no-data", Some(why)),
        StoredState::Failed(why) => ("failed", Some(why)),
    };
    let identity = of.stored.model.as_ref().map(|model| model.identity.as_str());
    Entry {
        number: Some(of.stored.number),
        specification: specification.clone(),
        column: column.clone(),
        through: Some(*through),
        publication: Some(publication.0.into()),
        vintage: Some(vintage.0.into()),
        stale: Some(of.stale),
        fit: of.fit.as_ref().map(|fit| (fit.estimate.clone(), fit.seconds)),
        error: error.cloned(),
        model: model(identity.zip(of.content.as_ref()), &of.stored.panel, state),
    }
}

fn model(of: Option<(&str, &Content)>, panel: &str, state: &str) -> ModelEntry {
    ModelEntry {
        formula: of.map(|(_, content)| content.formula().to_string()),
        identity: Some(of.map_or(BEFORE, |(identity, _)| short(identity)).to_owned()),
        panel: Some(panel.to_owned()),
        sample: of.map(|(_, content)| content.sample()),
        conventions: of.map(|(_, content)| content.conventions()),
        state: Some(state.to_owned()),
    }
}

/// The covariance matrices, with a row for each pair of coefficients. They include the newest
/// estimate of each model, end and vintage, if its matrix was stored.
///
/// # Panics
/// Never: the columns fit the schema.
#[must_use]
pub fn covariances(all: &[KeptEstimate]) -> (Sheet, RecordBatch) {
    let mut newest: BTreeMap<(String, SampleEnd, u32, &str), &KeptEstimate> = BTreeMap::new();
    for one in all {
        let StoredEstimate { specification, column, through, vintage, model, .. } = &one.stored;
        let identity = model.as_ref().map_or(BEFORE, |model| short(&model.identity));
        let key = (format!("{specification}.{column}"), *through, vintage.0, identity);
        if one.fit.is_some() {
            newest.insert(key, one);
        }
    }
    let mut cells = Vec::new();
    for (key, one) in &newest {
        let Some(estimate) = one.fit.as_ref().map(|fit| &fit.estimate) else { continue };
        for (place, term) in estimate.terms.iter().enumerate() {
            for (other_place, other) in estimate.terms.iter().enumerate() {
                if let Some(cell) = estimate.covariance_of(place, other_place) {
                    let cell = Some(cell).filter(|cell| cell.is_finite());
                    cells.push((key, term.term.as_str(), other.term.as_str(), cell));
                }
            }
        }
    }
    cells.sort_by(|a, b| {
        let ((model, through, vintage, identity), term, other, _) = a;
        let ((model_b, through_b, vintage_b, identity_b), term_b, other_b, _) = b;
        (model, through, vintage, term, other, identity)
            .cmp(&(model_b, through_b, vintage_b, term_b, other_b, identity_b))
    });
    let texts = |text: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new((0..cells.len()).map(|at| Some(text(at))).collect::<StringArray>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("model", texts(&|at| cells[at].0.0.clone())),
        (
            "through",
            Arc::new(cells.iter().map(|cell| Some(cell.0.1.year().0)).collect::<UInt16Array>()),
        ),
        (
            "estimated_vintage",
            Arc::new(cells.iter().map(|cell| Some(cell.0.2)).collect::<UInt32Array>()),
        ),
        ("term", texts(&|at| cells[at].1.to_owned())),
        ("other", texts(&|at| cells[at].2.to_owned())),
        ("covariance", Arc::new(cells.iter().map(|cell| cell.3).collect::<Float64Array>())),
        ("identity", texts(&|at| cells[at].0.3.to_owned())),
        (
            "month",
            Arc::new(cells.iter().map(|cell| Some(cell.0.1.month())).collect::<UInt8Array>()),
        ),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("made to fit");
    let keys = &["model", "through", "month", "estimated_vintage", "term", "other", "identity"];
    (Sheet { name: "covariance", keys, schema }, batch)
}
