//! Text to records: finds the ends of records and fields.
//!
//! Fields may be quoted, and a quoted field may hold delimiters, doubled quotes and line ends; a
//! quote inside an unquoted field is an ordinary character. A blank line is not a record. Lines end
//! in a line feed, with or without a carriage return before it, or, in a text without line feeds,
//! in a carriage return.
//!
//! This file splits panels, because the `csv` crate does not report whether a field was quoted, and
//! a quoted `NA` is a text. A test checks that the two agree on well-formed text.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2};

/// The longest record, in bytes: a longer one has an opening quote without a closing quote.
const RECORD_BYTES_MAX: usize = 64 << 20;
/// The number of bytes of text read at a time.
const BLOCK_BYTES: usize = 1 << 18;

/// The separation of fields and lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) delimiter: u8,
    /// The end of a line.
    pub(super) terminator: u8,
    /// True if a space after a delimiter belongs to the delimiter.
    pub(super) skips_spaces: bool,
}

/// A field, by its position in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    start: usize,
    end: usize,
    /// True if the field was between quotes.
    pub(super) quoted: bool,
    /// True if quotes in the field are doubled.
    escaped: bool,
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// The line on which the record starts; the first line is 1.
    pub(super) line: u64,
    raw: &'a [u8],
    pub(super) fields: &'a [Field],
}

/// The reason why there is no next record.
#[derive(Debug)]
pub(super) enum Broken {
    Read(io::Error),
    /// A quoted field that starts on this line is not closed.
    OpenQuote(u64),
    /// Text follows a closing quote on this line.
    AfterQuote(u64),
    /// This line exceeds the longest record.
    TooLong(u64),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl<'a> Record<'a> {
    /// A field's text, without its quotes; `scratch` holds it if quotes were doubled.
    pub(super) fn text<'t>(&self, field: Field, scratch: &'t mut Vec<u8>) -> &'t [u8]
    where
        'a: 't,
    {
        let text = &self.raw[field.start..field.end];
        if !field.escaped {
            return text;
        }
        scratch.clear();
        let mut rest = text;
        while let Some(quote) = memchr(b'"', rest) {
            scratch.extend_from_slice(&rest[..=quote]);
            rest = &rest[quote + 2..];
        }
        scratch.extend_from_slice(rest);
        scratch
    }

    /// A field's text, with `�` for bytes that are not text.
    pub(super) fn lossy(&self, field: Field) -> String {
        String::from_utf8_lossy(self.text(field, &mut Vec::new())).into_owned()
    }

    /// The original text of the record.
    pub(super) fn lossy_raw(&self) -> String {
        String::from_utf8_lossy(self.raw).into_owned()
    }
}

/// The records of a text, one by one.
pub(super) struct Records<R> {
    source: R,
    buffer: Vec<u8>,
    /// The start of the unread bytes in the buffer …
    at: usize,
    /// … and their end.
    held: usize,
    exhausted: bool,
    /// The line at `at`.
    line: u64,
    style: Style,
    fields: Vec<Field>,
}

impl<R: Read> Records<R> {
    /// The records of a text; its first block decides the line ends.
    pub(super) fn new(source: R) -> io::Result<Self> {
        let style = Style { delimiter: b',', terminator: b'\n', skips_spaces: false };
        let mut records = Self {
            source,
            buffer: vec![0; BLOCK_BYTES],
            at: 0,
            held: 0,
            exhausted: false,
            line: 1,
            style,
            fields: Vec::new(),
        };
        records.fill()?;
        let block = &records.buffer[..records.held];
        if memchr(b'\n', block).is_none() && memchr(b'\r', block).is_some() {
            records.style.terminator = b'\r';
        }
        Ok(records)
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    pub(super) fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    /// The next line that is not blank, without consuming it; `None` at the end.
    pub(super) fn peek_line(&mut self) -> Result<Option<&[u8]>, Broken> {
        let found = self.line_ahead()?;
        Ok(found.map(|(n_bytes, _)| &self.buffer[self.at..self.at + n_bytes]))
    }

    /// Skips blank lines; returns the bytes of the next line without and with its end.
    fn line_ahead(&mut self) -> Result<Option<(usize, usize)>, Broken> {
        while let Some((n_bytes, taken)) = self.line_end()? {
            if n_bytes > 0 {
                return Ok(Some((n_bytes, taken)));
            }
            self.at += taken;
            self.line += 1;
        }
        Ok(None)
    }

    /// Skips the line that was peeked.
    pub(super) fn skip_line(&mut self) -> Result<(), Broken> {
        if let Some((_, taken)) = self.line_end()? {
            self.at += taken;
            self.line += 1;
        }
        Ok(())
    }

    /// The next record; `None` at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, Broken> {
        let Some((mut n_bytes, mut taken)) = self.line_ahead()? else { return Ok(None) };
        let (line, mut n_lines) = (self.line, 1);
        let raw = &self.buffer[self.at..self.at + n_bytes];
        if memchr(b'"', raw).is_none() {
            split_plain(raw, self.style, &mut self.fields);
        } else {
            (n_bytes, taken) = self.quoted_record()?;
            let raw = &self.buffer[self.at..self.at + n_bytes];
            n_lines += memchr_iter(self.style.terminator, raw).count() as u64;
        }
        let start = self.at;
        self.at += taken;
        self.line += n_lines;
        let raw = &self.buffer[start..start + n_bytes];
        Ok(Some(Record { line, raw, fields: &self.fields }))
    }

