//! Digits to cents.

use std::num::NonZeroU32;

use super::profile::ValueLayout;
use crate::domain::record::Rule;

/// The largest amount of either sign, in cents: sums of two still fit in an `i64`.
pub const CENTS_MAX: i64 = 1 << 62;

/// Reads a decimal as cents: digits, an optional minus, an optional decimal mark with one or two
/// digits.
///
/// # Errors
/// [`Rule::Number`] if the text has another form, [`Rule::Range`] if it is past [`CENTS_MAX`].
pub fn cents(text: &[u8], layout: &ValueLayout) -> Result<i64, Rule> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let magnitude = hundredths(digits, layout.decimal_mark.byte()).ok_or(Rule::Number)?;
    let magnitude = magnitude.saturating_mul(u64::from(NonZeroU32::get(layout.unit)));
    let magnitude = i64::try_from(magnitude).ok().filter(|&magnitude| magnitude <= CENTS_MAX);
    let magnitude = magnitude.ok_or(Rule::Range)?;
    Ok(if negative { -magnitude } else { magnitude })
}

/// The most digits that stay below 2⁶⁴ with two more decimals.
const EXACT_DIGITS: usize = 17;

/// A hundred times an unsigned decimal, or `u64::MAX` past the range; `None` if the text is not a
/// decimal.
fn hundredths(digits: &[u8], mark: u8) -> Option<u64> {
    if digits.len() > EXACT_DIGITS {
        return long_hundredths(digits, mark);
    }
    let digit = |byte: &u8| Some(u64::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < 10);
    let (mut whole, mut n_whole) = (0, 0);
    while let Some(digit) = digits.get(n_whole).and_then(digit) {
        whole = whole * 10 + digit;
        n_whole += 1;
    }
    let decimals = match &digits[n_whole..] {
        [] => 0,
        [first, tenths] if *first == mark => digit(tenths)? * 10,
        [first, tenths, cents] if *first == mark => digit(tenths)? * 10 + digit(cents)?,
        _ => return None,
    };
    (n_whole > 0).then_some(whole * 100 + decimals)
}

/// The hundredths of a decimal of any length.
#[cold]
fn long_hundredths(digits: &[u8], mark: u8) -> Option<u64> {
    let n_whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = digits.split_at(n_whole);
    let decimals = match rest {
        [] => [b'0', b'0'],
        [first, tenths] if *first == mark && tenths.is_ascii_digit() => [*tenths, b'0'],
        [first, tenths, cents]
            if *first == mark && tenths.is_ascii_digit() && cents.is_ascii_digit() =>
        {
            [*tenths, *cents]
        }
        _ => return None,
    };
    if whole.is_empty() {
        return None;
    }
    let all = whole.iter().chain(&decimals);
    let append =
        |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(all.fold(0, append))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::profile::{DecimalMark, MissingValue};

    fn layout(unit: u32, decimal_mark: DecimalMark) -> ValueLayout {
        ValueLayout {
            unit: NonZeroU32::new(unit).expect("a unit"),
            decimal_mark,
            thousands: None,
            missing: Vec::new(),
            missing_is: MissingValue::default(),
        }
    }

    #[test]
    fn a_decimal_is_read_to_the_cent() {
        let dollars = layout(1, DecimalMark::Point);
        let cases = [
            ("0", 0),
            ("-0.00", 0),
            ("1", 100),
            ("1.5", 150),
            ("1234.56", 123_456),
            ("-12.05", -1205),
            ("0000000000000000000000000007", 700),
        ];
        for (text, expected) in cases {
            assert_eq!(cents(text.as_bytes(), &dollars), Ok(expected), "{text}");
        }
        assert_eq!(cents(b"1,5", &layout(1000, DecimalMark::Comma)), Ok(150_000));
    }

    #[test]
    fn what_is_no_plain_decimal_is_not_guessed_at() {
        let texts = [
            "", "-", "+1", " 1", "1 ", "1,234.50", "1e5", "NaN", "inf", "--1", "1.", ".5", "1.234",
            "1.2.3", "0x10", "１", "1.-5", "1\r",
        ];
        for text in texts {
            assert_eq!(
                cents(text.as_bytes(), &layout(1, DecimalMark::Point)),
                Err(Rule::Number),
                "{text:?}"
            );
        }
    }

    #[test]
    fn amounts_past_the_range_are_told_from_those_that_are_no_numbers() {
        let dollars = layout(1, DecimalMark::Point);
        assert_eq!(cents(b"46116860184273879.04", &dollars), Ok(1 << 62));
        assert_eq!(cents(b"-46116860184273879.04", &dollars), Ok(-(1 << 62)));
        assert_eq!(cents(b"46116860184273879.05", &dollars), Err(Rule::Range));
        assert_eq!(cents(b"999999999999999999999999999999", &dollars), Err(Rule::Range));
        assert_eq!(
            cents(b"46116860184273879.04", &layout(2, DecimalMark::Point)),
            Err(Rule::Range)
        );
    }
}
