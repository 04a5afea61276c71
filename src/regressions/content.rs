//! The content of a model: every part of its specification that determines its figures.
//!
//! ```text
//! Column ──▶ Content ──▶ canonical JSON ──▶ BLAKE3: the identity
//!            (typed)     (stored beside every estimate)
//! ```
//! Names, titles and labels determine no figure and are not part of it. A renamed or reformatted
//! file therefore gives the same model, and another formula under the same name gives another one.
//!
//! # Invariant
//! Equal contents give equal text. The text omits a rule at its default: a new rule of a later
//! version keeps the identities of models without it. `VERSION` counts the meaning: it changes if
//! the same text gives other figures.

use serde::{Deserialize, Serialize};

use super::panels::Kind;
use crate::estimate::absorb::{AbsorbOptions, CollinearLimits};
use crate::estimate::design::singletons::Singletons;
use crate::estimate::formula::{Formula, Interaction, Term};
use crate::estimate::inference::covariance::NegativeVariance;
use crate::estimate::inference::degrees_of_freedom::{
    ClusterCount, FixedEffectLevels, Redundancy, SmallSample,
};
use crate::estimate::inference::{Inference, Vcov};
use crate::specification::{self, Condition, DropLargest, Trim};

/// The version of the meaning of contents.
const VERSION: u32 = 1;
/// The digits of a displayed identity.
const DIGITS_SHORT: usize = 12;

