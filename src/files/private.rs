//! Files and folders of a home: only the user who runs the program reads and writes them.
//!
//! The modes hold for any umask. A link at a file's path is not followed: a new file replaces it,
//! and an existing file must be a regular one.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::check_regular;

const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Creates a new, empty file for writing; replaces a file or link at the path.
///
/// # Errors
/// The system's error, for example if the path is a folder.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(FILE_MODE);
    let file = match options.open(path) {
        // The link is removed; its target stays.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            options.open(path)?
        }
        opened => opened?,
    };
    set_mode(&file)?;
    Ok(file)
}

/// Creates an empty file if none exists. An existing file is not opened: closing a database's file
/// would release the locks that this process holds on it.
///
/// # Errors
/// The system's error.
pub fn create_if_missing(path: &Path) -> io::Result<()> {
    let made = File::options().write(true).create_new(true).mode(FILE_MODE).open(path);
    match made {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => set_mode(&made?),
    }
}

/// Opens a file to read and write without changes, and creates it if it does not exist.
///
/// # Errors
/// The system's error, or an error if the path is not a regular file.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(there) => check_regular(there.file_type())?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE).custom_flags(flags);
    let file = options.open(path)?;
    let there = file.metadata()?;
    check_regular(there.file_type())?;
    if there.uid() == geteuid().as_raw() {
        set_mode(&file)?;
    }
    Ok(file)
}

/// Creates a folder.
///
/// # Errors
/// The system's error, for example if the path exists.
pub fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER_MODE).create(path)?;
    let set = fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE));
    unless_without_modes(set)
}

/// True if the path is a folder and not a link to one.
///
/// # Errors
/// The system's error, or an error if the path is something else.
pub fn is_folder(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => Ok(true),
        Ok(there) => {
            let kind = if there.is_symlink() { "a symbolic link" } else { "no folder" };
            let what = format!("it is {kind}, and a home holds folders only; move it away");
            Err(io::Error::new(ErrorKind::NotADirectory, what))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Restricts a folder and the named files in it to their owner. Returns the earlier mode of the
/// folder if it was different. Files of other users do not change.
///
/// # Errors
/// The system's error for the folder or for a file in it.
pub fn close_to_others(folder: &Path, names: &[&str]) -> io::Result<Option<u32>> {
    let there = fs::metadata(folder)?;
    let mode = there.mode() & 0o7777;
    let is_closed = mode.trailing_zeros() >= 6;
    if is_closed || there.uid() != geteuid().as_raw() {
        return Ok(None);
    }
    // After this call no other user can reach the content.
    fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))?;
    for name in names {
        close_below(&folder.join(name))?;
    }
    Ok(Some(mode))
}

fn close_below(path: &Path) -> io::Result<()> {
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    if there.uid() != geteuid().as_raw() {
        return Ok(());
    }
    if there.is_dir() {
        fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))?;
        for entry in fs::read_dir(path)? {
            close_below(&entry?.path())?;
        }
    } else if there.is_file() {
        fs::set_permissions(path, Permissions::from_mode(FILE_MODE))?;
    }
    Ok(())
}

/// Sets the requested mode, which the umask can have narrowed.
fn set_mode(file: &File) -> io::Result<()> {
    if file.metadata()?.mode() & 0o777 == FILE_MODE {
        return Ok(());
    }
    unless_without_modes(file.set_permissions(Permissions::from_mode(FILE_MODE)))
}

/// Ignores the error of a file system without modes; its mount decides.
fn unless_without_modes(set: io::Result<()>) -> io::Result<()> {
    match set.as_ref().map_err(io::Error::kind) {
        Err(ErrorKind::PermissionDenied | ErrorKind::Unsupported) => Ok(()),
        _ => set,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).expect("it is there").mode() & 0o777
    }

    #[test]
    fn a_planted_link_is_replaced_or_refused_and_what_it_leads_to_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [victim, link] = ["victim", "link"].map(|name| folder.path().join(name));
        fs::write(&victim, "precious").expect("a file");
        symlink(&victim, &link).expect("a link");
        let error = open_or_create(&link).expect_err("a link");
        assert!(error.to_string().contains("a symbolic link"), "{error}");
        let file = create(&link).expect("a new file in the link's place");
        file.set_len(1).expect("written");
        assert!(!link.is_symlink());
        assert_eq!(fs::read(&victim).expect("the victim"), b"precious");
    }

    #[test]
    fn a_folder_that_was_open_to_others_is_closed_with_what_is_named_in_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().join("home");
        fs::create_dir_all(home.join("segments/deep")).expect("folders");
        for name in ["lock", "segments/deep/a", "notes.txt"] {
            fs::write(home.join(name), "").expect("a file");
            fs::set_permissions(home.join(name), Permissions::from_mode(0o666)).expect("open");
        }
        fs::set_permissions(&home, Permissions::from_mode(0o775)).expect("open");
        let names = ["lock", "segments", "nowhere"];
        assert_eq!(close_to_others(&home, &names).expect("closed"), Some(0o775));
        let modes = ["", "lock", "segments", "segments/deep", "segments/deep/a", "notes.txt"];
        let modes = modes.map(|name| mode(&home.join(name)));
        assert_eq!(modes, [0o700, 0o600, 0o700, 0o700, 0o600, 0o666]);
        assert_eq!(close_to_others(&home, &names).expect("closed before"), None);
    }
}
