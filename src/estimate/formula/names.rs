//! Names of columns: when two are the same, and how one is written in a formula.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// A name in the form in which names are compared, Unicode's NFC: `é` may be written as one
/// character or as `e` with an accent.
#[must_use]
pub fn normal(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

/// A column's name that is given by itself, with or without the backquotes of a formula.
///
/// # Examples
/// ```
/// # use spillover::estimate::formula::unquoted;
/// assert_eq!(unquoted("`gdp (pc)`"), unquoted("gdp (pc)"));
/// ```
#[must_use]
pub fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inside = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    let name = inside.filter(|name| !name.is_empty()).map(|name| name.replace("``", "`"));
    normal(&name.unwrap_or_else(|| text.to_owned())).into_owned()
}

/// A name as the grammar reads it back.
pub(super) fn quoted(name: &str) -> String {
    let mut letters = name.chars();
    let is_plain = letters.next().is_some_and(starts_name) && letters.all(continues_name);
    let means_another = matches!(name, "0" | "1" | ".");
    if is_plain && !means_another { name.into() } else { format!("`{}`", name.replace('`', "``")) }
}

pub(super) fn starts_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '.'
}

/// Marks belong to the letter before them: not every one has a composed form.
pub(super) fn continues_name(letter: char) -> bool {
    starts_name(letter) || is_combining_mark(letter)
}
