//! The sentences of alerts, in English and Chinese.

use std::fmt::Write as _;

use super::alert::Alert;
use crate::domain::series::Level;
use crate::domain::span::SpanAt;
use crate::reader::names::{Names, PlaceKind};
use crate::tables::meanings::{Language, meaning};
use crate::tables::periods;

/// The tag of an alert about one exporter. It is no cause.
pub const ONE_EXPORTER: &str = "one_exporter";

/// The sentence of an alert about a figure of a span.
#[must_use]
pub fn of_figure(
    alert: &Alert,
    at: SpanAt,
    (names, claim): (&Names, Option<&str>),
    language: Language,
) -> String {
    let zh = language == Language::Chinese;
    let (table, figure) =
        (alert.table.as_deref().unwrap_or_default(), alert.figure.as_deref().unwrap_or_default());
    let meaning = meaning(table, figure);
    let unit = meaning.map_or("", |of| of.unit.as_str());
    let label = label(alert, meaning.map_or(figure, |of| of.label(language)), zh);
    let shown =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |of| number(of, unit, zh));
    let (span, name) = (periods::span(at, language), unit_name(alert, names, language));
    let mut text = if zh {
        format!("{name}：{span}{label}为 {}", shown(alert.value))
    } else {
        format!("{name}: {label} of {span} is {}", shown(alert.value))
    };
    text.push_str(&comparison(alert, (&shown, unit), zh));
    text.push_str(&ending(alert, zh));
    if let Some(claim) = claim {
        text.push_str(if zh { "" } else { " " });
        text.push_str(claim);
    }
    text
}

/// The rule and the vintage of an alert, its causes, and whether one exporter is behind it.
#[must_use]
pub fn ending(alert: &Alert, zh: bool) -> String {
    let (rule, vintage) = (&alert.rule, alert.vintage);
    let causes = alert.tags.iter().filter(|of| *of != ONE_EXPORTER);
    let causes: Vec<&str> = causes.map(|of| cause(of, zh)).collect();
    let is_one = causes.len() < alert.tags.len();
    let mut text = if zh {
        format!("。规则“{rule}”，版本 {vintage}。")
    } else {
        format!(". Rule \"{rule}\", vintage {vintage}.")
    };
    let _ = match (&causes[..], zh) {
        ([], _) => Ok(()),
        (_, true) => write!(text, "原因：{}。", causes.join("、")),
        ([one], false) => write!(text, " Cause: {one}."),
        (_, false) => write!(text, " Causes: {}.", causes.join(", ")),
    };
    text.push_str(match (is_one, zh) {
        (false, _) => "",
        (true, true) => "其中一家出口企业占一半以上。",
        (true, false) => " One exporter accounts for more than half.",
    });
    text
}

/// The name of a figure inside a sentence.
fn label(alert: &Alert, label: &str, zh: bool) -> String {
    if alert.table.as_deref() == Some("effects") {
        let is_contrast = alert.condition == "change";
        return match (is_contrast, zh) {
            (true, true) => "与其他工厂相比的模型隐含贡献",
            (true, false) => "the model-implied contribution in contrast to other plants",
            (false, true) => "模型隐含贡献",
            (false, false) => "the model-implied contribution",
        }
        .to_owned();
    }
    let mut letters = label.chars();
    match letters.next() {
        Some(first) if !zh => first.to_lowercase().chain(letters).collect(),
        _ => label.to_owned(),
    }
}

