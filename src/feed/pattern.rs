//! Patterns of file names: the notation of months, flows and parts in a profile.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::months;
use crate::domain::types::Period;

/// The pattern of a feed's file names: `{YYYY}` and `{MM}` for the month, `*` for any text, other
/// letters for themselves. Of several patterns, the first match counts.
///
/// Case does not matter. The suffix of a packing ([`FilePattern::SUFFIXES`]) may follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PatternTexts", into = "PatternTexts")]
pub struct FilePattern {
    texts: Vec<String>,
    /// The parsed patterns, in the order of the texts.
    parts: Vec<NameParts>,
}

/// A pattern as a profile writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a name or a list of names")]
enum PatternTexts {
    One(String),
    Several(Vec<String>),
}

/// The parts of a name, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NameParts(Vec<NamePart>);

/// The largest number of stars. Each star, and each text matched by its place, multiplies the
/// readings of a name by its length.
const STARS_MAX: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NamePart {
    /// `{YYYY}`
    Year,
    /// `{YY}`
    ShortYear,
    /// `{MM}`
    Month,
    /// `{M}`, of one or two digits.
    LooseMonth,
    /// `{MON}`
    MonthName,
    /// `{flow}`
    Flow,
    /// `{part}`
    Part,
    Anything,
    Letter(char),
}

/// The parts of a pattern in its text.
const PLACES: [(&str, NamePart); 7] = [
    ("{yyyy}", NamePart::Year),
    ("{yy}", NamePart::ShortYear),
    ("{mm}", NamePart::Month),
    ("{m}", NamePart::LooseMonth),
    ("{mon}", NamePart::MonthName),
    ("{flow}", NamePart::Flow),
    ("{part}", NamePart::Part),
];

/// The result of matching a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameMatch {
    /// The name is that of a feed file of this month.
    Period(Period),
    /// The name has the shape of a feed file, but its digits are not a month.
    NotAPeriod,
    /// The name does not match.
    No,
}

/// The months, flow and part in a file's name, as far as the pattern has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The years in the name: the first and the last.
    pub years: Vec<u16>,
    /// The months in the name: the first and the last.
    pub months: Vec<u8>,
    /// The flow, in lower case.
    pub flow: Option<String>,
    /// The part, in lower case.
    pub part: Option<String>,
}

/// A pattern that cannot name the files or months of a feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// A year, a month, a flow or a part appears too often.
    #[error(
        "file pattern \"{0}\" may have a year and a month twice each, as from and to, and {{flow}} \
         and {{part}} once"
    )]
    NameParts(String),
    /// A brace outside of the known parts.
    #[error(
        "file pattern \"{0}\" may have letters, *, /, {{YYYY}}, {{YY}}, {{MM}}, {{M}}, {{MON}}, \
         {{flow}} and {{part}}; no other braces"
    )]
    NameLetters(String),
    /// A list of patterns that contain different parts, or an empty list.
    #[error(
        "the file patterns {0:?} must name the same: the same number of years and months, {{flow}} \
         in all or in none, folders in all or in none"
    )]
    NameList(Vec<String>),
    /// Too many stars for a fast match.
    #[error("file pattern \"{0}\" may have at most {STARS_MAX} stars apart")]
    NameStars(String),
    /// A year or a month does not appear exactly once, or a day more than once.
    #[error(
        "period format \"{0}\" must have YYYY or YY, and MM, M or MON, exactly once each, and DD \
         or D at most once"
    )]
    PeriodParts(String),
}

impl FilePattern {
    /// Suffixes that packings add to a name.
    pub const SUFFIXES: [&str; 5] = [".gz", ".zst", ".zip", ".bz2", ".xz"];

    /// The months, flow and part in a file's name, if it matches the pattern.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Named> {
        let name = name.to_lowercase();
        let bare = Self::SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        let names = || [Some(name.as_str()), bare].into_iter().flatten();
        let of = |parts: &NameParts| {
            let read = |name| matched(&parts.0, name, &Named::default());
            names().filter_map(read).collect::<Vec<Named>>()
        };
        best(self.parts.iter().flat_map(of).map(Some))
    }

    /// The month in a file's name.
    #[must_use]
    pub fn month_of(&self, name: &str) -> NameMatch {
        self.read(name).map_or(NameMatch::No, |named| named.month())
    }

    /// True if the pattern contains folders.
    #[must_use]
    pub fn has_folders(&self) -> bool {
        self.texts.iter().any(|text| text.contains('/'))
    }

    /// The numbers of years and months in the pattern.
    #[must_use]
    pub fn n_dates(&self) -> (usize, usize) {
        self.parts.first().map_or((0, 0), NameParts::n_dates)
    }

    /// True if the pattern contains the flow.
    #[must_use]
    pub fn has_flow(&self) -> bool {
        self.parts.iter().any(|parts| parts.0.contains(&NamePart::Flow))
    }

    /// True if a name has the file extension of the feed's files.
    #[must_use]
    pub fn is_alike(&self, name: &str) -> bool {
        let ending = |text: &str| {
            let text = text.to_lowercase();
            let bare = Self::SUFFIXES.iter().find_map(|suffix| text.strip_suffix(suffix));
            let bare = bare.unwrap_or(&text);
            bare.rsplit_once('.').map(|(_, ending)| ending.to_owned())
        };
        self.texts.iter().filter_map(|text| ending(text)).any(|of| ending(name) == Some(of))
    }
}

