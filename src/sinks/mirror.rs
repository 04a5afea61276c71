//! The tables of the newest publication as plain Parquet files, for databases and statistics
//! programs.
//!
//! ```text
//! DIR/current ─▶ publication-7-1f3a9c02/
//!                  city/2010.parquet, plant/…, months/…, series/…   a file for each year
//!                  estimates.parquet, files.parquet
//!                  publication.json                                 vintage, time, definition
//! ```
//! `current` is a link. It moves to a new folder after every file of it is on the disk. A kill at
//! any point leaves the old publication or the new one. The publication before the current one
//! stays, because a program may still be reading it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use serde_json::json;

use crate::domain::span::Joint;
use crate::domain::types::Year;
use crate::reader::chosen::RowChoice;
use crate::reader::rows::{RowRequest, TableName};
use crate::reader::{Reader, ReaderError};
use crate::render::regression::{entries, tidy};
use crate::render::table::{self, About, Format, FormatError, TableFile};
use crate::tables::export::Selection;
use crate::tables::sheet::Sheet;

/// The link to the current folder.
pub const CURRENT: &str = "current";
/// The description of a publication.
pub const DESCRIPTION: &str = "publication.json";
/// The beginning of the names of folders.
const FOLDER: &str = "publication-";
/// The beginning of the names of unfinished folders.
const DRAFT: &str = ".draft-";

/// The tables with a file for each year.
const BY_YEAR: [TableName; 4] =
    [TableName::City, TableName::Plant, TableName::Months, TableName::Series];

/// A finished mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// The publication.
    pub publication: u32,
    /// The folder with its tables.
    pub folder: PathBuf,
    /// The number of tables' files that were written; 0 if the publication was there already.
    pub n_files: usize,
}

/// A mirror that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// An error of the home.
    #[error(transparent)]
    Reader(Box<ReaderError>),
    /// A table cannot be written as Parquet.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A file or folder of the mirror cannot be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The name of the link belongs to something else.
    #[error("{path} is not a link of a mirror; choose an empty folder, or move it away")]
    Taken {
        /// The file or folder.
        path: PathBuf,
    },
}

impl From<ReaderError> for MirrorError {
    fn from(error: ReaderError) -> Self {
        Self::Reader(Box::new(error))
    }
}

type Result<T> = std::result::Result<T, MirrorError>;

/// Writes the newest publication of a home to a folder, unless it is the current one there.
///
/// # Errors
/// [`MirrorError`]; the current folder stays as it was.
pub fn mirror(reader: &mut Reader, joint: Joint, to: &Path) -> Result<Mirrored> {
    let (publication, vintage) = reader.publication()?;
    let about = About { facts: reader.about(None)? };
    let committed_at = reader.vintages()?.into_iter().rfind(|of| of.vintage == vintage);
    let committed_at = committed_at.and_then(|of| of.committed_at).map(|at| at.to_string());
    let facts: serde_json::Map<_, _> =
        about.facts.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let description = json!({
        "publication": publication.0,
        "vintage": vintage.0,
        "committed_at": committed_at,
        "about": facts,
    });
    let description = format!("{description:#}\n");
    let hash = blake3::hash(description.as_bytes()).to_hex();
    let name = format!("{FOLDER}{}-{}", publication.0, &hash[..8]);
    let folder = to.join(&name);
    let current = to.join(CURRENT);
    let before = link(&current)?;
    if before.as_deref() == Some(Path::new(&name)) && folder.join(DESCRIPTION).is_file() {
        return Ok(Mirrored { publication: publication.0, folder, n_files: 0 });
    }
    make_folder(to)?;
    remove(to, &[DRAFT], &[])?;
    let draft = to.join(format!("{DRAFT}{}", std::process::id()));
    make_folder(&draft)?;
    let n_files = write_tables(reader, joint, &about, &draft)?;
    write(&draft.join(DESCRIPTION), |file| file.write_all(description.as_bytes()))?;
    flush_folder(&draft)?;
    if folder.exists() {
        // An earlier attempt ended before its switch.
        fs::remove_dir_all(&folder).map_err(|source| failed(&folder, source))?;
    }
    fs::rename(&draft, &folder).map_err(|source| failed(&folder, source))?;
    flush_folder(to)?;
    switch(&current, &name)?;
    flush_folder(to)?;
    let kept: Vec<PathBuf> = before.into_iter().chain([PathBuf::from(&name)]).collect();
    remove(to, &[FOLDER], &kept)?;
    Ok(Mirrored { publication: publication.0, folder, n_files })
}

