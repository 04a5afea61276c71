//! Files to text: unpack, measure, hash, transcode.
//!
//! ```text
//! file ─ container ─▶ bytes ─ kind ─▶ encoding ─▶ UTF-8 without a byte order mark
//!        (unpack,             (by the first
//!         limits, BLAKE3)      bytes)
//! ```
//!
//! The hash covers every unpacked byte, including bytes that the text's reader leaves unread, but
//! not the packing. The same table in another packing has the same hash. Memory does not depend on
//! the file's size.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::time::SystemTime;

use encoding_rs::{Encoding, UTF_8};

pub use super::container::refusal;
use super::container::{Measured, Member, Named, Packing, check_sizes, unpacked, workbook};
use super::encoding::{Sniffer, TextEncoding, Transcoded, mistaken};
use super::formats::Table;
use super::formats::kind::{self, Kind};
use super::profile::{FileFormat, FileLayout, Profile, Quote};
use super::refused::Refused;
use super::source::FeedFile;
use crate::files::scratch::Scratch;
use crate::files::{self, private};

/// The default largest size of an unpacked file, in bytes.
pub const BYTES_MAX_DEFAULT: u64 = 8 << 30;

/// The number of bytes of a panel that decide its encoding.
const DETECTED_BYTES: u64 = 1 << 20;
/// The number of bytes of a file that decide its kind.
const INSPECTED_BYTES: u64 = 1 << 12;

/// The identity of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// BLAKE3 hash of the unpacked bytes, in hexadecimal.
    pub hash: String,
    /// The number of unpacked bytes.
    pub n_bytes: u64,
}

/// A file's text for reading.
pub struct Text<'a> {
    /// The text: UTF-8, or bytes that should be UTF-8.
    pub reader: &'a mut (dyn Read + Send),
    /// True if the text was transcoded: `�` then stands for invalid bytes.
    pub transcoded: bool,
    /// The quoting of fields.
    pub quote: Quote,
}

/// Reads a file's text, then the rest of the file: the fingerprint covers the whole file.
///
/// # Errors
/// - those of [`unpacked`]
/// - [`Refused::TooLarge`], [`Refused::Bomb`] if the unpacked file is too large
/// - [`Refused::Foreign`] if the file is of an unsupported kind
/// - [`Refused::OtherEncoding`] if the bytes are plainly of another encoding than the profile's
/// - [`Refused::Changed`] if the file was written to during the reading
/// - the error of `consume`
pub fn read_text<T>(
    file: &FeedFile,
    profile: &Profile,
    max_bytes: u64,
    consume: impl FnOnce(Text<'_>) -> Result<T, Refused>,
) -> Result<(T, Fingerprint), Refused> {
    let layout = &profile.file;
    let named = named(file, layout);
    while_unchanged(named, || {
        unpacked(named, |mut unpacked, packed_bytes| {
            let packing = unpacked.packing();
            let mut measured = Measured::new(unpacked.reader(), packed_bytes, max_bytes).hashed();
            let head = head(named.shown, &mut measured)?;
            let kind = kind::of(&head);
            check_format(named, kind, layout.format)?;
            if kind != Kind::Text {
                let spooled = Spooled::of(named, (&head, measured), packing)?;
                return spooled.read(named, (kind, profile, max_bytes), consume);
            }
            let encoding = match layout.encoding {
                TextEncoding::Label(encoding) => encoding,
                TextEncoding::Detect => detected(named, max_bytes)?,
            };
            let bytes = Cursor::new(&head).chain(&mut measured);
            let value = transcoded(named.shown, (&head, encoding, layout.quote), bytes, consume)?;
            Ok((value, drained(named.shown, measured)?))
        })
    })
}

/// Checks that a file is of a supported kind, and of the profile's format if it names one.
fn check_format(named: Named<'_>, kind: Kind, declared: FileFormat) -> Result<(), Refused> {
    let file = || named.shown.to_owned();
    match kind {
        Kind::Foreign(kind) => Err(Refused::Foreign { file: file(), kind }),
        Kind::Packed => Err(Refused::Foreign { file: file(), kind: &kind::PACKED }),
        kind if declared == FileFormat::Auto || kind.format() == declared => Ok(()),
        kind => {
            let declared = serde_json::to_value(declared).unwrap_or_default();
            let declared = declared.as_str().unwrap_or_default().to_owned();
            Err(Refused::OtherFormat { file: file(), found: kind.name(), declared })
        }
    }
}

/// Unpacked bytes on disk, for readers that seek in them.
struct Spooled {
    file: File,
    fingerprint: Fingerprint,
    /// The scratch folder of bytes that were packed; removed with this value.
    _scratch: Option<Scratch>,
}

impl Spooled {
    /// Spools the bytes of a file whose first bytes were already read.
    fn of(
        named: Named<'_>,
        (head, mut measured): (&[u8], Measured<'_>),
        packing: Packing,
    ) -> Result<Self, Refused> {
        let failed = |error| refusal(named.shown, error);
        if packing == Packing::None {
            let fingerprint = drained(named.shown, measured)?;
            let file = files::open(named.on_disk).map_err(failed)?;
            return Ok(Self { file, fingerprint, _scratch: None });
        }
        let scratch = Scratch::create().map_err(failed)?;
        let path = scratch.path().join("table");
        let mut out = private::create(&path).map_err(failed)?;
        let mut bytes = Cursor::new(head).chain(&mut measured);
        io::copy(&mut bytes, &mut out).map_err(failed)?;
        let fingerprint = drained(named.shown, measured)?;
        let file = files::open(&path).map_err(failed)?;
        Ok(Self { file, fingerprint, _scratch: Some(scratch) })
    }

    /// Reads the bytes as a table.
    fn read<T>(
        mut self,
        named: Named<'_>,
        (kind, profile, max_bytes): (Kind, &Profile, u64),
        consume: impl FnOnce(Text<'_>) -> Result<T, Refused>,
    ) -> Result<(T, Fingerprint), Refused> {
        if kind == Kind::Zip {
            if workbook(&mut self.file).is_none() {
                let kind = &kind::PACKED;
                return Err(Refused::Foreign { file: named.shown.to_owned(), kind });
            }
            check_sizes(named.shown, &mut self.file, max_bytes)?;
        }
        let code_columns = profile.code_columns();
        let (n_bytes, layout) = (self.fingerprint.n_bytes, &profile.file);
        let table = Table { file: self.file, n_bytes, kind, layout, code_columns: &code_columns };
        let read = table.read(max_bytes, |reader| {
            consume(Text { reader, transcoded: true, quote: Quote::Double })
        });
        let value = read.map_err(|problem| Refused::Table {
            file: named.shown.to_owned(),
            kind: kind.name(),
            problem: Box::new(problem),
        })?;
        Ok((value?, self.fingerprint))
    }
}

/// Identifies a file's content without reading it as a table.
///
/// # Errors
/// Those of [`read_text`] that do not concern the text.
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

/// Reads the text of a file of any size and packing. `inspect` sees the first unpacked bytes before
/// they are transcoded. Without an encoding, the first mebibyte decides.
///
/// # Errors
/// - Those of [`read_text`] but [`Refused::Changed`] and [`Refused::TooLarge`]
/// - the errors of `inspect` and `consume`
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
        transcoded(file, (&head, encoding, Quote::Double), bytes, consume)
    })
}