/// The comparison that raised the alert.
fn comparison(
    alert: &Alert,
    (shown, unit): (&dyn Fn(Option<f64>) -> String, &str),
    zh: bool,
) -> String {
    // A threshold is a size: it has no sign.
    let threshold = || shown(alert.threshold).trim_start_matches('+').to_owned();
    match alert.condition.as_str() {
        "z" => {
            let z = minus(&format!("{:.2}", alert.z.unwrap_or_default()));
            let (q, years) = (alert.q_value.unwrap_or_default(), alert.years.unwrap_or_default());
            if zh {
                format!("，与此前 {years} 年同期相比 z = {z}，q = {q:.3}")
            } else {
                format!("; z = {z} against the same months of {years} earlier years, q = {q:.3}")
            }
        }
        "revision" => {
            let before = shown(alert.before);
            if zh {
                format!("，修订前为 {before}")
            } else {
                format!("; it was {before} before the revision")
            }
        }
        "sign" => (if zh { "，符号与此前相反" } else { "; its sign has changed" }).to_owned(),
        "breadth" => match (alert.side < 0, zh) {
            (true, true) => format!("，低于 {}", threshold()),
            (false, true) => format!("，高于 {}", threshold()),
            (true, false) => format!(", below {}", threshold()),
            (false, false) => format!(", above {}", threshold()),
        },
        _ => {
            let end = |of: Option<f64>| of.map_or_else(|| "–".to_owned(), |of| points(of, unit));
            let (low, high) = (end(alert.conf_low), end(alert.conf_high));
            if zh {
                format!("，超过阈值 {}，95% 区间为 {low} 至 {high}", threshold())
            } else {
                format!(", beyond the threshold of {}; 95 % interval {low} to {high}", threshold())
            }
        }
    }
}

fn number(value: f64, unit: &str, zh: bool) -> String {
    let shown = points(value, unit);
    match (unit, zh) {
        ("share", true) => format!("{shown}%"),
        ("share", false) => format!("{shown} %"),
        (_, true) => format!("{shown} 对数点"),
        (_, false) => format!("{shown} log points"),
    }
}

/// A share in percent, another figure in log points.
fn points(value: f64, unit: &str) -> String {
    let text = match unit {
        "share" => format!("{:.1}", 100.0 * value),
        _ => format!("{:+.2}", 100.0 * value),
    };
    minus(&text)
}

/// A number with the minus sign of typography, and zero without a sign.
fn minus(number: &str) -> String {
    if !number.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        return number.trim_start_matches(['-', '+']).to_owned();
    }
    number.replace('-', "\u{2212}")
}

fn cause(name: &str, zh: bool) -> &str {
    match (name, zh) {
        ("late", true) => "迟报记录",
        ("late", false) => "late records",
        ("amended", true) => "修改与替换",
        ("amended", false) => "amendments",
        ("closed", true) => "新关账的月份",
        ("closed", false) => "closed months",
        ("coefficients", true) => "系数",
        (other, _) => other,
    }
}

/// The unit with its name.
fn unit_name(alert: &Alert, names: &Names, language: Language) -> String {
    let level = alert.level.as_deref().unwrap_or_default();
    let zh = language == Language::Chinese;
    let key = alert.key.as_str();
    let country = |code: &str| named(code, names.name(PlaceKind::Country, code, language), zh);
    let province = |code: &str| named(code, names.province(code, language), zh);
    match Level::ALL.into_iter().find(|of| of.name() == level) {
        Some(Level::Nation) => (if zh { "全国" } else { "Nation" }).to_owned(),
        Some(Level::City) => named(key, names.name(PlaceKind::City, key, language), zh),
        Some(Level::Country) => country(key),
        Some(Level::Province) => province(key),
        Some(Level::ProvinceCountry) => match key.split_once('^') {
            Some((of, to)) => format!("{} → {}", province(of), country(to)),
            None => key.to_owned(),
        },
        _ => key.to_owned(),
    }
}

