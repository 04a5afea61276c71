//! Numbers for people: one style in every text, table and chart.
//!
//! | number | style |
//! |---|---|
//! | figure | four decimals, or as many significant digits as requested |
//! | figure that four decimals would show as zero | three significant digits |
//! | figure below 10⁻¹⁰ or from 10⁹ on | three decimals and an exponent |
//! | count | whole, thousands separated by commas |
//! | amount | two decimals, thousands separated by commas, US dollars |
//!
//! Invariant: only zero is written as zero, and zero has no sign.

/// The significant digits of a figure that its decimals would show as zero.
const SIGNIFICANT_OF_SMALL: usize = 3;
/// The decimals before an exponent.
const SCIENTIFIC_DECIMALS: usize = 3;
/// The smallest decimal exponent of a figure without an exponent.
const EXPONENT_MIN: i32 = -10;
/// The first decimal exponent of a figure with an exponent.
const EXPONENT_MAX: i32 = 9;

/// The digits of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// A number of decimals.
    Decimals(u8),
    /// A number of significant digits.
    Significant(u8),
}

impl Default for Digits {
    fn default() -> Self {
        Self::Decimals(4)
    }
}

impl Digits {
    /// A figure; empty for a number that does not exist.
    #[must_use]
    pub fn figure(self, value: f64) -> String {
        written(value, self.n_decimals(value))
    }

    /// A figure and another one with the same number of decimals, such as a coefficient and its
    /// standard error.
    #[must_use]
    pub fn pair(self, value: f64, other: f64) -> (String, String) {
        let n_decimals = match (self.n_decimals(value), self.n_decimals(other)) {
            (Some(of_value), Some(of_other)) => of_value.max(of_other),
            _ => return (self.figure(value), self.figure(other)),
        };
        (written(value, Some(n_decimals)), written(other, Some(n_decimals)))
    }

    /// The number of decimals; `None` for a figure with an exponent.
    fn n_decimals(self, value: f64) -> Option<usize> {
        let n_decimals = match self {
            Self::Decimals(n) => usize::from(n),
            Self::Significant(n) => {
                let n = usize::from(n.max(1));
                return if value == 0.0 { Some(n - 1) } else { of_significant(value, n) };
            }
        };
        let exponent = exponent(value, 0);
        let is_shown =
            format!("{value:.n_decimals$}").bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        match exponent {
            _ if value == 0.0 || !value.is_finite() => Some(n_decimals),
            EXPONENT_MAX.. => None,
            _ if is_shown => Some(n_decimals),
            _ => of_significant(value, SIGNIFICANT_OF_SMALL),
        }
    }
}

/// The decimals that show a number of significant digits.
fn of_significant(value: f64, n_digits: usize) -> Option<usize> {
    let exponent = exponent(value, n_digits - 1);
    let is_plain = (EXPONENT_MIN..EXPONENT_MAX).contains(&exponent);
    let n_digits = i32::try_from(n_digits).expect("at most 255");
    is_plain.then(|| usize::try_from(n_digits - 1 - exponent).unwrap_or(0))
}

/// The decimal exponent of a number that is rounded to some decimals before it.
fn exponent(value: f64, n_decimals: usize) -> i32 {
    let text = format!("{value:.n_decimals$e}");
    text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

fn written(value: f64, n_decimals: Option<usize>) -> String {
    let value = if value == 0.0 { 0.0 } else { value };
    match n_decimals {
        _ if !value.is_finite() => String::new(),
        Some(n_decimals) => format!("{value:.n_decimals$}"),
        None => format!("{value:.SCIENTIFIC_DECIMALS$e}"),
    }
}

/// A count with thousands separators.
#[must_use]
pub fn grouped(count: usize) -> String {
    separated(&count.to_string())
}

/// An amount in US dollars, with its cents and thousands separators.
#[must_use]
pub fn amount(dollars: f64) -> String {
    let text = format!("{dollars:.2}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let sign = if digits == "0.00" { "" } else { sign };
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, "00"));
    format!("{sign}{}.{cents} USD", separated(whole))
}

