//! The kind of a panel's file, from its first bytes; names and extensions have no effect.

use std::io::{Read, Seek};
use std::path::Path;

use super::error::PanelError;
use crate::feed::formats::kind::{self, Foreign, Kind};
use crate::files;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Parquet,
    /// Arrow's file format; Feather from version 2 is the same.
    ArrowFile,
    /// Arrow's format of streams.
    ArrowStream,
    /// A zip archive, which may be a table of another program.
    Zip,
    /// Packed in another way.
    Packed,
    /// Text.
    Text,
    /// The refused kind.
    Foreign(&'static Foreign),
}

const SAVE_SHEET: &str = "save the sheet as CSV";
const WRITE_TABLE: &str = "write the table as CSV or Parquet";

static EXCEL: Foreign = Foreign::named("an Excel workbook", SAVE_SHEET);
static OLD_EXCEL: Foreign = Foreign::named("an Excel workbook (.xls)", SAVE_SHEET);
static OPEN_DOCUMENT: Foreign = Foreign::named("an OpenDocument spreadsheet", SAVE_SHEET);
static STATA: Foreign = Foreign::named("a Stata dataset", "write it by export delimited");
static ACCESS: Foreign = Foreign::named("an Access database", WRITE_TABLE);
static DBASE: Foreign = Foreign::named("a dBase table", WRITE_TABLE);

/// The kind of a file with these first bytes.
pub(super) fn of(head: &[u8]) -> FileKind {
    match kind::of(head) {
        Kind::Text => FileKind::Text,
        Kind::Packed => FileKind::Packed,
        Kind::Zip => FileKind::Zip,
        Kind::Parquet => FileKind::Parquet,
        Kind::ArrowFile => FileKind::ArrowFile,
        Kind::ArrowStream => FileKind::ArrowStream,
        Kind::Compound => FileKind::Foreign(&OLD_EXCEL),
        Kind::Stata => FileKind::Foreign(&STATA),
        Kind::Access => FileKind::Foreign(&ACCESS),
        Kind::Dbase => FileKind::Foreign(&DBASE),
        Kind::Foreign(foreign) => FileKind::Foreign(foreign),
    }
}

/// Checks that a zip archive has one file and is not a workbook.
///
/// # Errors
/// [`PanelError::Foreign`], [`PanelError::Archive`] if the check fails; the unpacking finds a
/// damaged archive.
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
