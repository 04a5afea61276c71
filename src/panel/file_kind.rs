//! What kind of file a panel is, by its first bytes: names and extensions decide nothing.

use std::io::{Read, Seek};
use std::path::Path;

use super::error::PanelError;
use super::foreign::Foreign;
use crate::files;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Parquet,
    /// Arrow's file format, which Feather is since its version 2.
    ArrowFile,
    /// Arrow's format of streams.
    ArrowStream,
    /// A zip archive, which may be a table of another program.
    Zip,
    /// Text, as it is or packed.
    Text,
    /// What is not read.
    Foreign(&'static Foreign),
}

const fn foreign(
    at: usize,
    magic: &'static [u8],
    name: &'static str,
    instead: &'static str,
) -> Foreign {
    Foreign { at, magic, name, instead }
}

const SAVE_SHEET: &str = "save the sheet as CSV";
const WRITE_TABLE: &str = "write the table as CSV or Parquet";
const WRITE_PLAIN: &str = "write it as CSV or Parquet";
const UNPACK: &str = "unpack it, or pack it as gzip or Zstandard";

static EXCEL: Foreign = foreign(0, b"", "an Excel workbook", SAVE_SHEET);
static OPEN_DOCUMENT: Foreign = foreign(0, b"", "an OpenDocument spreadsheet", SAVE_SHEET);
static JSON: Foreign = foreign(0, b"", "JSON", WRITE_TABLE);
static MARKUP: Foreign = foreign(0, b"", "XML or HTML", WRITE_TABLE);

/// Kinds whose first bytes could begin a header as well: something after them is no text.
static BINARY: [Foreign; 6] = [
    foreign(0, b"PARE", "an encrypted Parquet file", "write it without encryption"),
    foreign(0, b"FEA1", "a Feather file of version 1", "write it as Feather version 2 or Parquet"),
    foreign(0, b"ORC", "an ORC file", WRITE_PLAIN),
    foreign(0, b"BZh", "packed by bzip2", UNPACK),
    foreign(257, b"ustar", "an archive of tar", "unpack it and name the file of the panel"),
    foreign(8, b"DUCK", "a DuckDB database", "write the table by COPY … TO 'panel.parquet'"),
];

/// Kinds with the bytes that they begin with.
static FOREIGN: [Foreign; 24] = [
    foreign(0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an Excel workbook (.xls)", SAVE_SHEET),
    foreign(0, b"<stata_dta>", "a Stata dataset", "write it by export delimited"),
    foreign(12, b"\xC2\xEA\x81\x60\xB3\x14\x11\xCF", "a SAS dataset", "write it by proc export"),
    foreign(0, b"HEADER RECORD*******LIB", "a SAS transport file", "write it by proc export"),
    foreign(0, b"$FL2", "an SPSS dataset", "save it as CSV"),
    foreign(0, b"$FL3", "an SPSS dataset", "save it as CSV"),
    foreign(0, b"RDX2\nX\n", "R data", "write it by write.csv or arrow::write_parquet"),
    foreign(0, b"RDX3\nX\n", "R data", "write it by write.csv or arrow::write_parquet"),
    foreign(0, b"X\n\0\0\0", "R data", "write it by write.csv or arrow::write_parquet"),
    foreign(0, b"SQLite format 3\0", "an SQLite database", WRITE_TABLE),
    foreign(0, b"\x89HDF\r\n\x1A\n", "an HDF5 file", WRITE_TABLE),
    foreign(0, b"Obj\x01", "an Avro file", WRITE_PLAIN),
    foreign(0, b"\x93NUMPY", "an array of NumPy", WRITE_PLAIN),
    foreign(0, b"\x80\x02", "a pickle of Python", WRITE_PLAIN),
    foreign(0, b"\x80\x03", "a pickle of Python", WRITE_PLAIN),
    foreign(0, b"\x80\x04", "a pickle of Python", WRITE_PLAIN),
    foreign(0, b"\x80\x05", "a pickle of Python", WRITE_PLAIN),
    foreign(0, b"%PDF-", "a PDF document", WRITE_TABLE),
    foreign(0, b"\xFD7zXZ\0", "packed by xz", UNPACK),
    foreign(0, b"\x04\x22\x4D\x18", "packed by lz4", UNPACK),
    foreign(0, b"\x1F\x9D", "packed by compress", UNPACK),
    foreign(0, b"7z\xBC\xAF\x27\x1C", "an archive of 7-Zip", UNPACK),
    foreign(0, b"Rar!\x1A\x07", "an archive of RAR", UNPACK),
    foreign(0, b"\x7FELF", "a program", "name a file with a table"),
];

/// Stata's datasets before version 117: version, order of bytes, type, nothing.
static OLD_STATA: Foreign = foreign(0, b"", "a Stata dataset", "write it by export delimited");

/// The kind of a file that begins with these bytes.
pub(super) fn of(head: &[u8]) -> FileKind {
    let is_binary = head.iter().any(|byte| matches!(byte, 0..=8 | 14..=31));
    match head {
        [b'P', b'A', b'R', b'1', ..] if is_binary => return FileKind::Parquet,
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => return FileKind::ArrowFile,
        [0xFF, 0xFF, 0xFF, 0xFF, _, _, _, 0, ..] => return FileKind::ArrowStream,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return FileKind::Zip,
        [105..=115, 1 | 2, 1, 0, ..] => return FileKind::Foreign(&OLD_STATA),
        _ => {}
    }
    let is = |foreign: &&Foreign| {
        head.get(foreign.at..).is_some_and(|rest| rest.starts_with(foreign.magic))
    };
    let found = FOREIGN.iter().find(is).or_else(|| BINARY.iter().find(is).filter(|_| is_binary));
    if let Some(foreign) = found {
        return FileKind::Foreign(foreign);
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let begins = |with: &str| {
        let start = text.get(..with.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
    };
    if begins("{\"") || begins("[{") {
        FileKind::Foreign(&JSON)
    } else if ["<?xml", "<!doctype", "<html", "<table"].into_iter().any(begins) {
        FileKind::Foreign(&MARKUP)
    } else {
        FileKind::Text
    }
}

/// That a zip archive holds one file, and is no workbook.
///
/// # Errors
/// [`PanelError::Foreign`], [`PanelError::Archive`] if not; an archive that is damaged is found
/// when it is unpacked.
pub(super) fn check_zip(path: &Path, file: impl Read + Seek) -> Result<(), PanelError> {
    let Ok(archive) = zip::ZipArchive::new(file) else { return Ok(()) };
    let foreign = |kind| Err(PanelError::Foreign { path: path.to_owned(), kind });
    let names: Vec<String> =
        archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let has = |name: &str| names.iter().any(|own| own == name);
    if has("[Content_Types].xml") {
        return foreign(&EXCEL);
    }
    if has("mimetype") && has("content.xml") {
        return foreign(&OPEN_DOCUMENT);
    }
    let names: Vec<String> = names.into_iter().filter(|name| !name.ends_with('/')).collect();
    if names.len() == 1 {
        Ok(())
    } else {
        Err(PanelError::Archive { path: path.to_owned(), names })
    }
}

/// The first bytes of a file.
pub(super) fn head(path: &Path) -> Result<Vec<u8>, PanelError> {
    const HEAD_BYTES: u64 = 1 << 12;
    let mut head = Vec::new();
    let read = files::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    read.map_err(|source| PanelError::Read { path: path.to_owned(), source })?;
    Ok(head)
}
