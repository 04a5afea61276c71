//! The kind of a file, its packing and its encoding, told without a profile's columns.

use std::io::{Cursor, Read};

use encoding_rs::{Encoding, GB18030, GBK};

use super::container::{Measured, Packing, unpacked};
use super::decode::{head, named, refusal};
use super::encoding::Sniffer;
use super::formats::kind::{self, Kind};
use super::layout::FileLayout;
use super::refused::Refused;
use super::source::FeedFile;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its kind, by its first bytes.
    pub kind: Kind,
    /// Whether its bytes are packed.
    pub is_packed: bool,
    /// The encoding of a text that tells: a text of ASCII letters alone is in most.
    pub encoding: Option<&'static Encoding>,
}

/// Looks at the whole of a file.
///
/// # Errors
/// Those of unpacking it.
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
        // The later standard has all that the earlier one has.
        let encoding = sniffer.guess_if_telling();
        let encoding = encoding.map(|found| if found == GBK { GB18030 } else { found });
        Ok(Described { kind, is_packed, encoding })
    })
}
