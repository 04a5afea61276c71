//! The end of an estimate's sample: a closed year, or the same months of all years up to one.
//!
//! | end | displayed | sample |
//! |---|---|---|
//! | month 12 of `t` | `2011` | whole years up to `t` |
//! | month `k` of `t` | `2011-06` | months 1 to `k` of each year up to `t` |
//!
//! The order is that of time.

use std::fmt;
use std::str::FromStr;

use crate::domain::types::{Period, Year};

/// The month that closes a year.
const DECEMBER: u8 = 12;

/// The end of an estimate's sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleEnd {
    year: Year,
    month: u8,
}

/// A text that is no end of a sample.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is neither a year nor a month; write YYYY or YYYYMM")]
pub struct NoSampleEnd(String);

impl SampleEnd {
    /// The end of a closed year.
    #[must_use]
    pub fn of_year(year: Year) -> Self {
        Self { year, month: DECEMBER }
    }

    /// The end at a month; December is the end of its year.
    #[must_use]
    pub fn at(period: Period) -> Self {
        Self { year: period.year(), month: period.month() }
    }

    /// The end at a month of a year; `None` if there is no such month.
    #[must_use]
    pub fn new(year: Year, month: u8) -> Option<Self> {
        (1..=DECEMBER).contains(&month).then_some(Self { year, month })
    }

    /// The last year.
    #[must_use]
    pub fn year(self) -> Year {
        self.year
    }

    /// The last month of each year of the sample; 12 for whole years.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// True for whole years.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.month == DECEMBER
    }

    /// The last whole year that the end includes.
    #[must_use]
    pub fn last_whole_year(self) -> Year {
        if self.is_whole() { self.year } else { Year(self.year.0.saturating_sub(1)) }
    }

    /// The month that the end is at; `None` for a year outside of those of feeds.
    #[must_use]
    pub fn period(self) -> Option<Period> {
        Period::new(self.year.0, self.month)
    }
}

impl Default for SampleEnd {
    fn default() -> Self {
        Self::of_year(Year::default())
    }
}

impl From<Year> for SampleEnd {
    fn from(year: Year) -> Self {
        Self::of_year(year)
    }
}

impl fmt::Display for SampleEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() {
            write!(f, "{}", self.year)
        } else {
            write!(f, "{}-{:02}", self.year, self.month)
        }
    }
}

impl FromStr for SampleEnd {
    type Err = NoSampleEnd;

    /// Reads `YYYY`, `YYYYMM` or `YYYY-MM`.
    fn from_str(text: &str) -> Result<Self, NoSampleEnd> {
        let no = || NoSampleEnd(text.to_owned());
        let year = |digits: &str| {
            let is_year = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| is_year).map(Year)
        };
        if let Some(year) = year(text) {
            return Ok(Self::of_year(year));
        }
        let digits = match text.split_once('-') {
            Some((year, month)) => format!("{year}{month}"),
            None => text.to_owned(),
        };
        digits.parse::<Period>().map(Self::at).map_err(|_| no())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_written_as_a_year_or_as_a_month_of_it() {
        for (text, shown) in
            [("2011", "2011"), ("201112", "2011"), ("201106", "2011-06"), ("2011-06", "2011-06")]
        {
            let end: SampleEnd = text.parse().expect("an end");
            assert_eq!(end.to_string(), shown, "{text}");
        }
        for text in ["", "11", "201113", "2011-6-1", "2011-", "20110", "x011", "+201"] {
            text.parse::<SampleEnd>().expect_err(text);
        }
    }

    #[test]
    fn ends_are_in_order_of_time_and_a_month_includes_the_years_before() {
        let end = |text: &str| text.parse::<SampleEnd>().expect("an end");
        assert!(end("2010") < end("201101") && end("201111") < end("2011"));
        assert_eq!(end("201106").last_whole_year(), Year(2010));
        assert_eq!(end("2011").last_whole_year(), Year(2011));
        assert!(end("201112").is_whole() && !end("201111").is_whole());
        assert_eq!(SampleEnd::new(Year(2011), 13), None);
    }
}
