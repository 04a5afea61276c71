//! The result of an estimation: all data that commands print.
//!
//! A result is equal to the last bit after it is written as text and read again. Numbers have as
//! many digits as they need; numbers without a JSON form are texts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::least_squares::Collinear;

/// One estimated model; numbers that do not exist are `None`, never NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Estimate {
    /// The formula, as parsed.
    pub formula: String,
    /// Coefficients with their inference.
    pub terms: Vec<TermEstimate>,
    /// The regressors without a coefficient, with the reason.
    pub dropped: Vec<DroppedTerm>,
    /// The number of rows used.
    pub n_obs: usize,
    /// The number of rows left out for a missing value.
    pub n_missing: usize,
    /// The number of rows left out as singletons.
    pub n_singletons: usize,
    /// The number of clusters; for two ways the smaller number.
    pub n_clusters: Option<usize>,
    /// The number of clusters of each way, by name.
    pub clusters: Vec<Levels>,
    /// The number of parameters in the small-sample factor.
    pub k: usize,
    /// `n_obs − k`
    pub df_residual: usize,
    /// The degrees of freedom of the t statistics.
    pub df_t: usize,
    /// The explained share of the outcome's variance.
    pub r2: Option<f64>,
    /// The explained share of the outcome's variance within the fixed effects.
    pub r2_within: Option<f64>,
    /// The weighted sum of squared residuals.
    #[serde(with = "exact")]
    pub rss: f64,
    /// The fixed effects and their levels.
    pub fixed_effects: Vec<Levels>,
    /// The kind of variance: `iid`, `hc1` or the clusters.
    pub vcov: String,
    /// The covariance matrix, by rows in the order of `terms`; `None` if it was not stored.
    #[serde(default, with = "exact_matrix")]
    pub covariance: Option<Vec<f64>>,
    /// The number of iterations of the absorption.
    pub iterations: usize,
    /// The largest relative residual of the absorption.
    #[serde(with = "exact")]
    pub relative_residual: f64,
    /// True if an earlier solution started the iteration, or stored pieces were used.
    pub warm_start: bool,
    /// Notes for readers of the figures: the reasons for missing standard errors, and repairs.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The influence of groups of rows, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub influence: Option<Influence>,
}

/// The influence of groups of rows, such as cities, on a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Influence {
    /// The columns whose values are the groups.
    pub groups: String,
    /// The model without each group.
    pub cases: Vec<LeftOut>,
    /// The coefficients of the whole sample, with inference by CV3.
    pub terms: Vec<TermEstimate>,
    /// CV3, by rows in the order of `terms`; `None` if a group cannot be left out.
    #[serde(with = "exact_matrix")]
    pub covariance: Option<Vec<f64>>,
    /// The degrees of freedom of the t statistics.
    pub df_t: usize,
    /// The wild cluster bootstrap, if requested.
    pub wild: Option<WildBootstrap>,
}

/// A model without one group of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The values of the group's columns; empty until [`Estimate::name_groups`].
    pub key: String,
    /// A row of the panel in the group.
    #[serde(skip)]
    pub row: usize,
    /// The number of the group's rows.
    pub n_obs: usize,
    /// The coefficients without the group, in the order of the terms; `None` if the group cannot be
    /// left out.
    #[serde(with = "exact_matrix")]
    pub estimates: Option<Vec<f64>>,
    /// The regressors that are collinear without the group.
    pub collinear: Vec<DroppedTerm>,
}

/// The wild cluster bootstrap by groups. Each test imposes that its coefficient is zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WildBootstrap {
    /// The number of draws.
    pub n_draws: usize,
    /// True if each combination of signs is one draw.
    pub are_all: bool,
    /// The seed of the draws.
    pub seed: u64,
    /// The tests, in the order of the terms.
    pub terms: Vec<WildTerm>,
}

/// A test by the wild cluster bootstrap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WildTerm {
    /// The regressor.
    pub term: String,
    /// The ratio of coefficient and standard error, clustered by group; `None` for the constant.
    pub statistic: Option<f64>,
    /// The share of draws with a larger ratio.
    pub p_value: Option<f64>,
}

