//! Paths to files: finds the feed's files in folders, and the month of each.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::container::dated_members;
use super::pattern::FilePattern;
use super::profile::{Covers, PeriodSource, Profile, ProfileError};
use super::refused::Refused;
use crate::domain::finding::{Finding, FindingKind, SHOWN};
use crate::domain::types::Period;
use crate::files::trouble::advice;

/// A file of a feed. Files are ordered by period and then by name without its extension. A later
/// version of a month follows the earlier one: `200102.csv`, `200102-b.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedFile {
    /// The month in the file's name; the last month if the file covers several.
    pub period: Period,
    /// The first month that the file can cover.
    pub first: Period,
    /// The flow and the part in the file's name, in the notation of the profile.
    pub part: FilePart,
    /// The name without its folder.
    pub name: String,
    /// The path; for a member of an archive, the archive's path followed by the member's.
    pub path: PathBuf,
    /// True if the user named the file, false if it was found in a folder.
    pub is_named: bool,
    /// The archive of the file, if it is one of several members.
    pub archive: Option<InArchive>,
}

/// The part of its months that a file covers, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePart {
    /// The code of the flow.
    pub flow: Option<String>,
    /// The part.
    pub part: Option<String>,
}

impl FilePart {
    /// The name among the parts of a month; `None` if the file is the whole month.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.part.as_deref().or(self.flow.as_deref())
    }

    /// The key that distinguishes files of the same months.
    #[must_use]
    pub fn key(&self) -> String {
        [&self.flow, &self.part].map(|text| text.as_deref().unwrap_or_default()).join("/")
    }
}

/// The place of a member in an archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InArchive {
    /// The archive.
    pub path: PathBuf,
    /// The member's name in it.
    pub member: String,
}

impl FeedFile {
    /// A file on disk, not a member of an archive.
    #[must_use]
    pub fn new(period: Period, path: PathBuf) -> Self {
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
        let part = FilePart::default();
        Self { period, first: period, part, name, path, is_named: true, archive: None }
    }

    /// The hash of the file's bytes and of the facts in its name: under another name the same bytes
    /// are other records.
    #[must_use]
    pub fn hash_with_name(&self, profile: &Profile, hash: String) -> String {
        let month = profile.period.from == Some(PeriodSource::Name);
        if !month && self.part.flow.is_none() {
            return hash;
        }
        let month = if month { self.period.to_string() } else { String::new() };
        let text = format!("{hash} {month} {}", self.part.flow.as_deref().unwrap_or_default());
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// The path of the file that contains the bytes.
    #[must_use]
    pub fn on_disk(&self) -> &Path {
        self.archive.as_ref().map_or(&self.path, |archive| &archive.path)
    }
}

impl Ord for FeedFile {
    fn cmp(&self, other: &Self) -> Ordering {
        fn key(file: &FeedFile) -> impl Ord + '_ {
            let FeedFile { period, first, part, name, path, is_named, archive } = file;
            (period, stem(name), name, path, is_named, archive, first, part)
        }
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for FeedFile {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn stem(name: &str) -> &str {
    let name = FilePattern::SUFFIXES.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The files at some paths.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The feed's files, in order, each once.
    pub files: Vec<FeedFile>,
    /// Files without a recognisable month: named by the user, or matching the pattern except for
    /// the month.
    pub refused: Vec<Refused>,
    /// Files of the folders with the feed's file extension and another name.
    pub passed_over: Vec<PathBuf>,
}

/// Paths without a feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A path that does not exist or cannot be accessed.
    #[error("cannot look at {}; {}", path.display(), advice(path, source, "check the path"))]
    Path {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A folder without a file of the feed.
    #[error(
        "{dir} has no file called like \"{pattern}\"; is it of the profile \"{profile}\"? \
         `spillover init` proposes a profile",
        dir = dir.display()
    )]
    NoFiles {
        /// The folder.
        dir: PathBuf,
        /// The pattern of the feed's files.
        pattern: FilePattern,
        /// The profile with the pattern.
        profile: String,
    },
}

impl FeedError {
    /// True if the path is missing or empty, as for a drive that is not mounted.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Path { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::NoFiles { .. } => true,
        }
    }
}

