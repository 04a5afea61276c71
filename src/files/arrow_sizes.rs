//! The sizes that an Arrow file or stream claims, checked before they are reserved.
//!
//! The library reserves a block before it reads it, and a compressed buffer before it unpacks it. A
//! damaged size would end the process.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use arrow_ipc::{root_as_footer, root_as_message};

/// The end of a file: the length of its footer, and `ARROW1`.
const TRAILER_BYTES: u64 = 10;
/// The largest unpacked size of a buffer of a batch: 1 GiB.
const BUFFER_BYTES_MAX: i64 = 1 << 30;

/// Checks a file, and goes back to its beginning.
///
/// # Errors
/// [`io::Error`] if the file cannot be read, its footer or a block reaches past its end, or a
/// buffer claims too much.
pub fn check_file(file: &mut File) -> io::Result<()> {
    let past = |what: &str, n: i64| {
        damaged(format!("{what} of {n} bytes reaches past the end of the file"))
    };
    let n_bytes = file.seek(SeekFrom::End(0))?;
    let end = n_bytes.checked_sub(TRAILER_BYTES).ok_or_else(|| past("a trailer", 10))?;
    let n_footer = i32::from_le_bytes(read_at(file, end)?);
    let start = u64::try_from(n_footer).ok().and_then(|n| end.checked_sub(n));
    let start = start.ok_or_else(|| past("its footer", n_footer.into()))?;
    let footer = read_bytes(file, start, end)?;
    let footer = root_as_footer(&footer).map_err(damaged)?;
    let blocks = footer.recordBatches().into_iter().chain(footer.dictionaries()).flatten();
    for block in blocks {
        let n_block = i64::from(block.metaDataLength()).checked_add(block.bodyLength());
        let reaches = n_block.and_then(|n| block.offset().checked_add(n));
        let is_inside = reaches.is_some_and(|end| u64::try_from(end).is_ok_and(|end| end <= start));
        let has_sizes = block.metaDataLength() >= 0 && block.bodyLength() >= 0;
        let at = u64::try_from(block.offset()).ok().filter(|_| is_inside && has_sizes);
        let at = at.ok_or_else(|| past("a block", n_block.unwrap_or(i64::MAX)))?;
        check_message(file, at, start)?;
    }
    file.rewind()
}

/// Checks a stream, and goes back to its beginning.
///
/// # Errors
/// [`io::Error`] if the stream cannot be read, a message reaches past its end, or a buffer claims
/// too much.
pub fn check_stream(file: &mut File) -> io::Result<()> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut at = 0;
    while let Some(after) = check_message(file, at, end)? {
        at = after;
    }
    file.rewind()
}

/// Checks a message; returns its end, or `None` at the end of a stream.
fn check_message(file: &mut File, at: u64, end: u64) -> io::Result<Option<u64>> {
    let cut = || damaged("a message reaches past the end of the file");
    if at + 4 > end {
        return Ok(None);
    }
    let (mut start, mut n_bytes) = (at + 4, u32::from_le_bytes(read_at(file, at)?));
    // Older files have the length without the mark before it.
    if n_bytes == u32::MAX {
        if start + 4 > end {
            return Err(cut());
        }
        (start, n_bytes) = (start + 4, u32::from_le_bytes(read_at(file, start)?));
    }
    if n_bytes == 0 {
        return Ok(None);
    }
    let body = start + u64::from(n_bytes);
    if body > end {
        return Err(cut());
    }
    let message = read_bytes(file, start, body)?;
    let message = root_as_message(&message).map_err(damaged)?;
    let n_body = u64::try_from(message.bodyLength()).map_err(|_| cut())?;
    let after = body.checked_add(n_body).filter(|after| *after <= end).ok_or_else(cut)?;
    let dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
    let batch = message.header_as_record_batch().or(dictionary);
    let buffers = batch.filter(|batch| batch.compression().is_some()).and_then(|of| of.buffers());
    for buffer in buffers.into_iter().flatten().filter(|buffer| buffer.length() >= 8) {
        let offset = u64::try_from(buffer.offset()).ok();
        let offset = offset.filter(|offset| offset.checked_add(8).is_some_and(|to| to <= n_body));
        let unpacked = i64::from_le_bytes(read_at(file, body + offset.ok_or_else(cut)?)?);
        if unpacked > BUFFER_BYTES_MAX {
            return Err(damaged(format!("a buffer claims {unpacked} bytes unpacked")));
        }
    }
    Ok(Some(after))
}

fn read_at<const N: usize>(file: &mut File, at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The bytes from one position to another one inside the file.
fn read_bytes(file: &mut File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end - start).expect("a length of 32 bits")];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn damaged(cause: impl std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, cause.to_string())
}
