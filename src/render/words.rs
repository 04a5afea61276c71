//! The words of tables and charts in English and Chinese, and the labels of variables.

use std::fmt::Display;

use super::style::{Style, Variables};
use crate::estimate::formula::{Interaction, Term};
use crate::tables::meanings::{Language, variable_label};

/// Fixed words of a language.
pub struct Words {
    /// A row for all control variables.
    pub controls: &'static str,
    /// A model with controls or an effect.
    pub yes: &'static str,
    /// A model without them.
    pub no: &'static str,
    /// A regressor without a coefficient.
    pub dropped: &'static str,
    /// After the name of an effect.
    pub fixed_effects: &'static str,
    /// The number of rows.
    pub observations: &'static str,
    /// The number of rows alone in a level.
    pub singletons: &'static str,
    /// The number of clusters.
    pub clusters: &'static str,
    /// The share of explained variance.
    pub r2: &'static str,
    /// That share within the fixed effects.
    pub r2_within: &'static str,
    /// The columns of a comparison with the paper.
    pub beside: [&'static str; 5],
    /// The horizontal axis of a coefficient path.
    pub year_of_estimation: &'static str,
    /// The end of a sentence.
    pub stop: &'static str,
}

const ENGLISH: Words = Words {
    controls: "Controls",
    yes: "yes",
    no: "no",
    dropped: "dropped",
    fixed_effects: " effects",
    observations: "Observations",
    singletons: "Singletons dropped",
    clusters: "Clusters",
    r2: "R²",
    r2_within: "Within R²",
    beside: ["home", "(std. error)", "paper", "(std. error)", "home / paper"],
    year_of_estimation: "Last year of the sample",
    stop: ".",
};

const CHINESE: Words = Words {
    controls: "控制变量",
    yes: "是",
    no: "否",
    dropped: "已剔除",
    fixed_effects: "固定效应",
    observations: "观测数",
    singletons: "剔除的单观测组",
    clusters: "聚类数",
    r2: "R²",
    r2_within: "组内 R²",
    beside: ["本库", "（标准误）", "论文", "（标准误）", "本库/论文"],
    year_of_estimation: "样本最后一年",
    stop: "。",
};

impl Style {
    /// The words of the language.
    #[must_use]
    pub fn words(&self) -> &'static Words {
        match self.language {
            Language::English => &ENGLISH,
            Language::Chinese => &CHINESE,
        }
    }

    /// One of two texts, by language.
    #[must_use]
    pub fn text<'t>(&self, english: &'t str, chinese: &'t str) -> &'t str {
        match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// The label of a column of the panels, or its name.
    #[must_use]
    pub fn variable(&self, name: &str) -> String {
        match self.variables {
            Variables::Labels => {
                variable_label(name, self.language).map_or_else(|| name.to_owned(), str::to_owned)
            }
            Variables::Columns => name.to_owned(),
        }
    }

    /// The label of a regressor: a variable, or the product of several.
    #[must_use]
    pub fn term(&self, name: &str) -> String {
        let factors = Term::parse(name).map(|term| term.factors);
        self.joined(name, factors.ok(), " × ")
    }

    /// The label of an effect or a cluster: the levels of a variable, or of several together.
    #[must_use]
    pub fn levels(&self, name: &str) -> String {
        let factors = Interaction::parse(name).map(|of| of.factors);
        self.joined(name, factors.ok(), " × ")
    }

    fn joined(&self, name: &str, factors: Option<Vec<String>>, sign: &str) -> String {
        match (self.variables, factors) {
            (Variables::Labels, Some(factors)) => {
                let labels = factors.iter().map(|factor| self.variable(factor));
                labels.collect::<Vec<_>>().join(sign)
            }
            _ => name.to_owned(),
        }
    }

    /// A statement with a mark between its subject and its text.
    #[must_use]
    pub fn about(&self, subject: impl Display, text: impl Display) -> String {
        match self.language {
            Language::English => format!("{subject}: {text}"),
            Language::Chinese => format!("{subject}：{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_have_the_labels_of_their_factors() {
        let style = Style::default();
        let product = "affiliate_growth:affiliate_ln_density";
        assert_eq!(style.term(product), "Affiliate growth × Affiliate density (log)");
        assert_eq!(style.levels("city^hs6^year"), "City × HS6 product × Year");
        assert_eq!(style.term("affiliate_growth:mine"), "Affiliate growth × mine");
        let chinese = Style { language: Language::Chinese, ..style };
        assert_eq!(chinese.term(product), "关联城市出口增长 × 关联城市出口企业密度（对数）");
        let plain = Style { variables: Variables::Columns, ..style };
        assert_eq!(plain.term(product), product);
    }
}
