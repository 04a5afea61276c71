//! Tests whether a disk has room again.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::files::private;

/// The number of bytes that must fit before a watcher tries again. It is small against a month and
/// large against the last free corners of a full disk.
const PROBE_BYTES: usize = 1 << 20;

/// Tests whether a file of one mebibyte can be written to a folder and reaches the disk. The test
/// includes quotas and reserves, which a count of free blocks does not.
///
/// # Errors
/// The system's error if the file cannot be written.
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
