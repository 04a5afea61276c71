//! Tests whether a disk has room again.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::files::private;

/// How much must fit before a watcher tries again: small against a month, large against what a
/// full disk has left in corners.
const PROBE_BYTES: usize = 1 << 20;

/// Whether a file of a mebibyte can be written to a folder and reaches the disk: quotas and
/// reserves answer too, as no count of free blocks does.
///
/// # Errors
/// The system's error if it cannot.
pub fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join("room.partial");
    let written = private::create(&path).and_then(|mut file| {
        file.write_all(&vec![0xA5; PROBE_BYTES])?;
        file.sync_all()
    });
    fs::remove_file(&path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    written
}
