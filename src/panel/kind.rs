//! The kind of a column's values: numbers or not, and the written form of a level.
//!
//! # Shape
//! Levels that are whole numbers in the file (dates, times, decimals, truth values) are stored as
//! these numbers; their text is computed on request.

use arrow_schema::{DataType, TimeUnit};
use jiff::civil::Time;
use jiff::{SignedDuration, Span, Timestamp};

use crate::feed::formats::number::{date, nanoseconds};

/// The kind of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Truth values: 0 and 1 as numbers.
    Boolean,
    /// Whole numbers.
    Whole,
    /// Reals of 16 or 32 bits.
    Single,
    /// Reals of 64 bits.
    Real,
    /// Decimals with this number of digits after the point.
    Decimal(i8),
    /// Texts.
    Text,
    /// Bytes: a text if all of the column's values are UTF-8, else in hexadecimal.
    Binary,
    /// Days since 1970.
    Day,
    /// Milliseconds since 1970, of whole days.
    DayMillis,
    /// A time since 1970; with a zone it is an instant.
    Timestamp {
        /// The unit.
        unit: TimeUnit,
        /// True if the type has a time zone.
        zoned: bool,
    },
    /// A time since midnight.
    Time(TimeUnit),
    /// A length of time.
    Duration(TimeUnit),
    /// Only missing values.
    Nothing,
}

impl Kind {
    /// The kind of a column of an Arrow type; `None` for a type whose values have parts.
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Boolean,
            other if other.is_integer() => Self::Whole,
            DataType::Float16 | DataType::Float32 => Self::Single,
            DataType::Float64 => Self::Real,
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => Self::Decimal(*scale),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Binary,
            DataType::Date32 => Self::Day,
            DataType::Date64 => Self::DayMillis,
            DataType::Timestamp(unit, zone) => {
                Self::Timestamp { unit: *unit, zoned: zone.is_some() }
            }
            DataType::Time32(unit) | DataType::Time64(unit) => Self::Time(*unit),
            DataType::Duration(unit) => Self::Duration(*unit),
            DataType::Null => Self::Nothing,
            DataType::Dictionary(_, value) => return Self::of(value),
            _ => return None,
        })
    }

    /// True if the values are numbers.
    pub(super) fn is_number(self) -> bool {
        matches!(
            self,
            Self::Boolean
                | Self::Whole
                | Self::Single
                | Self::Real
                | Self::Decimal(_)
                | Self::Nothing
        )
    }

    /// The name of the values in a message.
    pub(super) fn plural(self) -> String {
        match self {
            Self::Boolean => "truth values".into(),
            Self::Whole => "whole numbers".into(),
            Self::Single | Self::Real => "reals".into(),
            Self::Decimal(scale) => format!("decimals with {scale} digits after the point"),
            Self::Text => "texts".into(),
            Self::Binary => "bytes".into(),
            Self::Day | Self::DayMillis => "dates".into(),
            Self::Timestamp { unit, zoned } => {
                let zone = if zoned { " with a zone" } else { "" };
                format!("dates with times{zone} in units of {unit}")
            }
            Self::Time(unit) => format!("times of day in units of {unit}"),
            Self::Duration(unit) => format!("lengths of time in units of {unit}"),
            Self::Nothing => "missing values only".into(),
        }
    }

    /// The text of a real.
    pub(super) fn real_text(self, value: f64) -> String {
        #[expect(clippy::cast_possible_truncation, reason = "it was widened")]
        match self {
            // The shortest text of a 32-bit real differs from that of the equal 64-bit real.
            Self::Single => (value as f32).to_string(),
            Self::Real => value.to_string(),
            // Whole numbers, stored as reals.
            _ => self.text(&value.to_string()),
        }
    }

    /// The text of a level that is stored as these digits or as itself.
    pub(super) fn text(self, held: &str) -> String {
        let text = match self {
            Self::Boolean => Some(if held == "0" { "false" } else { "true" }.to_owned()),
            Self::Decimal(scale) => Some(decimal_text(held, scale)),
            Self::Day => held.parse().ok().and_then(date),
            Self::DayMillis => {
                held.parse::<i64>().ok().and_then(|millis| date(millis.div_euclid(86_400_000)))
            }
            Self::Timestamp { unit, zoned } => {
                let instant = held.parse().ok().and_then(|count| nanoseconds(count, unit));
                let instant = instant.and_then(|n| Timestamp::from_nanosecond(n).ok());
                instant.map(|instant| {
                    let text = instant.to_string();
                    if zoned { text } else { text.trim_end_matches('Z').to_owned() }
                })
            }
            Self::Time(unit) => {
                let since = held.parse().ok().and_then(|count| nanoseconds(count, unit));
                let since = since.and_then(|n| i64::try_from(n).ok());
                let since = since.and_then(|n| Span::new().try_nanoseconds(n).ok());
                let time = since.and_then(|since| Time::midnight().checked_add(since).ok());
                time.map(|time| time.to_string())
            }
            Self::Duration(unit) => {
                let length = held.parse().ok().and_then(|count| nanoseconds(count, unit));
                length
                    .and_then(|n| i64::try_from(n).ok())
                    .map(|n| SignedDuration::from_nanos(n).to_string())
            }
            _ => None,
        };
        text.unwrap_or_else(|| held.to_owned())
    }
}

/// The digits with a point before the last `scale` of them.
fn decimal_text(digits: &str, scale: i8) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let n_decimals = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        let zeros = if digits == "0" { 0 } else { n_decimals };
        return format!("{sign}{digits}{}", "0".repeat(zeros));
    }
    let digits = format!("{digits:0>width$}", width = n_decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - n_decimals);
    format!("{sign}{whole}.{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_written_by_their_type() {
        let zoned = |unit| Kind::Timestamp { unit, zoned: true };
        let naive = |unit| Kind::Timestamp { unit, zoned: false };
        let cases = [
            (Kind::Boolean, "1", "true"),
            (Kind::Whole, "-7", "-7"),
            (Kind::Decimal(2), "-5", "-0.05"),
            (Kind::Decimal(2), "1250", "12.50"),
            (Kind::Decimal(0), "12", "12"),
            (Kind::Decimal(-2), "12", "1200"),
            (Kind::Decimal(-2), "0", "0"),
            (Kind::Day, "-1", "1969-12-31"),
            (Kind::Day, "11016", "2000-02-29"),
            (Kind::Day, "99999999", "99999999"),
            (Kind::DayMillis, "951782400000", "2000-02-29"),
            (naive(TimeUnit::Second), "951782400", "2000-02-29T00:00:00"),
            (naive(TimeUnit::Microsecond), "-1", "1969-12-31T23:59:59.999999"),
            (zoned(TimeUnit::Nanosecond), "951782400000000001", "2000-02-29T00:00:00.000000001Z"),
            (zoned(TimeUnit::Second), "9223372036854775807", "9223372036854775807"),
            (Kind::Time(TimeUnit::Millisecond), "3723500", "01:02:03.5"),
            (Kind::Time(TimeUnit::Second), "86400", "86400"),
            (Kind::Duration(TimeUnit::Second), "-90", "-PT1M30S"),
            (Kind::Text, "01", "01"),
        ];
        for (kind, held, text) in cases {
            assert_eq!(kind.text(held), text, "{kind:?}");
        }
        assert_eq!(Kind::Single.real_text(f64::from(0.1_f32)), "0.1");
        assert_eq!(Kind::Day.real_text(11_016.0), "2000-02-29");
    }
}
