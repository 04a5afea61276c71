//! How a profile writes a month: in the names of files ([`FilePattern`]) and in the lines
//! ([`PeriodFormat`]).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::types::Period;

/// What a feed's files are called: `{YYYY}` and `{MM}` for the month, `*` for anything, the rest
/// letter by letter.
///
/// Case does not matter, and a packing's suffix ([`FilePattern::SUFFIXES`]) may follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePattern {
    text: String,
    parts: NameParts,
}

/// What a name is made of, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NameParts(Vec<NamePart>);

/// Each star multiplies the ways to read a name by its length.
const STARS_MAX: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NamePart {
    Year,
    Month,
    Anything,
    Letter(char),
}

/// What a file's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameMatch {
    /// It is a feed file of this month.
    Period(Period),
    /// It has the shape of a feed file, but its digits are no month.
    NotAPeriod,
    /// It is something else.
    No,
}

/// A pattern that cannot name the files or months of a feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// `{YYYY}` or `{MM}` does not appear exactly once.
    #[error("file pattern \"{0}\" must have {{YYYY}} and {{MM}} exactly once each")]
    NameParts(String),
    /// A folder, or a brace that belongs to neither.
    #[error(
        "file pattern \"{0}\" may have letters, *, {{YYYY}} and {{MM}}; no folders, no other braces"
    )]
    NameLetters(String),
    /// So many stars that matching a name takes for ever.
    #[error("file pattern \"{0}\" may have at most {STARS_MAX} stars apart")]
    NameStars(String),
    /// `YYYY` or `MM` does not appear exactly once, or `DD` more than once.
    #[error("period format \"{0}\" must have YYYY and MM exactly once each, and DD at most once")]
    PeriodParts(String),
}

impl FilePattern {
    /// What a packing adds to a name.
    pub const SUFFIXES: [&str; 5] = [".gz", ".zst", ".zip", ".bz2", ".xz"];

    /// The month in a file's name.
    #[must_use]
    pub fn month_of(&self, name: &str) -> NameMatch {
        let name = name.to_lowercase();
        let bare = Self::SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        let matches = [Some(name.as_str()), bare].into_iter().flatten();
        matches.map(|name| self.parts.month_of(name)).fold(NameMatch::No, better)
    }
}

