//! The delimiter and quoting of a text, detected from its header.

use super::records::{Style, fields_of};
use crate::panel::named;
use crate::panel::wanted::Wanted;

/// The delimiters to look for, the most common first.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// The style of a text with this header. The delimiter gives the most requested columns, then the
/// most columns.
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
    // Of equal scores the first counts, but `max_by_key` takes the last.
    styles.into_iter().rev().max_by_key(score).expect("there are delimiters")
}

/// True if a space follows every delimiter of the header.
fn has_spaces(line: &[u8], style: Style) -> bool {
    let mut pieces = line.split(|byte| *byte == style.delimiter).skip(1).peekable();
    style.delimiter != b' ' && pieces.peek().is_some() && pieces.all(|p| p.starts_with(b" "))
}

/// The delimiter of a first line `sep=;`, as Excel writes it.
pub(super) fn named_delimiter(line: &[u8]) -> Option<u8> {
    match line.trim_ascii_end() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => Some(*delimiter),
        // A tab is blank, so the trim has removed it.
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'='] if line.ends_with(b"\t") => Some(b'\t'),
        _ => None,
    }
}
