//! The kind, packing and encoding of a file, detected without a profile's columns.

use std::io::{Cursor, Read};

use encoding_rs::{Encoding, GB18030, GBK};

use super::container::{Measured, Packing, unpacked};
use super::decode::{head, named, refusal};
use super::encoding::Sniffer;
use super::formats::kind::{self, Kind};
use super::layout::FileLayout;
use super::refused::Refused;
use super::source::FeedFile;

/// The kind, packing and encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// The kind, by the first bytes.
    pub kind: Kind,
    /// True if the bytes are packed.
    pub is_packed: bool,
    /// The encoding of a text; `None` if the text is ASCII, which most encodings share.
    pub encoding: Option<&'static Encoding>,
}

/// Inspects a whole file.
///
/// # Errors
/// Those of unpacking the file.
pub fn described(
    file: &FeedFile,
    layout: &FileLayout,
    max_bytes: u64,
) -> Result<Described, Refused> {
    let named = named(file, layout);
    unpacked(named, |mut unpacked, packed_bytes| {
        let is_packed = unpacked.packing() == Packing::Some;
        let mut measured = Measured::new(unpacked.reader(), packed_bytes, max_bytes);
        let head = head(named.shown, &mut measured)?;
        let kind = kind::of(&head);
        if kind != Kind::Text {
            return Ok(Described { kind, is_packed, encoding: None });
        }
        let mut sniffer = Sniffer::new();
        let mut bytes = Cursor::new(&head).chain(&mut measured);
        let mut portion = vec![0; 64 * 1024];
        loop {
            match bytes.read(&mut portion) {
                Ok(0) => break,
                Ok(n) => sniffer.feed(&portion[..n]),
                Err(error) => return Err(refusal(named.shown, error)),
            }
        }
        // The later standard includes the earlier one.
        let encoding = sniffer.guess_if_telling();
        let encoding = encoding.map(|found| if found == GBK { GB18030 } else { found });
        Ok(Described { kind, is_packed, encoding })
    })
}
