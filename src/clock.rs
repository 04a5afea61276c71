//! The system clock. Its time can be outside the range of dates that the program writes.

use std::time::SystemTime;

use jiff::Timestamp;

/// The system clock is wrong, and its time is unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's clock is set {when}; set it right, then run again")]
pub struct ClockError {
    when: &'static str,
}

/// The time of the system clock.
///
/// # Errors
/// [`ClockError`] if the time is before 1970 or after 9999.
pub fn now() -> Result<Timestamp, ClockError> {
    checked(SystemTime::now())
}

fn checked(time: SystemTime) -> Result<Timestamp, ClockError> {
    if time < SystemTime::UNIX_EPOCH {
        return Err(ClockError { when: "before the year 1970" });
    }
    Timestamp::try_from(time).map_err(|_| ClockError { when: "after the year 9999" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_before_1970_or_after_9999_is_an_error() {
        let epoch = SystemTime::UNIX_EPOCH;
        let second = Duration::from_secs(1);
        let year_10000 = epoch + Duration::from_hours(70_389_528);
        assert_eq!(checked(epoch).expect("1970"), Timestamp::UNIX_EPOCH);
        let before = checked(epoch - second).expect_err("1969").to_string();
        assert!(before.contains("before the year 1970; set it right"), "{before}");
        let after = checked(year_10000).expect_err("10000").to_string();
        assert!(after.contains("after the year 9999"), "{after}");
        checked(year_10000 + Duration::from_secs(1 << 40)).expect_err("far off");
    }
}
