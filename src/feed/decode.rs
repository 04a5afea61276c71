//! Files to text: unpack, measure, hash, transcode.
//!
//! ```text
//! file ─▶ unpack ─▶ measure (limits, BLAKE3) ─▶ transcode ─▶ UTF-8 without a byte order mark
//! ```
//!
//! The hash covers every unpacked byte, whatever the text's reader leaves unread, and not the
//! packing: the same table packed in another way has the same hash. Memory does not depend on the
//! file's size.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::time::SystemTime;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::profile::{Compression, FileLayout, TextEncoding};
use super::refused::Refused;
use crate::files;

/// How large a file may be unpacked, unless an option says otherwise.
pub const BYTES_MAX_DEFAULT: u64 = 8 << 30;
/// From here on a file that unpacks to more than [`RATIO_MAX`] times its size is refused.
pub const RATIO_FROM_BYTES: u64 = 64 << 20;
/// No table of trade comes near: one line repeated without end packs about a thousandfold, real
/// ones tenfold.
pub const RATIO_MAX: u64 = 250;

/// How much of a file its encoding is told from.
const DETECTED_BYTES: u64 = 1 << 20;
/// Large enough for BLAKE3 to hash several chunks at a time.
const TRANSCODED_BYTES: usize = 64 * 1024;
/// How much of a file its kind is told from.
const INSPECTED_BYTES: u64 = 1 << 12;
const BYTE_ORDER_MARK: [u8; 3] = *b"\xEF\xBB\xBF";

/// What identifies a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// BLAKE3 of the unpacked bytes, in hexadecimal.
    pub hash: String,
    /// Their number.
    pub n_bytes: u64,
}

/// A file's text as it is read.
pub struct Text<'a> {
    /// UTF-8, or bytes that should be.
    pub reader: &'a mut (dyn Read + Send),
    /// Whether it was transcoded, so that bytes that were no text are `�` by now.
    pub transcoded: bool,
}

