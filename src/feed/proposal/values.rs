//! Detects the forms of months, flows and amounts from their texts.

use super::sample::Sample;
use crate::domain::types::Period;
use crate::feed::period_format::PeriodFormat;

/// Formats of a month, those of digits alone first.
const FORMATS: [&str; 22] = [
    "YYYYMM",
    "YYYYMMDD",
    "YYYY-MM",
    "YYYY-M",
    "YYYY/MM",
    "YYYY/M",
    "YYYY.MM",
    "YYYY-MM-DD",
    "YYYY/MM/DD",
    "YYYY/M/D",
    "YYYY[M]MM",
    "YYYY年MM月",
    "YYYY年M月",
    "MON-YYYY",
    "MON YYYY",
    "MON-YY",
    "M/YYYY",
    "D/M/YYYY",
    "M/D/YYYY",
    "D.M.YYYY",
    "D-M-YYYY",
    "YYMM",
];

/// The formats in which the texts of a column are months; `month` is the file's own.
///
/// Of several formats, those with most texts in the file's month remain.
pub(super) fn formats(sample: &Sample, at: usize, month: Option<Period>) -> Vec<&'static str> {
    let texts = sample.distinct(at);
    let n: usize = texts.iter().map(|(_, n)| n).sum();
    let mut fitting: Vec<(&'static str, usize, Vec<Period>)> = Vec::new();
    for text in FORMATS {
        let format = PeriodFormat::try_from(text.to_owned()).expect("a form of a month");
        let months: Vec<(Period, usize)> = texts
            .iter()
            .filter_map(|(text, n)| Some((format.read(text)?, *n)))
            .filter(|(month, _)| (1980..=2079).contains(&month.year().0))
            .collect();
        let n_read: usize = months.iter().map(|(_, n)| n).sum();
        // Totals and notes below a table are not months.
        if n_read * 10 < n * 7 || n_read == 0 {
            continue;
        }
        let n_own = months.iter().filter(|(of, _)| Some(*of) == month).map(|(_, n)| n).sum();
        let months = months.into_iter().map(|(month, _)| month).collect();
        // Another format of the same months adds nothing.
        if fitting.iter().all(|(_, _, others)| *others != months) {
            fitting.push((text, n_own, months));
        }
    }
    let most = fitting.iter().map(|(_, n, _)| *n).max().unwrap_or(0);
    fitting.into_iter().filter(|(_, n, _)| *n == most).map(|(text, ..)| text).collect()
}

/// Codes of exports, and of imports, that mean the same everywhere.
const EXPORTS: [&str; 8] =
    ["E", "EXP", "EXPORT", "EXPORTS", "出口", "EXPORTACAO", "X", "EXPORTAÇÃO"];
const IMPORTS: [&str; 8] =
    ["I", "IMP", "IMPORT", "IMPORTS", "进口", "IMPORTACAO", "M", "IMPORTAÇÃO"];

/// True for a code of exports, false for one of imports; `None` if the code is unknown.
pub(super) fn is_export(code: &str) -> Option<bool> {
    let code = code.to_uppercase();
    if EXPORTS.contains(&code.as_str()) {
        Some(true)
    } else {
        IMPORTS.contains(&code.as_str()).then_some(false)
    }
}

/// The notation of amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    /// True if a comma separates decimals.
    pub(super) decimal_comma: bool,
    /// The mark between thousands.
    pub(super) thousands: Option<char>,
    /// True if a mark before three digits can separate either.
    pub(super) is_ambiguous: bool,
    /// Texts that are not amounts, with their numbers.
    pub(super) others: Vec<(String, usize)>,
    /// The number of texts that are amounts.
    pub(super) n: usize,
}

/// Detects the notation of the amounts of a column.
pub(super) fn amounts(sample: &Sample, at: usize) -> Amounts {
    let mut found = Amounts::default();
    let (mut is_comma_grouped, mut is_comma_decimal, mut is_point_decimal) = (false, false, false);
    let mut n_doubtful = 0;
    for (text, n) in sample.distinct(at) {
        let bare = text.trim_matches(['+', '-', '(', ')', ' ']);
        let is_amount = bare.bytes().any(|byte| byte.is_ascii_digit())
            && bare.chars().all(|c| c.is_ascii_digit() || ".,'eE+- \u{A0}\u{202F}".contains(c));
        if !is_amount {
            found.others.push((text.to_owned(), n));
            continue;
        }
        found.n += n;
        if bare.contains(['\'', ' ', '\u{A0}', '\u{202F}']) {
            found.thousands = Some(if bare.contains('\'') { '\'' } else { ' ' });
        }
        let (commas, points) = (bare.matches(',').count(), bare.matches('.').count());
        let decimals = |mark: char| bare.rsplit(mark).next().map_or(0, str::len);
        match (commas, points) {
            (0, 0) => {}
            (0, 1) if decimals('.') == 3 && bare.len() <= 7 => n_doubtful += 1,
            (0, 1) => is_point_decimal = true,
            (1, 0) if decimals(',') == 3 && bare.len() <= 7 => n_doubtful += 1,
            (1, 0) => is_comma_decimal = true,
            (_, 0) => is_comma_grouped = true,
            (0, _) => found.thousands = Some('.'),
            _ if bare.rfind(',') < bare.rfind('.') => {
                (is_comma_grouped, is_point_decimal) = (true, true);
            }
            _ => {
                is_comma_decimal = true;
                found.thousands = Some('.');
            }
        }
    }
    if is_comma_grouped {
        found.thousands = Some(',');
    }
    found.decimal_comma = is_comma_decimal && !is_comma_grouped;
    let is_told =
        is_comma_grouped || is_comma_decimal || is_point_decimal || found.thousands.is_some();
    found.is_ambiguous = (n_doubtful > 0 && !is_told) || (is_comma_grouped && is_comma_decimal);
    found
}
