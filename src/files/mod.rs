//! Opens, creates and removes files, for the whole program.
//!
//! ```text
//! a path from outside ──▶ open, read, read_text: a regular file within a limit, or an error
//! a file of a home ─────▶ private: mode 0600 in folders of mode 0700; links are not followed
//! an error of the system ▶ trouble: the limit that is reached, the missing permission
//! an Arrow file ────────▶ arrow_sizes: no size that it claims is larger than it is
//! temporary figures ────▶ scratch: a folder that is removed at any end of the process
//! ```
//! Invariant: this module never waits for a pipe, reads a device or writes through a link.

pub mod arrow_sizes;
pub mod private;
pub mod scratch;
pub mod trouble;

use std::fmt;
use std::fs::{self, File, FileType};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The largest size of a file that is read as one text: options, profiles, reference tables,
/// specifications, firm-year files.
pub const TEXT_BYTES_MAX: u64 = 64 << 20;
/// The largest number of links that are followed one after the other.
const LINKS_MAX: usize = 40;

/// The reason why a file is not read although the system allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Unreadable {
    /// The path is not a regular file.
    Kind(&'static str),
    /// The file is larger than a text may be.
    TooLarge,
    /// The file is not UTF-8 from this line on.
    Encoding { line: usize },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "it is {kind}, not a regular file"),
            Self::TooLarge => {
                let mebibytes = TEXT_BYTES_MAX >> 20;
                write!(f, "it is larger than {mebibytes} MiB; is it the right file?")
            }
            Self::Encoding { line } => {
                write!(f, "line {line} is not UTF-8; save the file as UTF-8")
            }
        }
    }
}

impl std::error::Error for Unreadable {}

/// Opens a regular file for reading.
///
/// A link is followed. The type of the file is checked before the opening, which can have effects,
/// and after it, because the file may have been replaced. A pipe does not block.
///
/// # Errors
/// The system's error, or an error if the path is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    check_regular(fs::metadata(path)?.file_type())?;
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(nonblocking).open(path)?;
    check_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a regular file of any size, such as one that this program wrote.
///
/// # Errors
/// Those of [`open`].
pub fn read_all(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a regular file of at most [`TEXT_BYTES_MAX`].
///
/// # Errors
/// Those of [`open`], and an error for a larger file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > TEXT_BYTES_MAX {
        return Err(io::Error::new(ErrorKind::FileTooLarge, Unreadable::TooLarge));
    }
    Ok(bytes)
}

/// Reads a regular file of at most [`TEXT_BYTES_MAX`] as UTF-8.
///
/// # Errors
/// Those of [`read`], and an error with the first line that is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = memchr::memchr_iter(b'\n', valid).count() + 1;
        io::Error::new(ErrorKind::InvalidData, Unreadable::Encoding { line })
    })
}

/// The target of a path: links are followed, even if the target does not exist yet.
///
/// # Errors
/// The system's error for a folder on the way that cannot be read.
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..LINKS_MAX {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::NotFound.into());
        };
        match fs::read_link(&path) {
            Ok(to) => path = folder.join(to),
            Err(_) => return Ok(resolve(folder)?.join(name)),
        }
    }
    Err(io::Error::other("its links lead to links without end"))
}

/// Checks that a file is a regular one.
///
/// # Errors
/// An error with the actual type.
pub(crate) fn check_regular(kind: FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    let kind = match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_symlink() => "a symbolic link",
        _ => "a device",
    };
    Err(io::Error::new(ErrorKind::InvalidInput, Unreadable::Kind(kind)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    fn refused(path: &Path) -> String {
        read_text(path).expect_err("not a file to read").to_string()
    }

    #[test]
    fn only_regular_files_are_read_and_nothing_blocks() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [pipe, socket, device, link] =
            ["pipe", "socket", "device", "link"].map(|name| folder.path().join(name));
        let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let _socket = UnixListener::bind(&socket).expect("a socket");
        symlink("/dev/zero", &device).expect("a link to a device");
        symlink(&pipe, &link).expect("a link to a pipe");
        let cases: [(PathBuf, &str); 5] = [
            (folder.path().to_owned(), "a folder"),
            (pipe, "a pipe"),
            (socket, "a socket"),
            (device, "a device"),
            (link, "a pipe"),
        ];
        for (path, kind) in cases {
            let said = refused(&path);
            assert!(said.contains(&format!("it is {kind}, not a regular file")), "{said}");
        }
        let file = folder.path().join("file");
        fs::write(&file, "text").expect("a file");
        assert_eq!(read_text(&file).expect("a regular file"), "text");
    }

    #[test]
    fn a_path_is_resolved_whether_or_not_its_file_is_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = fs::canonicalize(folder.path()).expect("its path");
        fs::create_dir(root.join("home")).expect("a folder");
        symlink("home", root.join("link")).expect("a link to a folder");
        symlink("link/new.csv", root.join("dangling")).expect("a link to nothing yet");
        symlink("dangling", root.join("twice")).expect("a link to a link");
        symlink("loop", root.join("loop")).expect("a link to itself");
        let new = root.join("home/new.csv");
        for path in ["home/new.csv", "link/new.csv", "link/../home/new.csv", "dangling", "twice"] {
            assert_eq!(resolve(&root.join(path)).expect("resolved"), new, "{path}");
        }
        let deep = root.join("link/a/b");
        assert_eq!(resolve(&deep).expect("resolved"), root.join("home/a/b"));
        resolve(&root.join("loop")).expect_err("a loop");
    }

    #[test]
    fn a_text_is_limited_and_its_first_bad_line_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("cities.csv");
        let file = File::create(&path).expect("a file");
        file.set_len(TEXT_BYTES_MAX + 1).expect("a file full of holes");
        assert!(refused(&path).contains("larger than 64 MiB"), "{}", refused(&path));
        file.set_len(TEXT_BYTES_MAX).expect("a shorter one");
        assert_eq!(read(&path).expect("just within the limit").len() as u64, TEXT_BYTES_MAX);
        fs::write(&path, b"city,name\n1101,\xB1\xB1\xBE\xA9\n").expect("a text in GB18030");
        assert!(refused(&path).contains("line 2 is not UTF-8"), "{}", refused(&path));
    }
}
