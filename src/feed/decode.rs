//! Files to text: unpack, measure, hash, transcode.
//!
//! ```text
//! file ─ container ─▶ bytes ─ kind ─▶ encoding ─▶ UTF-8 without a byte order mark
//!        (unpack,             (by the first
//!         limits, BLAKE3)      bytes)
//! ```
//!
//! The hash covers every unpacked byte, whatever the text's reader leaves unread, and not the
//! packing: the same table packed in another way has the same hash. Memory does not depend on the
//! file's size.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::time::SystemTime;

use encoding_rs::{Encoding, UTF_8};

pub use super::container::refusal;
use super::container::{Measured, Member, Named, unpacked};
use super::encoding::{Sniffer, TextEncoding, Transcoded, mistaken};
use super::formats::kind::{self, Kind};
use super::profile::FileLayout;
use super::refused::Refused;
use super::source::FeedFile;

/// How large a file may be unpacked, unless an option says otherwise.
pub const BYTES_MAX_DEFAULT: u64 = 8 << 30;

/// How much of a panel its encoding is told from.
const DETECTED_BYTES: u64 = 1 << 20;
/// How much of a file its kind is told from.
const INSPECTED_BYTES: u64 = 1 << 12;

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
/// - those of [`unpacked`]
/// - [`Refused::TooLarge`], [`Refused::Bomb`] if it unpacks to too much
/// - [`Refused::Foreign`] if it is of a kind that is not read
/// - [`Refused::OtherEncoding`] if it is plainly of another encoding than the profile's
/// - [`Refused::Changed`] if it was written to meanwhile: what was read is of no one file
/// - whatever `consume` gives
pub fn read_text<T>(
    file: &FeedFile,
    layout: &FileLayout,
    max_bytes: u64,
    consume: impl FnOnce(Text<'_>) -> Result<T, Refused>,
) -> Result<(T, Fingerprint), Refused> {
    let named = named(file, layout);
    while_unchanged(named, || {
        unpacked(named, |mut unpacked, packed_bytes| {
            let mut measured = Measured::new(unpacked.reader(), packed_bytes, max_bytes).hashed();
            let head = head(named.shown, &mut measured)?;
            if let Kind::Foreign(kind) = kind::of(&head) {
                return Err(Refused::Foreign { file: named.shown.to_owned(), kind });
            }
            let encoding = match layout.encoding {
                TextEncoding::Label(encoding) => encoding,
                TextEncoding::Detect => detected(named, max_bytes)?,
            };
            let bytes = Cursor::new(&head).chain(&mut measured);
            let value = transcoded(named.shown, (&head, encoding), bytes, consume)?;
            Ok((value, drained(named.shown, measured)?))
        })
    })
}

/// What identifies a file's content, without reading it as a table.
///
/// # Errors
/// Those of [`read_text`] that are not about its text.
pub fn fingerprint(
    file: &FeedFile,
    layout: &FileLayout,
    max_bytes: u64,
) -> Result<Fingerprint, Refused> {
    let named = named(file, layout);
    while_unchanged(named, || {
        unpacked(named, |mut unpacked, packed_bytes| {
            let measured = Measured::new(unpacked.reader(), packed_bytes, max_bytes);
            drained(named.shown, measured.hashed())
        })
    })
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
    unpacked(Named::path(file), |mut unpacked, packed_bytes| {
        let mut measured = Measured::new(unpacked.reader(), packed_bytes, u64::MAX);
        let mut head = head(file, &mut measured)?;
        inspect(&head)?;
        let encoding = if let Some(encoding) = encoding {
            encoding
        } else {
            let read = (&mut measured).take(DETECTED_BYTES).read_to_end(&mut head);
            read.map_err(|error| refusal(file, error))?;
            let mut sniffer = Sniffer::new();
            sniffer.feed(&head);
            sniffer.guess()
        };
        let bytes = Cursor::new(&head).chain(measured);
        transcoded(file, (&head, encoding), bytes, consume)
    })
}

/// A file of a feed.
fn named<'a>(file: &'a FeedFile, layout: &'a FileLayout) -> Named<'a> {
    let like = layout.member.as_ref().map_or(Member::Only, Member::Like);
    let in_archive = file.archive.as_ref();
    Named {
        shown: &file.path,
        on_disk: file.on_disk(),
        compression: layout.compression,
        member: in_archive.map_or(like, |archive| Member::Called(&archive.member)),
    }
}

/// What reading a file gives, if nobody writes to it meanwhile.
fn while_unchanged<T>(
    named: Named<'_>,
    read: impl FnOnce() -> Result<T, Refused>,
) -> Result<T, Refused> {
    let before = appearance(named)?;
    let read = read();
    if appearance(named)? == before {
        read
    } else {
        Err(Refused::Changed { file: named.shown.to_owned() })
    }
}

/// A file's size and time.
fn appearance(named: Named<'_>) -> Result<(u64, SystemTime), Refused> {
    let seen = std::fs::metadata(named.on_disk).and_then(|seen| Ok((seen.len(), seen.modified()?)));
    seen.map_err(|source| Refused::Open { file: named.shown.to_owned(), source })
}

fn head(file: &Path, bytes: &mut Measured<'_>) -> Result<Vec<u8>, Refused> {
    let mut head = Vec::new();
    let read = bytes.take(INSPECTED_BYTES).read_to_end(&mut head);
    read.map_err(|error| refusal(file, error))?;
    Ok(head)
}

/// Reads what is left.
fn drained(file: &Path, mut measured: Measured<'_>) -> Result<Fingerprint, Refused> {
    io::copy(&mut measured, &mut io::sink()).map_err(|error| refusal(file, error))?;
    let (hash, n_bytes) = measured.finish();
    Ok(Fingerprint { hash, n_bytes })
}

/// The encoding that the whole of a file looks like.
fn detected(named: Named<'_>, max_bytes: u64) -> Result<&'static Encoding, Refused> {
    unpacked(named, |mut unpacked, packed_bytes| {
        let mut measured = Measured::new(unpacked.reader(), packed_bytes, max_bytes);
        let mut sniffer = Sniffer::new();
        let mut portion = vec![0; 64 * 1024];
        loop {
            match measured.read(&mut portion) {
                Ok(0) => return Ok(sniffer.guess()),
                Ok(n) => sniffer.feed(&portion[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(refusal(named.shown, error)),
            }
        }
    })
}

/// Hands bytes to `consume` as UTF-8; a byte order mark counts more than the encoding.
fn transcoded<T, E: From<Refused>>(
    file: &Path,
    (head, encoding): (&[u8], &'static Encoding),
    mut bytes: impl Read + Send,
    consume: impl FnOnce(Text<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let (encoding, n_mark_bytes) = match Encoding::for_bom(head) {
        Some((marked, n_mark_bytes)) => (marked, n_mark_bytes),
        None => (encoding, 0),
    };
    let mut mark = [0; 3];
    bytes.read_exact(&mut mark[..n_mark_bytes]).map_err(|error| refusal(file, error))?;
    if n_mark_bytes == 0
        && let Some(found) = mistaken(head, encoding)
    {
        let [declared, found] =
            [encoding, found].map(|encoding| TextEncoding::Label(encoding).into());
        return Err(Refused::OtherEncoding { file: file.to_owned(), declared, found }.into());
    }
    if encoding == UTF_8 {
        return consume(Text { reader: &mut bytes, transcoded: false });
    }
    consume(Text { reader: &mut Transcoded::new(bytes, encoding), transcoded: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::types::Period;
    use crate::feed::profile::Profile;

    #[test]
    fn a_file_that_is_written_to_while_it_is_read_is_refused() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("200001.csv");
        std::fs::write(&path, "a\n").expect("a file");
        let layout = Profile::bundled("canonical").expect("a shipped profile").file;
        let file = FeedFile::new(Period::new(2000, 1).expect("a month"), path.clone());
        let read = read_text(&file, &layout, BYTES_MAX_DEFAULT, |_| {
            std::fs::write(&path, "a\nb\n").expect("a longer file");
            Ok(())
        });
        assert!(matches!(read, Err(Refused::Changed { .. })), "{read:?}");
    }
}