/// Digits in groups of three.
fn separated(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The cell of a table by the unit of its column: amounts and counts in groups, figures with
/// digits. Codes, years and texts stay.
#[must_use]
pub fn of_unit(unit: &str, cell: &str) -> String {
    let Ok(value) = cell.parse::<f64>() else { return cell.to_owned() };
    let is_figure = unit.starts_with("log") || matches!(unit, "share" | "figure");
    match unit {
        "USD" => amount(value),
        _ if is_figure => Digits::default().figure(value),
        "firms" | "cities" | "plants" | "rows" | "lines" => {
            cell.parse().map_or_else(|_| cell.to_owned(), grouped)
        }
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    #[test]
    fn figures_have_four_decimals_and_small_ones_significant_digits() {
        let figures = [
            (0.0, "0.0000"),
            (-0.0, "0.0000"),
            (0.123_45, "0.1235"),
            (-12.238, "-12.2380"),
            (0.000_8, "0.0008"),
            (0.000_035_9, "0.0000359"),
            (-2e-7, "-0.000000200"),
            (9.999e-5, "0.0001"),
            (4.999_6e-5, "0.0000500"),
            (1e-12, "1.000e-12"),
            (1.5e9, "1.500e9"),
            (f64::NAN, ""),
            (f64::INFINITY, ""),
        ];
        for (value, text) in figures {
            assert_eq!(Digits::default().figure(value), text, "{value:e}");
        }
    }

    #[test]
    fn significant_digits_are_counted_after_rounding() {
        let digits = Digits::Significant(3);
        let figures = [
            (0.0, "0.00"),
            (0.123_45, "0.123"),
            (9.999, "10.0"),
            (1234.56, "1235"),
            (0.000_099_96, "0.000100"),
            (3e-11, "3.000e-11"),
        ];
        for (value, text) in figures {
            assert_eq!(digits.figure(value), text, "{value:e}");
        }
    }

    #[test]
    fn a_coefficient_and_its_error_have_the_same_decimals() {
        let digits = Digits::default();
        assert_eq!(digits.pair(0.000_035_9, 0.001_2), ("0.0000359".into(), "0.0012000".into()));
        assert_eq!(digits.pair(0.04, 0.0016), ("0.0400".into(), "0.0016".into()));
        assert_eq!(digits.pair(1e-12, 0.5), ("1.000e-12".into(), "0.5000".into()));
    }

    #[test]
    fn amounts_and_counts_are_grouped_and_named() {
        assert_eq!(amount(1_234_567.891), "1,234,567.89 USD");
        assert_eq!(amount(-0.001), "0.00 USD");
        assert_eq!(amount(-1234.5), "-1,234.50 USD");
        assert_eq!(grouped(6_240_750), "6,240,750");
        let cells = [
            ("USD", "1000.5", "1,000.50 USD"),
            ("log", "0.30000000000000004", "0.3000"),
            ("firms", "12345", "12,345"),
            ("code", "0101", "0101"),
            ("year", "2009", "2009"),
            ("log", "", ""),
        ];
        for (unit, cell, text) in cells {
            assert_eq!(of_unit(unit, cell), text);
        }
    }

    proptest! {
        #[test]
        fn only_zero_is_written_as_zero(value in -1e12..1e12_f64, scale in -15..3_i32) {
            let value = value * 10_f64.powi(scale);
            for digits in [Digits::default(), Digits::Decimals(0), Digits::Significant(2)] {
                let text = digits.figure(value);
                let read: f64 = text.parse().expect("a number");
                prop_assert!((read == 0.0) == (value == 0.0), "{value:e} is {text}");
                prop_assert!(read.signum() * value.signum() >= 0.0);
            }
        }
    }
}
