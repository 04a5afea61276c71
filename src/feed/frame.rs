//! Text to lines: finds the ends of records and fields.
//!
//! Fields may be quoted. A quoted field may hold delimiters, doubled quotes and line ends; a quote
//! inside an unquoted field is an ordinary letter. Line feeds end lines, together with a carriage
//! return before them.
//!
//! A text is cut into [`Blocks`] between two records: several threads can then frame one file. Each
//! thread reads its block with [`Lines`].
//!
//! Output is bounded for any input: a record has at most [`LINE_BYTES_MAX`] bytes, and a block is a
//! small multiple of that. A framing error costs one physical line. A line past the limit is
//! rejected as a whole ([`Rule::Length`]). A quoted field that is never closed, or is followed by
//! text, rejects the line on which it starts ([`Rule::Quote`]); reading resumes on the next line.
//!
//! The `csv` crate is not used here: it resynchronises only at the next quote, which can be
//! gigabytes away, and does not keep the raw line. A test checks that both agree on well-formed
//! text.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::layout::{FileLayout, Quote};
pub use super::split::LINE_BYTES_MAX;
use super::split::{Shape, Span, View, mark_ends};
use crate::domain::record::Rule;

/// The size of a block, in bytes: records cut in two are rare, and a block fits in a processor's
/// cache.
const BLOCK_BYTES: usize = 4 * LINE_BYTES_MAX;
/// A record at the limit and the two bytes that may end its line.
const VIEW_BYTES: usize = LINE_BYTES_MAX + 2;
/// The number of bytes kept of a line past the limit.
const HEAD_BYTES: usize = 2 * crate::domain::record::Reject::RAW_BYTES_MAX;

/// The delimiter and quoting of a text's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The byte between two fields.
    pub delimiter: u8,
    /// The quoting of fields.
    pub quote: Quote,
}

impl Dialect {
    /// A dialect with quoted fields.
    #[must_use]
    pub fn quoted(delimiter: u8) -> Self {
        Self { delimiter, quote: Quote::Double }
    }

    /// True if a text has quotes that enclose fields.
    fn has_quotes(self, text: &[u8]) -> bool {
        self.quote == Quote::Double && memchr(b'"', text).is_some()
    }
}

impl From<&FileLayout> for Dialect {
    fn from(layout: &FileLayout) -> Self {
        Self { delimiter: layout.delimiter.byte(), quote: layout.quote }
    }
}

/// The records of a text, block by block.
pub struct Blocks<R> {
    source: R,
    dialect: Dialect,
    /// The beginning of the next block.
    carried: Vec<u8>,
    exhausted: bool,
    /// The physical line that the next block starts on.
    line: u64,
    n_taken: usize,
    block_bytes: usize,
}

impl<R: Read> Blocks<R> {
    /// Cuts a text.
    pub fn new(source: R, dialect: Dialect) -> Self {
        Self {
            source,
            dialect,
            carried: Vec::new(),
            exhausted: false,
            line: 1,
            n_taken: 0,
            block_bytes: BLOCK_BYTES,
        }
    }

    /// Reads the next whole records into `lines`, whose previous records must have been read; false
    /// at the end of the text.
    ///
    /// # Errors
    /// The error of reading the source.
    pub fn fill(&mut self, lines: &mut Lines) -> io::Result<bool> {
        let block = &mut lines.block;
        std::mem::swap(block, &mut self.carried);
        self.carried.clear();
        self.read_into(block)?;
        if block.is_empty() {
            lines.start(self.line);
            return Ok(false);
        }
        lines.has_quotes = self.dialect.has_quotes(block);
        if !self.exhausted {
            match memrchr(b'\n', block) {
                Some(end) => {
                    let end =
                        if lines.has_quotes { self.record_end(block, end + 1) } else { end + 1 };
                    self.carried.extend_from_slice(&block[end..]);
                    block.truncate(end);
                }
                None => self.skip_line(block)?,
            }
        }
        lines.ends_text = self.exhausted && self.carried.is_empty();
        lines.number = self.n_taken;
        lines.start(self.line);
        self.n_taken += 1;
        self.line += memchr_iter(b'\n', block_of(lines)).count() as u64;
        Ok(true)
    }