fn named(code: &str, name: Option<&str>, zh: bool) -> String {
    match name {
        None => code.to_owned(),
        Some(name) if zh => format!("{name}（{code}）"),
        Some(name) => format!("{name} ({code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::span::{Joint, Span};
    use crate::domain::types::Period;

    fn alert(condition: &str) -> Alert {
        let text = |of: &str| Some(of.to_owned());
        Alert {
            rule: "r".to_owned(),
            condition: condition.to_owned(),
            table: text("series"),
            figure: text("growth"),
            level: text("nation"),
            key: "all".to_owned(),
            vintage: 42,
            value: Some(-0.2134),
            ..Alert::default()
        }
    }

    /// The sentences of an alert, in English and Chinese.
    fn sentences(alert: &Alert, (span, month): (Span, u8), claim: Option<&str>) -> [String; 2] {
        let month = Period::new(2011, month).expect("a month");
        let at = SpanAt::new(span, month, Joint::default()).expect("a span");
        let of = |language| of_figure(alert, at, (&Names::default(), claim), language);
        [Language::English, Language::Chinese].map(of)
    }

    #[test]
    fn a_sentence_has_figure_comparison_rule_causes_and_claim_in_both_languages() {
        let alert = Alert {
            z: Some(-3.2),
            q_value: Some(0.0123),
            years: Some(6),
            tags: vec!["late".to_owned(), "one_exporter".to_owned()],
            ..alert("z")
        };
        let [english, chinese] = sentences(&alert, (Span::Month, 2), Some("Claim."));
        assert_eq!(
            english,
            "Nation: export growth (log) of January and February 2011 is \u{2212}21.34 log points; \
             z = \u{2212}3.20 against the same months of 6 earlier years, q = 0.012. Rule \"r\", \
             vintage 42. Cause: late records. One exporter accounts for more than half. Claim."
        );
        assert_eq!(
            chinese,
            "全国：2011年1—2月出口增长（对数）为 \u{2212}21.34 对数点，与此前 6 年同期相比 \
             z = \u{2212}3.20，q = 0.012。规则“r”，版本 42。原因：迟报记录。\
             其中一家出口企业占一半以上。Claim."
        );
    }

    /// The sentences up to the rule, for the year to date.
    fn compared(alert: &Alert) -> [String; 2] {
        sentences(alert, (Span::YearToDate, 11), None).map(|text| {
            let end = text.find(". Rule").or(text.find("。规则")).expect("the rule");
            text[..end].to_owned()
        })
    }

    #[test]
    fn each_condition_says_what_raised_the_alert() {
        let start = [
            "Nation: export growth (log) of January to November 2011 is \u{2212}21.34 log points",
            "全国：2011年1—11月出口增长（对数）为 \u{2212}21.34 对数点",
        ];
        let level = Alert {
            threshold: Some(0.1),
            conf_low: Some(-0.3),
            conf_high: Some(-0.1268),
            ..alert("level")
        };
        let ends = [
            ", beyond the threshold of 10.00 log points; 95 % interval \u{2212}30.00 to \
             \u{2212}12.68",
            "，超过阈值 10.00 对数点，95% 区间为 \u{2212}30.00 至 \u{2212}12.68",
        ];
        let joined =
            |ends: [&str; 2]| [0, 1].map(|place| format!("{}{}", start[place], ends[place]));
        assert_eq!(compared(&level), joined(ends));
        let signs = ["; its sign has changed", "，符号与此前相反"];
        assert_eq!(compared(&alert("sign")), joined(signs));
        let revision = Alert { before: Some(0.0), ..alert("revision") };
        let before = ["; it was 0.00 log points before the revision", "，修订前为 0.00 对数点"];
        assert_eq!(compared(&revision), joined(before));
        let (table, figure) = (Some("effects".to_owned()), Some("effect".to_owned()));
        let change = Alert { condition: "change".to_owned(), table, figure, ..level };
        let starts = [
            "Nation: the model-implied contribution in contrast to other plants of January to \
             November 2011 is \u{2212}21.34 log points",
            "全国：2011年1—11月与其他工厂相比的模型隐含贡献为 \u{2212}21.34 对数点",
        ];
        let expected = [0, 1].map(|place| format!("{}{}", starts[place], ends[place]));
        assert_eq!(compared(&change), expected);
        let figure = Some("breadth".to_owned());
        let (value, threshold) = (Some(0.25), Some(0.3));
        let breadth = Alert { figure, value, threshold, side: -1, ..alert("breadth") };
        let expected = [
            "Nation: breadth of January to November 2011 is 25.0 %, below 30.0 %",
            "全国：2011年1—11月正增长市场占比为 25.0%，低于 30.0%",
        ];
        assert_eq!(compared(&breadth), expected);
    }
}