/// Everything that determines a model's figures, except for the rows of its panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    version: u32,
    panel: String,
    outcome: String,
    terms: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "is_false")]
    without_intercept: bool,
    effects: Vec<Vec<String>>,
    /// Variables that a row must have in addition to those of the formula, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    present: Vec<String>,
    /// Conditions, sorted: they hold together, and their order has no meaning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keep: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    drop_largest: Vec<Largest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    trim: Vec<Extremes>,
    #[serde(default, skip_serializing_if = "is_false")]
    centre: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    standardise: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<String>,
    errors: Errors,
    /// The small-sample conventions that differ from the defaults, in the notation of
    /// specifications.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conventions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Largest {
    variable: String,
    share: f64,
    of: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extremes {
    variable: String,
    share: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Errors {
    Iid,
    Hc1,
    Clusters(Vec<Vec<String>>),
}

/// The identity of a model: its content, and the content's hash.
#[derive(Clone, Debug)]
pub struct Identity {
    content: Content,
    text: String,
    hash: String,
}

impl Content {
    /// The content of a column.
    #[must_use]
    pub fn of(column: &specification::Column) -> Self {
        // Every field is named: a new field must be assigned here.
        let specification::Column {
            name: _,
            label: _,
            formula,
            panel: _,
            trade: _,
            sample: _,
            keep,
            trim,
            drop_largest,
            centre,
            standardise,
            weights,
            inference,
            absorb,
            singletons,
        } = column;
        let Formula { outcome, terms, intercept, effects } = formula;
        let Inference { vcov, small_sample, negative_variance } = inference;
        let mut conventions = conventions(*small_sample);
        conventions.extend(settings(absorb, *singletons, *negative_variance));
        Self {
            version: VERSION,
            panel: Kind::of(column).name().to_owned(),
            outcome: outcome.clone(),
            terms: terms.iter().map(|term| term.factors.clone()).collect(),
            without_intercept: !intercept,
            effects: factors(effects),
            present: present(column),
            keep: conditions(keep),
            drop_largest: drop_largest.iter().map(Largest::from).collect(),
            trim: trim.iter().map(Extremes::from).collect(),
            centre: *centre,
            standardise: *standardise,
            weights: weights.clone(),
            errors: Errors::from(vcov),
            conventions,
        }
    }

    /// Parses the text of a content.
    ///
    /// # Errors
    /// An error about the parts that this version does not know.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The formula.
    #[must_use]
    pub fn formula(&self) -> Formula {
        let interaction = |factors: &Vec<String>| Interaction { factors: factors.clone() };
        Formula {
            outcome: self.outcome.clone(),
            terms: self.terms.iter().map(|factors| Term { factors: factors.clone() }).collect(),
            intercept: !self.without_intercept,
            effects: self.effects.iter().map(interaction).collect(),
        }
    }

    /// The rules of the sample and of the variables' scales, in the notation of specifications.
    #[must_use]
    pub fn sample(&self) -> String {
        let mut rules: Vec<String> = Vec::new();
        if !self.present.is_empty() {
            rules.push(format!("present {}", self.present.join(", ")));
        }
        rules.extend(self.keep.iter().map(|condition| format!("keep {condition}")));
        for Largest { variable, share, of } in &self.drop_largest {
            rules.push(format!("drop_largest {variable} {share} of {}", of.join("^")));
        }
        for Extremes { variable, share } in &self.trim {
            rules.push(format!("trim {variable} {share}"));
        }
        rules.extend(self.centre.then(|| "centre".to_owned()));
        rules.extend(self.standardise.then(|| "standardise".to_owned()));
        rules.extend(self.weights.as_ref().map(|weights| format!("weights {weights}")));
        rules.join("; ")
    }

    /// The conventions of the standard errors that differ from the defaults.
    #[must_use]
    pub fn conventions(&self) -> String {
        self.conventions.join("; ")
    }
}

impl Identity {
    /// The identity of a column.
    ///
    /// # Panics
    /// Never: a content is plain data.
    #[must_use]
    pub fn of(column: &specification::Column) -> Self {
        let content = Content::of(column);
        let text = serde_json::to_string(&content).expect("a content is plain data");
        let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
        Self { content, text, hash }
    }

    /// BLAKE3 of the content's text, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The content.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The content as canonical text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

/// The kind of standard errors, in the notation of an estimate.
#[must_use]
pub(super) fn errors_in_words(vcov: &Vcov) -> String {
    match vcov {
        Vcov::Iid => "iid".to_owned(),
        Vcov::Hc1 => "hc1".to_owned(),
        Vcov::Clustered(clusters) => {
            clusters.iter().map(Interaction::to_string).collect::<Vec<_>>().join(" + ")
        }
    }
}

/// The displayed digits of an identity.
#[must_use]
pub fn short(hash: &str) -> &str {
    hash.get(..DIGITS_SHORT).unwrap_or(hash)
}

/// The variables that a row must have in addition to those of the formula and the weights: they
/// come from the sample formula.
fn present(column: &specification::Column) -> Vec<String> {
    let own = column.formula.columns();
    let is_own = |name: &&str| own.contains(name) || column.weights.as_deref() == Some(*name);
    let others = column.variables().into_iter().filter(|name| !is_own(name));
    let mut names: Vec<String> = others.map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// Conditions as text, sorted and without repetitions.
fn conditions(keep: &[Condition]) -> Vec<String> {
    let text = |of: &Condition| {
        // Minus zero is zero.
        format!("{} {} {}", of.variable, of.comparison.sign(), of.number + 0.0)
    };
    let mut texts: Vec<String> = keep.iter().map(text).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn factors(interactions: &[Interaction]) -> Vec<Vec<String>> {
    interactions.iter().map(|interaction| interaction.factors.clone()).collect()
}

/// The small-sample conventions that differ from the defaults.
fn conventions(rules: SmallSample) -> Vec<String> {
    let SmallSample { k_adj, k_fixef, g_adj, g_df, dof } = rules;
    let all = [
        (!k_adj).then_some("k_adj = FALSE"),
        match k_fixef {
            FixedEffectLevels::None => Some("k_fixef = none"),
            FixedEffectLevels::NonNested => None,
            FixedEffectLevels::Full => Some("k_fixef = full"),
        },
        (!g_adj).then_some("G_adj = FALSE"),
        match g_df {
            ClusterCount::Min => None,
            ClusterCount::Conventional => Some("G_df = conventional"),
        },
        match dof {
            Redundancy::Fixest => None,
            Redundancy::Reghdfe => Some("dof = reghdfe"),
        },
    ];
    all.into_iter().flatten().map(str::to_owned).collect()
}

/// The settings of the estimator that determine figures and differ from the defaults. The limits of
/// iterations determine no reported figure and are not among them.
fn settings(
    absorb: &AbsorbOptions,
    singletons: Singletons,
    negative_variance: NegativeVariance,
) -> Vec<String> {
    let own = AbsorbOptions::default();
    let AbsorbOptions { tolerance, collinear, .. } = absorb;
    let CollinearLimits { with_effects, with_regressors } = collinear;
    let all = [
        (tolerance.to_bits() != own.tolerance.to_bits())
            .then(|| format!("tolerance = {tolerance:e}")),
        (*collinear != own.collinear)
            .then(|| format!("collinearity = {with_effects:e}, {with_regressors:e}")),
        (singletons == Singletons::Kept).then(|| "singletons = keep".to_owned()),
        (negative_variance == NegativeVariance::Repaired).then(|| "vcov_fix = true".to_owned()),
    ];
    all.into_iter().flatten().collect()
}

impl From<&DropLargest> for Largest {
    fn from(of: &DropLargest) -> Self {
        let DropLargest { variable, share, of } = of;
        Self { variable: variable.clone(), share: *share, of: of.factors.clone() }
    }
}

impl From<&Trim> for Extremes {
    fn from(of: &Trim) -> Self {
        let Trim { variable, share } = of;
        Self { variable: variable.clone(), share: *share }
    }
}

impl From<&Vcov> for Errors {
    fn from(vcov: &Vcov) -> Self {
        match vcov {
            Vcov::Iid => Self::Iid,
            Vcov::Hc1 => Self::Hc1,
            Vcov::Clustered(clusters) => Self::Clusters(factors(clusters)),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specification::Specification;

    const TEXT: &str = "title = \"t\"\n[[column]]\nname = \"a\"\nformula = \"y ~ x + x:z | f^g\"\n";

    fn identity(text: &str) -> Identity {
        let specification = Specification::parse("mine", text).expect("a specification");
        Identity::of(&specification.columns()[0])
    }

    #[test]
    fn the_identity_of_a_model_stays_from_version_to_version() {
        let plain = identity(TEXT);
        let text = r#"{"version":1,"panel":"plant","outcome":"y","terms":[["x"],["x","z"]],"#
            .to_owned()
            + r#""effects":[["f","g"]],"errors":"iid"}"#;
        assert_eq!(plain.text(), text);
        assert_eq!(short(plain.hash()), "12d4829dfeed");
        let all = TEXT.to_owned()
            + "sample = \"y ~ k | f\"\nkeep = [\"b > 1\", \"a<=-2.5e-1\"]\ncentre = true\n\
               standardise = true\nweights = \"w\"\ncluster = \"c^d + e\"\n\
               trim = [{ variable = \"x\", share = 0.05 }]\nssc = \"G_df = conventional\"\n\
               dof = \"reghdfe\"\n\
               drop_largest = [{ variable = \"s\", share = 0.1, of = \"f^t\" }]\n";
        let all = identity(&all);
        let text = r#"{"version":1,"panel":"plant","outcome":"y","terms":[["x"],["x","z"]],"#
            .to_owned()
            + r#""effects":[["f","g"]],"present":["k"],"keep":["a <= -0.25","b > 1"],"#
            + r#""drop_largest":[{"variable":"s","share":0.1,"of":["f","t"]}],"#
            + r#""trim":[{"variable":"x","share":0.05}],"centre":true,"standardise":true,"#
            + r#""weights":"w","errors":{"clusters":[["c","d"],["e"]]},"#
            + r#""conventions":["G_df = conventional","dof = reghdfe"]}"#;
        assert_eq!(all.text(), text);
        assert_eq!(
            all.content().sample(),
            "present k; keep a <= -0.25; keep b > 1; drop_largest s 0.1 of f^t; trim x 0.05; \
             centre; standardise; weights w"
        );
        assert_eq!(all.content().conventions(), "G_df = conventional; dof = reghdfe");
        for identity in [plain, all] {
            assert_eq!(Content::read(identity.text()).expect("read back"), *identity.content());
        }
    }

    #[test]
    fn whatever_decides_figures_is_in_the_identity() {
        let others = [
            TEXT.replace("y ~", "v ~"),
            TEXT.replace("x + x:z", "x:z + x"),
            TEXT.replace("x + x:z", "x"),
            TEXT.replace("| f^g", "| f"),
            TEXT.replace("| f^g", "| f^g + h"),
            TEXT.replace("x + x:z", "0 + x + x:z"),
            TEXT.to_owned() + "panel = \"product\"\n",
            TEXT.to_owned() + "trade = \"ordinary\"\n",
            TEXT.to_owned() + "sample = \"y ~ k\"\n",
            TEXT.to_owned() + "keep = [\"x > 0\"]\n",
            TEXT.to_owned() + "keep = [\"x >= 0\"]\n",
            TEXT.to_owned() + "keep = [\"x > 0.5\"]\n",
            TEXT.to_owned() + "trim = [{ variable = \"x\", share = 0.1 }]\n",
            TEXT.to_owned() + "trim = [{ variable = \"z\", share = 0.1 }]\n",
            TEXT.to_owned() + "drop_largest = [{ variable = \"x\", share = 0.1, of = \"f\" }]\n",
            TEXT.to_owned() + "drop_largest = [{ variable = \"x\", share = 0.1, of = \"g\" }]\n",
            TEXT.to_owned() + "centre = true\n",
            TEXT.to_owned() + "standardise = true\n",
            TEXT.to_owned() + "weights = \"w\"\n",
            TEXT.to_owned() + "vcov = \"hc1\"\n",
            TEXT.to_owned() + "cluster = \"f\"\n",
            TEXT.to_owned() + "cluster = \"f + g\"\n",
            TEXT.to_owned() + "cluster = \"f^g\"\n",
            TEXT.to_owned() + "ssc = \"k_adj = FALSE\"\n",
            TEXT.to_owned() + "ssc = \"G_adj = FALSE\"\n",
            TEXT.to_owned() + "ssc = \"k_fixef = none\"\n",
            TEXT.to_owned() + "ssc = \"k_fixef = full\"\n",
            TEXT.to_owned() + "ssc = \"G_df = conventional\"\n",
            TEXT.to_owned() + "dof = \"reghdfe\"\n",
        ];
        let mut hashes = vec![identity(TEXT).hash().to_owned()];
        for text in others {
            let hash = identity(&text).hash().to_owned();
            assert!(!hashes.contains(&hash), "{text}");
            hashes.push(hash);
        }
    }

    #[test]
    fn a_sample_that_names_what_the_formula_has_is_none() {
        let own = identity(&(TEXT.to_owned() + "sample = \"z ~ x | g + f\"\n"));
        assert_eq!(own, identity(TEXT));
        let twice = identity(&(TEXT.to_owned() + "keep = [\"x > 0\", \"x > -0.0\"]\n"));
        assert_eq!(twice, identity(&(TEXT.to_owned() + "keep = [\"x>0\"]\n")));
    }

    #[test]
    fn the_models_of_the_paper_are_all_different() {
        let all = Specification::bundled();
        let columns: Vec<&specification::Column> =
            all.iter().flat_map(Specification::columns).collect();
        let hashes: std::collections::BTreeSet<String> =
            columns.iter().map(|column| Identity::of(column).hash().to_owned()).collect();
        assert_eq!(hashes.len(), columns.len());
    }
}
