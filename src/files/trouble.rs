//! Advice for system errors that do not depend on the operation.
//!
//! The limit of descriptors, a missing permission, a read-only or full file system: each has one
//! remedy for all files.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::check_regular;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use rustix::process::{Resource, geteuid, getrlimit};

/// The advice for a failed operation on a file: the remedy of the system's error if there is one,
/// else the operation's own advice.
#[must_use]
pub fn advice(path: &Path, error: &(dyn Error + 'static), otherwise: &str) -> String {
    remedy(path, error).unwrap_or_else(|| otherwise.to_owned())
}

/// The remedy of a system error as the end of a message; empty if there is none.
#[must_use]
pub fn remark(path: &Path, error: &(dyn Error + 'static)) -> String {
    remedy(path, error).map_or_else(String::new, |remedy| format!("; {remedy}"))
}

/// The remedy of a system error on a file; `None` if it depends on the operation.
#[must_use]
pub fn remedy(path: &Path, error: &(dyn Error + 'static)) -> Option<String> {
    match Errno::from_raw_os_error(system_error(error)?) {
        Errno::MFILE => Some(process_descriptors()),
        Errno::NFILE => Some(SYSTEM_DESCRIPTORS.to_owned()),
        Errno::ACCESS | Errno::PERM => Some(permission(path)),
        Errno::ROFS => Some(format!(
            "the file system of {} is read-only; mount it to be written, or name another place",
            path.display()
        )),
        Errno::FBIG => Some(
            "the file would exceed the size that this process may write; raise the limit (`ulimit \
             -f`), then run again"
                .to_owned(),
        ),
        Errno::NOSPC => {
            Some(format!("make room on the disk of {}, then run again", path.display()))
        }
        Errno::DQUOT => Some(format!(
            "the disk quota of {} is used up; make room or raise the quota, then run again",
            who()
        )),
        _ => None,
    }
}

/// The remedy for a database that cannot open its files and does not report the reason; `None` if
/// no obstacle is found. The files are not opened for the test: closing one would release the locks
/// that this process holds on it.
#[must_use]
pub fn remedy_of_database(path: &Path) -> Option<String> {
    // A database has its file open in addition to its log and its index.
    let held: Vec<io::Result<File>> = (0..4).map(|_| File::open("/dev/null")).collect();
    if let Some(Err(error)) = held.into_iter().find(Result::is_err) {
        return remedy(path, &error);
    }
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let files = ["", "-wal", "-shm", "-journal"].map(beside);
    let is_foreign = |path: &&PathBuf| {
        fs::symlink_metadata(path).is_ok_and(|there| check_regular(there.file_type()).is_err())
    };
    if let Some(path) = files.iter().find(is_foreign) {
        return Some(format!(
            "{} is not a regular file, and links are not followed; move it away, then run again",
            path.display()
        ));
    }
    if is_at_size_limit(&files) {
        return remedy(path, &io::Error::from(Errno::FBIG));
    }
    let denied = files.iter().find(|path| denied(path).is_some()).map(|path| permission(path));
    let is_read_only =
        || accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS) == Err(Errno::ROFS);
    denied.or_else(|| is_read_only().then(|| remedy(path, &io::Error::from(Errno::ROFS)))?)
}

/// True if one of the files is about as large as this process may write.
fn is_at_size_limit(files: &[PathBuf]) -> bool {
    const MARGIN_BYTES: u64 = 1 << 20;
    let Some(limit) = getrlimit(Resource::Fsize).current else { return false };
    let n_bytes = files.iter().filter_map(|path| Some(fs::metadata(path).ok()?.len())).max();
    n_bytes.unwrap_or(0).saturating_add(MARGIN_BYTES) > limit
}

/// The number of the first system error among an error and its causes.
#[must_use]
pub fn system_error(error: &(dyn Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            let inner = || system_error(error.get_ref()?);
            return error.raw_os_error().or_else(inner).or_else(|| by_kind(error.kind()));
        }
        next = error.source();
    }
    None
}

/// The system error of a kind, for libraries that keep only the kind.
fn by_kind(kind: io::ErrorKind) -> Option<i32> {
    let error = match kind {
        io::ErrorKind::PermissionDenied => Errno::ACCESS,
        io::ErrorKind::ReadOnlyFilesystem => Errno::ROFS,
        io::ErrorKind::StorageFull => Errno::NOSPC,
        io::ErrorKind::QuotaExceeded => Errno::DQUOT,
        io::ErrorKind::FileTooLarge => Errno::FBIG,
        _ => return None,
    };
    Some(error.raw_os_error())
}

const SYSTEM_DESCRIPTORS: &str = "all processes together have reached the system's limit of open \
                                  files; raise fs.file-max or end other processes, then run again";

fn process_descriptors() -> String {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    format!(
        "this process has reached its limit of open files: {limit}; raise the limit (`ulimit -n \
         1024`, or LimitNOFILE=1024 in its systemd unit), then run again"
    )
}

/// The missing permission for a path. It concerns the first folder that this process may not pass,
/// the file, or the folder for a new file.
fn permission(path: &Path) -> String {
    let found = denied(path).and_then(|what| Some((fs::metadata(&what).ok()?, what)));
    let Some((there, what)) = found else {
        return format!(
            "the system does not let {} use {}; look for a security policy or an attribute of the \
             file (`lsattr`)",
            who(),
            path.display()
        );
    };
    format!(
        "{} belongs to {} (mode {:04o}) and this process runs as {}; run it as the owner, or \
         change the owner or the mode",
        what.display(),
        user(there.uid()),
        there.mode() & 0o7777,
        who()
    )
}

fn denied(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let folders: Vec<&Path> = path.ancestors().skip(1).collect();
    let lacks =
        |path: &Path, access| accessat(CWD, path, access, AtFlags::EACCESS) == Err(Errno::ACCESS);
    if let Some(folder) = folders.iter().rev().find(|folder| lacks(folder, Access::EXEC_OK)) {
        return Some(folder.to_path_buf());
    }
    if lacks(&path, Access::READ_OK) || lacks(&path, Access::WRITE_OK) {
        return Some(path);
    }
    let parent = folders.first().filter(|folder| lacks(folder, Access::WRITE_OK))?;
    Some(parent.to_path_buf())
}

fn who() -> String {
    user(geteuid().as_raw())
}

/// The name and number of a user.
fn user(number: u32) -> String {
    let users = super::read_text(Path::new("/etc/passwd")).unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number.to_string()).then(|| format!("{name} (user {number})"))
    });
    named.unwrap_or_else(|| format!("user {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("wrapped")]
    struct Wrapped(#[source] io::Error);

    fn told(errno: Errno) -> Option<String> {
        let error = Wrapped(io::Error::other(io::Error::from(errno)));
        remedy(Path::new("/nowhere/home/lock"), &error)
    }

    #[test]
    fn an_error_of_the_system_is_found_however_deep_it_is() {
        let text = told(Errno::MFILE).expect("a remedy");
        assert!(text.contains("has reached its limit of open files") && text.contains("ulimit -n"));
        for (errno, part) in [
            (Errno::NFILE, "fs.file-max"),
            (Errno::ROFS, "/nowhere/home/lock is read-only"),
            (Errno::FBIG, "ulimit -f"),
            (Errno::NOSPC, "make room on the disk"),
            (Errno::DQUOT, "quota"),
            (Errno::ACCESS, "use /nowhere/home/lock"),
        ] {
            let text = told(errno).expect("a remedy");
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(told(Errno::IO), None, "a bad disk is for the operation to tell");
        assert_eq!(remedy(Path::new("/"), &io::Error::other("no error of the system")), None);
    }
}