/// A file of a feed.
pub(super) fn named<'a>(file: &'a FeedFile, layout: &'a FileLayout) -> Named<'a> {
    let like = layout.member.as_ref().map_or(Member::Only, Member::Like);
    let in_archive = file.archive.as_ref();
    Named {
        shown: &file.path,
        on_disk: file.on_disk(),
        compression: layout.compression,
        member: in_archive.map_or(like, |archive| Member::Called(&archive.member)),
    }
}

/// The result of reading a file that did not change during the reading.
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

/// A file's size and modification time.
fn appearance(named: Named<'_>) -> Result<(u64, SystemTime), Refused> {
    let seen = std::fs::metadata(named.on_disk).and_then(|seen| Ok((seen.len(), seen.modified()?)));
    seen.map_err(|source| Refused::Open { file: named.shown.to_owned(), source })
}

pub(super) fn head(file: &Path, bytes: &mut Measured<'_>) -> Result<Vec<u8>, Refused> {
    let mut head = Vec::new();
    let read = bytes.take(INSPECTED_BYTES).read_to_end(&mut head);
    read.map_err(|error| refusal(file, error))?;
    Ok(head)
}

/// Reads the rest of the bytes and returns the fingerprint.
fn drained(file: &Path, mut measured: Measured<'_>) -> Result<Fingerprint, Refused> {
    io::copy(&mut measured, &mut io::sink()).map_err(|error| refusal(file, error))?;
    let (hash, n_bytes) = measured.finish();
    Ok(Fingerprint { hash, n_bytes })
}

/// The detected encoding of a whole file.
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

/// Passes bytes to `consume` as UTF-8; a byte order mark overrides the encoding.
fn transcoded<T, E: From<Refused>>(
    file: &Path,
    (head, encoding, quote): (&[u8], &'static Encoding, Quote),
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
        return consume(Text { reader: &mut bytes, transcoded: false, quote });
    }
    let reader = &mut Transcoded::new(bytes, encoding);
    consume(Text { reader, transcoded: true, quote })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::types::Period;

    #[test]
    fn a_file_that_is_written_to_while_it_is_read_is_refused() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("200001.csv");
        std::fs::write(&path, "a\n").expect("a file");
        let profile = Profile::bundled("canonical").expect("a shipped profile");
        let file = FeedFile::new(Period::new(2000, 1).expect("a month"), path.clone());
        let read = read_text(&file, &profile, BYTES_MAX_DEFAULT, |_| {
            std::fs::write(&path, "a\nb\n").expect("a longer file");
            Ok(())
        });
        assert!(matches!(read, Err(Refused::Changed { .. })), "{read:?}");
    }
}