impl Influence {
    /// Multiplies the coefficients by factors, one for each term; tests do not change.
    pub fn rescale(&mut self, factors: &[f64]) {
        for case in &mut self.cases {
            let each = case.estimates.iter_mut().flatten().zip(factors);
            each.for_each(|(estimate, factor)| *estimate *= factor);
        }
        self.terms.iter_mut().zip(factors).for_each(|(term, factor)| term.rescale(*factor));
        let k = factors.len();
        for (at, cell) in self.covariance.iter_mut().flatten().enumerate() {
            *cell *= factors[at / k] * factors[at % k];
        }
    }
}

/// A coefficient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermEstimate {
    /// The regressor.
    pub term: String,
    /// The coefficient.
    #[serde(with = "exact")]
    pub estimate: f64,
    /// The standard error.
    pub std_error: Option<f64>,
    /// The reason for a missing standard error.
    #[serde(default)]
    pub std_error_reason: Option<NoStdError>,
    /// The ratio of coefficient and standard error.
    pub statistic: Option<f64>,
    /// The two-sided p-value, by Student's t.
    pub p_value: Option<f64>,
    /// The lower end of the 95 % interval.
    pub conf_low: Option<f64>,
    /// The upper end of the 95 % interval.
    pub conf_high: Option<f64>,
}

impl TermEstimate {
    /// A coefficient without a standard error.
    #[must_use]
    pub fn bare(term: String, estimate: f64, reason: NoStdError) -> Self {
        Self {
            term,
            estimate,
            std_error: None,
            std_error_reason: Some(reason),
            statistic: None,
            p_value: None,
            conf_low: None,
            conf_high: None,
        }
    }

    /// Multiplies the coefficient and its errors by a factor; the test does not change.
    pub fn rescale(&mut self, factor: f64) {
        self.estimate *= factor;
        for figure in [&mut self.std_error, &mut self.conf_low, &mut self.conf_high] {
            *figure = figure.map(|figure| figure * factor).filter(|figure| figure.is_finite());
        }
    }
}

/// The reason why a coefficient has no standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoStdError {
    /// The outcome does not vary.
    OutcomeConstant,
    /// The model fits every observation.
    ResidualsZero,
    /// There are at least as many parameters as observations.
    NoDegreesOfFreedom,
    /// Errors are clustered, and there is only one cluster.
    OneCluster,
    /// Two-way clustering gave a negative variance.
    VarianceNegative,
    /// The variance is only rounding.
    VarianceZero,
    /// A regressor is collinear without one of the groups that are left out.
    GroupNeeded,
}

impl fmt::Display for NoStdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutcomeConstant => "the outcome is constant up to rounding",
            Self::ResidualsZero => "the model fits every observation up to rounding",
            Self::NoDegreesOfFreedom => "no degrees of freedom are left",
            Self::OneCluster => "there is one cluster",
            Self::VarianceNegative => "the two-way clustered variance is negative",
            Self::VarianceZero => "the scores add up to zero, up to rounding",
            Self::GroupNeeded => "a group cannot be left out: a regressor is collinear without it",
        })
    }
}

/// A regressor without a coefficient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedTerm {
    /// The regressor.
    pub term: String,
    /// The cause.
    pub collinear: Collinear,
}

/// The number of levels of an effect or of clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// The effect or the clusters.
    pub name: String,
    /// The number of levels.
    pub levels: usize,
}

impl Estimate {
    /// The covariance of two coefficients, by their positions among the terms; `None` if it was not
    /// stored.
    #[must_use]
    pub fn covariance_of(&self, term: usize, other: usize) -> Option<f64> {
        self.covariance.as_ref()?.get(term * self.terms.len() + other).copied()
    }

    /// Names the groups that were left out, by a row of the panel in each, and sorts them by name.
    pub fn name_groups(&mut self, key: impl Fn(usize) -> String) {
        if let Some(influence) = &mut self.influence {
            influence.cases.iter_mut().for_each(|case| case.key = key(case.row));
            influence.cases.sort_by(|a, b| a.key.cmp(&b.key));
        }
    }
}

/// A number as text: JSON has only finite numbers, and `null` would not identify the others.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Exact {
    Finite(f64),
    Word(Word),
    /// The form of a coefficient that is not finite in layout 2.
    Null,
}

#[derive(Serialize, Deserialize)]
enum Word {
    #[serde(rename = "nan")]
    NotANumber,
    #[serde(rename = "inf")]
    Infinity,
    #[serde(rename = "-inf")]
    MinusInfinity,
}

