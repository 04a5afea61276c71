//! Amounts in every form that agencies use: signs at either end, parentheses, groups of digits,
//! exponents, any number of decimals.
//!
//! Only amounts outside of the plain form ([`amount`](super::amount)) are read here. The result is
//! exact. Fractions of a cent are rounded half to even and marked as rounded.

use super::amount::CENTS_MAX;
use super::layout::{MissingValue, Thousands, ValueLayout};
use super::text::{narrow, trimmed};
use crate::domain::record::Rule;

/// The amount in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// An exact number of cents.
    Cents(i64),
    /// A number of cents, rounded half to even from a fraction of a cent.
    Rounded(i64),
    /// A missing amount.
    Missing,
}

/// The largest exponent that matters: larger ones make any amount zero or exceed the range.
const EXPONENT_MAX: i64 = 4096;

/// Reads an amount.
///
/// # Errors
/// [`Rule::Number`] if the text is not an amount, [`Rule::Range`] if it is past [`CENTS_MAX`].
pub fn written(text: &str, layout: &ValueLayout) -> Result<Written, Rule> {
    let text = trimmed(text);
    if layout.missing.iter().any(|missing| trimmed(missing) == text) {
        return Ok(match layout.missing_is {
            MissingValue::Excluded => Written::Missing,
            MissingValue::Zero => Written::Cents(0),
        });
    }
    let text: String = text.chars().map(narrow).collect();
    let (negative, unsigned) = sign(trimmed(&text)).ok_or(Rule::Number)?;
    let (mantissa, exponent) = exponent(unsigned).ok_or(Rule::Number)?;
    let mark = char::from(layout.decimal_mark.byte());
    let (whole, decimals) = match mantissa.split_once(mark) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (mantissa, None),
    };
    let whole = ungrouped(whole, layout.thousands).ok_or(Rule::Number)?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let decimals = decimals.unwrap_or("");
    if !is_digits(decimals) || (whole.is_empty() && decimals.is_empty()) {
        return Err(Rule::Number);
    }
    let n_decimals = i64::try_from(decimals.len()).map_err(|_| Rule::Number)?;
    let digits = times(&(whole + decimals), layout.unit.get());
    let (cents, is_exact) = scaled(&digits, exponent - n_decimals + 2).ok_or(Rule::Range)?;
    let cents = if negative { -cents } else { cents };
    Ok(if is_exact { Written::Cents(cents) } else { Written::Rounded(cents) })
}

/// The sign of an amount (true if negative), and the text without it.
fn sign(text: &str) -> Option<(bool, &str)> {
    const MINUS: [char; 3] = ['-', '\u{2212}', '\u{2013}'];
    if let Some(inside) = text.strip_prefix('(') {
        return Some((true, trimmed(inside.strip_suffix(')')?)));
    }
    let (negative, rest) = match text.strip_prefix(MINUS) {
        Some(rest) => (true, rest),
        None => match text.strip_suffix(MINUS) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').or(text.strip_suffix('+')).unwrap_or(text)),
        },
    };
    Some((negative, trimmed(rest)))
}

/// The text before the exponent, and the exponent.
fn exponent(text: &str) -> Option<(&str, i64)> {
    let Some(at) = text.find(['e', 'E']) else { return Some((text, 0)) };
    let (mantissa, exponent) = (&text[..at], &text[at + 1..]);
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(EXPONENT_MAX).min(EXPONENT_MAX);
    Some((mantissa, if exponent.starts_with('-') { -size } else { size }))
}

/// Digits without the marks between their groups: three digits in the last group, two or three in
/// the middle, fewer in the first.
fn ungrouped(text: &str, thousands: Option<Thousands>) -> Option<String> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(text) {
        return Some(text.to_owned());
    }
    let is_mark = |letter: char| match thousands {
        Some(Thousands::Comma) => letter == ',',
        Some(Thousands::Point) => letter == '.',
        Some(Thousands::Blank) => letter.is_whitespace(),
        Some(Thousands::Apostrophe) => matches!(letter, '\'' | '\u{2019}'),
        None => false,
    };
    let groups: Vec<&str> = text.split(is_mark).collect();
    let n_last = groups.len().checked_sub(1)?;
    let fits = |(at, group): (usize, &&str)| {
        let sizes = match at {
            at if at == n_last => 3..=3,
            0 => 1..=3,
            _ => 2..=3,
        };
        is_digits(group) && sizes.contains(&group.len())
    };
    (n_last > 0 && groups.iter().enumerate().all(fits)).then(|| groups.concat())
}

/// The decimal digits of a product.
fn times(digits: &str, factor: u32) -> Vec<u8> {
    let mut carry = 0_u64;
    let mut product: Vec<u8> = Vec::with_capacity(digits.len() + 10);
    for digit in digits.bytes().rev() {
        carry += u64::from(digit - b'0') * u64::from(factor);
        product.push(u8::try_from(carry % 10).expect("a digit"));
        carry /= 10;
    }
    while carry > 0 {
        product.push(u8::try_from(carry % 10).expect("a digit"));
        carry /= 10;
    }
    product.reverse();
    product
}

