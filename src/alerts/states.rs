//! The state of each unit of each rule: raised until two months in a row are back to normal.

use std::collections::BTreeMap;

use super::judge::Verdict;
use crate::domain::types::{Period, Vintage};

/// The number of months in a row after which an alert ends.
pub const MONTHS_TO_CLEAR: u8 = 2;

/// A rule and a unit.
pub type UnitKey = (String, String);

/// The state of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitState {
    /// The last judged month.
    pub month: Option<Period>,
    /// The side on which it is raised: −1 or 1; 0 if it is not.
    pub raised: i8,
    /// The alert that is raised.
    pub alert: Option<String>,
    /// The number of months in a row that are back to normal, up to the last judged month.
    pub n_normal: u8,
    /// That number without the last judged month.
    pub n_normal_before: u8,
    /// The last sign whose interval excluded 0; 0 before the first.
    pub sign: i8,
}

/// The states of all units.
pub type States = BTreeMap<UnitKey, UnitState>;

/// The last judged publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its newest vintage.
    pub vintage: Vintage,
    /// Its last closed month.
    pub last_closed: Option<Period>,
}

/// What a verdict changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// An alert is raised.
    Raised,
    /// The alert ends.
    Cleared,
}

impl UnitState {
    /// Takes over the verdict of a month. A month that was judged before is judged again; an
    /// earlier one changes nothing.
    pub fn take(&mut self, month: Period, verdict: Verdict) -> Change {
        match self.month {
            Some(last) if month < last => return Change::None,
            Some(last) if month == last => {}
            _ => self.n_normal_before = self.n_normal,
        }
        self.month = Some(month);
        self.n_normal = match verdict {
            Verdict::Normal => self.n_normal_before.saturating_add(1),
            Verdict::Raised(_) | Verdict::Held => 0,
        };
        match verdict {
            Verdict::Raised(side) if side != self.raised => {
                self.raised = side;
                Change::Raised
            }
            Verdict::Normal if self.raised != 0 && self.n_normal >= MONTHS_TO_CLEAR => {
                self.raised = 0;
                Change::Cleared
            }
            _ => Change::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(number: u8) -> Period {
        Period::new(2011, number).expect("a month")
    }

    #[test]
    fn an_alert_is_raised_once_and_ends_after_two_normal_months_in_a_row() {
        let mut state = UnitState::default();
        let verdicts = [
            (1, Verdict::Normal, Change::None),
            (2, Verdict::Raised(1), Change::Raised),
            (3, Verdict::Raised(1), Change::None),
            (4, Verdict::Normal, Change::None),
            (5, Verdict::Held, Change::None),
            (6, Verdict::Normal, Change::None),
            (7, Verdict::Normal, Change::Cleared),
            (8, Verdict::Raised(-1), Change::Raised),
            (9, Verdict::Raised(1), Change::Raised),
        ];
        for (at, verdict, expected) in verdicts {
            assert_eq!(state.take(month(at), verdict), expected, "month {at}");
        }
    }

    #[test]
    fn a_month_that_is_judged_again_counts_once() {
        let mut state = UnitState::default();
        assert_eq!(state.take(month(1), Verdict::Raised(1)), Change::Raised);
        for _ in 0..3 {
            assert_eq!(state.take(month(2), Verdict::Normal), Change::None);
        }
        // A late record undoes the first normal month.
        assert_eq!(state.take(month(2), Verdict::Held), Change::None);
        assert_eq!(state.take(month(3), Verdict::Normal), Change::None);
        assert_eq!(state.take(month(2), Verdict::Raised(-1)), Change::None, "an earlier month");
        assert_eq!(state.take(month(4), Verdict::Normal), Change::Cleared);
    }
}
