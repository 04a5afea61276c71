//! Numbers, dates and times of binary tables, as text.
//!
//! A whole number of any size has no decimal mark and no exponent. A real is written as the
//! shortest decimal that identifies it. A date is `YYYY-MM-DD`, followed by `T` and the time of day
//! unless that is midnight.

use arrow_schema::TimeUnit;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, Timestamp};

/// The first whole number from which reals of 32 bits have gaps.
const SINGLE_MAX: f32 = 16_777_216.0;
/// The first whole number from which reals of 64 bits have gaps.
const REAL_MAX: f64 = 9_007_199_254_740_992.0;

/// A number as text, with a flag for a possible loss of digits.
#[derive(Clone)]
pub(super) struct Number {
    pub(super) text: String,
    pub(super) has_lost_digits: bool,
    pub(super) n_bits: u8,
}

impl From<f32> for Number {
    fn from(value: f32) -> Self {
        // Zero has no sign.
        let text = (value + 0.0).to_string();
        Self { text, has_lost_digits: value.abs() >= SINGLE_MAX, n_bits: 32 }
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        let text = (value + 0.0).to_string();
        Self { text, has_lost_digits: value.abs() >= REAL_MAX, n_bits: 64 }
    }
}

impl Number {
    /// Parses a text as a real.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse::<f64>().ok().map(Self::from)
    }
}

/// The moment of a date and a time of day; `None` if one is invalid.
pub(super) fn moment_of(
    (year, month, day): (u16, u8, u8),
    (hour, minute, second, millisecond): (u8, u8, u8, u16),
) -> Option<String> {
    let small = |number: u8| i8::try_from(number).ok();
    let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let nanoseconds = i32::from(millisecond) * 1_000_000;
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, nanoseconds).ok()?;
    Some(text(date.to_datetime(time)))
}

/// The text of a moment, without the time of day at midnight.
fn text(moment: DateTime) -> String {
    let date = moment.date();
    if moment.time() == Time::midnight() { date.to_string() } else { moment.to_string() }
}

/// The date a number of days after another date.
pub(super) fn days_after(first: Date, days: i64) -> Option<String> {
    Some(first.checked_add(Span::new().try_days(days).ok()?).ok()?.to_string())
}

/// The date a number of days after 1970-01-01.
#[must_use]
pub fn date(days: i64) -> Option<String> {
    days_after(Date::constant(1970, 1, 1), days)
}

/// The moment a number of milliseconds after a date.
pub(super) fn milliseconds_after(first: Date, milliseconds: f64) -> Option<String> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and is then past any date")]
    let span = Span::new().try_milliseconds(milliseconds.round() as i64).ok()?;
    Some(text(first.at(0, 0, 0, 0).checked_add(span).ok()?))
}

/// The moment a number of days and a part of a day after 1899-12-30.
pub(super) fn days_of_1899(days: f64) -> Option<String> {
    const MILLISECONDS_A_DAY: f64 = 86_400_000.0;
    let first = Date::constant(1899, 12, 30);
    // Before that date, the part of a day is still counted forward.
    let (whole, part) = (days.trunc(), days.fract().abs());
    milliseconds_after(first, (whole + part) * MILLISECONDS_A_DAY)
}

/// The month a number of months after January 1960.
pub(super) fn months_of_1960(months: i64) -> Option<String> {
    let span = Span::new().try_months(months).ok()?;
    let date = Date::constant(1960, 1, 1).checked_add(span).ok()?;
    Some(format!("{:04}-{:02}", date.year(), date.month()))
}

/// The moment a number of milliseconds after midnight of a Julian day.
pub(super) fn julian(day: i64, milliseconds: i64) -> Option<String> {
    const OF_1970: i64 = 2_440_588;
    let day = Span::new().try_days(day - OF_1970).ok()?;
    let span = Span::new().try_milliseconds(milliseconds).ok()?;
    let date = Date::constant(1970, 1, 1).checked_add(day).ok()?;
    Some(text(date.at(0, 0, 0, 0).checked_add(span).ok()?))
}

/// A number from the stored bytes of a real of 64 bits.
pub(super) fn of_bytes(bytes: [u8; 8]) -> Number {
    f64::from_le_bytes(bytes).into()
}

/// The moment a number of units after 1970; with a zone it is in UTC and marked as such.
pub(super) fn moment(count: i64, unit: TimeUnit, is_zoned: bool) -> Option<String> {
    let instant = Timestamp::from_nanosecond(nanoseconds(count, unit)?).ok()?;
    if is_zoned {
        return Some(instant.to_string());
    }
    Some(text(jiff::tz::TimeZone::UTC.to_datetime(instant)))
}

/// A number of time units in nanoseconds.
#[must_use]
pub fn nanoseconds(count: i64, unit: TimeUnit) -> Option<i128> {
    let each = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    i128::from(count).checked_mul(each)
}

/// A real as a whole number of days; `None` if it is not whole.
pub(super) fn whole(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "compared with what it was")]
    let whole = value as i64;
    #[expect(clippy::cast_precision_loss, reason = "compared with what it was")]
    let is_same = (whole as f64).to_bits() == (value + 0.0).to_bits();
    is_same.then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_has_no_decimal_mark_and_no_exponent() {
        let cases = [
            (1.0, "1"),
            (-0.0, "0"),
            (84_713_000.0, "84713000"),
            (3.1e9, "3100000000"),
            (1e21, "1000000000000000000000"),
            (1234.56, "1234.56"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
        ];
        for (value, text) in cases {
            assert_eq!(Number::from(value).text, text);
        }
        assert_eq!(Number::from(0.1_f32).text, "0.1");
        assert!(Number::from(16_777_216.0_f32).has_lost_digits);
        assert!(!Number::from(16_777_215.0_f32).has_lost_digits);
        assert!(Number::from(9_007_199_254_740_992.0).has_lost_digits);
        assert!(!Number::from(-9_007_199_254_740_991.0).has_lost_digits);
    }

    #[test]
    fn a_date_is_written_without_midnight() {
        assert_eq!(days_of_1899(39_569.0).as_deref(), Some("2008-05-01"));
        assert_eq!(days_of_1899(39_569.5).as_deref(), Some("2008-05-01T12:00:00"));
        assert_eq!(days_of_1899(-1.25).as_deref(), Some("1899-12-29T06:00:00"));
        assert_eq!(days_of_1899(f64::NAN).as_deref(), Some("1899-12-30"));
        assert_eq!(days_of_1899(1e300), None);
        assert_eq!(months_of_1960(580).as_deref(), Some("2008-05"));
        assert_eq!(date(14_000).as_deref(), Some("2008-05-01"));
        let zoned = |is_zoned| moment(1_209_600_000, TimeUnit::Second, is_zoned);
        assert_eq!(zoned(false).as_deref(), Some("2008-05-01"));
        assert_eq!(zoned(true).as_deref(), Some("2008-05-01T00:00:00Z"));
        assert_eq!((whole(7.0), whole(7.5), whole(1e300)), (Some(7), None, None));
    }
}
