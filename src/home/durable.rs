//! Files that are complete or absent: written to a draft, synced and renamed; then the folder is
//! synced.
//!
//! ```text
//! Draft ── writes, hashing ──▶ 000007.parquet.partial
//!    └─ dropped: removed             └─ sync, rename, sync folder ──▶ 000007.parquet = Stored
//! ```
//! Invariant: a [`Stored`] is on the disk with these bytes under this name, even after a crash.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::{HomeError, Result};
use crate::files::{self, private};

const PARTIAL: &str = "partial";

/// A file of the home in its final form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The path relative to the home, with `/` between folders.
    pub path: String,
    /// BLAKE3 of the bytes, in hexadecimal.
    pub hash: String,
    /// The size in bytes.
    pub n_bytes: u64,
}

impl Stored {
    /// Checks the hash of the file and opens it.
    ///
    /// # Errors
    /// - [`HomeError::Read`] if it is missing or unreadable.
    /// - [`HomeError::Corrupt`] if its hash differs.
    pub fn open(&self, home: &Path) -> Result<File> {
        let path = home.join(&self.path);
        let failed = |source| HomeError::Read { path: path.clone(), source };
        let mut file = files::open(&path).map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&mut file).map_err(failed)?;
        let found = hasher.finalize().to_hex().to_string();
        if found != self.hash {
            return Err(HomeError::Corrupt { path, expected: self.hash.clone(), found });
        }
        file.rewind().map_err(failed)?;
        Ok(file)
    }

    /// True if a file of this size exists at the path.
    pub(crate) fn is_there(&self, home: &Path) -> bool {
        home.join(&self.path).metadata().is_ok_and(|file| file.len() == self.n_bytes)
    }

    /// The damage of the file, if any.
    ///
    /// # Errors
    /// [`HomeError::Read`] if the disk cannot be read.
    pub fn damage(&self, home: &Path) -> Result<Option<HomeError>> {
        match self.open(home) {
            Ok(_) => Ok(None),
            Err(error) if error.is_damage() => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    /// The file with the hash of its current bytes, to read a file that has changed since it was
    /// written.
    ///
    /// # Errors
    /// - [`HomeError::Read`] if it is missing or unreadable.
    pub fn as_it_lies(&self, home: &Path) -> Result<Self> {
        let path = home.join(&self.path);
        let bytes = files::read_all(&path).map_err(|source| HomeError::Read { path, source })?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        Ok(Self { path: self.path.clone(), hash, n_bytes: bytes.len() as u64 })
    }
}

/// A file that is being written, under another name until [`Draft::publish`]; removed if dropped
/// before.
#[derive(Debug)]
pub(crate) struct Draft {
    out: BufWriter<Hashing>,
    home: PathBuf,
    relative: String,
    partial: PathBuf,
    published: bool,
}

impl Draft {
    /// Starts a file at a path relative to the home, with the folders it needs.
    ///
    /// # Errors
    /// - [`HomeError::Moved`] if the home was moved or removed.
    /// - [`HomeError::CreateFolder`], [`HomeError::Sync`] if a folder cannot be created.
    /// - [`HomeError::Write`] if the file cannot be created.
    pub(crate) fn create(home: &Path, relative: String) -> Result<Self> {
        check_in_place(home)?;
        let partial = home.join(format!("{relative}.{PARTIAL}"));
        create_below(home, Path::new(&relative))?;
        let file = private::create(&partial)
            .map_err(|source| HomeError::Write { path: partial.clone(), source })?;
        let hashing = Hashing { file, hasher: blake3::Hasher::new(), n_bytes: 0 };
        // A buffer of 128 KiB lets BLAKE3 use all its lanes.
        let out = BufWriter::with_capacity(1 << 17, hashing);
        Ok(Self { out, home: home.to_owned(), relative, partial, published: false })
    }

    /// The final path.
    pub(crate) fn target(&self) -> PathBuf {
        self.home.join(&self.relative)
    }

    /// Makes the written bytes durable under the final name.
    ///
    /// # Errors
    /// - [`HomeError::Moved`] if the home was moved.
    /// - [`HomeError::Write`] if the rest cannot be written or the file cannot be renamed.
    /// - [`HomeError::Sync`] if the disk does not confirm; the process should then end.
    pub(crate) fn publish(mut self) -> Result<Stored> {
        let target = self.target();
        let failed = |source| HomeError::Write { path: target.clone(), source };
        self.out.flush().map_err(failed)?;
        let Hashing { file, hasher, n_bytes } = self.out.get_ref();
        let (hash, n_bytes) = (hasher.finalize().to_hex().to_string(), *n_bytes);
        file.sync_all().map_err(|source| HomeError::Sync { path: target.clone(), source })?;
        check_in_place(&self.home)?;
        fs::rename(&self.partial, &target).map_err(failed)?;
        self.published = true;
        sync_folder(target.parent().unwrap_or(&self.home))?;
        Ok(Stored { path: std::mem::take(&mut self.relative), hash, n_bytes })
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // A leftover is harmless: the next writer removes it.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[derive(Debug)]
struct Hashing {
    file: File,
    hasher: blake3::Hasher,
    n_bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.n_bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The identity of the file or folder at a path. It differs if another file has the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl Identity {
    /// The identity; `None` if there is no such file. On a system without file numbers, all
    /// identities are equal.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Some(Self { device_and_inode: (file.dev(), file.ino()) })
        }
        #[cfg(not(unix))]
        {
            drop(file);
            Some(Self {})
        }
    }
}

/// The homes that this process has open for writing, each with the folder's identity at opening.
static HELD: Mutex<BTreeMap<PathBuf, Identity>> = Mutex::new(BTreeMap::new());

/// The mark of a home that is open for writing. Until it is dropped, no file is written if the
/// home's folder was replaced or removed.
#[derive(Debug)]
pub(crate) struct Held(PathBuf);

impl Held {
    pub(crate) fn begin(home: &Path) -> Self {
        if let Some(identity) = Identity::of(home) {
            held().insert(home.to_owned(), identity);
        }
        Self(home.to_owned())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        held().remove(&self.0);
    }
}

fn held() -> MutexGuard<'static, BTreeMap<PathBuf, Identity>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks that a home open for writing is still the same folder; any other folder only has to
/// exist.
///
/// # Errors
/// [`HomeError::Moved`] if the check fails.
pub(crate) fn check_in_place(home: &Path) -> Result<()> {
    let now = Identity::of(home);
    let then = held().get(home).copied();
    let is_in_place = then.map_or(now.is_some(), |then| now == Some(then));
    if is_in_place { Ok(()) } else { Err(HomeError::Moved { home: home.to_owned() }) }
}

/// Creates the folder of a home and its parents durably. Only the owner can use the home; the umask
/// decides about the parents.
///
/// # Errors
/// - [`HomeError::CreateFolder`] if a folder cannot be created.
/// - [`HomeError::Sync`] if the disk does not confirm.
pub(crate) fn create_home(home: &Path) -> Result<()> {
    create_folder(home, private::create_folder)
}

fn create_folder(path: &Path, create: fn(&Path) -> io::Result<()>) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent_of(path);
    create_folder(parent, |parent| fs::create_dir(parent))?;
    created(path, create(path))
}

/// Creates the folders of a home on the path of a file, durably and for the owner only. A link in
/// place of a folder is not followed.
///
/// # Errors
/// - [`HomeError::CreateFolder`] if a folder cannot be created, or the path is not a folder.
/// - [`HomeError::Sync`] if the disk does not confirm.
fn create_below(home: &Path, file: &Path) -> Result<()> {
    let mut folder = home.to_owned();
    for name in file.parent().unwrap_or(Path::new("")) {
        folder.push(name);
        let is_there = private::is_folder(&folder);
        if !is_there.map_err(|source| not_created(&folder, source))? {
            created(&folder, private::create_folder(&folder))?;
        }
    }
    Ok(())
}

/// Makes the name of a new folder durable; a folder created by another thread is not an error.
fn created(path: &Path, created: io::Result<()>) -> Result<()> {
    match created {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(not_created(path, error)),
        _ => sync_folder(parent_of(path)),
    }
}

fn not_created(path: &Path, source: io::Error) -> HomeError {
    HomeError::CreateFolder { path: path.to_owned(), source }
}

fn parent_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Makes the names of the files in a folder durable.
///
/// # Errors
/// - [`HomeError::Sync`] if the disk does not confirm.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| HomeError::Sync { path: path.to_owned(), source })
}

