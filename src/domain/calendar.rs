//! The calendar: the closed months, and the roles of a record that follow from them (METHODOLOGY,
//! "The calendar").
//!
//! A year `t` is compared with the *same months* of `t-1`. A record of a month therefore counts as
//! `cur` of its year once its month is closed. It counts as `base` of the next year once that month
//! of the next year is closed. Months close in order without gaps, so the first and the last closed
//! month define the calendar.

use crate::domain::types::{Period, Year};

/// The closed months, from the feed's first month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    first: Period,
    last_closed: Option<Period>,
}

/// A request to close a month before the months in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{asked} cannot close now: months close in order without gaps, and the next one is {next}")]
pub struct OutOfOrder {
    /// The requested month.
    pub asked: Period,
    /// The month that can close next.
    pub next: Period,
}

impl Calendar {
    /// A calendar without closed months.
    #[must_use]
    pub fn starting(first: Period) -> Self {
        Self { first, last_closed: None }
    }

    /// A calendar with all months closed up to `last`.
    #[must_use]
    pub fn closed_through(first: Period, last: Option<Period>) -> Self {
        Self { first, last_closed: last }
    }

    /// The feed's first month.
    #[must_use]
    pub fn first(&self) -> Period {
        self.first
    }

    /// The last closed month.
    #[must_use]
    pub fn last_closed(&self) -> Option<Period> {
        self.last_closed
    }

    /// The month that closes next.
    #[must_use]
    pub fn next_to_close(&self) -> Period {
        self.last_closed.map_or(self.first, Period::next)
    }

    /// Closes a month.
    ///
    /// # Errors
    /// [`OutOfOrder`] if another month is next; closing a closed month again is one such case.
    pub fn close(&mut self, period: Period) -> Result<(), OutOfOrder> {
        if period != self.next_to_close() {
            return Err(OutOfOrder { asked: period, next: self.next_to_close() });
        }
        self.last_closed = Some(period);
        Ok(())
    }

    /// True if a month is closed.
    #[must_use]
    pub fn is_closed(&self, period: Period) -> bool {
        period >= self.first && self.last_closed.is_some_and(|last| period <= last)
    }

    /// The years in which a record of a month counts, under the current calendar.
    #[must_use]
    pub fn roles(&self, period: Period) -> Roles {
        Roles { cur: self.is_closed(period), base: self.is_closed(period.year_after()) }
    }

    /// `|K_t|`: the number of closed months of a year.
    #[must_use]
    pub fn months(&self, year: Year) -> u8 {
        let closed = |month| Period::new(year.0, month).is_some_and(|p| self.is_closed(p));
        (1..=12).map(|month| u8::from(closed(month))).sum()
    }

    /// The first year whose months can all be compared with the year before.
    #[must_use]
    pub fn first_indicator_year(&self) -> Year {
        let first = self.first.year();
        if self.first.month() == 1 { first.next() } else { first.next().next() }
    }

    /// The years with indicators: each closed month of the year is also closed in the year before.
    pub fn indicator_years(&self) -> impl DoubleEndedIterator<Item = Year> + use<> {
        let last = self.last_closed.map_or(0, |last| last.year().0);
        (self.first_indicator_year().0..=last).map(Year)
    }

    /// The last year with a closed month.
    #[must_use]
    pub fn last_year(&self) -> Year {
        self.last_closed.map_or_else(|| self.first.year().previous(), Period::year)
    }
}

/// The roles of a record: `cur` of its year and `base` of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// True if the record counts in its own year.
    pub cur: bool,
    /// True if the record counts in the year after.
    pub base: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().expect("a period")
    }

    #[test]
    fn months_close_in_order_without_gaps() {
        let mut calendar = Calendar::starting(period("200011"));
        assert!(calendar.close(period("200012")).is_err());
        for month in ["200011", "200012", "200101"] {
            calendar.close(period(month)).expect("the next month");
        }
        assert!(calendar.close(period("200101")).is_err());
        assert_eq!((calendar.months(Year(2000)), calendar.months(Year(2001))), (2, 1));
    }

    #[test]
    fn a_month_is_base_of_the_next_year_once_that_years_month_is_closed() {
        let calendar = Calendar::closed_through(period("200001"), Some(period("200102")));
        let roles = |text| {
            let Roles { cur, base } = calendar.roles(period(text));
            (cur, base)
        };
        assert_eq!(roles("200002"), (true, true));
        assert_eq!(roles("200003"), (true, false));
        assert_eq!(roles("200102"), (true, false));
        assert_eq!(roles("200103"), (false, false));
    }

    #[test]
    fn a_year_needs_the_whole_of_its_months_in_the_year_before() {
        let from = |text, last| Calendar::closed_through(period(text), Some(period(last)));
        let years = |calendar: Calendar| calendar.indicator_years().collect::<Vec<_>>();
        assert_eq!(years(from("200001", "200203")), [Year(2001), Year(2002)]);
        assert_eq!(years(from("200002", "200203")), [Year(2002)]);
        assert_eq!(years(from("200001", "200012")), []);
    }
}
