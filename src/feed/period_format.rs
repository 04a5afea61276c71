//! The notation of months on lines ([`PeriodFormat`]).

use serde::{Deserialize, Serialize};

use super::months;
use super::pattern::BadPattern;
use crate::domain::types::Period;

/// The notation of months on lines: `YYYY` or `YY`; `MM`, `M` of one or two digits, or `MON` for
/// the name. A day `DD` or `D` is optional. Letters in brackets and all other characters stand for
/// themselves. A time of day may follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeriodFormat {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year(usize),
    Month,
    LooseMonth,
    MonthName,
    Day,
    LooseDay,
    Letter(char),
}

/// The parts of a format in its text; a part comes before its own beginnings.
const PLACES: [(&str, Part); 7] = [
    ("YYYY", Part::Year(4)),
    ("YY", Part::Year(2)),
    ("MON", Part::MonthName),
    ("MM", Part::Month),
    ("M", Part::LooseMonth),
    ("DD", Part::Day),
    ("D", Part::LooseDay),
];

/// The parts of a text that were read so far.
#[derive(Clone, Copy, Default)]
struct Read {
    year: u16,
    month: u8,
    day: Option<u16>,
}

impl PeriodFormat {
    /// The month of a text in this format.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Period> {
        read(&self.parts, &text.to_lowercase(), Read::default())
    }
}

impl Default for PeriodFormat {
    fn default() -> Self {
        Self::try_from("YYYYMM".to_owned()).expect("year and month once each")
    }
}

fn read(parts: &[Part], text: &str, so_far: Read) -> Option<Period> {
    let Some((part, rest)) = parts.split_first() else {
        let Read { year, month, day } = so_far;
        let ends = text.is_empty() || (day.is_some() && is_time(text));
        let is_day = day.is_none_or(|day| (1..=31).contains(&day));
        return (ends && is_day).then(|| Period::new(year, month)).flatten();
    };
    let month = |(month, text): (u16, &str)| {
        read(rest, text, Read { month: u8::try_from(month).ok()?, ..so_far })
    };
    let day = |(day, text)| read(rest, text, Read { day: Some(day), ..so_far });
    match *part {
        Part::Year(n) => {
            let (year, text) = digits(text, n)?;
            let year = match n {
                2 if year < 80 => 2000 + year,
                2 => 1900 + year,
                _ => year,
            };
            read(rest, text, Read { year, ..so_far })
        }
        Part::Month => digits(text, 2).and_then(month),
        Part::LooseMonth => [digits(text, 2), digits(text, 1)]
            .into_iter()
            .flatten()
            .find_map(month)
            .or_else(|| named(text).and_then(month)),
        Part::MonthName => named(text).and_then(month),
        Part::Day => digits(text, 2).and_then(day),
        Part::LooseDay => [digits(text, 2), digits(text, 1)].into_iter().flatten().find_map(day),
        Part::Letter(letter) => read(rest, text.strip_prefix(letter)?, so_far),
    }
}

/// A month by its name, with or without the point of an abbreviation.
fn named(text: &str) -> Option<(u16, &str)> {
    let (month, rest) = months::at_start(text)?;
    Some((u16::from(month), rest.strip_prefix('.').unwrap_or(rest)))
}

fn digits(text: &str, n: usize) -> Option<(u16, &str)> {
    let (digits, rest) = (text.get(..n)?, &text[n..]);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().map(|number| (number, rest))
}

/// True if a text is a time of day after a date. A time in UTC (`Z`) must be midnight: another time
/// may be on another date at the feed's place.
fn is_time(text: &str) -> bool {
    let Some(time) = text.strip_prefix(['t', ' ']) else { return false };
    if let Some(utc) = time.strip_suffix('z') {
        return utc.contains(':') && utc.chars().all(|letter| matches!(letter, '0' | ':' | '.'));
    }
    let time = time.trim_end_matches(['a', 'p', 'm', ' ']);
    time.starts_with(|letter: char| letter.is_ascii_digit())
        && time.contains(':')
        && time
            .chars()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, ':' | '.' | '+' | '-'))
}

impl TryFrom<String> for PeriodFormat {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some(letter) = rest.chars().next() {
            if let Some((letters, after)) =
                rest.strip_prefix('[').and_then(|inside| inside.split_once(']'))
            {
                parts.extend(letters.to_lowercase().chars().map(Part::Letter));
                rest = after;
                continue;
            }
            let (part, length) = match PLACES.iter().find(|(place, _)| rest.starts_with(place)) {
                Some((place, part)) => (*part, place.len()),
                None => (Part::Letter(letter), letter.len_utf8()),
            };
            match part {
                Part::Letter(letter) => parts.extend(letter.to_lowercase().map(Part::Letter)),
                part => parts.push(part),
            }
            rest = &rest[length..];
        }
        let n = |is: fn(&Part) -> bool| parts.iter().filter(|part| is(part)).count();
        let n_years = n(|part| matches!(part, Part::Year(_)));
        let n_months = n(|part| matches!(part, Part::Month | Part::LooseMonth | Part::MonthName));
        let n_days = n(|part| matches!(part, Part::Day | Part::LooseDay));
        if n_years == 1 && n_months == 1 && n_days <= 1 {
            Ok(Self { text, parts })
        } else {
            Err(BadPattern::PeriodParts(text))
        }
    }
}

impl From<PeriodFormat> for String {
    fn from(format: PeriodFormat) -> Self {
        format.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<u32> {
        let format = PeriodFormat::try_from(format.to_owned()).expect("a valid format");
        format.read(text).map(Period::as_yyyymm)
    }

    #[test]
    fn a_period_is_read_as_the_format_writes_it_and_no_other_way() {
        let cases = [
            ("YYYYMM", "201112", 201_112),
            ("YYYY-MM-DD", "1997-01-01", 199_701),
            ("YYYY-MM-DD", "1997-01-01 10:20:30", 199_701),
            ("YYYY-MM-DD", "1997-01-01T00:00:00.000Z", 199_701),
            ("YYYY-MM-DD", "1997-01-01T10:20:30", 199_701),
            ("YYYY年MM月", "2008年05月", 200_805),
            ("YYYY年M月", "2008年5月", 200_805),
            ("YYYY-M", "2008-10", 200_810),
            ("D/M/YYYY", "3/12/2008", 200_812),
            ("MON-YYYY", "Jan-2008", 200_801),
            ("MON YYYY", "September 2008", 200_809),
            ("YYYY[M]MM", "2008M09", 200_809),
            ("YYMM", "0805", 200_805),
            ("YYMM", "9712", 199_712),
            ("MON-YY", "DEZ-08", 200_812),
        ];
        for (format, text, expected) in cases {
            assert_eq!(read(format, text), Some(expected), "{format} {text}");
        }
        for text in ["201113", "201100", "20111", "2011122", "2011-1", "201112 10:20"] {
            assert_eq!(read("YYYYMM", text), None, "{text}");
        }
        assert_eq!(read("YYYY-MM-DD", "1997-01-32"), None);
        assert_eq!(read("YYYY-MM-DD", "1997/01/01"), None);
        assert_eq!(read("YYYY-MM-DD", "1997-01-01 x"), None);
        assert_eq!(read("MON-YYYY", "Foo-2008"), None);
    }

    #[test]
    fn a_period_format_needs_year_and_month_once() {
        for text in ["YYYY", "MM", "YYYYMMDDDD-DD", "YYYYYYYYMM", "yyyymm"] {
            assert!(PeriodFormat::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
