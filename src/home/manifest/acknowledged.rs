//! The number of acknowledged transactions, in a file next to the database.
//!
//! A truncated, empty or older database looks complete. The number is written after each commit and
//! before the commit is acknowledged. A database with fewer transactions has lost some.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::files;
use crate::home::durable::Draft;
use crate::home::error::{HomeError, Result};

const NAME: &str = "acknowledged";

/// Reads the number; 0 if there is no file yet.
///
/// # Errors
/// - [`HomeError::Read`] if it cannot be read.
/// - [`HomeError::Foreign`] if the path is a link or not a file.
/// - [`HomeError::Acknowledged`] if the content is not a number.
pub(in crate::home) fn n_acknowledged(home: &Path) -> Result<u64> {
    let path = home.join(NAME);
    if let Ok(there) = fs::symlink_metadata(&path)
        && let Err(source) = files::check_regular(there.file_type())
    {
        return Err(HomeError::Foreign { path, source });
    }
    let text = match files::read(&path) {
        Ok(text) => text,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(0);
        }
        Err(source) => return Err(HomeError::Read { path, source }),
    };
    parse(&text).ok_or(HomeError::Acknowledged { path })
}

/// Parses the number and its hash; a flipped bit never gives another number.
fn parse(text: &[u8]) -> Option<u64> {
    let (number, again) = str::from_utf8(text).ok()?.strip_suffix('\n')?.split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    (again == blake3::hash(&number.to_le_bytes()).to_hex().as_str()).then_some(number)
}

/// Writes the number durably.
///
/// # Errors
/// [`HomeError::Write`], [`HomeError::Sync`] if it cannot be written.
pub(super) fn write(home: &Path, number: u64) -> Result<()> {
    let mut draft = Draft::create(home, NAME.to_owned())?;
    let failed = |source| HomeError::Write { path: home.join(NAME), source };
    let hash = blake3::hash(&number.to_le_bytes()).to_hex();
    writeln!(draft, "{number} {hash}").map_err(failed)?;
    draft.publish().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_back_and_no_flipped_bit_or_cut_makes_another() {
        let home = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(n_acknowledged(home.path()).expect("none yet"), 0);
        write(home.path(), 41).expect("written");
        assert_eq!(n_acknowledged(home.path()).expect("a number"), 41);
        let text = std::fs::read(home.path().join(NAME)).expect("the file");
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&flipped).is_none_or(|number| number == 41), "bit {bit}");
        }
        for length in 0..text.len() {
            assert_eq!(parse(&text[..length]), None, "cut at {length}");
        }
    }
}
