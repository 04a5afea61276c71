//! Bytes to UTF-8: detects a text's encoding and removes its byte order mark.
//!
//! A byte order mark decides. Without one, the profile's label decides, or with `detect` the bytes
//! of the whole file. Invalid bytes become `�`. A line of valid UTF-8 in a file of another encoding
//! gets a `�` before its first letter that is not ASCII. The checker then rejects the line, and its
//! raw text stays readable.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};

/// The size of a decoded portion, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TextEncoding {
    /// A label of the WHATWG Encoding Standard.
    Label(&'static Encoding),
    /// The encoding detected from the whole file.
    Detect,
}

/// A text that is not the label of an encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no encoding \"{0}\"; take \"detect\" or a label of the WHATWG Encoding Standard, \
     such as utf-8, utf-16le, gb18030, big5, shift_jis, euc-kr or latin1"
)]
pub struct UnknownEncoding(String);

impl Default for TextEncoding {
    fn default() -> Self {
        Self::Label(UTF_8)
    }
}

impl TryFrom<String> for TextEncoding {
    type Error = UnknownEncoding;

    fn try_from(label: String) -> Result<Self, UnknownEncoding> {
        if label == "detect" {
            return Ok(Self::Detect);
        }
        let encoding = Encoding::for_label_no_replacement(label.as_bytes());
        let known = encoding.filter(|&encoding| encoding != X_USER_DEFINED);
        known.map(Self::Label).ok_or(UnknownEncoding(label))
    }
}

impl From<TextEncoding> for String {
    fn from(encoding: TextEncoding) -> Self {
        match encoding {
            TextEncoding::Detect => "detect".to_owned(),
            // Profiles recorded before other labels existed use this label.
            TextEncoding::Label(encoding) if encoding == WINDOWS_1252 => "latin1".to_owned(),
            TextEncoding::Label(encoding) => encoding.name().to_ascii_lowercase(),
        }
    }
}

/// Detects an encoding from bytes that arrive in portions.
pub(super) struct Sniffer {
    detector: EncodingDetector,
    /// The first bytes, which may hold a byte order mark.
    head: Vec<u8>,
    /// A character that the end of the last portion cut in two.
    cut: Vec<u8>,
    n_bytes: u64,
    /// The numbers of zeros at even and at odd positions.
    n_zeros: [u64; 2],
    n_wide: u64,
    n_bad: u64,
}

impl Sniffer {
    pub(super) fn new() -> Self {
        Self {
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            head: Vec::new(),
            cut: Vec::new(),
            n_bytes: 0,
            n_zeros: [0; 2],
            n_wide: 0,
            n_bad: 0,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let n_missing = 3 - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(n_missing)]);
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == 0) {
            self.n_zeros[usize::from((self.n_bytes + at as u64) % 2 == 1)] += 1;
        }
        self.n_bytes += bytes.len() as u64;
        self.detector.feed(bytes, false);
        if self.cut.is_empty() && simdutf8::basic::from_utf8(bytes).is_ok_and(str::is_ascii) {
            return;
        }
        let mut whole = std::mem::take(&mut self.cut);
        whole.extend_from_slice(bytes);
        for chunk in whole.utf8_chunks() {
            let wide = chunk.valid().chars().filter(|letter| !letter.is_ascii());
            self.n_wide += wide.count() as u64;
            match std::str::from_utf8(chunk.invalid()) {
                Ok(_) => {}
                Err(error) if error.error_len().is_some() => self.n_bad += 1,
                Err(_) => self.cut = chunk.invalid().to_vec(),
            }
        }
    }

    /// The encoding; `None` for a text that most encodings share.
    pub(super) fn guess_if_telling(self) -> Option<&'static Encoding> {
        let is_telling = self.n_wide + self.n_bad > 0
            || self.of_pairs().is_some()
            || Encoding::for_bom(&self.head).is_some();
        is_telling.then(|| self.guess())
    }

    /// The encoding. A character that is cut in two at the end of the bytes is ignored.
    pub(super) fn guess(mut self) -> &'static Encoding {
        if let Some((encoding, _)) = Encoding::for_bom(&self.head) {
            return encoding;
        }
        if let Some(encoding) = self.of_pairs() {
            return encoding;
        }
        // Few characters of another encoding are valid UTF-8 by chance: one in eight of GB18030.
        // With only a few invalid bytes, the text is UTF-8.
        if self.n_bad == 0 || self.n_wide > 8 * self.n_bad {
            return UTF_8;
        }
        self.detector.feed(&[], true);
        self.detector.guess(None, Utf8Detection::Deny)
    }

    /// UTF-16 without a mark: one of each two bytes is zero in digits, delimiters and line ends,
    /// always at the same position.
    fn of_pairs(&self) -> Option<&'static Encoding> {
        match self.n_zeros {
            [0, n] if n > self.n_bytes / 8 => Some(UTF_16LE),
            [n, 0] if n > self.n_bytes / 8 => Some(UTF_16BE),
            _ => None,
        }
    }
}

