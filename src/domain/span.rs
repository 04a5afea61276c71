//! Spans: sets of months that are compared with the same months a year earlier (METHODOLOGY,
//! "Spans").
//!
//! | span at month `k` of year `t` | months of `cur` | months of `base` |
//! |---|---|---|
//! | `ytd` | `t`: 1 to `k` | `t-1`: 1 to `k` |
//! | `month` | `t`: `k` | `t-1`: `k` |
//! | `12m` | the 12 months up to `k` of `t` | the 12 months before |
//!
//! The months of a span follow each other. Those of `base` are the same months a year earlier.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::domain::calendar::Calendar;
use crate::domain::types::{Period, Year};

/// A kind of span. The order is that of the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Span {
    /// Twelve months, `12m`.
    TwelveMonths,
    /// One month, or joint months, `month`.
    Month,
    /// The months of the year so far, `ytd`.
    YearToDate,
}

impl Span {
    /// All spans, in order of their names.
    pub const ALL: [Self; 3] = [Self::TwelveMonths, Self::Month, Self::YearToDate];

    /// The name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwelveMonths => "12m",
            Self::Month => "month",
            Self::YearToDate => "ytd",
        }
    }
}

/// A text that is no name of a span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no span \"{0}\"; write ytd, month or 12m")]
pub struct NoSpan(String);

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let found = Self::ALL.into_iter().find(|span| span.name() == text);
        found.ok_or_else(|| NoSpan(text.to_owned()))
    }
}

/// Months that the span `month` shows together, at the last of them. Spring Festival moves between
/// January and February, so these are joint unless the option `joint` says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joint(Option<(u8, u8)>);

/// A list of months that cannot be joint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "joint is {0:?}; list two or more months of a year that follow each other, such as [1, 2], or \
     none: []"
)]
pub struct BadJoint(Vec<u8>);

impl Default for Joint {
    fn default() -> Self {
        Self(Some((1, 2)))
    }
}

impl Joint {
    /// No months are joint.
    pub const NONE: Self = Self(None);

    /// The months of a list.
    ///
    /// # Errors
    /// [`BadJoint`] if they are not months of a year that follow each other.
    pub fn of(months: &[u8]) -> Result<Self, BadJoint> {
        let (first, last) = match *months {
            [] => return Ok(Self::NONE),
            [first, .., last] => (first, last),
            [_] => return Err(BadJoint(months.to_owned())),
        };
        let is_row = months.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
        let is_valid = is_row && first >= 1 && last <= 12;
        is_valid.then_some(Self(Some((first, last)))).ok_or_else(|| BadJoint(months.to_owned()))
    }

    /// The first of the months that are shown at a month; `None` if a later month shows it.
    fn first(self, month: u8) -> Option<u8> {
        match self.0 {
            Some((first, last)) if month == last => Some(first),
            Some((first, last)) if (first..last).contains(&month) => None,
            _ => Some(month),
        }
    }
}

/// A span at a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanAt {
    end: Period,
    span: Span,
    first: Period,
}

impl SpanAt {
    /// A span at a month; `None` if the month is shown together with a later one.
    #[must_use]
    pub fn new(span: Span, end: Period, joint: Joint) -> Option<Self> {
        let of_year = |month| Period::new(end.year().0, month);
        let first = match span {
            Span::YearToDate => of_year(1)?,
            Span::Month => of_year(joint.first(end.month())?)?,
            Span::TwelveMonths => end.year_before().next(),
        };
        Some(Self { end, span, first })
    }

    /// The kind.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The month.
    #[must_use]
    pub fn end(&self) -> Period {
        self.end
    }

    /// The year of the month.
    #[must_use]
    pub fn year(&self) -> Year {
        self.end.year()
    }

    /// The months of `cur`.
    #[must_use]
    pub fn cur(&self) -> RangeInclusive<Period> {
        self.first..=self.end
    }