/// The feed's files at some paths; in folders, files of other names are passed over.
///
/// # Errors
/// - [`FeedError::Path`] if a path does not exist or cannot be listed
/// - [`FeedError::NoFiles`] if a folder has no file that matches the pattern
pub fn discover(paths: &[PathBuf], profile: &Profile) -> Result<Discovered, FeedError> {
    let mut found: BTreeMap<FeedFile, bool> = BTreeMap::new();
    let (mut refused, mut passed_over) = (Vec::new(), Vec::new());
    for path in paths {
        let (candidates, is_folder) = files_at(path, profile.file.recursive)?;
        let n_before = found.len() + refused.len();
        let mut n_known = 0;
        for (name, path) in candidates {
            if is_folder && is_beside(&name, profile) {
                continue;
            }
            match file_named(&name, path.clone(), profile) {
                NamedFile::Of(file) => {
                    for file in members(file, profile) {
                        let is_named = found.entry(file);
                        n_known += usize::from(matches!(is_named, Entry::Occupied(_)));
                        *is_named.or_insert(false) |= !is_folder;
                    }
                }
                NamedFile::No if is_folder => {
                    if profile.file.pattern.is_alike(&name) {
                        passed_over.push(path);
                    }
                }
                NamedFile::No | NamedFile::NotAPeriod => {
                    let pattern = profile.file.pattern.clone();
                    refused.push(Refused::Period { file: path, pattern });
                }
            }
        }
        if found.len() + refused.len() + n_known == n_before {
            let (pattern, profile) = (profile.file.pattern.clone(), profile.name.clone());
            return Err(FeedError::NoFiles { dir: path.clone(), pattern, profile });
        }
    }
    let mut files: Vec<_> =
        found.into_iter().map(|(file, is_named)| FeedFile { is_named, ..file }).collect();
    files.sort();
    passed_over.dedup();
    Ok(Discovered { files, refused, passed_over })
}

/// The names of files in a folder and its subfolders that may be data, with their folders.
///
/// # Errors
/// [`FeedError::Path`] if the folder cannot be listed.
pub fn candidates(folder: &Path) -> Result<Vec<String>, FeedError> {
    const OTHERS: [&str; 10] =
        [".toml", ".md", ".pdf", ".done", ".html", ".py", ".r", ".do", ".sh", ".docx"];
    let (files, _) = files_at(folder, true)?;
    let names = files.into_iter().map(|(name, _)| name).filter(|name| {
        let lower = name.to_lowercase();
        let base = lower.rsplit('/').next().unwrap_or(&lower);
        !BESIDE.contains(&base)
            && !OTHERS.iter().any(|ending| base.ends_with(ending))
            && !base.starts_with("readme")
            && !base.starts_with("license")
    });
    Ok(names.collect())
}

/// The finding about files that are passed over; `None` without such files.
#[must_use]
pub fn passed_over(paths: &[PathBuf], profile: &Profile) -> Option<Finding> {
    let n = paths.len() as u64;
    let shown = paths.iter().take(SHOWN).map(|path| path.display().to_string());
    (n > 0).then(|| Finding {
        kind: FindingKind::NamesPassedOver,
        n,
        of: n,
        first: shown.collect(),
        beside: profile.file.pattern.to_string(),
    })
}

/// The message for a feed without accepted files and with passed-over files.
#[derive(Debug)]
pub struct NothingTaken<'a>(pub &'a Finding);

impl fmt::Display for NothingTaken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(finding) = self;
        write!(
            f,
            "{finding}; nothing of the feed is taken in, because [findings] refuse in \
             spillover.toml names {}",
            finding.kind
        )
    }
}

/// The classes of names in a folder.
enum NamedFile {
    /// A file of the feed.
    Of(FeedFile),
    /// A file of the feed whose digits are not a month.
    NotAPeriod,
    /// Another name.
    No,
}

/// The years of files whose name has no month.
const ANY_MONTHS: (u16, u16) = (*Period::YEARS.start(), *Period::YEARS.end());

