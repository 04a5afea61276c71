//! Months and spans in words, in English and Chinese.

use super::meanings::Language;
use crate::domain::span::{Span, SpanAt};
use crate::domain::types::Period;

/// The English names of months.
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn name(month: u8) -> &'static str {
    MONTHS[usize::from(month) - 1]
}

/// A month.
#[must_use]
pub fn month(of: Period, language: Language) -> String {
    let (year, month) = (of.year(), of.month());
    match language {
        Language::English => format!("{} {year}", name(month)),
        Language::Chinese => format!("{year}年{month}月"),
    }
}

/// The months of a span: "January to November 2011", "2011年1—11月".
#[must_use]
pub fn span(at: SpanAt, language: Language) -> String {
    let (first, last) = (*at.cur().start(), at.end());
    let (year, from, to) = (last.year(), first.month(), last.month());
    let shown = month(last, language);
    match (language, at.span()) {
        (Language::English, Span::TwelveMonths) => format!("the twelve months to {shown}"),
        (Language::Chinese, Span::TwelveMonths) => format!("截至{shown}的12个月"),
        _ if first == last => shown,
        (Language::English, _) if from + 1 == to => format!("{} and {shown}", name(from)),
        (Language::English, _) => format!("{} to {shown}", name(from)),
        (Language::Chinese, _) => format!("{year}年{from}—{to}月"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::span::Joint;

    #[test]
    fn spans_name_their_months_and_joint_months_are_one() {
        let words = |of, month, joint| {
            let at = SpanAt::new(of, Period::new(2011, month).expect("a month"), joint);
            let at = at.expect("a span");
            [span(at, Language::English), span(at, Language::Chinese)]
        };
        let joint = Joint::default();
        for (of, month, joint, expected) in [
            (Span::YearToDate, 11, joint, ["January to November 2011", "2011年1—11月"]),
            (Span::YearToDate, 2, joint, ["January and February 2011", "2011年1—2月"]),
            (Span::YearToDate, 1, joint, ["January 2011", "2011年1月"]),
            (Span::Month, 2, joint, ["January and February 2011", "2011年1—2月"]),
            (Span::Month, 2, Joint::NONE, ["February 2011", "2011年2月"]),
            (Span::Month, 11, joint, ["November 2011", "2011年11月"]),
            (
                Span::TwelveMonths,
                11,
                joint,
                ["the twelve months to November 2011", "截至2011年11月的12个月"],
            ),
        ] {
            assert_eq!(words(of, month, joint), expected);
        }
    }
}
