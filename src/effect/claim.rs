//! The sentence about what a figure may claim, in English and Chinese.

use super::effects::{Effects, SlopeSign};
use super::live::Claim;
use crate::tables::meanings::Language;

impl Claim {
    /// The sentence.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        let percent = |share: Option<f64>| {
            share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}", 100.0 * share))
        };
        let (coverage, identified) = (percent(self.coverage), percent(self.identified));
        let years = match (&self.through[..], language) {
            ([], _) => "–".to_owned(),
            ([one], _) => one.to_string(),
            ([first, last], Language::English) => format!("{first} and {last}"),
            ([first, last], Language::Chinese) => format!("{first}、{last}"),
            ([first, .., last], Language::English) => format!("{first} to {last}"),
            ([first, .., last], Language::Chinese) => format!("{first} 至 {last}"),
        };
        match language {
            Language::English => format!(
                "Model-implied contribution (reduced-form association of equation 15, \
                 coefficients through {years}); not a forecast, not a causal total; covers \
                 {coverage} % of exports, identified share {identified} %."
            ),
            Language::Chinese => format!(
                "模型隐含贡献（式（15）的简约式关联，系数样本截至 {years} 年）；不是预测，也不是因果总量；覆盖出口额的 \
                 {coverage}%，可识别部分占 {identified}%。"
            ),
        }
    }
}

impl Effects {
    /// The densities at which slopes change sign, beside the densities of the rows.
    #[must_use]
    pub fn slope_sentences(&self, language: Language) -> Vec<String> {
        let sentence = |(through, slope): &(_, SlopeSign)| {
            let (low, high) = slope.range;
            let [at, low, high] = [slope.density, low, high].map(signed);
            match language {
                Language::English => format!(
                    "The slope changes sign at a log density of {at} (coefficients through \
                     {through}); the rows have {low} to {high}."
                ),
                Language::Chinese => format!(
                    "斜率在对数密度为 {at} 处变号（系数样本截至 {through} 年）；样本行的对数密度为 {low} 至 {high}。"
                ),
            }
        };
        self.slopes.iter().map(sentence).collect()
    }
}

/// A density with three decimals and a minus sign.
fn signed(density: f64) -> String {
    format!("{density:.3}").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::types::Year;

    #[test]
    fn the_claim_names_its_coefficients_and_what_it_covers() {
        let claim = Claim {
            kind: "accounting",
            through: vec![Year(2010)],
            coverage: Some(0.4567),
            identified: None,
        };
        let sentence = claim.sentence(Language::English);
        assert_eq!(
            sentence,
            "Model-implied contribution (reduced-form association of equation 15, coefficients \
             through 2010); not a forecast, not a causal total; covers 45.7 % of exports, \
             identified share – %."
        );
        assert!(claim.sentence(Language::Chinese).contains("覆盖出口额的 45.7%，"));
        assert!(!sentence.contains("caused") && !sentence.contains("will raise"));
    }
}
