//! Numbers and cells of a report.

use std::fmt::Write as _;

use crate::render::number::grouped;
use crate::visible;

/// A text for an element.
pub fn escaped(text: &str) -> String {
    let text = visible::line(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A text with a capital at its beginning.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A number with decimals and the minus sign of typography.
pub fn number(value: f64, n_decimals: usize) -> String {
    let text = format!("{value:.n_decimals$}");
    let is_zero = !text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let text = if is_zero { text.trim_start_matches('-').to_owned() } else { text };
    text.replace('-', "\u{2212}")
}

/// A number with its sign.
pub fn signed(value: f64, n_decimals: usize) -> String {
    let text = number(value, n_decimals);
    let has_sign = text.starts_with('\u{2212}') || !text.bytes().any(|b| matches!(b, b'1'..=b'9'));
    if has_sign { text } else { format!("+{text}") }
}

/// A log growth in log points.
pub fn points(log: f64) -> f64 {
    100.0 * log
}

/// A log growth as a share, in percent.
pub fn percent(log: f64) -> f64 {
    100.0 * libm::expm1(log)
}

/// The sign of a missing figure.
pub fn dash() -> String {
    "–".to_owned()
}

/// A whole number.
pub fn count(n: u64) -> String {
    grouped(usize::try_from(n).unwrap_or(usize::MAX))
}

/// A count as a number that can be divided.
pub fn float(n: u64) -> f64 {
    // Counts of relations are below 2^53.
    n.to_string().parse().unwrap_or_default()
}

/// A year or a month as a number of a chart.
pub fn part(of: u32) -> i32 {
    i32::try_from(of).unwrap_or_default()
}

/// A row of a table.
pub fn cells(tag: &str, texts: &[String]) -> String {
    let mut row = String::from("<tr>");
    for text in texts {
        let _ = write!(row, "<{tag}>{}</{tag}>", escaped(text));
    }
    row + "</tr>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_sign_and_zero_has_none() {
        assert_eq!(signed(-0.04, 1), "0.0");
        assert_eq!(signed(1.26, 1), "+1.3");
        assert_eq!(signed(-12.0, 1), "\u{2212}12.0");
    }

    #[test]
    fn a_name_cannot_begin_an_element() {
        assert_eq!(cells("td", &["<b>&".to_owned()]), "<tr><td>&lt;b&gt;&amp;</td></tr>\n");
    }
}
