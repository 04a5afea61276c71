//! Temporary folders and drafts, removed when the process ends.
//!
//! ```text
//! TMPDIR/spillover-Ab12Cd.lock   held by the living process
//! TMPDIR/spillover-Ab12Cd/       mode 0700: its temporary figures
//! ```
//! Both are removed on drop, and by signals that end the process. After a kill, nobody holds the
//! lock, and the next start of the program removes the folder. The lock is held before the folder
//! exists; a folder without a holder therefore belongs to no living process.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::fs::OFlags;
use rustix::process::geteuid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;
use tempfile::NamedTempFile;

const PREFIX: &str = "spillover-";
const SUFFIX: &str = ".lock";
/// The number of attempts with another name, if another process takes the first one.
const TRIES: u32 = 100;

/// A folder of mode 0700 below `TMPDIR`, removed when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: Leaving,
    // Dropped after the folder is removed.
    _lock: Leaving,
    _held: File,
}

impl Scratch {
    /// Creates an empty folder.
    ///
    /// # Errors
    /// The system's error if it cannot be created in `TMPDIR`.
    pub fn create() -> io::Result<Self> {
        remove_on_signals()?;
        for _ in 0..TRIES {
            let draft = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile()?;
            let Some((held, path)) = held(draft)? else { continue };
            let lock = Leaving::begin(path.clone());
            let folder = path.with_extension("");
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            return Ok(Self { folder: Leaving::begin(folder), _lock: lock, _held: held });
        }
        Err(io::Error::new(ErrorKind::AlreadyExists, "other processes take each name"))
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder.0
    }
}

/// Locks a draft for this process; `None` if another process has removed the draft.
///
/// # Errors
/// The system's error. On a file system without locks, drafts of killed processes stay.
pub fn held(draft: NamedTempFile) -> io::Result<Option<(File, PathBuf)>> {
    let (file, path) = draft.keep().map_err(|error| error.error)?;
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Ok(()) | Err(fs::TryLockError::Error(_)) => {}
    }
    Ok(is_at(&file, &path).then_some((file, path)))
}

/// A file or folder that is removed at the end of the process.
#[derive(Debug)]
pub struct Leaving(PathBuf);

impl Leaving {
    /// Registers a file or folder for removal: on drop, or before a signal ends the process.
    #[must_use]
    pub fn begin(path: PathBuf) -> Self {
        leaving().insert(path.clone());
        Self(path)
    }

    /// Gives the file its final name, so that it is not removed.
    ///
    /// # Errors
    /// The system's error; the file is removed then.
    pub fn stay_as(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.0, path)
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        remove(&self.0);
        leaving().remove(&self.0);
    }
}

static LEAVING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// True while a signal ends the process.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

fn leaving() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LEAVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all registered files and folders, for an end of the process without drops.
pub fn remove_all() {
    // Folders are removed before their locks, whose names follow from theirs.
    leaving().iter().for_each(|path| remove(path));
}

/// Waits for the end of the process if a signal is ending it. The exit code of the signal counts,
/// and errors that it causes do not.
pub fn leave_to_signal() {
    while IS_ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

/// Removes a file or folder, even while other threads write to it.
fn remove(path: &Path) {
    for _ in 0..TRIES {
        let removed = match fs::symlink_metadata(path) {
            Ok(there) if there.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        if removed.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return;
        }
    }
}

/// Removes registered files before SIGHUP, SIGINT or SIGTERM ends the process with code 128 +
/// signal. A signal that the process was started to ignore, as with `nohup`, stays ignored.
///
/// # Errors
/// The system's error if it provides no handler or no thread.
pub fn remove_on_signals() -> io::Result<()> {
    static BEGUN: OnceLock<()> = OnceLock::new();
    if BEGUN.set(()).is_err() {
        return Ok(());
    }
    let ignored = ignored_signals();
    let heard = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !ignored(*signal));
    let mut signals = Signals::new(heard)?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            IS_ENDING.store(true, Ordering::SeqCst);
            remove_all();
            exit(128 + signal);
        }
    })?;
    Ok(())
}

/// The signals that the process ignores, if the system reports them.
fn ignored_signals() -> impl Fn(i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    move |signal| mask >> (signal - 1) & 1 == 1
}

/// Removes the folders of this user's killed processes in `TMPDIR`; returns those that cannot be
/// removed.
#[must_use]
pub fn clear_stale() -> Vec<(PathBuf, io::Error)> {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return Vec::new() };
    let mut left = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !(name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            continue;
        }
        let folder = path.with_extension("");
        if let Some(_held) = stale(&path)
            && let Err(error) = clear(&folder).and_then(|()| fs::remove_file(&path))
        {
            left.push((folder, error));
        }
    }
    left
}

fn clear(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(there) if there.is_dir() && is_own(&there) => fs::remove_dir_all(folder),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        // Not this user's, or absent.
        _ => Ok(()),
    }
}

/// Removes the drafts of this user's killed processes in a folder: files with this prefix and
/// suffix that no process locks.
pub fn clear_stale_drafts(folder: &Path, prefix: &str, suffix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(prefix)
            && name.ends_with(suffix)
            && let Some(_held) = stale(&path)
        {
            // A draft that stays takes space, and its name shows its origin.
            let _ = fs::remove_file(&path);
        }
    }
}

/// Locks a file of this user that no other process locks.
fn stale(path: &Path) -> Option<File> {
    let there = fs::symlink_metadata(path).ok()?;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let open = || File::options().read(true).custom_flags(flags).open(path).ok();
    let file = (there.is_file() && is_own(&there)).then(open)??;
    file.try_lock().ok()?;
    is_at(&file, path).then_some(file)
}

fn is_own(there: &fs::Metadata) -> bool {
    there.uid() == geteuid().as_raw()
}

/// True if the path still leads to the file.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |there: fs::Metadata| (there.dev(), there.ino());
    let (held, there) = (file.metadata().map(identity), fs::symlink_metadata(path).map(identity));
    matches!((held, there), (Ok(held), Ok(there)) if held == there)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_is_private_and_goes_with_its_lock() {
        let scratch = Scratch::create().expect("a folder");
        let (folder, lock) = (scratch.path().to_owned(), scratch.path().with_extension("lock"));
        assert_eq!(fs::metadata(&folder).expect("it is there").mode() & 0o777, 0o700);
        assert!(lock.is_file());
        fs::write(folder.join("figures"), "1").expect("a file in it");
        assert!(stale(&lock).is_none(), "a living process holds it");
        drop(scratch);
        assert!(!folder.exists() && !lock.exists());
    }

    #[test]
    fn drafts_that_nobody_holds_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let kept = [".a.csv.held.partial", ".b.csv.other.partial", ".a.csv.link.partial", "a.csv"];
        for name in [kept[0], kept[1], kept[3], ".a.csv.left.partial"] {
            fs::write(path(name), "").expect("a file");
        }
        symlink(path("a.csv"), path(kept[2])).expect("a link");
        let held = File::open(path(kept[0])).expect("the file");
        held.lock().expect("held");
        clear_stale_drafts(folder.path(), ".a.csv.", ".partial");
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
            .collect();
        left.sort();
        let mut kept = kept.map(str::to_owned);
        kept.sort();
        assert_eq!(left, kept);
    }
}