/// Reads a file's text; then reads what is left of the file, so that the fingerprint is of all of
/// it.
///
/// # Errors
/// - [`Refused::Open`], [`Refused::Read`], [`Refused::Zip`] if the file cannot be read or unpacked
/// - [`Refused::ZipMembers`] if it is a zip archive of none or several files
/// - [`Refused::TooLarge`], [`Refused::Bomb`] if it unpacks to too much
/// - [`Refused::Changed`] if it was written to meanwhile: what was read is of no one file
/// - whatever `consume` gives
pub fn read_text<T>(
    file: &Path,
    layout: &FileLayout,
    max_bytes: u64,
    consume: impl FnOnce(Text<'_>) -> Result<T, Refused>,
) -> Result<(T, Fingerprint), Refused> {
    let before = appearance(file)?;
    let read = unpacked(file, layout.compression, |unpacked, packed_bytes| {
        let mut measured = Measured {
            unpacked,
            packed_bytes,
            max_bytes,
            n_bytes: 0,
            hasher: Some(blake3::Hasher::new()),
        };
        let value = transcoded(file, layout.encoding.into(), &mut measured, consume)?;
        io::copy(&mut measured, &mut io::sink()).map_err(|error| refusal(file, error))?;
        let hasher = measured.hasher.unwrap_or_default();
        let hash = hasher.finalize().to_hex().to_string();
        Ok((value, Fingerprint { hash, n_bytes: measured.n_bytes }))
    });
    if appearance(file)? == before { read } else { Err(Refused::Changed { file: file.to_owned() }) }
}

/// Reads the text of a file of any size, however it is packed; `inspect` sees its first bytes,
/// unpacked, before they become text. Without an encoding it is told from the first mebibyte.
///
/// # Errors
/// - Those of [`read_text`] but [`Refused::Changed`] and [`Refused::TooLarge`]
/// - whatever `inspect` and `consume` give
pub fn read_any<T, E: From<Refused>>(
    file: &Path,
    encoding: Option<&'static Encoding>,
    inspect: impl FnOnce(&[u8]) -> Result<(), E>,
    consume: impl FnOnce(Text<'_>) -> Result<T, E>,
) -> Result<T, E> {
    unpacked(file, Compression::Auto, |unpacked, packed_bytes| {
        let (max_bytes, n_bytes, hasher) = (u64::MAX, 0, None);
        let mut measured = Measured { unpacked, packed_bytes, max_bytes, n_bytes, hasher };
        let mut head = Vec::new();
        let read = (&mut measured).take(INSPECTED_BYTES).read_to_end(&mut head);
        read.map_err(|error| refusal(file, error))?;
        inspect(&head)?;
        transcoded(file, encoding.into(), &mut Cursor::new(head).chain(measured), consume)
    })
}

/// A file's size and time.
fn appearance(file: &Path) -> Result<(u64, SystemTime), Refused> {
    let seen = std::fs::metadata(file).and_then(|seen| Ok((seen.len(), seen.modified()?)));
    seen.map_err(|source| Refused::Open { file: file.to_owned(), source })
}

/// What identifies a file's content, without reading it as a table.
///
/// # Errors
/// Those of [`read_text`].
pub fn fingerprint(
    file: &Path,
    layout: &FileLayout,
    max_bytes: u64,
) -> Result<Fingerprint, Refused> {
    let bytes = FileLayout { encoding: TextEncoding::Utf8, ..layout.clone() };
    read_text(file, &bytes, max_bytes, |_| Ok(())).map(|((), fingerprint)| fingerprint)
}

/// Why a file is refused whose reading failed.
#[must_use]
pub fn refusal(file: &Path, error: io::Error) -> Refused {
    let file = file.to_owned();
    match error.get_ref().and_then(|inner| inner.downcast_ref::<PastLimit>()) {
        Some(&PastLimit::Size { max_bytes }) => Refused::TooLarge { file, max_bytes },
        Some(&PastLimit::Ratio { packed_bytes, n_bytes }) => {
            Refused::Bomb { file, packed_bytes, n_bytes }
        }
        None => Refused::Read { file, source: error },
    }
}

/// Hands a file's unpacked bytes and its packed size to `consume`.
fn unpacked<T, E: From<Refused>>(
    path: &Path,
    compression: Compression,
    consume: impl FnOnce(&mut (dyn Read + Send), u64) -> Result<T, E>,
) -> Result<T, E> {
    let open_error = |source| Refused::Open { file: path.to_owned(), source };
    let mut file = files::open(path).map_err(open_error)?;
    let packed_bytes = file.metadata().map_err(open_error)?.len();
    let compression = match compression {
        Compression::Auto => magic(&mut file).map_err(|error| refusal(path, error))?,
        told => told,
    };
    match compression {
        Compression::None | Compression::Auto => consume(&mut file, packed_bytes),
        Compression::Gz => consume(&mut flate2::read::MultiGzDecoder::new(file), packed_bytes),
        Compression::Zst => {
            let mut decoder = zstd::Decoder::new(file).map_err(|error| refusal(path, error))?;
            consume(&mut decoder, packed_bytes)
        }
        Compression::Zip => unzipped(path, file, |reader| consume(reader, packed_bytes)),
    }
}

/// How a file is packed, by its first bytes; the file is at its start afterwards.
fn magic(file: &mut File) -> io::Result<Compression> {
    use std::io::Seek;

    let mut head = Vec::new();
    file.by_ref().take(4).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(match head[..] {
        [0x1F, 0x8B, ..] => Compression::Gz,
        [0x28, 0xB5, 0x2F, 0xFD] => Compression::Zst,
        [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Compression::Zip,
        _ => Compression::None,
    })
}

fn unzipped<T, E: From<Refused>>(
    path: &Path,
    file: File,
    consume: impl FnOnce(&mut (dyn Read + Send)) -> Result<T, E>,
) -> Result<T, E> {
    let zip_error = |source| Refused::Zip { file: path.to_owned(), source };
    let mut archive = zip::ZipArchive::new(file).map_err(zip_error)?;
    let mut members = Vec::new();
    for at in 0..archive.len() {
        if !archive.by_index_raw(at).map_err(zip_error)?.is_dir() {
            members.push(at);
        }
    }
    let &[member] = members.as_slice() else {
        let n_members = members.len();
        return Err(Refused::ZipMembers { file: path.to_owned(), n_members }.into());
    };
    consume(&mut archive.by_index(member).map_err(zip_error)?)
}

/// Counts, limits and hashes what goes by.
struct Measured<'a> {
    unpacked: &'a mut (dyn Read + Send),
    packed_bytes: u64,
    max_bytes: u64,
    n_bytes: u64,
    /// None where nobody asks for the hash.
    hasher: Option<blake3::Hasher>,
}

/// Unpacked bytes past a limit; travels inside an [`io::Error`] through the readers above.
#[derive(Debug, thiserror::Error)]
enum PastLimit {
    #[error("more than {max_bytes} bytes")]
    Size { max_bytes: u64 },
    #[error("{packed_bytes} bytes unpack to more than {n_bytes}")]
    Ratio { packed_bytes: u64, n_bytes: u64 },
}

impl Read for Measured<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.unpacked.read(buffer)?;
        self.n_bytes += n as u64;
        let (n_bytes, packed_bytes, max_bytes) = (self.n_bytes, self.packed_bytes, self.max_bytes);
        if n_bytes > max_bytes {
            return Err(io::Error::other(PastLimit::Size { max_bytes }));
        }
        if n_bytes > RATIO_FROM_BYTES && n_bytes / RATIO_MAX > packed_bytes {
            return Err(io::Error::other(PastLimit::Ratio { packed_bytes, n_bytes }));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..n]);
        }
        Ok(n)
    }
}

