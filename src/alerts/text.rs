//! The sentences of alerts, in English and Chinese.

use std::fmt::Write as _;

use super::alert::Alert;
use crate::domain::series::Level;
use crate::reader::names::{Names, PlaceKind};
use crate::tables::meanings::{Language, meaning};

/// The sentence of an alert about a figure.
#[must_use]
pub fn of_figure(alert: &Alert, names: &Names, claim: Option<&str>, language: Language) -> String {
    let zh = language == Language::Chinese;
    let (table, figure) =
        (alert.table.as_deref().unwrap_or_default(), alert.figure.as_deref().unwrap_or_default());
    let meaning = meaning(table, figure);
    let label = meaning.map_or(figure, |of| of.label(language));
    let unit = meaning.map_or("", |of| of.unit.as_str());
    let shown =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |of| number(of, unit, zh));
    let (at, name) = (month(alert), unit_name(alert, names, language));
    let span = span(alert.span.as_deref().unwrap_or_default(), zh);
    let mut text = if zh {
        format!("{name}:{at}({span})的{label}为 {}", shown(alert.value))
    } else {
        format!("{name}: {label} in {at} ({span}) is {}", shown(alert.value))
    };
    text.push_str(&comparison(alert, (&shown, unit), zh));
    let (rule, vintage) = (&alert.rule, alert.vintage);
    let tags: Vec<&str> = alert.tags.iter().map(|of| tag(of, zh)).collect();
    let _ = if zh {
        write!(text, "。规则 {rule},版次 {vintage}")
    } else {
        write!(text, ". Rule {rule}, vintage {vintage}")
    };
    let _ = match (tags.is_empty(), zh) {
        (true, _) => Ok(()),
        (false, true) => write!(text, "。原因:{}", tags.join("、")),
        (false, false) => write!(text, ". Causes: {}", tags.join(", ")),
    };
    text.push_str(if zh { "。" } else { "." });
    if let Some(claim) = claim {
        text.push_str(if zh { "" } else { " " });
        text.push_str(claim);
    }
    text
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
            let (z, q) = (alert.z.unwrap_or_default(), alert.q_value.unwrap_or_default());
            let years = alert.years.unwrap_or_default();
            if zh {
                format!(",与之前 {years} 年同月相比 z = {z:.2},q = {q:.3}")
            } else {
                format!("; z = {z:.2} against the same months of {years} earlier years, q = {q:.3}")
            }
        }
        "revision" => {
            let before = shown(alert.before);
            if zh {
                format!(",修订前为 {before}")
            } else {
                format!(", before the revision {before}")
            }
        }
        "sign" => {
            (if zh { ",符号与此前相反" } else { ", with the other sign than last" }).to_owned()
        }
        "breadth" => {
            let side = match (alert.side < 0, zh) {
                (true, true) => "低于",
                (false, true) => "高于",
                (true, false) => "below",
                (false, false) => "above",
            };
            if zh {
                format!(",{side} {}", threshold())
            } else {
                format!(", {side} {}", threshold())
            }
        }
        _ => {
            let end = |of: Option<f64>| of.map_or_else(|| "–".to_owned(), |of| points(of, unit));
            let ends = (end(alert.conf_low), end(alert.conf_high));
            if zh {
                format!(",超过阈值 {},95% 区间 [{}, {}]", threshold(), ends.0, ends.1)
            } else {
                format!(", beyond {}; 95 % interval [{}, {}]", threshold(), ends.0, ends.1)
            }
        }
    }
}

fn number(value: f64, unit: &str, zh: bool) -> String {
    let shown = points(value, unit);
    match (unit, zh) {
        ("share", _) => format!("{shown} %"),
        (_, true) => format!("{shown} 对数点"),
        (_, false) => format!("{shown} log points"),
    }
}

/// A share in percent, another figure in log points.
fn points(value: f64, unit: &str) -> String {
    if unit == "share" { format!("{:.1}", 100.0 * value) } else { format!("{:+.2}", 100.0 * value) }
}