impl From<f64> for Exact {
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::Finite(number)
        } else if number.is_nan() {
            Self::Word(Word::NotANumber)
        } else if number > 0.0 {
            Self::Word(Word::Infinity)
        } else {
            Self::Word(Word::MinusInfinity)
        }
    }
}

impl From<Exact> for f64 {
    fn from(exact: Exact) -> Self {
        match exact {
            Exact::Finite(number) => number,
            Exact::Word(Word::NotANumber) | Exact::Null => Self::NAN,
            Exact::Word(Word::Infinity) => Self::INFINITY,
            Exact::Word(Word::MinusInfinity) => Self::NEG_INFINITY,
        }
    }
}

mod exact {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Exact;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Exact::from(*number).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Exact::deserialize(deserializer).map(f64::from)
    }
}

mod exact_matrix {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Exact;

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub fn serialize<S: Serializer>(
        cells: &Option<Vec<f64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let exact = |cells: &Vec<f64>| cells.iter().copied().map(Exact::from).collect::<Vec<_>>();
        cells.as_ref().map(exact).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<f64>>, D::Error> {
        let cells = Option::<Vec<Exact>>::deserialize(deserializer)?;
        Ok(cells.map(|cells| cells.into_iter().map(f64::from).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A model with given numbers, in order.
    fn model(numbers: [f64; 5]) -> Estimate {
        let [estimate, std_error, rss, residual, cell] = numbers;
        let term = TermEstimate {
            term: "x".to_owned(),
            estimate,
            std_error: Some(std_error).filter(|number| number.is_finite()),
            std_error_reason: None,
            statistic: None,
            p_value: None,
            conf_low: None,
            conf_high: None,
        };
        Estimate {
            formula: "y ~ x | `f^g`".to_owned(),
            terms: vec![term],
            dropped: vec![DroppedTerm {
                term: "z".to_owned(),
                collinear: Collinear::WithFixedEffects,
            }],
            n_obs: 9,
            n_missing: 1,
            n_singletons: 0,
            n_clusters: Some(3),
            clusters: vec![Levels { name: "c".to_owned(), levels: 3 }],
            k: 2,
            df_residual: 7,
            df_t: 2,
            r2: Some(0.1),
            r2_within: None,
            rss,
            fixed_effects: Vec::new(),
            vcov: "c".to_owned(),
            covariance: Some(vec![cell]),
            iterations: 3,
            relative_residual: residual,
            warm_start: true,
            notes: Vec::new(),
            influence: None,
        }
    }

    fn bits(of: &Estimate) -> Vec<u64> {
        let term = &of.terms[0];
        let cells = of.covariance.iter().flatten().copied();
        let numbers = [Some(term.estimate), term.std_error, Some(of.rss)];
        let numbers = numbers.into_iter().flatten().chain([of.relative_residual]).chain(cells);
        numbers.map(f64::to_bits).collect()
    }

    proptest! {
        #[test]
        fn a_model_that_was_written_is_read_back_to_the_last_bit(raw in any::<[u64; 5]>()) {
            let one_nan = |number: f64| if number.is_nan() { f64::NAN } else { number };
            let kept = model(raw.map(f64::from_bits).map(one_nan));
            let text = serde_json::to_string(&kept).expect("plain data");
            let read: Estimate = serde_json::from_str(&text).expect("as it was written");
            prop_assert_eq!(bits(&read), bits(&kept));
        }
    }

    #[test]
    fn numbers_at_the_edges_are_read_back_too() {
        let edges = [-0.0, f64::MIN_POSITIVE / 4.0, f64::MAX, f64::NEG_INFINITY, f64::NAN];
        let text = serde_json::to_string(&model(edges)).expect("plain data");
        let read: Estimate = serde_json::from_str(&text).expect("as it was written");
        assert_eq!(bits(&read), bits(&model(edges)));
    }

    #[test]
    fn a_field_that_is_not_known_is_no_model() {
        let text = serde_json::to_string(&model([1.0; 5])).expect("plain data");
        let more = text.replacen('{', "{\"bootstrap\":1,", 1);
        assert!(serde_json::from_str::<Estimate>(&more).is_err());
    }
}
