//! Paths to files: which files of a folder are the feed's, and which month each is of.

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

/// A file of a feed. In order of period and then of name without its extension, so that the later
/// version of a month comes after it: `200102.csv`, `200102-b.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedFile {
    /// The month in its name; the last that it can cover if it covers several.
    pub period: Period,
    /// The first month that it can cover.
    pub first: Period,
    /// Which part of its months it is: the flow and the part in its name, as the profile has them.
    pub part: FilePart,
    /// Its name, without its folder.
    pub name: String,
    /// Where it is; the path of a member of an archive is that of the archive and its own.
    pub path: PathBuf,
    /// Whether it was named by itself, not found in a folder.
    pub is_named: bool,
    /// The archive that it is a member of, if it is one of several.
    pub archive: Option<InArchive>,
}

/// Which part of its months a file is, as its name says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePart {
    /// The code of the flow.
    pub flow: Option<String>,
    /// The part.
    pub part: Option<String>,
}

impl FilePart {
    /// What it is called among the parts of a month; none if the file is the whole month.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.part.as_deref().or(self.flow.as_deref())
    }

    /// What tells files of the same months apart.
    #[must_use]
    pub fn key(&self) -> String {
        [&self.flow, &self.part].map(|text| text.as_deref().unwrap_or_default()).join("/")
    }
}

/// Where a member of an archive is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InArchive {
    /// The archive.
    pub path: PathBuf,
    /// The member's name in it.
    pub member: String,
}

impl FeedFile {
    /// A file that is no member of an archive of several.
    #[must_use]
    pub fn new(period: Period, path: PathBuf) -> Self {
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
        let part = FilePart::default();
        Self { period, first: period, part, name, path, is_named: true, archive: None }
    }

    /// The hash of its bytes, with what its name says of its lines: the same bytes are other
    /// records under another name then.
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

    /// The file that has its bytes.
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

/// What is at some paths.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The feed's files, in order, each once.
    pub files: Vec<FeedFile>,
    /// Files whose month cannot be told: named one by one, or called like the feed's but for the
    /// month.
    pub refused: Vec<Refused>,
    /// Files of the folders that end as the feed's do and are called otherwise.
    pub passed_over: Vec<PathBuf>,
}

/// Paths at which there is no feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A path that is not there or may not be looked at.
    #[error("cannot look at {}; {}", path.display(), advice(path, source, "check the path"))]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
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
        /// What was looked for.
        pattern: FilePattern,
        /// The profile that says so.
        profile: String,
    },
}

impl FeedError {
    /// Whether nothing is there, as of a drive that is not mounted.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Path { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::NoFiles { .. } => true,
        }
    }
}

/// The feed's files at some paths: files, or folders in which other names are passed over.
///
/// # Errors
/// - [`FeedError::Path`] if a path does not exist or cannot be listed
/// - [`FeedError::NoFiles`] if a folder has no file that is called like the feed's
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

/// The names of files in a folder and in those below it that may be data, with their folders.
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

/// What there is to say of files that are passed over; none where there are none.
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

/// Why nothing of a feed is taken in while files of it are passed over.
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

/// What a name in a folder is.
enum NamedFile {
    /// One of the feed's.
    Of(FeedFile),
    /// One of the feed's whose digits are no month.
    NotAPeriod,
    /// Something else.
    No,
}

/// The months that a file may be of where its name says none.
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
        // Of one month alone: the year up to it.
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

/// A file of the feed by its name alone, as a home keeps it: what its name says of its months, its
/// flow and its part.
#[must_use]
pub fn named_file(name: &str, profile: &Profile) -> Option<FeedFile> {
    let of_archive = name.split_once('/').filter(|_| !profile.file.pattern.has_folders());
    let on_disk = of_archive.map_or(name, |(archive, _)| archive);
    match file_named(on_disk, PathBuf::from(name), profile) {
        NamedFile::Of(file) => Some(file),
        NamedFile::NotAPeriod | NamedFile::No => None,
    }
}
/// Tables that may lie beside a feed.
const BESIDE: [&str; 6] =
    ["cities.csv", "regions.csv", "countries.csv", "firms.csv", "supply.csv", "truth.csv"];

/// Whether a file is a table beside the feed, and none of the feed's.
fn is_beside(name: &str, profile: &Profile) -> bool {
    BESIDE.contains(&name) || profile.maps.iter().any(|map| map == name)
}

/// The files in a file: the members of an archive that are called as the profile says, or itself.
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

/// The file at a path or, in order, the files of the folder at it, each with its name, and whether
/// it is one. Files and folders whose name begins with a dot are not looked at.
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
            // What is called like a file of the feed and is none, as a pipe or a link to nowhere,
            // is not passed over: reading it says what is wrong.
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