    /// The bytes of the next record, which has quotes, without and with its line end.
    fn quoted_record(&mut self) -> Result<(usize, usize), Broken> {
        loop {
            let rest = &self.buffer[self.at..self.held];
            match split_quoted(rest, self.exhausted, self.style, &mut self.fields) {
                Split::Record { n_bytes, taken } => return Ok((n_bytes, taken)),
                Split::AfterQuote => return Err(Broken::AfterQuote(self.line)),
                Split::Open if self.exhausted || rest.len() > RECORD_BYTES_MAX => {
                    return Err(Broken::OpenQuote(self.line));
                }
                Split::Open => self.fill()?,
            }
        }
    }

    /// The bytes of the next line without and with its end; `None` at the end of the text.
    fn line_end(&mut self) -> Result<Option<(usize, usize)>, Broken> {
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.at..self.held];
            if let Some(n) = memchr(self.style.terminator, &rest[searched..]) {
                let n = searched + n;
                return Ok(Some((n - usize::from(rest[..n].ends_with(b"\r")), n + 1)));
            }
            if self.exhausted {
                let n = rest.len();
                let n_bytes = n - usize::from(rest.ends_with(b"\r"));
                return Ok((n > 0).then_some((n_bytes, n)));
            }
            searched = rest.len();
            if searched > RECORD_BYTES_MAX {
                return Err(Broken::TooLong(self.line));
            }
            self.fill()?;
        }
    }

    /// Reads more bytes after the unread ones, which move to the front of the buffer.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.at..self.held, 0);
        (self.at, self.held) = (0, self.held - self.at);
        if self.buffer.len() - self.held < BLOCK_BYTES / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        while self.held < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.held..]) {
                Ok(0) => {
                    self.exhausted = true;
                    break;
                }
                Ok(n) => self.held += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The texts of a line's fields; `None` if they cannot be separated.
pub(super) fn fields_of(line: &[u8], style: Style) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    match split_quoted(line, true, style, &mut fields) {
        Split::Record { n_bytes, .. } => {
            let record = Record { line: 1, raw: &line[..n_bytes], fields: &fields };
            Some(fields.iter().map(|&field| record.lossy(field)).collect())
        }
        _ => None,
    }
}

/// The fields of a line without quotes.
fn split_plain(raw: &[u8], style: Style, fields: &mut Vec<Field>) {
    fields.clear();
    let mut start = 0;
    let mut push = |start: usize, end: usize| {
        fields.push(Field { start, end, quoted: false, escaped: false });
    };
    for end in memchr_iter(style.delimiter, raw) {
        push(start, end);
        start = end + 1;
        if style.skips_spaces {
            start += n_spaces(&raw[start..]);
        }
    }
    push(start, raw.len());
}

fn n_spaces(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| byte == b' ').count()
}

/// The start of a text with quotes.
enum Split {
    /// A record: its bytes without and with its line end.
    Record { n_bytes: usize, taken: usize },
    /// A quoted field that is not closed in the buffer.
    Open,
    /// Text that follows a closing quote.
    AfterQuote,
}

/// The fields of the first record of a text; `whole` is true if no bytes follow the text.
fn split_quoted(text: &[u8], whole: bool, style: Style, fields: &mut Vec<Field>) -> Split {
    fields.clear();
    let mut at = 0;
    loop {
        if style.skips_spaces && !fields.is_empty() {
            at += n_spaces(&text[at..]);
        }
        let quoted = text.get(at) == Some(&b'"');
        let (field, after) = if quoted {
            let Some(field) = quoted_field(text, at + 1) else { return Split::Open };
            (field, field.end + 1 + n_spaces(&text[field.end + 1..]))
        } else {
            let field = plain_field(text, at, style);
            (field, field.end)
        };
        fields.push(field);
        let line_end = match &text[after..] {
            [byte, ..] if *byte == style.delimiter => {
                at = after + 1;
                continue;
            }
            [byte, ..] if *byte == style.terminator => 1,
            [b'\r', byte, ..] if *byte == style.terminator => 2,
            [] if whole => 0,
            [b'\r'] if whole => 1,
            // The rest may not be in the buffer yet: a carriage return, or a doubled quote.
            [] | [b'\r'] => return Split::Open,
            _ => return Split::AfterQuote,
        };
        return Split::Record { n_bytes: after, taken: after + line_end };
    }
}

/// The field from `start`, the byte after its opening quote, to its closing quote; `None` if that
/// is missing.
fn quoted_field(text: &[u8], start: usize) -> Option<Field> {
    let mut escaped = false;
    let mut from = start;
    loop {
        let quote = from + memchr(b'"', text.get(from..)?)?;
        if text.get(quote + 1) != Some(&b'"') {
            return Some(Field { start, end: quote, quoted: true, escaped });
        }
        escaped = true;
        from = quote + 2;
    }
}

/// The field from `start` to the next delimiter or the end of the line.
fn plain_field(text: &[u8], start: usize, style: Style) -> Field {
    let rest = &text[start..];
    let mut end = memchr2(style.delimiter, style.terminator, rest).unwrap_or(rest.len());
    if rest.get(end) != Some(&style.delimiter) && rest[..end].ends_with(b"\r") {
        end -= 1;
    }
    Field { start, end: start + end, quoted: false, escaped: false }
}

#[cfg(test)]
mod tests;
