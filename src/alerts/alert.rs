//! An alert, as it is stored, shown and sent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::types::{Period, Vintage};

/// The number of digits of an identifier.
const ID_DIGITS: usize = 16;

/// An alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The identifier: the same for the same rule, unit, month and vintage.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// Its condition.
    pub condition: String,
    /// The table of the figure; `None` for a rule without figures, as for the next four.
    pub table: Option<String>,
    /// The figure.
    pub figure: Option<String>,
    /// The level.
    pub level: Option<String>,
    /// The span.
    pub span: Option<String>,
    /// The baseline of an effect.
    pub baseline: Option<String>,
    /// The unit; a file, a month or a model for a rule without figures.
    pub key: String,
    /// The month, `YYYYMM`.
    pub month: Option<u32>,
    /// The vintage at which it was raised.
    pub vintage: u32,
    /// The publication of the vintage.
    pub publication: u32,
    /// −1 below and 1 above the threshold; 0 for a rule without figures.
    pub side: i8,
    /// The figure's value.
    pub value: Option<f64>,
    /// The lower end of its interval.
    pub conf_low: Option<f64>,
    /// The upper end.
    pub conf_high: Option<f64>,
    /// The threshold.
    pub threshold: Option<f64>,
    /// The value before a revision.
    pub before: Option<f64>,
    /// The deviation from earlier years.
    pub z: Option<f64>,
    /// Its p-value.
    pub p_value: Option<f64>,
    /// Its adjusted p-value.
    pub q_value: Option<f64>,
    /// The number of earlier years.
    pub years: Option<u64>,
    /// The number of continuing exporters, or of rows of an effect.
    pub n: Option<u64>,
    /// The number of firms.
    pub firms: Option<u64>,
    /// The causes, and `one_exporter`.
    pub tags: Vec<String>,
    /// The sentence in English.
    pub text: String,
    /// The sentence in Chinese.
    pub text_zh: String,
}

/// What a publication changes.
#[derive(Debug, Default)]
pub struct Outcome {
    /// New alerts.
    pub alerts: Vec<Alert>,
    /// The identifiers of alerts that end.
    pub cleared: Vec<String>,
    /// The reasons why rules were not evaluated.
    pub notes: BTreeSet<String>,
}

impl Alert {
    /// The identifier of an alert of a rule.
    #[must_use]
    pub fn id(rule: &str, key: &str, month: Option<Period>, vintage: Vintage) -> String {
        let month = month.map_or(0, Period::as_yyyymm);
        let mut hash = blake3::Hasher::new();
        for text in [rule, key] {
            hash.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        hash.update(&month.to_le_bytes()).update(&vintage.0.to_le_bytes());
        hash.finalize().to_hex()[..ID_DIGITS].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_depends_on_rule_unit_month_and_vintage_alone() {
        let month = Period::new(2011, 6);
        let id = Alert::id("rule", "304", month, Vintage(7));
        assert_eq!(id, Alert::id("rule", "304", month, Vintage(7)));
        assert_eq!(id.len(), 16);
        let others = [
            Alert::id("rule3", "04", month, Vintage(7)),
            Alert::id("rule", "304", Period::new(2011, 7), Vintage(7)),
            Alert::id("rule", "304", month, Vintage(8)),
            Alert::id("rule", "304", None, Vintage(7)),
        ];
        assert!(others.iter().all(|other| *other != id));
    }
}