/// Makes the name of a folder durable. If its parent cannot be opened or synced, the creator of the
/// folder is responsible.
///
/// # Errors
/// - [`HomeError::Sync`] if the disk does not confirm.
pub(crate) fn sync_name(path: &Path) -> Result<()> {
    match sync_folder(parent_of(path)) {
        Err(HomeError::Sync { source, .. })
            if matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Clears up after interrupted runs in a folder of the home. Removes drafts and, if `keep` is
/// given, Parquet files not in `keep`; makes new folders durable.
///
/// # Errors
/// - [`HomeError::Remove`] if a folder cannot be listed or a file cannot be removed.
/// - [`HomeError::Sync`] if the disk does not confirm.
pub(crate) fn clear_up(home: &Path, folder: &Path, keep: Option<&HashSet<String>>) -> Result<()> {
    let failed = |path: &Path, source| HomeError::Remove { path: path.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|source| failed(folder, source))?,
    };
    let mut has_folders = false;
    for entry in entries {
        let entry = entry.map_err(|source| failed(folder, source))?;
        let path = entry.path();
        // A link to a folder is at most a leftover: its target is not part of the home.
        if entry.file_type().map_err(|source| failed(&path, source))?.is_dir() {
            has_folders = true;
            clear_up(home, &path, keep)?;
        } else if is_orphan(home, &path, keep) {
            fs::remove_file(&path).map_err(|source| failed(&path, source))?;
        }
    }
    if has_folders { sync_folder(folder) } else { Ok(()) }
}

fn is_orphan(home: &Path, path: &Path, keep: Option<&HashSet<String>>) -> bool {
    let extension = path.extension().unwrap_or_default();
    let is_kept = |keep: &HashSet<String>| {
        path.strip_prefix(home).is_ok_and(|path| keep.contains(&with_slashes(path)))
    };
    extension == PARTIAL || (extension == "parquet" && keep.is_some_and(|keep| !is_kept(keep)))
}

fn with_slashes(path: &Path) -> String {
    path.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(home: &Path, path: &str, text: &str) -> Stored {
        let mut draft = Draft::create(home, path.to_owned()).expect("a draft");
        draft.write_all(text.as_bytes()).expect("written");
        draft.publish().expect("published")
    }

    #[test]
    fn a_published_draft_has_the_hash_of_its_bytes() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let file = stored(home.path(), "a/b/1.parquet", "text");
        assert_eq!(file.hash, blake3::hash(b"text").to_hex().to_string());
        assert_eq!((file.n_bytes, file.path.as_str()), (4, "a/b/1.parquet"));
        file.open(home.path()).expect("the bytes that were written");
    }

    #[test]
    fn a_dropped_draft_leaves_nothing() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let draft = Draft::create(home.path(), "1.parquet".to_owned()).expect("a draft");
        drop(draft);
        assert_eq!(fs::read_dir(home.path()).expect("the folder").count(), 0);
    }

    #[test]
    fn a_changed_byte_is_found_and_the_file_named() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let file = stored(home.path(), "1.parquet", "text");
        fs::write(home.path().join("1.parquet"), "test").expect("damaged");
        let error = file.open(home.path()).expect_err("a damaged file");
        assert!(matches!(error, HomeError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("1.parquet is damaged"), "{error}");
    }

    #[test]
    fn nothing_is_written_where_another_folder_has_taken_a_homes_place() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [home, away] = ["home", "away"].map(|name| folder.path().join(name));
        fs::create_dir(&home).expect("a home");
        let held = Held::begin(&home);
        let mut begun = Draft::create(&home, "1.parquet".to_owned()).expect("a draft");
        begun.write_all(b"text").expect("written");
        fs::rename(&home, &away).expect("moved away");
        let gone = Draft::create(&home, "2.parquet".to_owned()).expect_err("no home");
        assert!(matches!(gone, HomeError::Moved { .. }), "{gone}");
        fs::create_dir(&home).expect("another one");
        for error in [
            Draft::create(&home, "2.parquet".to_owned()).map(drop).expect_err("another home"),
            begun.publish().map(drop).expect_err("another home"),
        ] {
            assert!(matches!(error, HomeError::Moved { .. }), "{error}");
        }
        assert_eq!(fs::read_dir(&home).expect("the folder").count(), 0);
        drop(held);
        stored(&home, "2.parquet", "text");
    }

    #[test]
    fn orphans_are_drafts_and_parquet_files_that_nobody_names() {
        let home = tempfile::tempdir().expect("a temporary folder");
        for name in ["a/1.parquet", "a/2.parquet", "a/3.parquet.partial", "a/notes.txt"] {
            stored(home.path(), name, name);
        }
        let keep = HashSet::from(["a/1.parquet".to_owned()]);
        let left = |keep| {
            clear_up(home.path(), &home.path().join("a"), keep).expect("cleared up");
            let mut left: Vec<_> = fs::read_dir(home.path().join("a"))
                .expect("the folder")
                .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
                .collect();
            left.sort();
            left
        };
        assert_eq!(left(None), ["1.parquet", "2.parquet", "notes.txt"]);
        assert_eq!(left(Some(&keep)), ["1.parquet", "notes.txt"]);
    }
}
