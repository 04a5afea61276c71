//! Names of columns: their comparison, and their form in a formula.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// The form of a name for comparison, Unicode's NFC: `é` may be one character, or `e` with an
/// accent.
#[must_use]
pub fn normal(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

/// The name in a text that is one column name, with or without the backquotes of a formula.
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

/// A name in the form that the grammar accepts.
pub(super) fn quoted(name: &str) -> String {
    let mut letters = name.chars();
    let is_plain = letters.next().is_some_and(starts_name) && letters.all(continues_name);
    let means_another = matches!(name, "0" | "1" | ".");
    if is_plain && !means_another { name.into() } else { format!("`{}`", name.replace('`', "``")) }
}

pub(super) fn starts_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '.'
}

/// A combining mark continues the name: not every mark has a composed form with its letter.
pub(super) fn continues_name(letter: char) -> bool {
    starts_name(letter) || is_combining_mark(letter)
}
