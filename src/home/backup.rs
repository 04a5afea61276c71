//! A consistent copy of a home, even while another process writes it.
//!
//! ```text
//! one publication (a reader's transaction) ─▶ its files, hashes checked ─▶ manifest, last
//! files of other modules ───────────────────▶ beside them ───────────────────┘
//! ```
//!
//! Invariant: the copy has a manifest only after all its files, so an interrupted copy is not a
//! home. A backup and a restored home have the same form.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::durable::{Draft, Stored, sync_folder};
use super::error::{HomeError, Result};
use super::{Home, Publication, own};
use crate::files;

/// The name of the options file, which is copied with a home.
const OPTIONS: &str = "spillover.toml";

/// The result of a copy of a home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// The newest publication in the copy.
    pub publication: Publication,
    /// The number of copied files, without the manifest.
    pub n_files: usize,
    /// The size of the copied files, in bytes.
    pub n_bytes: u64,
    /// Damaged or missing files that no current figure needs; they are not copied.
    pub left_out: Vec<String>,
}

/// A file of a home that is none of its figures, with the content that the copy gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The name in the home.
    pub name: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Copies a home at one publication into a folder that is empty or does not exist, with files that
/// were read before. They are so at most as new as the publication.
///
/// # Errors
/// - Those of [`Home::read`] if the home cannot be read.
/// - [`HomeError::NotEmpty`] if the folder is not empty.
/// - [`HomeError::Inside`] if the folder is inside a home.
/// - [`HomeError::Corrupt`], [`HomeError::Read`] if a file that figures need is damaged.
/// - [`HomeError::Write`], [`HomeError::Keep`] if the copy cannot be written.
pub fn copy(from: &Path, to: &Path, beside: &[Beside]) -> Result<Copied> {
    let home = Home::read(from)?;
    let is_new = !to.exists();
    check_empty(to)?;
    own::prepare(to)?;
    let copied = copy_into(&home, to, beside);
    if copied.is_err() && is_new {
        // A folder without a manifest is not a home; the error names the cause of the interruption.
        let _ = fs::remove_dir_all(to);
    }
    copied
}

fn copy_into(home: &Home, to: &Path, beside: &[Beside]) -> Result<Copied> {
    let publication = home.last_publication()?.unwrap_or_default().0;
    let mut copied = Copied { publication, ..Copied::default() };
    let mut needed: Vec<Stored> = Vec::new();
    let mut spare: Vec<Stored> = Vec::new();
    for file in home.files()? {
        if file.counts_now() { needed.push(file.segment) } else { spare.push(file.segment) }
    }
    needed.extend(home.manifest.table_files()?.into_iter().map(|(_, file)| file));
    spare.extend(home.manifest.runs()?.into_values());
    spare.extend(home.manifest.snapshots()?.into_iter().map(|snapshot| snapshot.file));
    spare.extend(home.manifest.panels()?.into_iter().map(|part| part.file));
    spare.extend(home.manifest.memories()?.into_iter().map(|(.., file)| file));
    for file in &needed {
        copied.add(&copy_file(home.folder(), to, file)?);
    }
    for file in &spare {
        match copy_file(home.folder(), to, file) {
            Ok(file) => copied.add(&file),
            Err(error) if error.is_damage() => copied.left_out.push(file.path.clone()),
            Err(error) => return Err(error),
        }
    }
    let options = home.folder().join(OPTIONS);
    match files::read(&options) {
        Ok(text) => copied.add(&write(to, OPTIONS, &text[..])?),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(HomeError::Read { path: options, source }),
    }
    for Beside { name, bytes } in beside {
        copied.add(&write(to, name, &bytes[..])?);
    }
    home.manifest.copy(to)?;
    sync_folder(to)?;
    Ok(copied)
}

impl Copied {
    fn add(&mut self, file: &Stored) {
        self.n_files += 1;
        self.n_bytes += file.n_bytes;
    }
}

fn check_empty(folder: &Path) -> Result<()> {
    let not_empty = || HomeError::NotEmpty { path: folder.to_owned() };
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none().then_some(()).ok_or_else(not_empty),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Err(not_empty()),
        Err(source) => Err(HomeError::Read { path: folder.to_owned(), source }),
    }
}

/// Copies a file that the manifest names, and compares the hash of the written bytes.
fn copy_file(home: &Path, to: &Path, file: &Stored) -> Result<Stored> {
    let written = write(to, &file.path, file.open(home)?)?;
    if written == *file {
        return Ok(written);
    }
    let path = to.join(&file.path);
    Err(HomeError::Corrupt { path, expected: file.hash.clone(), found: written.hash })
}

fn write(to: &Path, name: &str, mut bytes: impl io::Read) -> Result<Stored> {
    let mut draft = Draft::create(to, name.to_owned())?;
    let failed = |source| HomeError::Write { path: to.join(name), source };
    io::copy(&mut bytes, &mut draft).map_err(failed)?;
    draft.flush().map_err(failed)?;
    draft.publish()
}
