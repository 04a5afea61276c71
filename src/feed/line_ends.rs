//! Texts whose lines end in carriage returns alone, the form of old spreadsheet programs.

use std::io::{self, Cursor, Read};

/// The number of bytes of a text that show its line ends.
const LOOKED_AT_BYTES: u64 = 1 << 16;

/// A text with a line feed at the end of each line.
///
/// # Errors
/// The error of reading the text.
pub(super) fn in_feeds<'t>(
    text: &'t mut (dyn Read + Send),
) -> io::Result<Box<dyn Read + Send + 't>> {
    let mut head = Vec::new();
    text.take(LOOKED_AT_BYTES).read_to_end(&mut head)?;
    let has = |byte: u8| memchr::memchr(byte, &head).is_some();
    let is_other = has(b'\r') && !has(b'\n');
    let whole = Cursor::new(head).chain(text);
    Ok(if is_other { Box::new(Returns(whole)) } else { Box::new(whole) })
}

/// Replaces carriage returns by line feeds.
struct Returns<R>(R);

impl<R: Read> Read for Returns<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        for byte in buffer[..n].iter_mut().filter(|byte| **byte == b'\r') {
            *byte = b'\n';
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        in_feeds(&mut bytes).and_then(|mut reader| reader.read_to_end(&mut text)).expect("read");
        text
    }

    #[test]
    fn returns_alone_end_lines_and_others_belong_to_them() {
        assert_eq!(read(b"a\rb\r"), b"a\nb\n");
        assert_eq!(read(b"a\r\nb\rc\n"), b"a\r\nb\rc\n");
        assert_eq!(read(b"a\nb"), b"a\nb");
    }
}
