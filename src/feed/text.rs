//! Blanks around texts, and characters of double width: additions of agencies and spreadsheets.

/// True if a character is invisible at the ends of a text: any white space, a NUL of a padded
/// field, a byte order mark, the end-of-file mark of DOS.
#[must_use]
pub fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\0' | '\u{1A}' | '\u{FEFF}' | '\u{200B}')
}

/// A text without the blanks around it.
#[must_use]
#[inline]
pub fn trimmed(text: &str) -> &str {
    let is_visible = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_visible(bytes.first()) && is_visible(bytes.last()) {
        return text;
    }
    text.trim_matches(is_blank)
}

/// True if a text plainly has no blanks around it. UTF-8 has no blank among the characters of three
/// bytes from `E4` to `E9`, most of them Chinese.
#[must_use]
#[inline]
pub fn is_plainly_trimmed(text: &[u8]) -> bool {
    let is_wide = |byte: &u8| (0xE4..=0xE9).contains(byte);
    let begins = text.first().is_some_and(|byte| byte.is_ascii_graphic() || is_wide(byte));
    let last = text.last().is_some_and(u8::is_ascii_graphic);
    begins && (last || text.len().checked_sub(3).is_some_and(|at| is_wide(&text[at])))
}

/// The ASCII character for one of double width; other characters are unchanged.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "the range is that of ASCII")]
pub fn narrow(letter: char) -> char {
    match letter {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => {
            let code = u32::from(letter) - 0xFEE0;
            char::from_u32(code).expect("ASCII lies 0xFEE0 below characters of double width")
        }
        letter => letter,
    }
}

/// True if a text has characters of double width.
#[must_use]
pub fn is_wide(text: &str) -> bool {
    text.chars().any(|letter| narrow(letter) != letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_every_kind_go_from_both_ends_and_none_from_the_middle() {
        for text in [" 301", "301 ", "\u{3000}301", "301\u{A0}", "\u{FEFF}301\0\0", "301\u{1A}"] {
            assert_eq!(trimmed(text), "301", "{text:?}");
        }
        assert_eq!(trimmed(" a b "), "a b");
        for blank in ('\0'..=char::MAX).filter(|letter| is_blank(*letter)) {
            for text in [format!("{blank}a中"), format!("中a{blank}"), format!("中{blank}")] {
                assert!(!is_plainly_trimmed(text.as_bytes()), "{text:?}");
            }
        }
        assert!(["a", "中", "a中", "中文a"].iter().all(|text| is_plainly_trimmed(text.as_bytes())));
        assert!(!is_plainly_trimmed(b""));
        assert_eq!(trimmed("\u{3000}\0 "), "");
    }

    #[test]
    fn characters_of_double_width_are_ascii() {
        assert_eq!("３１Ｂ－（）".chars().map(narrow).collect::<String>(), "31B-()");
        assert!(is_wide("３") && !is_wide("中文3"));
    }
}
