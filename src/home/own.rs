//! The names in a home, its permissions, and the test whether a folder is a home.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::durable::create_home;
use super::error::{HomeError, Result};
use crate::files::{check_regular, private, resolve};

/// The folders of a home with files of the manifest.
pub(super) const FOLDERS: [&str; 6] =
    ["segments", "runs", "published", "panel", "memory", "snapshots"];
/// The files of a home, including those of the watcher and of alerts.
const FILES: [&str; 14] = [
    "manifest.sqlite",
    "manifest.sqlite-wal",
    "manifest.sqlite-shm",
    "manifest.sqlite-journal",
    "acknowledged",
    "lock",
    "readers",
    "watch.lock",
    "watched.json",
    "heartbeat.json",
    "alerts.sqlite",
    "alerts.sqlite-wal",
    "alerts.sqlite-shm",
    "alerts.lock",
];
/// The names that identify a folder as a home, even a damaged or new one.
const MARKERS: [&str; 4] = ["manifest.sqlite", "manifest.sqlite-wal", "acknowledged", "watch.lock"];

/// The home around a path: the nearest folder at or above the path that is a home. The caller
/// resolves links in the path.
#[must_use]
pub fn home_around(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| is_home(folder)).map(Path::to_owned)
}

/// True if a folder is a home.
fn is_home(folder: &Path) -> bool {
    MARKERS.iter().any(|name| fs::symlink_metadata(folder.join(name)).is_ok())
}

/// Checks that a new home is not inside another home, which would remove its files as leftovers.
fn check_outside(home: &Path) -> Result<()> {
    if is_home(home) {
        return Ok(());
    }
    let failed = |source| HomeError::CreateFolder { path: home.to_owned(), source };
    match home_around(&resolve(home).map_err(failed)?) {
        Some(outer) => Err(HomeError::Inside { home: home.to_owned(), outer }),
        None => Ok(()),
    }
}

/// Checks that a home has only regular files and folders: a link would move the home's records
/// elsewhere.
fn check_own(home: &Path) -> Result<()> {
    for name in FILES {
        check(home.join(name), |there| check_regular(there.file_type()))?;
    }
    for name in FOLDERS {
        check(home.join(name), |there| {
            let other = || io::Error::new(ErrorKind::NotADirectory, "it is not a folder");
            if there.is_dir() { Ok(()) } else { Err(other()) }
        })?;
    }
    Ok(())
}

fn check(path: PathBuf, is_own: impl Fn(&fs::Metadata) -> io::Result<()>) -> Result<()> {
    match fs::symlink_metadata(&path) {
        Ok(there) => is_own(&there).map_err(|source| HomeError::Foreign { path, source }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(HomeError::Read { path, source }),
    }
}

/// The access that other users had to a home until it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WasOpen {
    mode: u32,
}

impl fmt::Display for WasOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the home was open to other users (mode {:04o}) and is now private (mode 0700)",
            self.mode
        )
    }
}

/// Creates the folder of a home if it is missing. Checks that its files belong to the home, and
/// denies access to other users. Returns whether other users had access to a home with records.
///
/// # Errors
/// - [`HomeError::Inside`] if a new home would be inside another one.
/// - [`HomeError::CreateFolder`], [`HomeError::Sync`] if the folder cannot be created.
/// - [`HomeError::Foreign`] if a link or something else has the path of a file or folder of the
///   home.
/// - [`HomeError::Exposed`] if the home cannot be restricted to its owner.
pub(crate) fn prepare(home: &Path) -> Result<Option<WasOpen>> {
    check_outside(home)?;
    if fs::metadata(home).is_ok_and(|there| !there.is_dir()) {
        let source = io::Error::new(ErrorKind::NotADirectory, "it is not a folder");
        return Err(HomeError::CreateFolder { path: home.to_owned(), source });
    }
    create_home(home)?;
    check_own(home)?;
    let has_records = is_home(home);
    let names: Vec<&str> = FOLDERS.iter().chain(&FILES).copied().collect();
    let mode = private::close_to_others(home, &names)
        .map_err(|source| HomeError::Exposed { home: home.to_owned(), source })?;
    Ok(mode.filter(|_| has_records).map(|mode| WasOpen { mode }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_is_a_home_by_what_is_in_it_and_so_is_everything_below() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for marker in MARKERS {
            let home = folder.path().join(format!("home-with-{marker}"));
            fs::create_dir_all(home.join("segments")).expect("a folder");
            assert_eq!(home_around(&home.join("segments/new.csv")), None);
            symlink("/nowhere", home.join(marker)).expect("a link to nowhere");
            for inside in ["", "lock", "segments/new.csv"] {
                assert_eq!(home_around(&home.join(inside)), Some(home.clone()), "{inside}");
            }
        }
        assert_eq!(home_around(&folder.path().join("other.csv")), None);
    }

    #[test]
    fn a_link_in_the_place_of_a_file_or_folder_of_a_home_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in FILES.iter().chain(&FOLDERS) {
            let home = folder.path().join("home");
            fs::create_dir(&home).expect("a home");
            check_own(&home).expect("nothing is there");
            symlink(folder.path(), home.join(name)).expect("a link");
            let error = check_own(&home).expect_err("a link");
            assert!(error.to_string().contains(name), "{error}");
            fs::remove_dir_all(&home).expect("removed");
        }
    }
}