    /// Reads until the block is full or the text at its end.
    fn read_into(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let mut n_held = block.len();
        block.resize(n_held.max(self.block_bytes), 0);
        while !self.exhausted && n_held < block.len() {
            match self.source.read(&mut block[n_held..]) {
                Ok(0) => self.exhausted = true,
                Ok(n) => n_held += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        block.truncate(n_held);
        Ok(())
    }

    /// The end of the last whole record, at most at the line end `end`. A quoted field that the
    /// block's end cuts off may continue after it.
    fn record_end(&self, block: &[u8], end: usize) -> usize {
        let mut fields = Vec::new();
        let mut at = 0;
        while let Some(quote) = block.get(at..end).and_then(|rest| memchr(b'"', rest)) {
            let start = memrchr(b'\n', &block[at..at + quote]).map_or(at, |before| at + before + 1);
            if block.len() - start < VIEW_BYTES {
                return start;
            }
            let view = View { bytes: &block[start..start + VIEW_BYTES], whole: false };
            let (_, taken) = view.first(self.dialect.delimiter, &mut fields);
            // A line past the limit is skipped separately.
            let line = || memchr(b'\n', &block[start..]).map_or(block.len() - start, |n| n + 1);
            at = start + if taken == 0 { line() } else { taken };
        }
        end
    }

    /// Keeps the head of a line that is longer than a block, and reads past the line's end.
    fn skip_line(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        block.truncate(LINE_BYTES_MAX + 1);
        let mut rest = Vec::new();
        while !self.exhausted {
            rest.clear();
            self.read_into(&mut rest)?;
            if let Some(end) = memchr(b'\n', &rest) {
                self.carried.extend_from_slice(&rest[end + 1..]);
                block.push(b'\n');
                return Ok(());
            }
        }
        Ok(())
    }
}

fn block_of(lines: &Lines) -> &[u8] {
    &lines.block
}

/// The records of a block, one by one.
pub struct Lines {
    block: Vec<u8>,
    delimiter: u8,
    /// True if the text ends with the block.
    ends_text: bool,
    has_quotes: bool,
    /// The position of the block in the text, counted from 0.
    number: usize,
    /// True if the block is valid UTF-8.
    is_utf8: bool,
    /// The positions of delimiters and line feeds.
    ends: Vec<u32>,
    next_end: usize,
    /// The start of the part of the block that is not yet framed.
    at: usize,
    /// The number of the physical line that starts at `at`.
    line: u64,
    fields: Vec<Span>,
    /// The start of the previous record, if it is in the block and has no quotes.
    before: Option<usize>,
    /// The value of [`Line::n_same`].
    n_same: usize,
}

/// The beginning of a line in a block.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    at: usize,
    next_end: usize,
    line: u64,
}

/// The result of framing one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed<'a> {
    /// A record with its fields.
    Line(Line<'a>),
    /// A line that cannot be split into fields.
    Broken {
        /// The number of the physical line, counted from 1.
        line: u64,
        /// [`Rule::Quote`] or [`Rule::Length`].
        rule: Rule,
        /// The raw line, or its start.
        raw: &'a [u8],
    },
}

/// A record's fields; the bytes may not be valid text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The number of its first physical line, counted from 1.
    pub line: u64,
    /// The raw text without the end of the line.
    pub raw: &'a [u8],
    /// The fields, at least one.
    pub fields: &'a [Span],
    /// True if the line is known to be UTF-8.
    pub is_utf8: bool,
    /// The number of first fields that are identical, byte for byte, to those of the previously
    /// returned line.
    pub n_same: usize,
}

