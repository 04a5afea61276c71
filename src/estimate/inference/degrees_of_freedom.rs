//! Degrees of freedom: the number of parameters in the small-sample factor.
//!
//! # Equation
//! fixest's and pyfixest's: `K = k + Σ levels of the effects not nested − (effects not nested −
//! 1)`, without effects nested in the clusters; if all are nested, `K = k + 1`. reghdfe's: the
//! second effect loses as many levels as the first two have connected components, and every further
//! effect loses one level. One parameter is added if an effect is nested.

use serde::{Deserialize, Serialize};

use crate::estimate::design::codes::Codes;
use crate::estimate::design::components::components;

/// The small-sample corrections, named as in fixest's `ssc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmallSample {
    /// True to correct for the parameters: `(N−1)/(N−K)`.
    pub k_adj: bool,
    /// The levels of fixed effects that count as parameters.
    pub k_fixef: FixedEffectLevels,
    /// True to correct for the number of clusters: `G/(G−1)`.
    #[serde(rename = "G_adj")]
    pub g_adj: bool,
    /// The number of clusters in two-way clustering.
    #[serde(rename = "G_df")]
    pub g_df: ClusterCount,
    /// The count of redundant levels.
    pub dof: Redundancy,
}

/// The levels of fixed effects that count as parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FixedEffectLevels {
    /// No levels.
    None,
    /// The levels of effects that are not nested in the clusters.
    NonNested,
    /// All levels.
    Full,
}

/// The number of clusters in two-way clustering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterCount {
    /// The smaller number, for all three matrices.
    Min,
    /// The own number of each matrix.
    Conventional,
}

/// The count of redundant levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redundancy {
    /// One level of every effect after the first.
    Fixest,
    /// The connected components of the first two effects, then one level of each further effect.
    Reghdfe,
}

impl Default for SmallSample {
    fn default() -> Self {
        Self {
            k_adj: true,
            k_fixef: FixedEffectLevels::NonNested,
            g_adj: true,
            g_df: ClusterCount::Min,
            dof: Redundancy::Fixest,
        }
    }
}

/// `K`: the number of regressors and of counted levels.
#[must_use]
pub fn parameters(
    n_regressors: usize,
    effects: &[&Codes],
    clusters: &[&Codes],
    rules: &SmallSample,
) -> usize {
    if rules.k_fixef == FixedEffectLevels::None || effects.is_empty() {
        return n_regressors;
    }
    let nested = |effect: &Codes| {
        rules.k_fixef == FixedEffectLevels::NonNested
            && clusters.iter().any(|clusters| effect.is_nested_in(clusters))
    };
    let free: Vec<&Codes> = effects.iter().filter(|effect| !nested(effect)).copied().collect();
    let levels: usize = free.iter().map(|effect| effect.n_levels).sum();
    match rules.dof {
        Redundancy::Fixest => n_regressors + levels + 1 - free.len(),
        Redundancy::Reghdfe => {
            let any_nested = usize::from(free.len() < effects.len());
            n_regressors + levels + any_nested - redundant(&free)
        }
    }
}

/// The number of levels that earlier effects explain.
fn redundant(effects: &[&Codes]) -> usize {
    match effects {
        [first, second, more @ ..] => components(first, second) + more.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::panel::Column;

    fn codes(values: &[u32]) -> Codes {
        let rows: Vec<u32> = (0..).take(values.len()).collect();
        Codes::encode("f".into(), &[Column::Code(values)], &rows)
    }

    #[test]
    fn nested_effects_do_not_count_and_others_lose_a_level_after_the_first() {
        let f = codes(&[0, 0, 1, 1, 2, 2]);
        let g = codes(&[0, 1, 0, 1, 0, 1]);
        let clusters = codes(&[0, 0, 0, 0, 1, 1]);
        let rules = SmallSample::default();
        assert_eq!(parameters(2, &[&f, &g], &[], &rules), 2 + 3 + 2 - 1);
        assert_eq!(parameters(2, &[&f, &g], &[&clusters], &rules), 2 + 2);
        assert_eq!(parameters(2, &[&f], &[&clusters], &rules), 2 + 1);
        let full = SmallSample { k_fixef: FixedEffectLevels::Full, ..rules };
        assert_eq!(parameters(2, &[&f, &g], &[&clusters], &full), 2 + 3 + 2 - 1);
        let none = SmallSample { k_fixef: FixedEffectLevels::None, ..rules };
        assert_eq!(parameters(2, &[&f, &g], &[&clusters], &none), 2);
    }

    #[test]
    fn reghdfe_counts_components_and_one_for_nesting() {
        let f = codes(&[0, 0, 1, 1, 2, 2]);
        let g = codes(&[0, 1, 0, 1, 2, 3]);
        let h = codes(&[0, 0, 0, 0, 1, 1]);
        let rules = SmallSample { dof: Redundancy::Reghdfe, ..SmallSample::default() };
        assert_eq!(components(&f, &g), 2);
        assert_eq!(parameters(1, &[&f, &g, &h], &[], &rules), 1 + 3 + 4 + 2 - 2 - 1);
        let clusters = codes(&[0, 1, 2, 3, 4, 4]);
        assert_eq!(parameters(1, &[&f, &g, &h], &[&clusters], &rules), 1 + 3 + 4 + 2 - 2 - 1);
        assert_eq!(parameters(1, &[&f, &g], &[&h], &rules), 1 + 1);
    }
}