impl Named {
    /// The first month of the year, or the first month in the name.
    #[must_use]
    pub fn first(&self) -> Option<Period> {
        Period::new(*self.years.first()?, self.months.first().copied().unwrap_or(1))
    }

    /// The last month of the year, or the last month in the name.
    #[must_use]
    pub fn last(&self) -> Option<Period> {
        Period::new(*self.years.last()?, self.months.last().copied().unwrap_or(12))
    }

    fn is_valid(&self) -> bool {
        self.years.is_empty() || (self.first().is_some() && self.last().is_some())
    }

    fn month(&self) -> NameMatch {
        let month = self.months.first().and(self.first());
        month.map_or(NameMatch::NotAPeriod, NameMatch::Period)
    }
}

impl NameParts {
    /// The numbers of years and months in the parts.
    fn n_dates(&self) -> (usize, usize) {
        let n = |of: &[NamePart]| self.0.iter().filter(|part| of.contains(part)).count();
        (
            n(&[NamePart::Year, NamePart::ShortYear]),
            n(&[NamePart::Month, NamePart::LooseMonth, NamePart::MonthName]),
        )
    }

    /// The parts of a pattern.
    fn of(text: &str) -> Result<Self, BadPattern> {
        let mut parts = Vec::new();
        let lower = text.to_lowercase();
        let mut rest = lower.as_str();
        while let Some(letter) = rest.chars().next() {
            let place = PLACES.iter().find(|(place, _)| rest.starts_with(place));
            let (part, length) = match (place, letter) {
                (Some((place, part)), _) => (*part, place.len()),
                (None, '*') => (NamePart::Anything, 1),
                (None, '{' | '}' | '\\') => return Err(BadPattern::NameLetters(text.to_owned())),
                (None, letter) => (NamePart::Letter(letter), letter.len_utf8()),
            };
            rest = &rest[length..];
            // Two stars in a row match the same texts as one, at quadratic cost.
            if part != NamePart::Anything || parts.last() != Some(&part) {
                parts.push(part);
            }
        }
        let n = |of: &[NamePart]| parts.iter().filter(|part| of.contains(part)).count();
        if n(&[NamePart::Anything, NamePart::Flow, NamePart::Part]) > STARS_MAX {
            return Err(BadPattern::NameStars(text.to_owned()));
        }
        let n_years = n(&[NamePart::Year, NamePart::ShortYear]);
        let n_months = n(&[NamePart::Month, NamePart::LooseMonth, NamePart::MonthName]);
        let is_usable =
            n_years <= 2 && n_months <= 2 && n(&[NamePart::Flow]) <= 1 && n(&[NamePart::Part]) <= 1;
        if is_usable { Ok(Self(parts)) } else { Err(BadPattern::NameParts(text.to_owned())) }
    }
}

/// Matches a name against parts; of several readings, the first that gives a month.
fn matched(parts: &[NamePart], name: &str, named: &Named) -> Option<Named> {
    let Some((part, rest)) = parts.split_first() else {
        return name.is_empty().then(|| named.clone());
    };
    let with_month = |(month, name): (u8, _)| {
        let mut named = named.clone();
        named.months.push(month);
        matched(rest, name, &named)
    };
    let with_year = |(year, name): (u16, _)| {
        let mut named = named.clone();
        named.years.push(year);
        matched(rest, name, &named)
    };
    match *part {
        NamePart::Year => take_digits(name, 4).and_then(with_year),
        NamePart::ShortYear => {
            take_digits(name, 2).map(|(year, name)| (full_year(year), name)).and_then(with_year)
        }
        NamePart::Month => take_month(name, 2).and_then(with_month),
        NamePart::LooseMonth => {
            let ways = [take_month(name, 2), take_month(name, 1)].into_iter().flatten();
            best(ways.map(with_month))
        }
        NamePart::MonthName => months::at_start(name).and_then(with_month),
        NamePart::Letter(letter) => matched(rest, name.strip_prefix(letter)?, named),
        NamePart::Anything => best(ends(name).map(|at| matched(rest, &name[at..], named))),
        NamePart::Flow | NamePart::Part => {
            let ways = ends(name).filter(|at| *at > 0 && !name[..*at].contains('/')).map(|at| {
                let mut named = named.clone();
                let text = Some(name[..at].to_owned());
                if *part == NamePart::Flow {
                    named.flow = text;
                } else {
                    named.part = text;
                }
                matched(rest, &name[at..], &named)
            });
            best(ways)
        }
    }
}