impl Line<'_> {
    /// The length of a field's text, in bytes.
    #[must_use]
    pub fn field_bytes(&self, at: usize) -> usize {
        let field = self.fields[at];
        let text = &self.raw[field.start..field.end];
        let n_quotes = if field.escaped { memchr_iter(b'"', text).count() } else { 0 };
        text.len() - n_quotes / 2
    }

    /// The first field that is not UTF-8 or contains a `�`.
    #[must_use]
    pub fn first_not_text(&self) -> Option<usize> {
        let is_text = |field: &Span| {
            std::str::from_utf8(&self.raw[field.start..field.end])
                .is_ok_and(|text| !text.contains('\u{FFFD}'))
        };
        self.fields.iter().position(|field| !is_text(field))
    }
}

impl Lines {
    /// Creates an empty block of a text whose fields are separated by `delimiter`.
    #[must_use]
    pub fn new(delimiter: u8) -> Self {
        Self {
            block: Vec::with_capacity(BLOCK_BYTES),
            delimiter,
            ends_text: false,
            has_quotes: false,
            number: 0,
            is_utf8: false,
            ends: Vec::new(),
            next_end: 0,
            at: 0,
            line: 1,
            fields: Vec::new(),
            before: None,
            n_same: 0,
        }
    }

    /// The position of the block in the text, counted from 0.
    #[must_use]
    pub fn block_number(&self) -> usize {
        self.number
    }

    fn start(&mut self, line: u64) {
        self.at = 0;
        self.line = line;
        self.ends.clear();
        self.next_end = 0;
        self.before = None;
    }

    /// Skips one raw line of any content; false if no line is left.
    pub fn skip_line(&mut self) -> bool {
        if self.at == 0 && self.ends.is_empty() {
            self.look();
        }
        let Some(rest) = self.block.get(self.at..).filter(|rest| !rest.is_empty()) else {
            return false;
        };
        self.at += memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let ends = self.ends[self.next_end..].iter();
        self.next_end += ends.take_while(|end| (**end as usize) < self.at).count();
        self.line += 1;
        (self.n_same, self.before) = (0, None);
        true
    }

