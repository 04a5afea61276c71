//! A look at the feed: its files, their sizes and times.
//!
//! Each look lists the folders again, because a network drive does not report changes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::feed::profile::Profile;
use crate::feed::refused::Refused;
use crate::feed::source::{FeedError, FeedFile, discover};

/// The extension of a marker, added to the name of the complete file.
const MARKER: &str = "done";

/// The size and time of a file. The watcher assumes that the bytes stay the same while the stamp
/// does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The size in bytes.
    pub n_bytes: u64,
    /// The time of the last write.
    pub modified: SystemTime,
}

impl Stamp {
    /// Reads the current stamp of a file.
    ///
    /// # Errors
    /// The system's error if the metadata cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let file = std::fs::metadata(path)?;
        Ok(Self { n_bytes: file.len(), modified: file.modified()? })
    }

    /// Reads the current stamp of a listed file; `None` if the file has disappeared since. A file
    /// whose metadata cannot be read gets a stamp too, so that the watcher does not skip it for a
    /// later month.
    fn of_listed(path: &Path) -> Option<Self> {
        let unknown = Self { n_bytes: 0, modified: SystemTime::UNIX_EPOCH };
        let is_there = || {
            let entry = std::fs::symlink_metadata(path);
            entry.map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |_| true)
        };
        Self::of(path).ok().or_else(|| is_there().then_some(unknown))
    }
}

/// The result of one look.
#[derive(Debug, Default)]
pub struct Look {
    /// The feed's files in order of month.
    pub files: BTreeMap<FeedFile, Stamp>,
    /// Files with names like the feed's, but without a month.
    pub unnamed: Vec<(PathBuf, Stamp, Refused)>,
    /// Paths of the feed that are missing or cannot be listed.
    pub missing: Vec<FeedError>,
    /// Folders without a file of the feed.
    pub empty: Vec<PathBuf>,
    /// Files that have the feed's extension but not its name pattern.
    pub passed_over: Vec<PathBuf>,
}

impl Look {
    /// Lists every path of a feed.
    #[must_use]
    pub fn at(feeds: &[PathBuf], profile: &Profile) -> Self {
        let mut look = Self::default();
        for feed in feeds {
            match discover(std::slice::from_ref(feed), profile) {
                // If a file disappears after the listing, a later look decides about it.
                Ok(found) => {
                    let stamped = |file: FeedFile| Some((Stamp::of_listed(file.on_disk())?, file));
                    // A watched file is not a file named by a user; a watched folder gives the same
                    // files.
                    let files = found.files.into_iter();
                    let files = files.map(|file| FeedFile { is_named: false, ..file });
                    let files = files.filter_map(stamped);
                    look.files.extend(files.map(|(stamp, file)| (file, stamp)));
                    look.passed_over.extend(found.passed_over);
                    look.unnamed.extend(found.refused.into_iter().filter_map(stamped_refusal));
                }
                Err(FeedError::NoFiles { dir, .. }) => look.empty.push(dir),
                Err(error) => look.missing.push(error),
            }
        }
        look
    }
}

fn stamped_refusal(refused: Refused) -> Option<(PathBuf, Stamp, Refused)> {
    let Refused::Period { file, .. } = &refused else { return None };
    Some((file.clone(), Stamp::of_listed(file)?, refused))
}

/// True if a marker says that the file is complete in this state: `200801.csv.done` for
/// `200801.csv`. A marker that is older than the file belongs to an earlier version.
///
/// # Errors
/// The system's error if the metadata of the marker cannot be read.
pub fn is_marked(path: &Path, stamp: Stamp) -> io::Result<bool> {
    match Stamp::of(&beside(path, MARKER)) {
        Ok(marker) => Ok(marker.modified >= stamp.modified),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The path of a file in the same folder: the file's name, a dot and `extension`.
#[must_use]
pub fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}