/// The actual encoding of a text's first bytes, if it is UTF-16 and another one is declared, or the
/// reverse.
pub(super) fn mistaken(head: &[u8], declared: &'static Encoding) -> Option<&'static Encoding> {
    let is_wide = |encoding| encoding == UTF_16LE || encoding == UTF_16BE;
    if !is_wide(declared) && memchr::memchr(0, head).is_none() {
        return None;
    }
    let mut sniffer = Sniffer::new();
    sniffer.feed(head);
    let found = sniffer.of_pairs();
    match found {
        Some(found) => (found != declared).then_some(found),
        // Every line of a table has digits, delimiters or a line end.
        None if is_wide(declared) && !head.contains(&0) && !head.is_empty() => {
            Some(sniffer.guess())
        }
        None => None,
    }
}

/// A text as UTF-8; the source must not begin with a byte order mark.
pub(super) struct Transcoded<R> {
    source: R,
    decoder: Decoder,
    encoding: &'static Encoding,
    /// Bytes that are not decoded yet.
    raw: Vec<u8>,
    /// Decoded text; the part from `at` is not yet read.
    text: String,
    at: usize,
    exhausted: bool,
}

impl<R: Read> Transcoded<R> {
    pub(super) fn new(source: R, encoding: &'static Encoding) -> Self {
        Self {
            source,
            decoder: encoding.new_decoder_without_bom_handling(),
            encoding,
            raw: Vec::new(),
            text: String::new(),
            at: 0,
            exhausted: false,
        }
    }

    /// Decodes the next portion.
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        while self.text.is_empty() && !self.exhausted {
            let n_held = self.raw.len();
            self.raw.resize(n_held + CHUNK_BYTES, 0);
            let read = self.source.read(&mut self.raw[n_held..]);
            self.raw.truncate(n_held + *read.as_ref().unwrap_or(&0));
            self.exhausted = read? == 0;
            let mut raw = std::mem::take(&mut self.raw);
            // Whole lines, except for a line longer than a portion.
            let n_whole = match memrchr(b'\n', &raw) {
                _ if self.exhausted || !self.has_lines() => raw.len(),
                Some(end) => end + 1,
                None if raw.len() >= CHUNK_BYTES => raw.len(),
                None => 0,
            };
            self.lines(&raw[..n_whole]);
            raw.drain(..n_whole);
            self.raw = raw;
        }
        Ok(())
    }

    /// True if a line feed is one byte, and all bytes of other letters are not ASCII.
    fn has_lines(&self) -> bool {
        self.encoding.is_ascii_compatible()
    }

    fn lines(&mut self, bytes: &[u8]) {
        let mut from = 0;
        let mut at = 0;
        while self.has_lines() && at < bytes.len() {
            let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
            if let Some(text) = utf8_instead(&bytes[at..end], self.encoding) {
                self.decode(&bytes[from..at], false);
                let letter = text.find(|letter: char| !letter.is_ascii()).unwrap_or(text.len());
                self.text.extend([&text[..letter], "\u{FFFD}", &text[letter..]]);
                from = end;
            }
            at = end;
        }
        self.decode(&bytes[from..], self.exhausted);
    }

    fn decode(&mut self, mut bytes: &[u8], is_last: bool) {
        loop {
            let n_needed = self.decoder.max_utf8_buffer_length(bytes.len());
            self.text.reserve(n_needed.unwrap_or(bytes.len()));
            let (result, n_read, _) = self.decoder.decode_to_string(bytes, &mut self.text, is_last);
            bytes = &bytes[n_read..];
            if result == encoding_rs::CoderResult::InputEmpty {
                return;
            }
        }
    }
}

impl<R: Read> Read for Transcoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.fill()?;
        }
        let rest = &self.text.as_bytes()[self.at..];
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

/// The text of a line that is UTF-8 and not of the file's own encoding.
///
/// Two bytes of GB18030 and similar encodings may form a letter of UTF-8 by chance. Three bytes do
/// not, in a line that is valid UTF-8 throughout.
fn utf8_instead<'l>(line: &'l [u8], encoding: &'static Encoding) -> Option<&'l str> {
    let text = simdutf8::basic::from_utf8(line).ok()?;
    let is_wide = |letter: char| letter >= '\u{800}';
    let is_other =
        if encoding.is_single_byte() { !text.is_ascii() } else { text.contains(is_wide) };
    is_other.then_some(text)
}
