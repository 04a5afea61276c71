//! Text to lines: where a record ends, and where its fields do.
//!
//! Fields may be quoted, and a quoted field may hold delimiters, doubled quotes and line ends; a
//! quote inside an unquoted field is a letter like any other. Line feeds end lines, and a carriage
//! return before one belongs to it.
//!
//! A text is cut into [`Blocks`] between two records, so that several threads can tell the lines of
//! one file apart; each then goes through its block with [`Lines`].
//!
//! What goes out is bounded whatever comes in: a record is at most [`LINE_BYTES_MAX`] long, and a
//! block is a small multiple of that. What cannot be framed costs one physical line:
//! a line past the limit is skipped to its end ([`Rule::Length`]); a quoted field that is never
//! closed, or is followed by text, is given up with the line it starts on ([`Rule::Quote`]), and
//! reading resumes on the next.
//!
//! Lines are split here rather than by the `csv` crate because that resynchronises only at the next
//! quote, which can be gigabytes away, and does not keep a line as it stands; on what is well
//! formed the two agree, as a test checks.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::layout::{FileLayout, Quote};
pub use super::split::LINE_BYTES_MAX;
use super::split::{Shape, Span, View, mark_ends};
use crate::domain::record::Rule;

/// Four limits long, so that a record cut in two is rare, and small enough to stay in a processor's
/// cache.
const BLOCK_BYTES: usize = 4 * LINE_BYTES_MAX;
/// A record at the limit and the two bytes that may end its line.
const VIEW_BYTES: usize = LINE_BYTES_MAX + 2;
/// How much of a line past the limit is kept.
const HEAD_BYTES: usize = 2 * crate::domain::record::Reject::RAW_BYTES_MAX;

/// How a text is cut into fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between two fields.
    pub delimiter: u8,
    /// Whether fields may be quoted.
    pub quote: Quote,
}

impl Dialect {
    /// Fields that may be quoted.
    #[must_use]
    pub fn quoted(delimiter: u8) -> Self {
        Self { delimiter, quote: Quote::Double }
    }

    /// Whether a text has quotes that mean anything.
    fn has_quotes(self, text: &[u8]) -> bool {
        self.quote == Quote::Double && memchr(b'"', text).is_some()
    }
}

impl From<&FileLayout> for Dialect {
    fn from(layout: &FileLayout) -> Self {
        Self { delimiter: layout.delimiter.byte(), quote: layout.quote }
    }
}

/// A text's records, some at a time.
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

    /// Puts the next whole records into `lines`, whose own must have been taken; false at the end
    /// of the text.
    ///
    /// # Errors
    /// Whatever reading the source gives.
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

    /// Where the last record ends that is whole, at most at the line end `end`: a quoted field that
    /// the block's own end cuts off may go on beyond it.
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
            // A line past the limit is stepped over by itself.
            let line = || memchr(b'\n', &block[start..]).map_or(block.len() - start, |n| n + 1);
            at = start + if taken == 0 { line() } else { taken };
        }
        end
    }

    /// Leaves the head of a line that is longer than a block, and reads past its end.
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
    /// Whether the text ends with the block.
    ends_text: bool,
    has_quotes: bool,
    /// Which block of the text it is, counted from 0.
    number: usize,
    /// Whether the block is UTF-8.
    is_utf8: bool,
    /// Where delimiters and line feeds are.
    ends: Vec<u32>,
    next_end: usize,
    /// The part of the block from here on is not yet framed.
    at: usize,
    /// The physical line that starts there.
    line: u64,
    fields: Vec<Span>,
    /// Where the record before starts, if it is in the block and has no quotes.
    before: Option<usize>,
    /// As told by [`Line::n_same`].
    n_same: usize,
}

/// Where a line begins in a block.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    at: usize,
    next_end: usize,
    line: u64,
}

/// What stands between two line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed<'a> {
    /// Fields.
    Line(Line<'a>),
    /// What cannot be told apart into fields.
    Broken {
        /// The physical line, the first being 1.
        line: u64,
        /// [`Rule::Quote`] or [`Rule::Length`].
        rule: Rule,
        /// The line as it stands, or its start.
        raw: &'a [u8],
    },
}

/// A record's fields; not yet known to be text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The physical line it starts on, the first being 1.
    pub line: u64,
    /// As it stands, without the end of the line.
    pub raw: &'a [u8],
    /// Its fields, at least one.
    pub fields: &'a [Span],
    /// Whether it is known to be UTF-8.
    pub is_utf8: bool,
    /// How many of its first fields are, byte for byte, those of the line before it that was handed
    /// out.
    pub n_same: usize,
}

impl Line<'_> {
    /// How long a field's text is.
    #[must_use]
    pub fn field_bytes(&self, at: usize) -> usize {
        let field = self.fields[at];
        let text = &self.raw[field.start..field.end];
        let n_quotes = if field.escaped { memchr_iter(b'"', text).count() } else { 0 };
        text.len() - n_quotes / 2
    }

    /// The first field that is not UTF-8 or holds a `�`.
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
    /// No records yet, of a text whose fields are separated by `delimiter`.
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

    /// Which block of the text it is, counted from 0.
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

    /// Steps over one line as it stands, whatever is in it; whether there was one.
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

    /// Where the next line begins, to come back to.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { at: self.at, next_end: self.next_end, line: self.line }
    }

    /// Goes back to a place in the same block.
    pub fn return_to(&mut self, place: Place) {
        Place { at: self.at, next_end: self.next_end, line: self.line } = place;
        (self.n_same, self.before) = (0, None);
    }

    /// Looks at the whole block once; not when it is filled, which one thread does for all.
    fn look(&mut self) {
        self.is_utf8 = simdutf8::basic::from_utf8(&self.block).is_ok();
        mark_ends(&self.block, self.delimiter, &mut self.ends);
    }

    /// Whether no line is left that is not blank.
    pub fn is_at_end(&mut self) -> bool {
        if self.at == 0 && self.ends.is_empty() {
            self.look();
        }
        while let [b'\n', ..] | [b'\r', b'\n', ..] = &self.block[self.at..] {
            self.take_one();
        }
        self.at == self.block.len()
    }

    /// The block's next line that is not blank; none at its end.
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

    /// Steps over what the unframed part starts with.
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

    /// How many fields the record that starts here begins with as the one before does.
    #[inline]
    fn n_same_fields(&self, raw_bytes: usize) -> usize {
        let Some(before) = self.before else { return 0 };
        let (before, here) = (&self.block[before..self.at], &self.block[self.at..][..raw_bytes]);
        let n_bytes = n_same_bytes(before, here);
        // With the delimiter behind it: a field may also be the beginning of another.
        self.fields.iter().take_while(|field| field.end < n_bytes).count()
    }

    /// A line without quotes; none if it has some.
    #[inline]
    fn take_plain(&mut self) -> Option<(Shape, usize)> {
        self.fields.clear();
        let start = self.at;
        let mut field = 0;
        let mut line_end = None;
        for end in &self.ends[self.next_end..] {
            let end = *end as usize - start;
            self.next_end += 1;
            if self.block[start + end] == b'\n' {
                line_end = Some(end);
                break;
            }
            self.fields.push(Span { start: field, end, escaped: false });
            field = end + 1;
        }
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

    /// A record with quotes, which may hold ends of fields and lines.
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

/// How many bytes two lines begin with alike, eight at a time.
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
