//! Messages of the estimator and of stored failures, in Chinese.
//!
//! `messages.csv` has a pattern for each message. `{}` stands for a value; the Chinese text has the
//! values in the same order, or by number where its order differs.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::style::Style;
use crate::tables::meanings::Language;

/// A message with `{}` for its values, in English and Chinese.
struct Message {
    english: Vec<String>,
    chinese: String,
}

static MESSAGES: LazyLock<Vec<Message>> = LazyLock::new(|| {
    let mut rows = csv::Reader::from_reader(include_str!("messages.csv").as_bytes());
    let rows = rows.deserialize::<(String, String)>().map(|row| row.expect("a tested file"));
    let message = |(english, chinese): (String, String)| Message {
        english: english.split("{}").map(str::to_owned).collect(),
        chinese,
    };
    rows.map(message).collect()
});

impl Style {
    /// A message in the language of the style; in English if no pattern fits.
    #[must_use]
    pub fn message<'m>(&self, message: &'m str) -> Cow<'m, str> {
        match self.language {
            Language::English => message.into(),
            Language::Chinese => chinese(message).map_or(message.into(), Cow::from),
        }
    }
}

fn chinese(message: &str) -> Option<String> {
    let (found, values) = MESSAGES
        .iter()
        .find_map(|known| values(&known.english, message).map(|values| (known, values)))?;
    // A value can be a message itself, such as the reason for a missing standard error.
    let values: Vec<String> = values
        .into_iter()
        .map(|value| chinese(value).unwrap_or_else(|| value.to_owned()))
        .collect();
    let mut text = found.chinese.clone();
    for (place, value) in values.iter().enumerate() {
        let numbered = format!("{{{place}}}");
        text = if text.contains(&numbered) {
            text.replace(&numbered, value)
        } else {
            text.replacen("{}", value, 1)
        };
    }
    Some(text)
}

/// The values of a message between the fixed parts of a pattern; `None` if it does not fit.
fn values<'m>(fixed: &[String], message: &'m str) -> Option<Vec<&'m str>> {
    let (first, rest) = fixed.split_first()?;
    let mut left = message.strip_prefix(first.as_str())?;
    let mut values = Vec::new();
    for (place, part) in rest.iter().enumerate() {
        let is_last = place + 1 == rest.len();
        let at = if is_last {
            left.strip_suffix(part.as_str()).map(str::len)
        } else {
            left.find(part.as_str())
        }?;
        values.push(&left[..at]);
        left = &left[at + part.len()..];
    }
    left.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::types::{Vintage, Year};
    use crate::estimate::error::{EstimateError, Stop};
    use crate::estimate::result::NoStdError;
    use crate::regressions::RegressionError;

    fn in_chinese(message: &str) -> String {
        Style { language: Language::Chinese, ..Style::default() }.message(message).into_owned()
    }

    #[test]
    fn every_pattern_is_a_pattern_once_and_has_its_values_in_chinese() {
        let mut known: Vec<&[String]> = Vec::new();
        for message in MESSAGES.iter() {
            let n_values = message.english.len() - 1;
            let numbered = (0..n_values).all(|at| message.chinese.contains(&format!("{{{at}}}")));
            let in_order = message.chinese.matches("{}").count() == n_values;
            assert!(in_order || numbered, "{}", message.chinese);
            assert!(!known.contains(&message.english.as_slice()), "{:?}", message.english);
            known.push(&message.english);
        }
    }

    #[test]
    fn every_reason_for_a_missing_estimate_has_its_chinese() {
        let absent =
            |column: &str| RegressionError::Absent { panel: "plant", column: column.into() };
        let not_yet = |first, has_others| RegressionError::NotYet {
            model: "3.4".into(),
            vintage: Vintage(7),
            first,
            has_others,
        };
        let no_rows =
            |column| EstimateError::NoRows { n_rows: 9, n_missing: 4, n_singletons: 5, column };
        let not_converged = |stop| EstimateError::NotConverged {
            stop,
            variable: "x".into(),
            iterations: 3,
            relative_residual: 1e-3,
        };
        let errors = [
            absent("ln_supply"),
            absent("income_group"),
            absent("hs6"),
            absent("experience"),
            RegressionError::NoOrdinaryTrade { modes: vec!["10".into()] },
            RegressionError::NoRows { n_rows: 9, n_missing: 1, n_excluded: 4, n_singletons: 4 },
            RegressionError::NoYear { through: None },
            RegressionError::NoYear { through: Some(Year(2008)) },
            RegressionError::WholeYears { what: "the ordinary panel".into() },
            not_yet(Some(Vintage(9)), true),
            not_yet(Some(Vintage(9)), false),
            not_yet(None, true),
            not_yet(None, false),
            no_rows(None).into(),
            no_rows(Some("x".into())).into(),
            not_converged(Stop::IterationLimit).into(),
            not_converged(Stop::Stagnated).into(),
            not_converged(Stop::NotFinite).into(),
        ];
        for error in errors.iter().map(ToString::to_string) {
            let text = in_chinese(&error);
            assert!(text != error && !text.contains("{}"), "{error}: {text}");
            assert!(!text.contains(" is ") && !text.contains(" the "), "{error}: {text}");
        }
        let expected = "版次7时没有3.4的已存估计；首个估计在版次9";
        assert_eq!(in_chinese(&not_yet(Some(Vintage(9)), false).to_string()), expected);
    }

    #[test]
    fn a_reason_inside_a_message_is_in_chinese_too() {
        let reason = NoStdError::OneCluster;
        let note = format!("No standard error of x:y: {reason}.");
        assert_eq!(in_chinese(&note), "x:y没有标准误：只有一个聚类。");
        assert_eq!(in_chinese("another message"), "another message");
    }
}
