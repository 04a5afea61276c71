//! The delimiter and quoting of a text, detected from its header.

use super::records::{Style, fields_of};
use crate::panel::named;
use crate::panel::wanted::Wanted;

/// Delimiters that are looked for, the most common first.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// The style of a text with this header: its delimiter is the one at which the header falls into
/// most of the wanted columns, then into most columns.
pub(super) fn of_header(line: &[u8], terminator: u8, given: Option<u8>, wanted: &Wanted) -> Style {
    let style = |delimiter| {
        let style = Style { delimiter, terminator, skips_spaces: false };
        Style { skips_spaces: has_spaces(line, style), ..style }
    };
    if let Some(delimiter) = given {
        return style(delimiter);
    }
    let score = |style: &Style| {
        let names = fields_of(line, *style).unwrap_or_default();
        (named::n_found(wanted, &names), names.len())
    };
    let styles = DELIMITERS.map(style);
    // Of equal ones the first counts; `max_by_key` takes the last.
    styles.into_iter().rev().max_by_key(score).expect("there are delimiters")
}

/// Whether a space follows every delimiter of the header.
fn has_spaces(line: &[u8], style: Style) -> bool {
    let mut pieces = line.split(|byte| *byte == style.delimiter).skip(1).peekable();
    style.delimiter != b' ' && pieces.peek().is_some() && pieces.all(|p| p.starts_with(b" "))
}

/// The delimiter that a first line `sep=;` names, as Excel writes it.
pub(super) fn named_delimiter(line: &[u8]) -> Option<u8> {
    match line.trim_ascii_end() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => Some(*delimiter),
        // A tab is trimmed as the blank that it is.
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'='] if line.ends_with(b"\t") => Some(b'\t'),
        _ => None,
    }
}