/// How text became bytes, as far as that is known.
#[derive(Clone, Copy)]
enum Written {
    Somehow,
    Utf8,
    As(&'static Encoding),
}

impl From<TextEncoding> for Written {
    fn from(encoding: TextEncoding) -> Self {
        match encoding {
            TextEncoding::Utf8 => Self::Utf8,
            TextEncoding::Gb18030 => Self::As(GB18030),
            TextEncoding::Latin1 => Self::As(WINDOWS_1252),
            TextEncoding::Detect => Self::Somehow,
        }
    }
}

impl From<Option<&'static Encoding>> for Written {
    fn from(encoding: Option<&'static Encoding>) -> Self {
        match encoding {
            None => Self::Somehow,
            Some(encoding) if encoding == UTF_8 => Self::Utf8,
            Some(encoding) => Self::As(encoding),
        }
    }
}

/// Hands bytes to `consume` as UTF-8.
fn transcoded<T, E: From<Refused>>(
    file: &Path,
    written: Written,
    bytes: &mut (dyn Read + Send),
    consume: impl FnOnce(Text<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut head = Vec::new();
    let encoding = match written {
        Written::Utf8 => None,
        Written::As(encoding) => Some(encoding),
        Written::Somehow => {
            let read = bytes.take(DETECTED_BYTES).read_to_end(&mut head);
            read.map_err(|error| refusal(file, error))?;
            detected(&head)
        }
    };
    let bytes = Cursor::new(head).chain(bytes);
    let (mut decoder, mut plain);
    let reader: &mut (dyn Read + Send) = match encoding {
        None => {
            plain = bytes;
            &mut plain
        }
        Some(encoding) => {
            let builder = &mut DecodeReaderBytesBuilder::new();
            decoder = builder
                .encoding(Some(encoding))
                .build_with_buffer(bytes, vec![0; TRANSCODED_BYTES])
                .map_err(|error| refusal(file, error))?;
            &mut decoder
        }
    };
    let head = without_mark(reader).map_err(|error| refusal(file, error))?;
    let mut text = Cursor::new(head).chain(reader);
    consume(Text { reader: &mut text, transcoded: encoding.is_some() })
}

/// The first bytes of a text, unless they are a byte order mark.
fn without_mark(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut head)?;
    if head == BYTE_ORDER_MARK {
        head.clear();
    }
    Ok(head)
}

/// The encoding of a text by its first bytes; none for UTF-8, which needs no transcoding.
fn detected(head: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Some(encoding).filter(|&encoding| encoding != UTF_8);
    }
    if let Some(encoding) = of_pairs(head) {
        return Some(encoding);
    }
    if is_mostly_utf8(head) {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, true);
    Some(detector.guess(None, Utf8Detection::Deny))
}

/// UTF-16 without a mark: of each two bytes one is zero in digits, delimiters and line ends, always
/// the same one.
fn of_pairs(head: &[u8]) -> Option<&'static Encoding> {
    let n_zero = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0);
    let n_pairs = head.len() / 2;
    match (n_zero(0).count(), n_zero(1).count()) {
        (0, n) if n > n_pairs / 4 => Some(UTF_16LE),
        (n, 0) if n > n_pairs / 4 => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether a text is UTF-8, a few bad bytes aside: of another encoding's characters few happen to
/// be some of UTF-8 (one in eight of GB18030).
fn is_mostly_utf8(head: &[u8]) -> bool {
    let (mut n_wide, mut n_bad) = (0_usize, 0_usize);
    let mut chunks = head.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        n_wide += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        // A character cut in two at the end of the head is no evidence against UTF-8.
        let is_last = chunks.peek().is_none();
        let is_bad = |error: std::str::Utf8Error| !is_last || error.error_len().is_some();
        n_bad += usize::from(std::str::from_utf8(chunk.invalid()).is_err_and(is_bad));
    }
    n_bad == 0 || n_wide > 8 * n_bad
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::profile::Profile;

    #[test]
    fn a_file_that_is_written_to_while_it_is_read_is_refused() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("200001.csv");
        std::fs::write(&path, "a\n").expect("a file");
        let layout = Profile::bundled("canonical").expect("a shipped profile").file;
        let read = read_text(&path, &layout, BYTES_MAX_DEFAULT, |_| {
            std::fs::write(&path, "a\nb\n").expect("a longer file");
            Ok(())
        });
        assert!(matches!(read, Err(Refused::Changed { .. })), "{read:?}");
    }
}