fn file_named(name: &str, path: PathBuf, profile: &Profile) -> NamedFile {
    let pattern = &profile.file.pattern;
    let base = name.rsplit_once('/').map_or(name, |(_, base)| base);
    let compared = if pattern.has_folders() { name } else { base };
    let Some(named) = pattern.read(compared) else { return NamedFile::No };
    let flow = match named.flow.as_deref().map(|flow| profile.flow_named(flow)) {
        Some(None) => return NamedFile::No,
        flow => flow.flatten().map(str::to_owned),
    };
    let parts = &profile.file.parts;
    let part_of = |name: &str| parts.iter().find(|part| part.to_lowercase() == name);
    let part = match named.part.as_deref() {
        None => None,
        Some(part) if parts.is_empty() => Some(part.to_owned()),
        Some(part) => match part_of(part) {
            Some(part) => Some(part.clone()),
            None => return NamedFile::No,
        },
    };
    let any = |year| Period::new(year, if year == ANY_MONTHS.0 { 1 } else { 12 });
    let span = match profile.file.covers {
        Covers::Contents => (any(ANY_MONTHS.0), named.last().or(any(ANY_MONTHS.1))),
        // One month alone: the range starts in January.
        Covers::Range if named.months.len() == 1 => {
            (named.last().and_then(|last| Period::new(last.year().0, 1)), named.last())
        }
        _ => (named.first(), named.last()),
    };
    let (Some(first), Some(period)) = span else { return NamedFile::NotAPeriod };
    if first > period {
        return NamedFile::NotAPeriod;
    }
    let part = FilePart { flow, part };
    let name = name.to_owned();
    NamedFile::Of(FeedFile { period, first, part, name, path, is_named: false, archive: None })
}

/// A file of the feed by its name alone, in the form that a home stores; the name gives its months,
/// flow and part.
#[must_use]
pub fn named_file(name: &str, profile: &Profile) -> Option<FeedFile> {
    let of_archive = name.split_once('/').filter(|_| !profile.file.pattern.has_folders());
    let on_disk = of_archive.map_or(name, |(archive, _)| archive);
    match file_named(on_disk, PathBuf::from(name), profile) {
        NamedFile::Of(file) => Some(file),
        NamedFile::NotAPeriod | NamedFile::No => None,
    }
}
/// Reference tables that may be in the folder of a feed.
const BESIDE: [&str; 6] =
    ["cities.csv", "regions.csv", "countries.csv", "firms.csv", "supply.csv", "truth.csv"];

/// True if a file is a reference table or a map, and not a file of the feed.
fn is_beside(name: &str, profile: &Profile) -> bool {
    BESIDE.contains(&name) || profile.maps.iter().any(|map| map == name)
}

/// The members of an archive that match the profile's pattern, or the file itself.
fn members(file: FeedFile, profile: &Profile) -> Vec<FeedFile> {
    let dated = profile.file.member.as_ref().filter(|pattern| pattern.is_dated());
    let members = dated.map(|pattern| dated_members(&file.path, pattern)).unwrap_or_default();
    if members.is_empty() {
        return vec![file];
    }
    let of_archive = |(period, member): (Period, String)| {
        let mut shown = file.path.clone().into_os_string();
        shown.push(format!("/{member}"));
        let archive = InArchive { path: file.path.clone(), member: member.clone() };
        FeedFile {
            period,
            first: period,
            name: format!("{}/{member}", file.name),
            path: PathBuf::from(shown),
            archive: Some(archive),
            ..file.clone()
        }
    };
    members.into_iter().map(of_archive).collect()
}

/// The file at a path, or the files of the folder at it in order, each with its name; true for a
/// folder. Names that begin with a dot are ignored.
fn files_at(path: &Path, recursive: bool) -> Result<(Vec<(String, PathBuf)>, bool), FeedError> {
    let error = |source| FeedError::Path { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(error)?.is_dir() {
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        return Ok((vec![(name.into_owned(), path.to_owned())], false));
    }
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), path.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(error)? {
            let entry = entry.map_err(error)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let is_folder = recursive && entry.file_type().is_ok_and(|kind| kind.is_dir());
            // A pipe or a broken link with a name of the feed is not passed over: reading it
            // reports the problem.
            let found = (format!("{prefix}{name}"), entry.path());
            if is_folder {
                folders.push((format!("{}/", found.0), found.1));
            } else {
                files.push(found);
            }
        }
    }
    files.sort();
    Ok((files, true))
}

/// The profile in a feed's folder, `feed.toml`.
///
/// # Errors
/// Those of [`Profile::from_file`], except for a missing file.
pub fn feed_profile(dir: &Path) -> Result<Option<Profile>, ProfileError> {
    match Profile::from_file(&dir.join("feed.toml")) {
        Err(ProfileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests;
