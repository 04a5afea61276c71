//! Text from outside, made safe for a terminal and a text log.
//!
//! File names, firm identifiers, names of columns and output of other programs can have any
//! characters. Escape sequences move the cursor, line breaks forge a message, and marks change the
//! direction of writing. Text for people goes through [`line()`], one line at a time; JSON
//! documents go through [`json`]. Tables for programs (CSV, Parquet, workbooks, JSON lines) keep
//! their texts unchanged.
//!
//! Invariant: the result of [`line()`] is one line, and each of its characters is visible or a
//! blank.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text as one visible line: invisible characters are written as escapes, such as `\n` or
/// `\u{1b}`.
///
/// # Examples
/// ```
/// use spillover::visible::line;
/// assert_eq!(line("200801.csv"), "200801.csv");
/// assert_eq!(line("a\nrefused: b\u{1b}[2J"), "a\\nrefused: b\\u{1b}[2J");
/// ```
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |letter, line| line.extend(letter.escape_default()))
}

/// A JSON document with the same meaning, with invisible characters written as `\uXXXX`; line
/// breaks between its elements stay.
#[must_use]
pub fn json(document: &str) -> Cow<'_, str> {
    let is_hidden = |letter: char| letter != '\n' && is_hidden(letter);
    escaped(document, is_hidden, |letter, document| {
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(document, "\\u{unit:04x}");
        }
    })
}

fn escaped(
    text: &str,
    is_hidden: impl Fn(char) -> bool,
    escape: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    if !text.chars().any(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_hidden(letter) {
            escape(letter, &mut visible);
        } else {
            visible.push(letter);
        }
    }
    Cow::Owned(visible)
}

/// True for a character that is not just visible text: a control character, a line or paragraph
/// break, a mark of direction, a character without width or ink.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{fffe}'..='\u{ffff}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_as_an_escape() {
        let shown = [
            ("plain 东莞市 São Paulo, C:\\feed", "plain 东莞市 São Paulo, C:\\feed"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
            ("csv.\u{202e}exe\u{2066}", "csv.\\u{202e}exe\\u{2066}"),
            ("F\u{200b}1\u{feff}\u{ad}\u{2028}", "F\\u{200b}1\\u{feff}\\u{ad}\\u{2028}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (text, visible) in shown {
            assert_eq!(line(text), visible);
        }
        assert!(matches!(line("as it is"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_document_keeps_its_lines_and_its_meaning() {
        let text = "{\n  \"firm\": \"\u{202e}\u{9b}\u{e0041}\\n\"\n}";
        let shown = "{\n  \"firm\": \"\\u202e\\u009b\\udb40\\udc41\\n\"\n}";
        assert_eq!(json(text), shown);
    }

    proptest! {
        #[test]
        fn any_text_is_one_visible_line_and_any_document_reads_as_before(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(is_hidden));
            let document = serde_json::to_string(&text).expect("a text");
            let read: String = serde_json::from_str(&json(&document)).expect("JSON");
            prop_assert_eq!(read, text);
        }
    }
}