impl NameParts {
    /// The parts of a pattern.
    fn of(text: &str) -> Result<Self, BadPattern> {
        let mut parts = Vec::new();
        let lower = text.to_lowercase();
        let mut rest = lower.as_str();
        while let Some(letter) = rest.chars().next() {
            let (part, length) = match letter {
                _ if rest.starts_with("{yyyy}") => (NamePart::Year, "{yyyy}".len()),
                _ if rest.starts_with("{mm}") => (NamePart::Month, "{mm}".len()),
                '*' => (NamePart::Anything, 1),
                '{' | '}' | '/' | '\\' => return Err(BadPattern::NameLetters(text.to_owned())),
                letter => (NamePart::Letter(letter), letter.len_utf8()),
            };
            rest = &rest[length..];
            // Two stars in a row match what one does, at quadratic cost.
            if part != NamePart::Anything || parts.last() != Some(&part) {
                parts.push(part);
            }
        }
        if parts.iter().filter(|&&part| part == NamePart::Anything).count() > STARS_MAX {
            return Err(BadPattern::NameStars(text.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Whether year and month appear once each.
    fn has_month(&self) -> bool {
        let once = |part| self.0.iter().filter(|&&other| other == part).count() == 1;
        once(NamePart::Year) && once(NamePart::Month)
    }

    /// The month in a name of small letters.
    fn month_of(&self, name: &str) -> NameMatch {
        matched(&self.0, name, Digits::default())
    }
}

/// The digits that stood where the pattern has year and month.
#[derive(Clone, Copy, Default)]
struct Digits {
    year: u16,
    month: u8,
}

fn matched(parts: &[NamePart], name: &str, digits: Digits) -> NameMatch {
    let Some((part, rest)) = parts.split_first() else {
        return match Period::new(digits.year, digits.month) {
            _ if !name.is_empty() => NameMatch::No,
            Some(period) => NameMatch::Period(period),
            None => NameMatch::NotAPeriod,
        };
    };
    match *part {
        NamePart::Year => take_digits(name, 4)
            .map_or(NameMatch::No, |(year, name)| matched(rest, name, Digits { year, ..digits })),
        NamePart::Month => take_digits(name, 2).map_or(NameMatch::No, |(month, name)| {
            let month = u8::try_from(month).expect("two digits are below 100");
            matched(rest, name, Digits { month, ..digits })
        }),
        NamePart::Letter(letter) => {
            name.strip_prefix(letter).map_or(NameMatch::No, |name| matched(rest, name, digits))
        }
        NamePart::Anything => name
            .char_indices()
            .map(|(at, _)| at)
            .chain([name.len()])
            .map(|at| matched(rest, &name[at..], digits))
            .fold(NameMatch::No, better),
    }
}

/// Of two ways to read a name, the one that finds a month; the first of two that do.
fn better(first: NameMatch, second: NameMatch) -> NameMatch {
    match (first, second) {
        (NameMatch::Period(_), _) | (NameMatch::NotAPeriod, NameMatch::No) => first,
        _ => second,
    }
}

/// A number of exactly `n` digits at the start of a text, and what follows.
fn take_digits(text: &str, n: usize) -> Option<(u16, &str)> {
    let (digits, rest) = (text.get(..n)?, &text[n..]);
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten().map(|number| (number, rest))
}

impl TryFrom<String> for FilePattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        let parts = NameParts::of(&text)?;
        if parts.has_month() { Ok(Self { text, parts }) } else { Err(BadPattern::NameParts(text)) }
    }
}

impl From<FilePattern> for String {
    fn from(pattern: FilePattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the members of the feed's archives are called: `*` for anything, `{YYYY}` and `{MM}` for
/// the month if each member has its own, the rest letter by letter.
///
/// Case does not matter, nor do folders in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberPattern {
    text: String,
    parts: NameParts,
}

impl MemberPattern {
    /// Whether each member has its month in its name.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.parts.has_month()
    }

    /// The month in a member's name. A pattern without a month gives [`NameMatch::NotAPeriod`] for
    /// a name that matches.
    #[must_use]
    pub fn month_of(&self, name: &str) -> NameMatch {
        self.parts.month_of(&name.to_lowercase())
    }
}

impl TryFrom<String> for MemberPattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        let parts = NameParts::of(&text)?;
        Ok(Self { text, parts })
    }
}

impl From<MemberPattern> for String {
    fn from(pattern: MemberPattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for MemberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How lines write their month: `YYYY`, `MM` and, where there is one, `DD`, the rest letter by
/// letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeriodFormat {
    text: String,
    year_at: usize,
    month_at: usize,
    day_at: Option<usize>,
}

impl PeriodFormat {
    /// The month that a text names, if it is written this way.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Period> {
        let (text, format) = (text.as_bytes(), self.text.as_bytes());
        let same_shape = text.len() == format.len()
            && format.iter().zip(text).enumerate().all(|(at, (expected, byte))| {
                if self.is_digit(at) { byte.is_ascii_digit() } else { byte == expected }
            });
        if !same_shape {
            return None;
        }
        let number = |at: usize, n: usize| {
            text[at..at + n].iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'))
        };
        let day = self.day_at.map_or(1, |at| number(at, 2));
        let month = u8::try_from(number(self.month_at, 2)).ok()?;
        (1..=31).contains(&day).then(|| Period::new(number(self.year_at, 4), month)).flatten()
    }

    /// Whether a digit stands at a position, rather than a letter of the format's own.
    fn is_digit(&self, at: usize) -> bool {
        let within = |start: usize, n: usize| (start..start + n).contains(&at);
        within(self.year_at, 4)
            || within(self.month_at, 2)
            || self.day_at.is_some_and(|start| within(start, 2))
    }
}