/// Digits times a power of ten, rounded half to even, with a flag for an exact result; `None` past
/// the range.
fn scaled(digits: &[u8], power: i64) -> Option<(i64, bool)> {
    let first = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
    let digits = &digits[first..];
    if digits.is_empty() {
        return Some((0, true));
    }
    let n_whole = i64::try_from(digits.len()).ok()? + power;
    if n_whole > 19 {
        return None;
    }
    let n_whole = usize::try_from(n_whole).unwrap_or(0);
    let is_below = usize::try_from(-power).is_ok_and(|below| below > digits.len());
    let (whole, rest) = digits.split_at(n_whole.min(digits.len()));
    let zeros = n_whole - whole.len();
    let all = whole.iter().copied().chain(std::iter::repeat_n(0, zeros));
    let cents = all.fold(0_i128, |sum, digit| sum * 10 + i128::from(digit));
    let is_exact = rest.iter().all(|digit| *digit == 0);
    let goes_up = match rest {
        _ if is_below => false,
        [5, below @ ..] if below.iter().all(|digit| *digit == 0) => cents % 2 == 1,
        [first, ..] => *first >= 5,
        [] => false,
    };
    let cents = i64::try_from(cents + i128::from(goes_up)).ok()?;
    (cents <= CENTS_MAX).then_some((cents, is_exact))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::feed::layout::DecimalMark;

    fn layout(unit: u32, mark: DecimalMark, thousands: Option<Thousands>) -> ValueLayout {
        ValueLayout {
            unit: std::num::NonZeroU32::new(unit).expect("a unit"),
            decimal_mark: mark,
            thousands,
            missing: vec!["-".to_owned(), "…".to_owned()],
            missing_is: MissingValue::Excluded,
        }
    }

    #[test]
    fn every_form_of_a_number_is_read() {
        let plain = layout(1, DecimalMark::Point, None);
        let cases = [
            (" 10.00", Written::Cents(1000)),
            ("10\u{A0}", Written::Cents(1000)),
            ("+1", Written::Cents(100)),
            ("1.5-", Written::Cents(-150)),
            ("(1.5)", Written::Cents(-150)),
            ("\u{2212}2", Written::Cents(-200)),
            ("１２", Written::Cents(1200)),
            (".5", Written::Cents(50)),
            ("1.", Written::Cents(100)),
            ("1.5E+03", Written::Cents(150_000)),
            ("1e5", Written::Cents(10_000_000)),
            ("150e-2", Written::Cents(150)),
            ("1.000000", Written::Cents(100)),
            ("100.00000000001", Written::Rounded(10_000)),
            ("0.005", Written::Rounded(0)),
            ("0.015", Written::Rounded(2)),
            ("0.0150000001", Written::Rounded(2)),
            ("0.0250", Written::Rounded(2)),
            ("-0.025000000000000000000000000000000000001", Written::Rounded(-3)),
            ("1e-400", Written::Rounded(0)),
            ("0e999999999999", Written::Cents(0)),
            ("-", Written::Missing),
            (" … ", Written::Missing),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text, &plain), Ok(expected), "{text:?}");
        }
        let units = layout(10_000, DecimalMark::Point, None);
        assert_eq!(written("1.2345", &units), Ok(Written::Cents(1_234_500)));
        assert_eq!(written("1.23456789", &units), Ok(Written::Rounded(1_234_568)));
    }

    #[test]
    fn groups_of_digits_are_read_where_the_profile_has_them() {
        let cases = [
            (Thousands::Comma, DecimalMark::Point, "1,234,567.5"),
            (Thousands::Point, DecimalMark::Comma, "1.234.567,5"),
            (Thousands::Blank, DecimalMark::Comma, "1 234\u{202F}567,5"),
            (Thousands::Apostrophe, DecimalMark::Point, "1'234'567.5"),
            (Thousands::Comma, DecimalMark::Point, "12,34,567.5"),
        ];
        for (thousands, mark, text) in cases {
            let read = written(text, &layout(1, mark, Some(thousands)));
            assert_eq!(read, Ok(Written::Cents(123_456_750)), "{text}");
        }
        let grouped = layout(1, DecimalMark::Point, Some(Thousands::Comma));
        for text in ["1,5", "1,23", "1,2345", ",123", "1,,234", "1.5,000"] {
            assert_eq!(written(text, &grouped), Err(Rule::Number), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none_and_what_is_too_large_is_told_apart() {
        let plain = layout(1, DecimalMark::Point, None);
        let none =
            ["", "NaN", "inf", "--1", "1.2.3", "0x10", "1.-5", "1,234.50", "1e", "(1", "1 2"];
        for text in none {
            assert_eq!(written(text, &plain), Err(Rule::Number), "{text:?}");
        }
        for text in ["1e17", "99999999999999999999", "1e4096"] {
            assert_eq!(written(text, &plain), Err(Rule::Range), "{text}");
        }
    }

    proptest! {
        #[test]
        fn plain_decimals_are_read_as_the_plain_way_reads_them(
            whole in 0_u64..1 << 50, cents in 0_u64..100, unit in 1_u32..2000, minus: bool,
        ) {
            let text = format!("{}{whole}.{cents:02}", if minus { "-" } else { "" });
            let layout = layout(unit, DecimalMark::Point, None);
            let plain = crate::feed::amount::cents(text.as_bytes(), &layout).map(Written::Cents);
            prop_assert_eq!(written(&text, &layout), plain);
        }
    }
}