/// The profile that a feed brings along, as `feed.toml` in its folder.
///
/// # Errors
/// Those of [`Profile::from_file`]; a missing file is none.
pub fn feed_profile(dir: &Path) -> Result<Option<Profile>, ProfileError> {
    match Profile::from_file(&dir.join("feed.toml")) {
        Err(ProfileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder for the test");
        for name in names {
            std::fs::write(dir.path().join(name), "").expect("a file in it");
        }
        dir
    }

    fn canonical() -> Profile {
        Profile::bundled("canonical").expect("a shipped profile")
    }

    fn names(discovered: &Discovered) -> Vec<&str> {
        discovered.files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn files_come_in_order_of_their_months_each_once_and_others_are_passed_over() {
        let names_there = ["200102.csv", "200012.csv.gz", "cities.csv", "200102-b.csv", "a.txt"];
        let dir = folder(&names_there);
        let again = dir.path().join("200102.csv");
        let paths = [dir.path().to_owned(), again, dir.path().to_owned()];
        let discovered = discover(&paths, &canonical()).expect("a feed");
        assert_eq!(names(&discovered), ["200012.csv.gz", "200102.csv", "200102-b.csv"]);
        let named: Vec<_> = discovered.files.iter().map(|file| file.is_named).collect();
        assert_eq!(named, [false, true, false]);
        assert!(discovered.refused.is_empty());
    }

    #[test]
    fn a_later_version_of_a_month_comes_after_it_however_it_is_called() {
        let names_there = ["200102-b.csv", "200102.b.csv", "200102.csv.gz", "200102_c.csv"];
        let dir = folder(&names_there);
        let discovered = discover(&[dir.path().to_owned()], &canonical()).expect("a feed");
        assert_eq!(
            names(&discovered),
            ["200102.csv.gz", "200102-b.csv", "200102.b.csv", "200102_c.csv"]
        );
    }

    #[test]
    fn the_members_of_an_archive_are_files_of_their_months() {
        let dir = folder(&["CIMT_200802.zip", "CIMT_200803.zip"]);
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let names = ["b/ODPFN016_200802N.csv", "ODPFN016_200801N.csv", "ODPFN018_200802N.csv"];
        for name in names {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(name, options).expect("memory does not fail");
        }
        let bytes = writer.finish().expect("memory does not fail").into_inner();
        std::fs::write(dir.path().join("CIMT_200802.zip"), bytes).expect("a file");
        let mut profile = canonical();
        let text = |text: &str| text.to_owned();
        profile.file.pattern = text("CIMT_{YYYY}{MM}.zip").try_into().expect("a pattern");
        let member = text("ODPFN016_{YYYY}{MM}N.csv").try_into().expect("a pattern");
        profile.file.member = Some(member);
        let discovered = discover(&[dir.path().to_owned()], &profile).expect("a feed");
        assert_eq!(
            names_of(&discovered),
            [
                "200801 CIMT_200802.zip/ODPFN016_200801N.csv",
                "200802 CIMT_200802.zip/b/ODPFN016_200802N.csv",
                "200803 CIMT_200803.zip",
            ]
        );
        let first = &discovered.files[0];
        assert_eq!(first.on_disk(), dir.path().join("CIMT_200802.zip"));
        assert_eq!(first.path, dir.path().join("CIMT_200802.zip/ODPFN016_200801N.csv"));
    }

    fn names_of(discovered: &Discovered) -> Vec<String> {
        let files = discovered.files.iter();
        files.map(|file| format!("{} {}", file.period, file.name)).collect()
    }

    #[test]
    fn a_named_file_without_a_month_is_refused_and_the_others_are_not() {
        let dir = folder(&["201113.csv", "201112.csv", "data.csv"]);
        let paths = [dir.path().to_owned(), dir.path().join("data.csv")];
        let discovered = discover(&paths, &canonical()).expect("a feed");
        assert_eq!(names(&discovered), ["201112.csv"]);
        let refused: Vec<_> = discovered.refused.iter().map(ToString::to_string).collect();
        assert!(
            refused[0].contains("201113.csv") && refused[1].contains("data.csv"),
            "{refused:?}"
        );
        assert!(refused[1].contains("{YYYY}{MM}*.csv"), "{refused:?}");
    }

    #[test]
    fn a_folder_without_a_feed_says_what_was_looked_for() {
        let dir = folder(&["cities.csv"]);
        let error = discover(&[dir.path().to_owned()], &canonical()).expect_err("no feed");
        assert!(error.to_string().contains("no file called like \"{YYYY}{MM}*.csv\""), "{error}");
        let error = discover(&[dir.path().join("nowhere")], &canonical()).expect_err("no path");
        assert!(matches!(error, FeedError::Path { .. }), "{error}");
    }

    #[test]
    fn a_feed_may_bring_its_profile() {
        let dir = folder(&[]);
        assert_eq!(feed_profile(dir.path()).expect("none is no error"), None);
        let text = toml::to_string(&canonical()).expect("a profile can be written");
        std::fs::write(dir.path().join("feed.toml"), text).expect("a file");
        assert_eq!(feed_profile(dir.path()).expect("a profile"), Some(canonical()));
    }
}
