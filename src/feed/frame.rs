//! Text to lines: where a record ends, and where its fields do.
//!
//! Fields may be quoted, and a quoted field may hold delimiters, doubled quotes and line ends; a
//! quote inside an unquoted field is a letter like any other. Line feeds end lines, and a carriage
//! return before one belongs to it.
//!
//! What goes out is bounded whatever comes in: a record is at most [`LINE_BYTES_MAX`] long, and the
//! window over the text is a small multiple of that. What cannot be framed costs one physical line:
//! a line past the limit is skipped to its end ([`Rule::Length`]); a quoted field that is never
//! closed, or is followed by text, is given up with the line it starts on ([`Rule::Quote`]), and
//! reading resumes on the next.
//!
//! Lines are split here rather than by the `csv` crate because that resynchronises only at the next
//! quote, which can be gigabytes away, and does not keep a line as it stands; on what is well
//! formed the two agree, as a test checks.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::record::Rule;
pub use super::split::LINE_BYTES_MAX;
use super::split::{Shape, Span, View};

/// Four limits long, so that moving an unfinished line to the front is rare.
const WINDOW_BYTES: usize = 4 * LINE_BYTES_MAX;
/// A record at the limit and the two bytes that may end its line.
const VIEW_BYTES: usize = LINE_BYTES_MAX + 2;
/// How much of a line past the limit is kept.
const HEAD_BYTES: usize = 2 * super::record::Reject::RAW_BYTES_MAX;

/// The lines of a text.
pub struct Lines<R> {
    source: R,
    delimiter: u8,
    window: Box<[u8]>,
    /// The part of the window that is read and not yet framed.
    unframed: Range<usize>,
    exhausted: bool,
    /// The physical line that `unframed` starts on.
    line: u64,
    fields: Vec<Span>,
    /// The start of a line past the limit, whose rest went by.
    head: Vec<u8>,
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

impl<R: Read> Lines<R> {
    /// Frames a text whose fields are separated by `delimiter`.
    pub fn new(source: R, delimiter: u8) -> Self {
        Self {
            source,
            delimiter,
            window: vec![0; WINDOW_BYTES].into_boxed_slice(),
            unframed: 0..0,
            exhausted: false,
            line: 1,
            fields: Vec::new(),
            head: Vec::new(),
        }
    }

    /// The next line that is not blank; none at the end of the text.
    ///
    /// # Errors
    /// Whatever reading the source gives.
    pub fn next_line(&mut self) -> io::Result<Option<Framed<'_>>> {
        let (line, start, shape) = loop {
            self.refill()?;
            if self.unframed.is_empty() {
                return Ok(None);
            }
            let (line, start) = (self.line, self.unframed.start);
            match self.take_one() {
                Shape::Blank => {}
                shape => break (line, start, shape),
            }
        };
        Ok(Some(match shape {
            Shape::Record { raw_bytes } => {
                let raw = &self.window[start..start + raw_bytes];
                Framed::Line(Line { line, raw, fields: &self.fields })
            }
            Shape::Unquotable { raw_bytes } => {
                let raw = &self.window[start..start + raw_bytes];
                Framed::Broken { line, rule: Rule::Quote, raw }
            }
            Shape::TooLong | Shape::Blank => {
                self.skip_line()?;
                Framed::Broken { line, rule: Rule::Length, raw: &self.head }
            }
        }))
    }

    /// Steps over what the unframed part starts with, unless that is too long.
    fn take_one(&mut self) -> Shape {
        let rest = &self.window[self.unframed.clone()];
        let view =
            View { bytes: &rest[..rest.len().min(VIEW_BYTES)], whole: rest.len() <= VIEW_BYTES };
        let (shape, taken) = view.first(self.delimiter, &mut self.fields);
        let n_lines = match shape {
            Shape::TooLong => 0,
            Shape::Record { raw_bytes } => 1 + memchr_iter(b'\n', &rest[..raw_bytes]).count(),
            Shape::Blank | Shape::Unquotable { .. } => 1,
        };
        self.unframed.start += taken;
        self.line += n_lines as u64;
        shape
    }

    /// Steps over a line of any length, keeping its head.
    fn skip_line(&mut self) -> io::Result<()> {
        self.head.clear();
        self.line += 1;
        while !self.unframed.is_empty() {
            let rest = &self.window[self.unframed.clone()];
            let end = memchr(b'\n', rest);
            let line = &rest[..end.unwrap_or(rest.len())];
            let room = HEAD_BYTES - self.head.len();
            self.head.extend_from_slice(&line[..line.len().min(room)]);
            if let Some(end) = end {
                self.unframed.start += end + 1;
                return Ok(());
            }
            self.unframed.start = self.unframed.end;
            self.refill()?;
        }
        Ok(())
    }

    /// Makes the unframed part longer than a view, or the whole rest of the text.
    fn refill(&mut self) -> io::Result<()> {
        if self.exhausted || self.unframed.len() > VIEW_BYTES {
            return Ok(());
        }
        self.window.copy_within(self.unframed.clone(), 0);
        self.unframed = 0..self.unframed.len();
        while self.unframed.end < self.window.len() {
            match self.source.read(&mut self.window[self.unframed.end..]) {
                Ok(0) => {
                    self.exhausted = true;
                    break;
                }
                Ok(n) => self.unframed.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
