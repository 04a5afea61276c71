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

/// What a marker's name adds to that of the file that is whole.
const MARKER: &str = "done";

/// How a file looks from outside; while that stays the same, its bytes are taken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its size.
    pub n_bytes: u64,
    /// When it was last written.
    pub modified: SystemTime,
}

impl Stamp {
    /// How a file looks now.
    ///
    /// # Errors
    /// The system's error if it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        let file = std::fs::metadata(path)?;
        Ok(Self { n_bytes: file.len(), modified: file.modified()? })
    }

    /// How a file that was listed looks now; none if it went since. One that is there and cannot be
    /// looked at has a look, too: it is not to be passed over for a later month.
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
    /// Files called like the feed's but for the month.
    pub unnamed: Vec<(PathBuf, Stamp, Refused)>,
    /// Paths of the feed that are not there, or cannot be looked at.
    pub missing: Vec<FeedError>,
    /// Folders without a file of the feed.
    pub empty: Vec<PathBuf>,
    /// Files that end as the feed's do and are called otherwise.
    pub passed_over: Vec<PathBuf>,
}

impl Look {
    /// Looks at every path of a feed.
    #[must_use]
    pub fn at(feeds: &[PathBuf], profile: &Profile) -> Self {
        let mut look = Self::default();
        for feed in feeds {
            match discover(std::slice::from_ref(feed), profile) {
                // A file that went between the listing and now is seen next time, or never.
                Ok(found) => {
                    let stamped = |file: FeedFile| Some((Stamp::of_listed(file.on_disk())?, file));
                    // Watching a file asks for it no more than watching its folder does.
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

/// Whether a marker beside a file says that it is whole as it looks: `200801.csv.done` of
/// `200801.csv`. One that is older than the file was made for an earlier version of it.
///
/// # Errors
/// The system's error if it cannot be looked at, though it may be there.
pub fn is_marked(path: &Path, stamp: Stamp) -> io::Result<bool> {
    match Stamp::of(&beside(path, MARKER)) {
        Ok(marker) => Ok(marker.modified >= stamp.modified),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The path of a file beside another: its name, a dot and `extension`.
#[must_use]
pub fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}
