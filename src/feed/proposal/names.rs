//! Detects the pattern that most file names have.

use std::collections::BTreeMap;

use crate::domain::types::Period;
use crate::feed::months;
use crate::feed::pattern::FilePattern;

/// Words of flows in names; true for exports.
const FLOWS: [(&str, bool); 16] = [
    ("exportacao", true),
    ("importacao", false),
    ("exports", true),
    ("imports", false),
    ("export", true),
    ("import", false),
    ("exp", true),
    ("imp", false),
    ("expo", true),
    ("impo", false),
    ("出口", true),
    ("进口", false),
    ("ausfuhr", true),
    ("einfuhr", false),
    ("dispatches", true),
    ("arrivals", false),
];

/// The pattern and flows of file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// The pattern.
    pub(super) pattern: String,
    /// The numbers of years and months in the pattern.
    pub(super) n_dates: (usize, usize),
    /// The words of exports in the names.
    pub(super) exports: Vec<String>,
    /// The words of imports in the names.
    pub(super) imports: Vec<String>,
    /// Names that the pattern does not match.
    pub(super) others: Vec<String>,
}

/// The pattern of a name, and the word of a flow in it.
struct Parsed {
    pattern: String,
    flow: Option<(String, bool)>,
}

/// The pattern that most names have; `None` without names.
pub(super) fn pattern(names: &[String]) -> Option<Names> {
    let mut parsed: Vec<Parsed> = names.iter().map(|name| parsed(name)).collect();
    // Months of one digit and of two have a common form.
    let loose: Vec<String> =
        parsed.iter().map(|of| of.pattern.clone()).filter(|of| of.contains("{M}")).collect();
    for of in &mut parsed {
        let looser = of.pattern.replace("{MM}", "{M}");
        if loose.contains(&looser) {
            of.pattern = looser;
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for of in &parsed {
        *counts.entry(&of.pattern).or_insert(0) += 1;
    }
    let most = counts.iter().max_by_key(|(text, n)| (**n, std::cmp::Reverse(text.len())))?.0;
    let base = (*most).to_owned();
    let pattern = widened(&base, names);
    let read = FilePattern::try_from(pattern.clone()).ok()?;
    let base_of = |name: &str| {
        if read.has_folders() {
            name.to_owned()
        } else {
            name.rsplit('/').next().unwrap_or(name).to_owned()
        }
    };
    let is_of = |name: &&String| read.read(&base_of(name)).is_some();
    let others = names.iter().filter(|name| !is_of(name)).cloned().collect();
    let flows = |is_export: bool| -> Vec<String> {
        let of = parsed.iter().filter_map(|of| of.flow.as_ref());
        let mut words: Vec<String> =
            of.filter(|(_, export)| *export == is_export).map(|(word, _)| word.clone()).collect();
        words.sort();
        words.dedup();
        words
    };
    let (exports, imports) = (flows(true), flows(false));
    Some(Names { n_dates: read.n_dates(), pattern, exports, imports, others })
}

/// The pattern with `*` before its file extension, if that matches more names.
fn widened(base: &str, names: &[String]) -> String {
    let Some((stem, ending)) = base.rsplit_once('.') else { return base.to_owned() };
    let n_matched = |pattern: &str| {
        let Ok(read) = FilePattern::try_from(pattern.to_owned()) else { return 0 };
        let of = |name: &&String| {
            let base = name.rsplit('/').next().unwrap_or(name);
            read.read(if read.has_folders() { name } else { base }).is_some()
        };
        names.iter().filter(of).count()
    };
    let wide = format!("{stem}*.{ending}");
    if n_matched(&wide) > n_matched(base) { wide } else { base.to_owned() }
}

/// A name with its dates and flow replaced by places. Its last part has priority over its folders.
fn parsed(name: &str) -> Parsed {
    let base = name.rsplit('/').next().unwrap_or(name);
    let in_base = places(base);
    let has_month = in_base.pattern.contains("{M");
    if base.len() == name.len() || (in_base.pattern.contains("{YY") && has_month) {
        return in_base;
    }
    let whole = places(name);
    if whole.pattern.contains("{YYYY}") && whole.pattern.contains("{M") { whole } else { in_base }
}

fn places(name: &str) -> Parsed {
    let (stem, ending) = name.split_once('.').map_or((name, ""), |_| {
        let bare = FilePattern::SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        let at = bare.unwrap_or(name).rfind('.').unwrap_or(name.len());
        (&name[..at], &name[at..])
    });
    let mut pattern = String::new();
    let mut flow = None;
    let mut has_date = false;
    let mut rest = stem;
    let mut before = None;
    while let Some(letter) = rest.chars().next() {
        let is_start = |before: Option<char>| before.is_none_or(|c: char| !c.is_alphanumeric());
        if !has_date && let Some((text, n)) = date(rest, before) {
            pattern.push_str(&text);
            has_date = true;
            before = rest[..n].chars().last();
            rest = &rest[n..];
            continue;
        }
        if flow.is_none()
            && is_start(before)
            && let Some((word, is_export)) = flow_word(rest)
        {
            pattern.push_str("{flow}");
            flow = Some((word.to_owned(), is_export));
            before = word.chars().last();
            rest = &rest[word.len()..];
            continue;
        }
        pattern.push(letter);
        before = Some(letter);
        rest = &rest[letter.len_utf8()..];
    }
    let ending = FilePattern::SUFFIXES
        .iter()
        .find_map(|suffix| ending.strip_suffix(suffix).filter(|ending| !ending.is_empty()));
    let ending = ending.map_or_else(|| name[stem.len()..].to_owned(), str::to_owned);
    Parsed { pattern: pattern + &ending, flow }
}

/// The word of a flow at the start of a text, if no letter follows it.
fn flow_word(text: &str) -> Option<(&str, bool)> {
    FLOWS.iter().find_map(|(word, is_export)| {
        let start = text.get(..word.len())?;
        let follows = text[word.len()..].chars().next();
        let ends = !word.is_ascii() || follows.is_none_or(|c| !c.is_ascii_alphabetic());
        (start.to_lowercase() == *word && ends).then_some((start, *is_export))
    })
}

/// The places of a date at the start of a text, and the date's length.
fn date(text: &str, before: Option<char>) -> Option<(String, usize)> {
    let after_digit = before.is_some_and(|letter| letter.is_ascii_digit());
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if after_digit {
        return None;
    }
    let number = |from: usize, n: usize| -> Option<u16> {
        let part = text.get(from..from + n)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()
    };
    let year =
        |from: usize| number(from, 4).filter(|year| Period::YEARS.contains(year) && *year >= 1980);
    let month = |from: usize| number(from, 2).filter(|month| (1..=12).contains(month));
    let has_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    if digits == 6 && year(0).is_some() && month(4).is_some() {
        // A range of two months.
        if bytes.get(6) == Some(&b'-') && month(7).is_some() && !has_digit(9) {
            return Some(("{YYYY}{MM}-{MM}".to_owned(), 9));
        }
        if bytes.get(6) == Some(&b'-') && year(7).is_some() && month(11).is_some() {
            return Some(("{YYYY}{MM}-{YYYY}{MM}".to_owned(), 13));
        }
        return Some(("{YYYY}{MM}".to_owned(), 6));
    }
    if digits == 6 && month(0).is_some() && year(2).is_some() {
        return Some(("{MM}{YYYY}".to_owned(), 6));
    }
    if digits == 4 && year(0).is_some() {
        let after = &text[4..];
        let separator = after
            .chars()
            .next()
            .filter(|c| matches!(c, '-' | '_' | '.' | '/' | ' ' | '年' | 'M' | 'm'));
        if let Some(separator) = separator {
            let at = 4 + separator.len_utf8();
            if month(at).is_some() && !has_digit(at + 2) {
                return Some((format!("{{YYYY}}{separator}{{MM}}"), at + 2));
            }
            let one = number(at, 1).filter(|month| *month > 0);
            if one.is_some() && !has_digit(at + 1) {
                return Some((format!("{{YYYY}}{separator}{{M}}"), at + 1));
            }
            if let Some(length) = month_name(&text[at..]) {
                return Some((format!("{{YYYY}}{separator}{{MON}}"), at + length));
            }
        }
        return Some(("{YYYY}".to_owned(), 4));
    }
    if digits == 2 && month(0).is_some() {
        let separator = text[2..].chars().next().filter(|c| matches!(c, '-' | '_' | '.'))?;
        let at = 2 + separator.len_utf8();
        return (year(at).is_some() && !has_digit(at + 4))
            .then(|| (format!("{{MM}}{separator}{{YYYY}}"), at + 4));
    }
    if before.is_none_or(|letter| !letter.is_alphabetic())
        && let Some(length) = month_name(text)
    {
        let separator: String = text[length..]
            .chars()
            .take_while(|c| matches!(c, '-' | '_' | '.' | ' '))
            .take(1)
            .collect();
        let at = length + separator.len();
        return (year(at).is_some() && !has_digit(at + 4))
            .then(|| (format!("{{MON}}{separator}{{YYYY}}"), at + 4));
    }
    None
}

/// The length of the name of a month at the start of a text.
fn month_name(text: &str) -> Option<usize> {
    let lower = text.to_lowercase();
    let (_, rest) = months::at_start(&lower)?;
    let length = lower.len() - rest.len();
    text.is_char_boundary(length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_to_the_pattern_that_they_have() {
        let cases: [(&[&str], &str); 12] = [
            (&["200801.csv", "200802.csv"], "{YYYY}{MM}.csv"),
            (&["200801.csv", "200802.csv", "200802-part2.csv"], "{YYYY}{MM}*.csv"),
            (&["2008-1.csv", "2008-10.csv"], "{YYYY}-{M}.csv"),
            (&["2008/01.csv", "2008/02.csv"], "{YYYY}/{MM}.csv"),
            (&["EXP_200801.csv", "IMP_200801.csv"], "{flow}_{YYYY}{MM}.csv"),
            (&["EXP_2020_MUN.csv"], "{flow}_{YYYY}_MUN.csv"),
            (&["nc200801.dat", "nc200802.dat"], "nc{YYYY}{MM}.dat"),
            (&["CIMT_200801.zip"], "CIMT_{YYYY}{MM}.zip"),
            (&["data200301.mdb"], "data{YYYY}{MM}.mdb"),
            (&["2008-01-export.csv.gz"], "{YYYY}-{MM}-{flow}.csv"),
            (&["200801-03.csv"], "{YYYY}{MM}-{MM}.csv"),
            (&["declarations.csv"], "declarations.csv"),
        ];
        for (names, expected) in cases {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let found = pattern(&names).expect("a pattern");
            assert_eq!(found.pattern, expected);
            assert!(found.others.is_empty(), "{found:?}");
        }
    }

    #[test]
    fn names_of_another_form_are_left_over() {
        let names = ["200801.csv", "200802.csv", "old_2008.csv"].map(str::to_owned);
        let found = pattern(&names).expect("a pattern");
        assert_eq!((&*found.pattern, found.others), ("{YYYY}{MM}.csv", vec![names[2].clone()]));
    }
}