    /// The months of `base`.
    #[must_use]
    pub fn base(&self) -> RangeInclusive<Period> {
        self.first.year_before()..=self.end.year_before()
    }

    /// The number of months of `cur`.
    ///
    /// # Panics
    /// Never: a span has at most twelve months.
    #[must_use]
    pub fn n_months(&self) -> u8 {
        u8::try_from(self.end.number() - self.first.number() + 1).expect("at most twelve months")
    }

    /// True if all months of the span are closed.
    #[must_use]
    pub fn exists(&self, calendar: &Calendar) -> bool {
        calendar.is_closed(self.end) && *self.base().start() >= calendar.first()
    }
}

/// The spans of a year that exist, in order of month and name.
#[must_use]
pub fn spans_of_year(year: Year, calendar: &Calendar, joint: Joint) -> Vec<SpanAt> {
    let months = (1..=12).filter_map(|month| Period::new(year.0, month));
    let at = |end| Span::ALL.into_iter().filter_map(move |span| SpanAt::new(span, end, joint));
    months.flat_map(at).filter(|at| at.exists(calendar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().expect("a period")
    }

    /// The months of a span as `first-last, first-last`: those of `cur` and those of `base`.
    fn months(span: &str, end: &str, joint: Joint) -> Option<String> {
        let at = SpanAt::new(span.parse().expect("a span"), period(end), joint)?;
        let (cur, base) = (at.cur(), at.base());
        Some(format!("{}-{}, {}-{}", cur.start(), cur.end(), base.start(), base.end()))
    }

    #[test]
    fn each_span_has_its_months_and_the_same_months_a_year_earlier() {
        let joint = Joint::default();
        for (span, end, expected) in [
            ("ytd", "201106", "201101-201106, 201001-201006"),
            ("ytd", "201101", "201101-201101, 201001-201001"),
            ("month", "201106", "201106-201106, 201006-201006"),
            ("12m", "201106", "201007-201106, 200907-201006"),
            ("12m", "201112", "201101-201112, 201001-201012"),
        ] {
            assert_eq!(months(span, end, joint).as_deref(), Some(expected), "{span} {end}");
        }
        assert!("year".parse::<Span>().is_err());
    }

    #[test]
    fn january_is_shown_with_february_unless_no_months_are_joint() {
        let of = |end, joint: &[u8]| months("month", end, Joint::of(joint).expect("a list"));
        assert_eq!(of("201101", &[1, 2]), None);
        assert_eq!(of("201102", &[1, 2]).as_deref(), Some("201101-201102, 201001-201002"));
        assert_eq!(of("201101", &[]).as_deref(), Some("201101-201101, 201001-201001"));
        assert_eq!(of("201103", &[1, 2]).as_deref(), Some("201103-201103, 201003-201003"));
        assert_eq!(of("201104", &[2, 3, 4]).as_deref(), Some("201102-201104, 201002-201004"));
        for bad in [&[1][..], &[2, 1], &[1, 3], &[0, 1], &[12, 13], &[254, 255], &[255, 0]] {
            assert!(Joint::of(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_span_exists_when_all_its_months_are_closed() {
        let calendar = Calendar::closed_through(period("200003"), Some(period("200204")));
        let first_of = |span| {
            let all = [2000, 2001, 2002].map(|year| {
                spans_of_year(Year(year), &calendar, Joint::default())
                    .into_iter()
                    .filter(|at| at.span() == span)
                    .map(|at| at.end().to_string())
                    .collect::<Vec<_>>()
            });
            all.concat()
        };
        assert_eq!(first_of(Span::YearToDate), ["200201", "200202", "200203", "200204"]);
        assert_eq!(first_of(Span::Month)[..2], ["200103", "200104"]);
        assert_eq!(first_of(Span::Month).last().map(String::as_str), Some("200204"));
        assert_eq!(first_of(Span::TwelveMonths), ["200202", "200203", "200204"]);
    }
}
