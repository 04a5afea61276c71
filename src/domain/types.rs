//! The terms of the domain as types: firm, city, country, period, flow and value.
//!
//! Identifiers are dense integers. They are assigned once on input (`feed` for places, the engine's
//! dictionaries for firms and countries), and all later stages use them. Money is integer cents and
//! growth is fixed point, so that sums do not depend on their order (METHODOLOGY, "Exactness").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A firm: its position in the engine's dictionary of firm identifiers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Firm(pub u32);

/// A city: its position in the table of cities ([`crate::feed::places::Places`]).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct City(pub u16);

/// A province: the position of its first city's province in the table of cities.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Province(pub u16);

/// A partner country: its position in the engine's dictionary of country codes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Country(pub u16);

/// A calendar year; it is data, never the dataflow's time.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Year(pub u16);

impl Year {
    /// The year before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0 - 1)
    }

    /// The year after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Year {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A month of a year, `YYYYMM`: the month that a record reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    year: Year,
    month: u8,
}

/// A period that is not a month between 1900-01 and 2199-12.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a period: write it YYYYMM, with a month from 01 to 12")]
pub struct BadPeriod(pub String);

impl Period {
    /// The years that are accepted as years; other numbers are taken for typing errors.
    pub const YEARS: std::ops::RangeInclusive<u16> = 1900..=2199;
    /// The first month.
    pub const FIRST: Self = Self { year: Year(1900), month: 1 };
    /// The last month.
    pub const LAST: Self = Self { year: Year(2199), month: 12 };

    /// A month, if year and month are in range; else `None`.
    #[must_use]
    pub fn new(year: u16, month: u8) -> Option<Self> {
        let valid = Self::YEARS.contains(&year) && (1..=12).contains(&month);
        valid.then_some(Self { year: Year(year), month })
    }

    /// The calendar year.
    #[must_use]
    pub fn year(self) -> Year {
        self.year
    }

    /// The month of the year, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year.next(), month: 1 }
        } else {
            Self { year: self.year, month: self.month + 1 }
        }
    }

    /// The same month of the year before.
    #[must_use]
    pub fn year_before(self) -> Self {
        Self { year: self.year.previous(), month: self.month }
    }

    /// The same month of the year after.
    #[must_use]
    pub fn year_after(self) -> Self {
        Self { year: self.year.next(), month: self.month }
    }

    /// The number of months from year 0, for differences of months.
    #[must_use]
    pub fn number(self) -> u32 {
        u32::from(self.year.0) * 12 + u32::from(self.month) - 1
    }

    /// The period as the number `YYYYMM`, for storage.
    #[must_use]
    pub fn as_yyyymm(self) -> u32 {
        u32::from(self.year.0) * 100 + u32::from(self.month)
    }

    /// The period of a number `YYYYMM`.
    #[must_use]
    pub fn from_yyyymm(yyyymm: u32) -> Option<Self> {
        Self::new(u16::try_from(yyyymm / 100).ok()?, u8::try_from(yyyymm % 100).ok()?)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:02}", self.year.0, self.month)
    }
}

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse().ok().and_then(Self::from_yyyymm))
            .flatten()
            .ok_or_else(|| BadPeriod(text.to_owned()))
    }
}

/// The number of an accepted input file: 1, 2, 3, … *The time at which the record became known.*
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Vintage(pub u32);

impl fmt::Display for Vintage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The direction of a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Flow {
    /// Goods shipped abroad.
    Export,
    /// Goods bought abroad.
    Import,
}

impl Flow {
    /// The canonical code, `E` or `I`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Export => "E",
            Self::Import => "I",
        }
    }
}

/// A plant: a firm in a city.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Plant {
    /// The firm.
    pub firm: Firm,
    /// The city of production.
    pub city: City,
}

/// An accepted record, or a sum of accepted records: the trade of one plant with one country in one
/// month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// The plant.
    pub plant: Plant,
    /// The partner country.
    pub country: Country,
    /// The month.
    pub period: Period,
    /// The direction.
    pub flow: Flow,
    /// The value in cents; negative for an amendment.
    pub cents: i64,
}

/// Growth in logs, fixed point with 32 fractional bits: integer sums are exact in any order.
///
/// # Units
/// 2⁻³² log points. A log of a ratio of two `i64` amounts of cents is below 2⁶, so that 2²⁵ of them
/// fit in a sum.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Growth(pub i64);

impl Growth {
    /// One log point.
    pub const ONE: f64 = 4_294_967_296.0;

    /// The nearest fixed-point number to a number of log points.
    #[must_use]
    pub fn from_log(log_points: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a log of an i64 ratio is below 2^6, see the type's doc"
        )]
        Self((log_points * Self::ONE).round() as i64)
    }

    /// `ln cur - ln base`, for positive amounts.
    ///
    /// # Panics
    /// If an amount is not positive. Continuing exporters have positive amounts on both sides.
    #[must_use]
    pub fn between(base_cents: i64, cur_cents: i64) -> Self {
        Self::between_logs(LogAmount::of(base_cents), LogAmount::of(cur_cents))
    }

    /// The difference of two logs, rounded once.
    #[must_use]
    pub fn between_logs(base: LogAmount, cur: LogAmount) -> Self {
        Self::from_log(cur.0 - base.0)
    }
}

/// The log of an amount. An amount in several comparisons takes its log once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogAmount(f64);

impl LogAmount {
    /// The log of a positive amount of cents.
    ///
    /// Uses `libm` instead of the platform's `ln`, so that machines of a cluster agree to the bit.
    ///
    /// # Panics
    /// If the amount is not positive.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounding amounts above 2^53 cents moves a log by 1e-16"
    )]
    pub fn of(cents: i64) -> Self {
        assert!(cents > 0, "a log of {cents} cents");
        Self(libm::log(cents as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_reads_and_prints_as_yyyymm() {
        let period: Period = "201112".parse().expect("a valid period");
        assert_eq!((period.year(), period.month()), (Year(2011), 12));
        assert_eq!(period.to_string(), "201112");
        assert_eq!(period.next().to_string(), "201201");
        assert_eq!(period.year_before().to_string(), "201012");
    }

    #[test]
    fn what_is_not_a_month_is_not_a_period() {
        for text in ["201113", "201100", "20111", "2011-1", "+20111", "", "１９９９０１"] {
            assert!(text.parse::<Period>().is_err(), "{text} was read as a period");
        }
    }

    #[test]
    fn growth_is_the_difference_of_logs_in_fixed_point() {
        let doubled = Growth::between(100, 200);
        assert_eq!(doubled.0, 2_977_044_472); // ln 2 · 2^32, rounded
        assert_eq!(Growth::between(200, 100).0, -doubled.0);
        assert_eq!(Growth::between(1, i64::MAX).0 >> 38, 0);
    }
}
