//! Coefficients, standard errors and degrees of freedom against pyfixest 0.60 (see
//! `tests/reference/make.py`).

use serde::Deserialize;
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::covariance::NegativeVariance;
use spillover::estimate::inference::degrees_of_freedom::{
    ClusterCount, FixedEffectLevels, SmallSample,
};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::panel::{Column, Panel};
use spillover::estimate::result::Estimate;
use spillover::estimate::{Options, estimate_all};

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    panel: PanelName,
    /// True if the data have blocks that are eliminated.
    structured: Option<bool>,
    formula: String,
    vcov: VcovName,
    #[serde(default)]
    ssc: Ssc,
    weights: Option<String>,
    terms: Vec<String>,
    estimate: Vec<f64>,
    std_error: Vec<f64>,
    statistic: Vec<f64>,
    p_value: Vec<f64>,
    conf_low: Vec<f64>,
    conf_high: Vec<f64>,
    n_obs: usize,
    df_k: usize,
    df_t: usize,
    r2: f64,
    r2_within: Option<f64>,
    dropped: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum PanelName {
    #[default]
    Plants,
    Products,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum VcovName {
    Plain(String),
    Clustered {
        #[serde(rename = "CRV1")]
        clusters: String,
    },
}

#[derive(Deserialize, Default)]
struct Ssc {
    k_adj: Option<bool>,
    k_fixef: Option<FixedEffectLevels>,
    #[serde(rename = "G_adj")]
    g_adj: Option<bool>,
    #[serde(rename = "G_df")]
    g_df: Option<ClusterCount>,
}

impl Case {
    fn options(&self) -> Options {
        let vcov = match &self.vcov {
            VcovName::Plain(name) if name == "iid" => Vcov::Iid,
            VcovName::Plain(_) => Vcov::Hc1,
            VcovName::Clustered { clusters } => {
                Vcov::Clustered(Interaction::parse_sum(clusters).expect("clusters"))
            }
        };
        let default = SmallSample::default();
        let small_sample = SmallSample {
            k_adj: self.ssc.k_adj.unwrap_or(default.k_adj),
            k_fixef: self.ssc.k_fixef.unwrap_or(default.k_fixef),
            g_adj: self.ssc.g_adj.unwrap_or(default.g_adj),
            g_df: self.ssc.g_df.unwrap_or(default.g_df),
            ..default
        };
        let negative_variance = NegativeVariance::default();
        let inference = Inference { vcov, small_sample, negative_variance };
        Options { weights: self.weights.clone(), inference, ..Options::default() }
    }

    /// Compares every figure at its tolerance, which is relative except for shares.
    fn check(&self, found: &Estimate) {
        let name = &self.name;
        assert_eq!(found.n_obs, self.n_obs, "rows of {name}");
        assert_eq!(found.k, self.df_k, "parameters of {name}");
        assert_eq!(found.df_t, self.df_t, "degrees of freedom of {name}");
        assert_eq!(found.terms.len(), self.terms.len(), "terms of {name}");
        let dropped: Vec<&str> = found.dropped.iter().map(|d| d.term.as_str()).collect();
        assert_eq!(dropped, self.dropped, "dropped terms of {name}");
        assert!((found.r2.expect("R²") - self.r2).abs() < 1e-9, "R² of {name}");
        match (found.r2_within, self.r2_within) {
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-9, "within R² of {name}"),
            (a, b) => assert_eq!(a.is_some(), b.is_some(), "within R² of {name}"),
        }
        for (i, term) in self.terms.iter().enumerate() {
            let term = if term == "Intercept" { "(Intercept)" } else { term };
            let own = found.terms.iter().find(|t| t.term == term);
            let own = own.unwrap_or_else(|| panic!("{name} has no {term}"));
            let close = |what: &str, own: Option<f64>, theirs: f64, tolerance: f64| {
                let own = own.unwrap_or(f64::NAN);
                let apart = (own - theirs).abs() / theirs.abs();
                assert!(
                    apart < tolerance,
                    "{what} of {term} in {name}: {own} and {theirs}, {apart:e}"
                );
            };
            close("estimate", Some(own.estimate), self.estimate[i], 1e-8);
            close("standard error", own.std_error, self.std_error[i], 1e-8);
            close("statistic", own.statistic, self.statistic[i], 1e-8);
            close("lower end", own.conf_low, self.conf_low[i], 1e-7);
            close("upper end", own.conf_high, self.conf_high[i], 1e-7);
            let apart = (own.p_value.expect("a p-value") - self.p_value[i]).abs();
            assert!(apart < 1e-9, "p-value of {term} in {name}");
        }
    }
}

/// A comma-separated table of numbers; an empty field is a missing value.
fn table(text: &str) -> Vec<(String, Vec<f64>)> {
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    let mut columns: Vec<(String, Vec<f64>)> =
        header.split(',').map(|name| (name.into(), Vec::new())).collect();
    for line in lines {
        for ((_, column), cell) in columns.iter_mut().zip(line.split(',')) {
            column.push(if cell.is_empty() { f64::NAN } else { cell.parse().expect("a number") });
        }
    }
    columns
}

#[test]
fn every_stored_case_agrees_with_pyfixest() {
    let plants = table(include_str!("../reference/panel.csv"));
    let products = table(include_str!("../reference/products.csv"));
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../reference/expected.json")).expect("cases");
    assert!(cases.len() > 30);
    for case in cases {
        let columns = if case.panel == PanelName::Plants { &plants } else { &products };
        let named = columns.iter().map(|(name, values)| (name.clone(), Column::Real(values)));
        let panel = Panel::new(named.collect()).expect("a panel");
        let formula = Formula::parse(&case.formula).expect("a formula");
        let found = estimate_all(&panel, std::slice::from_ref(&formula), &case.options(), None);
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        case.check(&found.estimates[0]);
        if case.structured == Some(true) {
            assert!(found.elimination.is_some(), "{} is eliminated within blocks", case.name);
        }
    }
}