fn write_tables(reader: &mut Reader, joint: Joint, about: &About, to: &Path) -> Result<usize> {
    let mut n_files = 0;
    for table in BY_YEAR {
        let folder = to.join(table.name());
        make_folder(&folder)?;
        for year in years(reader, table)? {
            let choice = RowChoice { years: vec![year], ..RowChoice::default() };
            let request = RowRequest { choice, ..RowRequest::of(table, joint) };
            let path = folder.join(format!("{year}.parquet"));
            reader.rows(&request, |rows| {
                let batches = rows.batches.map(|batch| Ok(batch?));
                parquet(&path, (rows.sheet, about), batches)
            })?;
            n_files += 1;
        }
        flush_folder(&folder)?;
    }
    let files = reader.files(Selection::default())?;
    parquet(&to.join("files.parquet"), (&files.0, about), [Ok(files.1)].into_iter())?;
    let kept = reader.estimates(Selection::default())?;
    let (sheet, rows) = tidy::rows(&kept.iter().map(entries::of_kept).collect::<Vec<_>>());
    parquet(&to.join("estimates.parquet"), (&sheet, about), [Ok(rows)].into_iter())?;
    Ok(n_files + 2)
}

/// The years of a table.
fn years(reader: &Reader, table: TableName) -> Result<Vec<Year>> {
    use crate::home::parts::Table;
    let published = match table {
        TableName::City => Table::City,
        TableName::Plant => Table::Plant,
        _ => return Ok(reader.years_with_growth()?),
    };
    let standing = reader.standing(None)?;
    Ok(reader.table(&standing, published)?.years().collect())
}

/// Writes a table as one file, and flushes it.
fn parquet(
    path: &Path,
    (sheet, about): (&Sheet, &About),
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<()> {
    let file = File::create(path).map_err(|source| failed(path, source))?;
    table::write(&file, Format::Parquet, &TableFile { sheet, about }, batches)?;
    file.sync_all().map_err(|source| failed(path, source))
}

fn write(path: &Path, content: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let written = File::create(path).and_then(|mut file| {
        content(&mut file)?;
        file.sync_all()
    });
    written.map_err(|source| failed(path, source))
}

/// The folder that the link shows; `None` if there is no link.
fn link(current: &Path) -> Result<Option<PathBuf>> {
    match fs::symlink_metadata(current) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed(current, source)),
        Ok(found) if !found.file_type().is_symlink() => {
            Err(MirrorError::Taken { path: current.to_owned() })
        }
        Ok(_) => fs::read_link(current).map(Some).map_err(|source| failed(current, source)),
    }
}

/// Moves the link to another folder in one step.
fn switch(current: &Path, name: &str) -> Result<()> {
    let next = current.with_file_name(format!("{DRAFT}link"));
    let switched = match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => std::os::unix::fs::symlink(name, &next).and_then(|()| fs::rename(&next, current)),
    };
    switched.map_err(|source| failed(current, source))
}

/// Removes folders with a beginning of their names, except some.
fn remove(from: &Path, beginnings: &[&str], kept: &[PathBuf]) -> Result<()> {
    let entries = fs::read_dir(from).map_err(|source| failed(from, source))?;
    for entry in entries {
        let path = entry.map_err(|source| failed(from, source))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_own = beginnings.iter().any(|beginning| name.starts_with(beginning));
        let is_kept = kept.iter().any(|kept| kept.as_os_str() == name);
        if is_own && !is_kept && path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path).map_err(|source| failed(&path, source))?;
        }
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|source| failed(path, source))
}

fn flush_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> MirrorError {
    MirrorError::File { path: path.to_owned(), source }
}
