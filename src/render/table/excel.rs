//! Cells of text in a CSV file in the form that Excel shows unchanged.
//!
//! Excel treats a CSV file as keyboard input: `=cmd|…` and `@SUM(…)` run, `0101` becomes 101,
//! `3100000002000017` loses its last digit, `3E10` and `1-2` become a number and a date. In a file
//! for Excel, and in no other,
//!
//! - a text that would be a formula begins with an apostrophe, at every possible start of a cell.
//!   An Excel that expects semicolons ignores quotes in the middle of a line;
//! - a text that would be read as a value, in most cases a code, is the formula `="0101"`, whose
//!   value is the text. A leading apostrophe or tab would become part of the code, which would then
//!   not match in another sheet.
//!
//! Columns of numbers are numbers. A workbook (xlsx) needs none of this: its cells have types.

use std::borrow::Cow;

/// The characters that start a formula in Excel, in both widths.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// The characters that end a cell if quotes are ignored. At the start of a cell, OWASP lists them
/// as dangerous.
const BREAKS: [char; 4] = [';', '\t', '\n', '\r'];
/// The characters that may precede a formula or a value.
const BLANKS: [char; 4] = [' ', '"', '\u{a0}', '\u{3000}'];
/// The longest text in a formula.
const FORMULA_TEXT_MAX: usize = 255;
/// The characters of numbers, amounts, dates and times, besides digits and words.
const MARKS: &str = " .,:/-+%$£€¥￥()'年月日时時分秒点點上下午";
/// The words in values; months are recognised by their first three letters.
const WORDS: [&str; 6] = ["e", "am", "pm", "a", "p", "sept"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Converts a text to a cell.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    let defused = defused(text);
    if matches!(defused, Cow::Borrowed(_)) && reads_as_value(text) {
        return Cow::Owned(format!("=\"{text}\""));
    }
    defused
}

/// Changes a text so that no part of it starts a formula.
fn defused(text: &str) -> Cow<'_, str> {
    let mut at_start = true;
    let mut defused = String::new();
    for (at, letter) in text.char_indices() {
        let is_break = BREAKS.contains(&letter);
        let begins = FORMULA.contains(&letter) || (at == 0 && is_break && letter != ';');
        if at_start && begins {
            if defused.is_empty() {
                defused.push_str(&text[..at]);
            }
            defused.push('\'');
        }
        if !defused.is_empty() {
            defused.push(letter);
        }
        at_start = is_break || (at_start && BLANKS.contains(&letter));
    }
    if defused.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(defused) }
}

/// True if Excel would read a text as a number, a date, a time or a logical value.
fn reads_as_value(text: &str) -> bool {
    let trimmed = text.trim_matches(BLANKS);
    if ["true", "false"].iter().any(|word| trimmed.eq_ignore_ascii_case(word)) {
        return true;
    }
    let is_of_value = |letter: char| {
        letter.is_numeric() || letter.is_ascii_alphabetic() || MARKS.contains(letter)
    };
    let words = trimmed.split(|letter: char| !letter.is_ascii_alphabetic());
    let is_known = |word: &str| {
        let word = word.to_ascii_lowercase();
        WORDS.contains(&word.as_str())
            || MONTHS.iter().any(|month| word.starts_with(month) && word.len() <= 9)
    };
    text.chars().any(char::is_numeric)
        && !text.contains('"')
        && text.encode_utf16().count() <= FORMULA_TEXT_MAX
        && trimmed.chars().all(is_of_value)
        && words.filter(|word| !word.is_empty()).all(is_known)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    #[test]
    fn what_would_be_a_formula_begins_with_an_apostrophe() {
        let cells = [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-5", "'-5"),
            ("+86 769", "'+86 769"),
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            ("  =1+1", "  '=1+1"),
            ("＝1+1", "'＝1+1"),
            ("a;=cmd|x", "a;'=cmd|x"),
            ("a\n@b", "a\n'@b"),
            ("a\";\"=1", "a\";\"'=1"),
        ];
        for (text, expected) in cells {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn what_would_be_a_value_is_a_formula_of_its_text() {
        let codes = [
            "0101",
            "3100000002",
            "31000000020000171",
            "3E10",
            "1.5e-3",
            "1-2",
            "2008/01",
            "１２",
            "10:30",
            "10 am",
            "Mar-3",
            "SEPT2",
            "3 December",
            "12 %",
            "2008年1月",
            "(5)",
            "true",
            " 7 ",
        ];
        for code in codes {
            assert_eq!(cell(code), format!("=\"{code}\""));
        }
    }

    #[test]
    fn other_texts_stay() {
        let texts = [
            "",
            "东莞市",
            "F1",
            "f-1",
            "a,=b",
            "200801.csv",
            "BRA",
            "a=b",
            "3E10x",
            "May",
            "n/a",
            "5 Rue de la Paix",
            "\"5\"",
        ];
        for text in texts {
            assert_eq!(cell(text), text);
        }
        let long = "7".repeat(300);
        assert_eq!(cell(&long), long.as_str(), "no formula holds it");
    }

    proptest! {
        #[test]
        fn no_cell_begins_with_a_formula_but_that_of_a_text(
            text in "[=+@0-9a-c ;,\t\r\n'\"-]{0,12}",
        ) {
            let cell = cell(&text);
            let text_of = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
            if let Some(inner) = text_of {
                prop_assert!(inner == text && !inner.contains('"'), "{cell:?}");
            } else {
                for part in cell.split(BREAKS) {
                    let first = part.trim_start_matches(BLANKS).chars().next();
                    prop_assert!(!first.is_some_and(|first| FORMULA.contains(&first)), "{cell:?}");
                }
                prop_assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
            }
        }
    }
}