fn month(alert: &Alert) -> String {
    let month = alert.month.unwrap_or_default();
    format!("{:04}-{:02}", month / 100, month % 100)
}

fn span(name: &str, zh: bool) -> &'static str {
    match (name, zh) {
        ("month", true) => "当月",
        ("month", false) => "month",
        ("12m", true) => "近十二个月",
        ("12m", false) => "12 months",
        (_, true) => "累计",
        (_, false) => "year to date",
    }
}

fn tag(name: &str, zh: bool) -> &str {
    match (name, zh) {
        ("late", true) => "迟到记录",
        ("late", false) => "late records",
        ("amended", true) => "修正与替换",
        ("amended", false) => "amendments",
        ("closed", true) => "新关账月份",
        ("closed", false) => "closed months",
        ("coefficients", true) => "系数",
        ("one_exporter", true) => "单一出口企业",
        ("one_exporter", false) => "one exporter",
        (other, _) => other,
    }
}

/// The unit with its name.
fn unit_name(alert: &Alert, names: &Names, language: Language) -> String {
    let level = alert.level.as_deref().unwrap_or_default();
    let zh = language == Language::Chinese;
    let key = alert.key.as_str();
    let country = |code: &str| named(code, names.name(PlaceKind::Country, code, language));
    let province = |code: &str| named(code, names.province(code, language));
    match Level::ALL.into_iter().find(|of| of.name() == level) {
        Some(Level::Nation) => (if zh { "全国" } else { "Nation" }).to_owned(),
        Some(Level::City) => named(key, names.name(PlaceKind::City, key, language)),
        Some(Level::Country) => country(key),
        Some(Level::Province) => province(key),
        Some(Level::ProvinceCountry) => match key.split_once('^') {
            Some((of, to)) => format!("{} → {}", province(of), country(to)),
            None => key.to_owned(),
        },
        _ => key.to_owned(),
    }
}

fn named(code: &str, name: Option<&str>) -> String {
    name.map_or_else(|| code.to_owned(), |name| format!("{name} ({code})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_figure_comparison_rule_causes_and_claim_in_both_languages() {
        let alert = Alert {
            rule: "r".to_owned(),
            condition: "z".to_owned(),
            table: Some("series".to_owned()),
            figure: Some("growth".to_owned()),
            level: Some("nation".to_owned()),
            span: Some("month".to_owned()),
            key: "all".to_owned(),
            month: Some(201_106),
            vintage: 42,
            value: Some(-0.2134),
            z: Some(-3.2),
            q_value: Some(0.0123),
            years: Some(6),
            tags: vec!["late".to_owned(), "one_exporter".to_owned()],
            ..Alert::default()
        };
        let of =
            |alert: &Alert, claim, language| of_figure(alert, &Names::default(), claim, language);
        assert_eq!(
            of(&alert, Some("Claim."), Language::English),
            "Nation: Export growth (log) in 2011-06 (month) is -21.34 log points; z = -3.20 \
             against the same months of 6 earlier years, q = 0.012. Rule r, vintage 42. Causes: \
             late records, one exporter. Claim."
        );
        assert_eq!(
            of(&alert, None, Language::Chinese),
            "全国:2011-06(当月)的出口增长(对数)为 -21.34 对数点,与之前 6 年同月相比 z = -3.20,\
             q = 0.012。规则 r,版次 42。原因:迟到记录、单一出口企业。"
        );
        let level = Alert {
            condition: "level".to_owned(),
            threshold: Some(0.1),
            conf_low: Some(-0.3),
            conf_high: Some(-0.1268),
            ..alert
        };
        let text = of(&level, None, Language::English);
        let expected = ", beyond 10.00 log points; 95 % interval [-30.00, -12.68]. Rule r";
        assert!(text.contains(expected), "{text}");
    }
}
