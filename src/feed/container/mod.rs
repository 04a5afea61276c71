//! Files to bytes: unpacks files within limits.
//!
//! ```text
//! file ─ first bytes ─┬─ gz, zst, bz2, xz ─┐
//!                     ├─ zip ─ member ─────┼─▶ bytes
//!                     └─ as it is ─────────┘
//! ```
//! The file's first bytes determine its packing; its name does not matter.

mod measured;
mod member;
mod named;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

pub use self::measured::{Measured, RATIO_FROM_BYTES, RATIO_MAX, refusal};
pub use self::member::{check_sizes, dated_members, workbook};
pub use self::named::{Member, Named};
use super::layout::Compression;
use super::refused::Refused;
use crate::files;

/// The memory that an xz file may need, in KiB; the largest preset needs 65 MiB.
const XZ_MEMORY_KIB: u32 = 256 << 10;

/// Bytes of a file.
pub enum Unpacked<'a> {
    /// Bytes on disk.
    Plain(&'a mut File),
    /// Packed bytes, unpacked by this reader.
    Packed(&'a mut (dyn Read + Send)),
}

/// The state of bytes on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// The bytes are not packed.
    None,
    /// The bytes are packed.
    Some,
}

impl Unpacked<'_> {
    /// The state of the bytes on disk.
    #[must_use]
    pub fn packing(&self) -> Packing {
        match self {
            Self::Plain(_) => Packing::None,
            Self::Packed(_) => Packing::Some,
        }
    }

    /// The bytes in order.
    pub fn reader(&mut self) -> &mut (dyn Read + Send) {
        match self {
            Self::Plain(file) => *file,
            Self::Packed(reader) => *reader,
        }
    }
}

/// Passes a file's unpacked bytes and its packed size to `consume`.
///
/// # Errors
/// - [`Refused::Open`], [`Refused::Read`], [`Refused::Zip`] if the file cannot be read or unpacked
/// - [`Refused::ZipMembers`], [`Refused::NoMember`], `Refused::NoTable` unless exactly one member
///   of a zip archive is the feed's, [`Refused::Password`] if that member is encrypted
/// - the error of `consume`
pub fn unpacked<T, E: From<Refused>>(
    named: Named<'_>,
    consume: impl FnOnce(Unpacked<'_>, u64) -> Result<T, E>,
) -> Result<T, E> {
    let open_error = |source| Refused::Open { file: named.shown.to_owned(), source };
    let mut file = files::open(named.on_disk).map_err(open_error)?;
    let n_bytes = file.metadata().map_err(open_error)?.len();
    let failed = |error| refusal(named.shown, error);
    let compression = match named.compression {
        Compression::Auto => magic(&mut file).map_err(failed)?,
        declared => declared,
    };
    let mut decoder: Box<dyn Read + Send> = match compression {
        Compression::None | Compression::Auto => {
            return consume(Unpacked::Plain(&mut file), n_bytes);
        }
        Compression::Zip => {
            if workbook(&mut file).is_some() {
                return consume(Unpacked::Plain(&mut file), n_bytes);
            }
            return member::unzipped(named, file, |reader| {
                consume(Unpacked::Packed(reader), n_bytes)
            });
        }
        Compression::Gz => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Compression::Bz2 => Box::new(bzip2::read::MultiBzDecoder::new(file)),
        Compression::Xz => {
            let file = BufReader::new(file);
            Box::new(lzma_rust2::XzReader::new_mem_limit(file, true, XZ_MEMORY_KIB))
        }
        Compression::Zst => Box::new(zstd::Decoder::new(file).map_err(failed)?),
    };
    consume(Unpacked::Packed(&mut decoder), n_bytes)
}

/// The packing of a file, by its first bytes; leaves the file at its start.
fn magic(file: &mut File) -> io::Result<Compression> {
    let mut head = Vec::new();
    file.by_ref().take(6).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(match head[..] {
        [0x1F, 0x8B, ..] => Compression::Gz,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Compression::Zst,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Compression::Bz2,
        [0xFD, b'7', b'z', b'X', b'Z', 0] => Compression::Xz,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Compression::Zip,
        _ => Compression::None,
    })
}