impl TryFrom<String> for PeriodFormat {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        let once = |part: &str| text.find(part).filter(|_| text.matches(part).count() == 1);
        let (year_at, month_at, day_at) = (once("YYYY"), once("MM"), once("DD"));
        let days = text.matches("DD").count();
        match (year_at, month_at) {
            (Some(year_at), Some(month_at)) if days <= 1 => {
                Ok(Self { text, year_at, month_at, day_at })
            }
            _ => Err(BadPattern::PeriodParts(text)),
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

    fn pattern(text: &str) -> FilePattern {
        FilePattern::try_from(text.to_owned()).expect("a valid pattern")
    }

    fn period(yyyymm: u32) -> Period {
        Period::from_yyyymm(yyyymm).expect("a valid period")
    }

    #[test]
    fn a_name_says_its_month_in_any_case_and_compressed() {
        let canonical = pattern("{YYYY}{MM}*.csv");
        let names = [
            "201112.csv",
            "201112.CSV",
            "201112.csv.gz",
            "201112-amended.csv.ZST",
            "201112.csv.zip",
            "201112.csv.bz2",
            "201112.csv.xz",
        ];
        for name in names {
            assert_eq!(canonical.month_of(name), NameMatch::Period(period(201_112)), "{name}");
        }
        for name in ["cities.csv", "20111.csv", "201112.txt", ".201112.csv.swp", "x201112.csv"] {
            assert_eq!(canonical.month_of(name), NameMatch::No, "{name}");
        }
    }

    #[test]
    fn a_name_with_a_thirteenth_month_is_not_taken_for_another_file() {
        assert_eq!(pattern("{YYYY}{MM}*.csv").month_of("201113.csv"), NameMatch::NotAPeriod);
    }

    #[test]
    fn a_star_gives_way_until_the_month_is_found() {
        let anywhere = pattern("*{YYYY}{MM}*.csv");
        assert_eq!(anywhere.month_of("ccts_0000_200801.csv"), NameMatch::Period(period(200_801)));
        let turned = pattern("{MM}-{YYYY} 出口.txt");
        assert_eq!(turned.month_of("03-2008 出口.txt"), NameMatch::Period(period(200_803)));
    }

    #[test]
    fn a_pattern_that_would_take_for_ever_is_refused() {
        let stars = "*a*a*a*a*a*{YYYY}{MM}".to_owned();
        assert_eq!(FilePattern::try_from(stars.clone()), Err(BadPattern::NameStars(stars)));
        let name = format!("{}200101", "a".repeat(249));
        assert!(matches!(pattern("*a*a*{YYYY}{MM}").month_of(&name), NameMatch::Period(_)));
    }

    #[test]
    fn a_pattern_without_its_month_or_with_a_folder_is_refused() {
        for text in ["*.csv", "{YYYY}.csv", "{YYYY}{MM}{MM}.csv", "a/{YYYY}{MM}", "{YYYY}{MM}{DD}"]
        {
            assert!(FilePattern::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_period_is_read_as_the_format_writes_it_and_no_other_way() {
        let read = |format: &str, text: &str| {
            PeriodFormat::try_from(format.to_owned()).expect("a valid format").read(text)
        };
        assert_eq!(read("YYYYMM", "201112"), Some(period(201_112)));
        assert_eq!(read("YYYY-MM-DD", "1997-01-01"), Some(period(199_701)));
        assert_eq!(read("YYYY年MM月", "2008年05月"), Some(period(200_805)));
        for text in ["201113", "201100", "20111", "2011122", "2011-1", " 201112", "２０１１１２"]
        {
            assert_eq!(read("YYYYMM", text), None, "{text}");
        }
        assert_eq!(read("YYYY-MM-DD", "1997-01-32"), None);
        assert_eq!(read("YYYY-MM-DD", "1997/01/01"), None);
    }

    #[test]
    fn a_period_format_needs_year_and_month_once() {
        for text in ["YYYY", "MM", "YYYYMMDDDD-DD", "YYYYYYYYMM", "yyyymm"] {
            assert!(PeriodFormat::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
