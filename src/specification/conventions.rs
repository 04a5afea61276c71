//! Small-sample conventions as text, the way fixest writes them: `ssc(k_fixef = "full")`.

use serde::Deserialize;

use crate::estimate::degrees::{ClusterCount, FixedEffectLevels, Redundancy, SmallSample};

/// How redundant levels are counted, by name.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DofName {
    #[default]
    Fixest,
    Reghdfe,
}

impl From<DofName> for Redundancy {
    fn from(name: DofName) -> Self {
        match name {
            DofName::Fixest => Self::Fixest,
            DofName::Reghdfe => Self::Reghdfe,
        }
    }
}

/// Reads `k_adj=TRUE, k_fixef=nonnested, G_adj=TRUE, G_df=min`, with or without `ssc(…)` around.
///
/// # Errors
/// The first setting that is none of these.
pub fn small_sample(text: &str, dof: Redundancy) -> Result<SmallSample, String> {
    let mut conventions = SmallSample { dof, ..SmallSample::default() };
    let inner = text.trim().trim_start_matches("ssc(").trim_end_matches(')');
    for setting in inner.split(',').map(str::trim).filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        let value = value.trim().trim_matches('"');
        let flag = match value {
            "TRUE" | "true" | "T" => Some(true),
            "FALSE" | "false" | "F" => Some(false),
            _ => None,
        };
        match (name.trim(), value, flag) {
            ("k_adj" | "adj", _, Some(flag)) => conventions.k_adj = flag,
            ("G_adj" | "cluster.adj", _, Some(flag)) => conventions.g_adj = flag,
            ("k_fixef", "none", _) => conventions.k_fixef = FixedEffectLevels::None,
            ("k_fixef", "nonnested", _) => conventions.k_fixef = FixedEffectLevels::NonNested,
            ("k_fixef", "full", _) => conventions.k_fixef = FixedEffectLevels::Full,
            ("G_df", "min", _) => conventions.g_df = ClusterCount::Min,
            ("G_df", "conventional", _) => conventions.g_df = ClusterCount::Conventional,
            _ => return Err(setting.to_owned()),
        }
    }
    Ok(conventions)
}
