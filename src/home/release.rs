//! The hour of the day at which publications are released, in China.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;

/// Hours of China Standard Time before UTC.
const CHINA_HOURS: i8 = 8;

/// A time of the day in China, as `HH:MM` or `HH:MM:SS`. A publication is shown to others from the
/// first such time at or after its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ReleaseTime(Time);

impl TryFrom<String> for ReleaseTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let is_written = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        let has_form = (2..=3).contains(&parts.len()) && parts.iter().all(is_written);
        let parsed = text.parse::<Time>().ok().filter(|_| has_form);
        parsed.map(Self).ok_or_else(|| {
            format!("release_time is \"{text}\"; write the hour in China, such as \"10:00\"")
        })
    }
}

impl ReleaseTime {
    /// The time at which a publication of a commit is released.
    #[must_use]
    pub fn of(self, committed_at: Timestamp) -> Timestamp {
        let zone = TimeZone::fixed(Offset::constant(CHINA_HOURS));
        let local = zone.to_datetime(committed_at);
        let day = local.date();
        let day = if local.time() <= self.0 { Ok(day) } else { day.tomorrow() };
        let release = day.and_then(|day| zone.to_timestamp(day.to_datetime(self.0)));
        // Commits have times long before the last day of the calendar.
        release.unwrap_or(committed_at)
    }

    /// The time until which a publication is held back; `None` once it is released. Homes of
    /// earlier layouts have no times, and their publications are released.
    #[must_use]
    pub fn held_until(
        release: Option<Self>,
        committed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let release = release.zip(committed_at).map(|(release, at)| release.of(at));
        release.filter(|release| now < *release)
    }

    /// A time with the offset of China, as status and messages show it.
    #[must_use]
    pub fn shown(at: Timestamp) -> String {
        let offset = Offset::constant(CHINA_HOURS);
        at.display_with_offset(offset).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> ReleaseTime {
        ReleaseTime::try_from(text.to_owned()).expect(text)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_publication_is_held_until_the_next_hour_of_release_in_china() {
        let ten = release("10:00");
        for (committed, released) in [
            ("2011-12-08T01:30:00Z", "2011-12-08T02:00:00Z"),
            ("2011-12-08T02:00:00Z", "2011-12-08T02:00:00Z"),
            ("2011-12-08T02:00:01Z", "2011-12-09T02:00:00Z"),
            // Midnight in China is 16:00 UTC.
            ("2011-12-08T15:59:59Z", "2011-12-09T02:00:00Z"),
            ("2011-12-31T16:00:00Z", "2012-01-01T02:00:00Z"),
        ] {
            assert_eq!(ten.of(at(committed)), at(released), "{committed}");
            let until =
                |now: &str| ReleaseTime::held_until(Some(ten), Some(at(committed)), at(now));
            assert_eq!(until(released), None, "{committed}");
            let before = at(released) - jiff::SignedDuration::from_secs(1);
            let held = ReleaseTime::held_until(Some(ten), Some(at(committed)), before);
            assert_eq!(held, Some(at(released)), "{committed}");
        }
        let now = at("2011-12-08T01:00:00Z");
        assert_eq!(ReleaseTime::held_until(None, Some(now), now), None);
        assert_eq!(ReleaseTime::held_until(Some(ten), None, now), None);
        assert_eq!(ReleaseTime::shown(at("2011-12-08T02:00:00Z")), "2011-12-08T10:00:00+08:00");
    }

    #[test]
    fn a_time_is_written_with_two_digits() {
        assert_eq!(release("09:30:15").of(at("2011-12-08T00:00:00Z")), at("2011-12-08T01:30:15Z"));
        for text in ["", "10", "10:0", "24:00", "10:60", "ten", "10:00:00.5", "10:00 ", "+1:00"] {
            let error = ReleaseTime::try_from(text.to_owned()).expect_err(text);
            assert!(error.contains("write the hour in China, such as \"10:00\""), "{error}");
        }
    }
}
