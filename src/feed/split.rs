//! Bytes to fields: splits the start of a text by the rules of [`frame`](super::frame). Pure
//! functions, independent of the text's source.

use memchr::{memchr, memchr_iter, memchr2};

/// The longest record, in bytes, without the end of its line.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// The position of a field's text in its line, without the surrounding quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// True if the text contains doubled quotes.
    pub escaped: bool,
}

impl Span {
    /// The field's text, with `�` for invalid bytes.
    #[must_use]
    pub fn lossy(self, raw: &[u8]) -> String {
        let text = String::from_utf8_lossy(&raw[self.start..self.end]);
        if self.escaped { text.replace("\"\"", "\"") } else { text.into_owned() }
    }
}

/// The shape of the first line or record of a view.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Blank,
    /// The record's length without the end of its line, and its number of physical lines.
    Record {
        raw_bytes: usize,
        n_lines: u64,
    },
    Unquotable {
        raw_bytes: usize,
    },
    TooLong,
}

/// The start of the unframed part: up to the largest record, or the rest of the text.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) whole: bool,
}

impl View<'_> {
    /// The first line or record, and its length in bytes with the end of its line.
    pub(super) fn first(self, delimiter: u8, fields: &mut Vec<Span>) -> (Shape, usize) {
        let (raw_bytes, taken) = match memchr(b'\n', self.bytes) {
            Some(end) => (end - usize::from(self.bytes[..end].ends_with(b"\r")), end + 1),
            None if self.whole => (self.bytes.len(), self.bytes.len()),
            None => return (Shape::TooLong, 0),
        };
        let raw = &self.bytes[..raw_bytes];
        if raw.is_empty() {
            (Shape::Blank, taken)
        } else if raw.len() > LINE_BYTES_MAX {
            (Shape::TooLong, 0)
        } else if memchr(b'"', raw).is_none() {
            split_plain(raw, delimiter, fields);
            (Shape::Record { raw_bytes, n_lines: 1 }, taken)
        } else {
            match self.split_quoted(delimiter, fields) {
                Some((raw_bytes, taken)) => {
                    let n_inside = memchr_iter(b'\n', &self.bytes[..raw_bytes]).count();
                    (Shape::Record { raw_bytes, n_lines: 1 + n_inside as u64 }, taken)
                }
                None => (Shape::Unquotable { raw_bytes }, taken),
            }
        }
    }

    /// The fields of a record with quotes: its length without and with the end of its line; `None`
    /// if the view does not contain the end.
    fn split_quoted(self, delimiter: u8, fields: &mut Vec<Span>) -> Option<(usize, usize)> {
        fields.clear();
        let mut at = 0;
        loop {
            let field = match self.bytes.get(at) {
                Some(b'"') => quoted_field(self.bytes, at + 1)?,
                _ => plain_field(self.bytes, at, delimiter),
            };
            let after = field.end + usize::from(self.bytes.get(at) == Some(&b'"'));
            fields.push(field);
            let line_end = match &self.bytes[after..] {
                [byte, ..] if *byte == delimiter => {
                    at = after + 1;
                    continue;
                }
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                [] if self.whole => 0,
                _ => return None,
            };
            return (after <= LINE_BYTES_MAX).then_some((after, after + line_end));
        }
    }
}

/// The field from `start`, the byte after its opening quote, to its closing quote; `None` without a
/// closing quote.
fn quoted_field(bytes: &[u8], start: usize) -> Option<Span> {
    let mut escaped = false;
    let mut from = start;
    loop {
        let quote = from + memchr(b'"', bytes.get(from..)?)?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(Span { start, end: quote, escaped });
        }
        escaped = true;
        from = quote + 2;
    }
}

/// The field from `start` to the next delimiter or the end of the line.
fn plain_field(bytes: &[u8], start: usize, delimiter: u8) -> Span {
    let rest = &bytes[start..];
    let end = match memchr2(delimiter, b'\n', rest) {
        Some(end) if rest[end] == b'\n' && rest[..end].ends_with(b"\r") => end - 1,
        Some(end) => end,
        None => rest.len(),
    };
    Span { start, end: start + end, escaped: false }
}

/// The fields of a line without quotes.
fn split_plain(raw: &[u8], delimiter: u8, fields: &mut Vec<Span>) {
    fields.clear();
    let mut start = 0;
    for end in memchr_iter(delimiter, raw) {
        fields.push(Span { start, end, escaped: false });
        start = end + 1;
    }
    fields.push(Span { start, end: raw.len(), escaped: false });
}

/// Adds the positions of all delimiters and line feeds, eight bytes at a time.
pub(super) fn mark_ends(bytes: &[u8], delimiter: u8, ends: &mut Vec<u32>) {
    let (delimiters, feeds) = (u64::from(delimiter) * ONES, u64::from(b'\n') * ONES);
    let mut words = bytes.chunks_exact(8);
    let mut base = 0;
    for word in words.by_ref() {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        let mut found = zeros(word ^ delimiters) | zeros(word ^ feeds);
        while found != 0 {
            ends.push(base + found.trailing_zeros() / 8);
            found &= found - 1;
        }
        base += 8;
    }
    for (byte, at) in words.remainder().iter().zip(base..) {
        if *byte == delimiter || *byte == b'\n' {
            ends.push(at);
        }
    }
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// The top bit of each byte that is zero.
fn zeros(word: u64) -> u64 {
    let low = 0x7F * ONES;
    !(((word & low) + low) | word) & !low
}

/// The fields of a single line, such as a header, by another delimiter; empty if the line cannot be
/// framed.
#[must_use]
pub fn fields_of(raw: &[u8], delimiter: u8) -> Vec<String> {
    let mut fields = Vec::new();
    match (View { bytes: raw, whole: true }).first(delimiter, &mut fields) {
        (Shape::Record { .. }, _) => fields.iter().map(|field| field.lossy(raw)).collect(),
        _ => Vec::new(),
    }
}
