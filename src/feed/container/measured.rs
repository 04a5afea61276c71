//! Counts, limits and hashes bytes during the reading.

use std::io::{self, Read};
use std::path::Path;

use crate::feed::refused::Refused;

/// The unpacked size from which a file of more than [`RATIO_MAX`] times its size is refused.
pub const RATIO_FROM_BYTES: u64 = 64 << 20;
/// The largest ratio of unpacked to packed bytes. Real tables pack about tenfold; one endlessly
/// repeated line packs about a thousandfold.
pub const RATIO_MAX: u64 = 250;

/// Counts, limits and hashes the bytes of a reader.
pub struct Measured<'a> {
    unpacked: &'a mut (dyn Read + Send),
    packed_bytes: u64,
    max_bytes: u64,
    n_bytes: u64,
    /// The hasher; `None` if the hash is not needed.
    hasher: Option<blake3::Hasher>,
}

impl<'a> Measured<'a> {
    /// Measures the bytes of a file of `packed_bytes`; reads at most `max_bytes`.
    pub fn new(unpacked: &'a mut (dyn Read + Send), packed_bytes: u64, max_bytes: u64) -> Self {
        Self { unpacked, packed_bytes, max_bytes, n_bytes: 0, hasher: None }
    }

    /// Also hashes the bytes.
    #[must_use]
    pub fn hashed(self) -> Self {
        Self { hasher: Some(blake3::Hasher::new()), ..self }
    }

    /// The hash of the bytes so far, in hexadecimal, and their number.
    #[must_use]
    pub fn finish(self) -> (String, u64) {
        let hasher = self.hasher.unwrap_or_default();
        (hasher.finalize().to_hex().to_string(), self.n_bytes)
    }
}

/// Too many unpacked bytes; travels inside an [`io::Error`] through other readers.
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

/// The refusal of a file whose reading failed.
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