fn ends(name: &str) -> impl Iterator<Item = usize> {
    name.char_indices().map(|(at, _)| at).chain([name.len()])
}

/// The first reading of a name that gives a month, else the last reading.
fn best(ways: impl Iterator<Item = Option<Named>>) -> Option<Named> {
    let mut last = None;
    for named in ways.flatten() {
        if named.is_valid() {
            return Some(named);
        }
        last = Some(named);
    }
    last
}

/// The full year of two digits, from 1980 to 2079.
fn full_year(year: u16) -> u16 {
    if year < 80 { 2000 + year } else { 1900 + year }
}

fn take_month(text: &str, n: usize) -> Option<(u8, &str)> {
    let (month, rest) = take_digits(text, n)?;
    Some((u8::try_from(month).expect("two digits are below 100"), rest))
}

/// A number of exactly `n` digits at the start of a text, and the rest of the text.
fn take_digits(text: &str, n: usize) -> Option<(u16, &str)> {
    let (digits, rest) = (text.get(..n)?, &text[n..]);
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten().map(|number| (number, rest))
}

impl FilePattern {
    fn of(texts: Vec<String>) -> Result<Self, BadPattern> {
        let parts: Vec<NameParts> =
            texts.iter().map(|text| NameParts::of(text)).collect::<Result<_, _>>()?;
        let mut shapes = texts.iter().zip(&parts).map(|(text, parts)| {
            (parts.n_dates(), parts.0.contains(&NamePart::Flow), text.contains('/'))
        });
        let first = shapes.next();
        if first.is_none() || !shapes.all(|shape| Some(shape) == first) {
            return Err(BadPattern::NameList(texts));
        }
        Ok(Self { texts, parts })
    }
}

impl TryFrom<PatternTexts> for FilePattern {
    type Error = BadPattern;

    fn try_from(texts: PatternTexts) -> Result<Self, BadPattern> {
        match texts {
            PatternTexts::One(text) => Self::of(vec![text]),
            PatternTexts::Several(texts) => Self::of(texts),
        }
    }
}

impl From<FilePattern> for PatternTexts {
    fn from(mut pattern: FilePattern) -> Self {
        match pattern.texts.len() {
            1 => Self::One(pattern.texts.remove(0)),
            _ => Self::Several(pattern.texts),
        }
    }
}

impl TryFrom<String> for FilePattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        Self::of(vec![text])
    }
}

impl fmt::Display for FilePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts.join("\" or \""))
    }
}

/// The pattern of members of the feed's archives: `*` for any text, `{YYYY}` and `{MM}` for a
/// member's month, other letters for themselves.
///
/// Case and folders in the archive do not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberPattern(FilePattern);

impl MemberPattern {
    /// True if each member has its month in its name.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        let Some(NameParts(parts)) = self.0.parts.first() else { return false };
        let once = |part| parts.iter().filter(|&&other| other == part).count() == 1;
        once(NamePart::Year) && once(NamePart::Month)
    }

    /// The month in a member's name. A pattern without a month gives [`NameMatch::NotAPeriod`] for
    /// a name that matches.
    #[must_use]
    pub fn month_of(&self, name: &str) -> NameMatch {
        let name = name.to_lowercase();
        let mut ways = self.0.parts.iter();
        let named = ways.find_map(|parts| matched(&parts.0, &name, &Named::default()));
        named.map_or(NameMatch::No, |named| named.month())
    }
}

impl TryFrom<String> for MemberPattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        FilePattern::try_from(text).map(Self)
    }
}

impl From<MemberPattern> for String {
    fn from(pattern: MemberPattern) -> Self {
        pattern.0.texts.concat()
    }
}

impl fmt::Display for MemberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
    fn a_pattern_of_other_braces_or_too_many_months_is_refused() {
        for text in ["{MM}{MM}{MM}", "{flow}{flow}", "{YYYY}{YYYY}{YYYY}", "{YYYY}{MM}{DD}", "a\\b"]
        {
            assert!(FilePattern::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