    /// The beginning of the next line, for a later return to it.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { at: self.at, next_end: self.next_end, line: self.line }
    }

    /// Goes back to a place in the same block.
    pub fn return_to(&mut self, place: Place) {
        Place { at: self.at, next_end: self.next_end, line: self.line } = place;
        (self.n_same, self.before) = (0, None);
    }

    /// Scans the whole block once. Not done when the block is filled, which is serial.
    fn look(&mut self) {
        self.is_utf8 = simdutf8::basic::from_utf8(&self.block).is_ok();
        mark_ends(&self.block, self.delimiter, &mut self.ends);
    }

    /// Skips blank lines; true if no other line is left.
    pub fn is_at_end(&mut self) -> bool {
        if self.at == 0 && self.ends.is_empty() {
            self.look();
        }
        while let [b'\n', ..] | [b'\r', b'\n', ..] = &self.block[self.at..] {
            self.take_one();
        }
        self.at == self.block.len()
    }

    /// The block's next line that is not blank; `None` at the end.
    pub fn next_line(&mut self) -> Option<Framed<'_>> {
        if self.is_at_end() {
            return None;
        }
        let (line, start) = (self.line, self.at);
        let shape = self.take_one();
        let Self { is_utf8, n_same, .. } = *self;
        Some(match shape {
            Shape::Record { raw_bytes, .. } => {
                let raw = &self.block[start..start + raw_bytes];
                Framed::Line(Line { line, raw, fields: &self.fields, is_utf8, n_same })
            }
            Shape::Unquotable { raw_bytes } => {
                let raw = &self.block[start..start + raw_bytes];
                Framed::Broken { line, rule: Rule::Quote, raw }
            }
            Shape::TooLong | Shape::Blank => {
                let raw = &self.block[start..self.at];
                let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
                let raw = &raw[..raw.len().min(HEAD_BYTES)];
                Framed::Broken { line, rule: Rule::Length, raw }
            }
        })
    }

    /// Takes the first line or record of the unframed part.
    fn take_one(&mut self) -> Shape {
        let plain = self.take_plain();
        match plain {
            Some((Shape::Record { raw_bytes, .. }, _)) => {
                self.n_same = self.n_same_fields(raw_bytes);
                self.before = Some(self.at);
            }
            Some((Shape::Blank, _)) => {}
            _ => (self.n_same, self.before) = (0, None),
        }
        let (shape, taken) = plain.unwrap_or_else(|| self.take_quoted());
        self.at += taken;
        self.line += match shape {
            Shape::Record { n_lines, .. } => n_lines,
            Shape::Blank | Shape::Unquotable { .. } | Shape::TooLong => 1,
        };
        shape
    }

    /// The number of first fields that the record at the current position shares with the previous
    /// one.
    #[inline]
    fn n_same_fields(&self, raw_bytes: usize) -> usize {
        let Some(before) = self.before else { return 0 };
        let (before, here) = (&self.block[before..self.at], &self.block[self.at..][..raw_bytes]);
        let n_bytes = n_same_bytes(before, here);
        // The delimiter must match too: a field may be the beginning of a longer one.
        self.fields.iter().take_while(|field| field.end < n_bytes).count()
    }

    /// A line without quotes; `None` if it has quotes.
    #[inline]
    fn take_plain(&mut self) -> Option<(Shape, usize)> {
        let start = self.at;
        let rest = &self.block[start..];
        let ends = &self.ends[self.next_end..];
        let position = |end: &u32| *end as usize - start;
        let n_fields = ends.iter().take_while(|end| rest[position(end)] != b'\n').count();
        let line_end = ends.get(n_fields).map(position);
        let mut field = 0;
        self.fields.clear();
        self.fields.extend(ends[..n_fields].iter().map(|end| {
            let end = position(end);
            Span { start: std::mem::replace(&mut field, end + 1), end, escaped: false }
        }));
        self.next_end += n_fields + usize::from(line_end.is_some());
        let (end, taken) = match line_end {
            Some(end) if end > 0 && self.block[start + end - 1] == b'\r' => (end - 1, end + 1),
            Some(end) => (end, end + 1),
            None => (self.block.len() - start, self.block.len() - start),
        };
        if end == 0 {
            return Some((Shape::Blank, taken));
        }
        if end > LINE_BYTES_MAX {
            return Some((Shape::TooLong, taken));
        }
        if self.has_quotes && memchr(b'"', &self.block[start..start + end]).is_some() {
            return None;
        }
        self.fields.push(Span { start: field, end, escaped: false });
        Some((Shape::Record { raw_bytes: end, n_lines: 1 }, taken))
    }

    /// A record with quotes, which may contain ends of fields and lines.
    fn take_quoted(&mut self) -> (Shape, usize) {
        let rest = &self.block[self.at..];
        let view = View {
            bytes: &rest[..rest.len().min(VIEW_BYTES)],
            whole: self.ends_text && rest.len() <= VIEW_BYTES,
        };
        let (shape, taken) = view.first(self.delimiter, &mut self.fields);
        let next = self.at + taken;
        let inside = self.ends[self.next_end..].iter().take_while(|end| (**end as usize) < next);
        self.next_end += inside.count();
        (shape, taken)
    }
}

/// The number of equal bytes at the start of two lines, compared eight at a time.
#[inline]
fn n_same_bytes(left: &[u8], right: &[u8]) -> usize {
    let eights = left.chunks_exact(8).zip(right.chunks_exact(8));
    let mut n_same = 0;
    for (left, right) in eights {
        let [left, right] =
            [left, right].map(|eight| u64::from_le_bytes(eight.try_into().expect("eight bytes")));
        if left != right {
            return n_same + (left ^ right).trailing_zeros() as usize / 8;
        }
        n_same += 8;
    }
    let rest = left[n_same..].iter().zip(&right[n_same..]);
    n_same + rest.take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests;
