//! Where a command writes: the standard output, or a file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

/// Where a command writes.
pub enum Target {
    /// The standard output.
    Standard,
    /// A pipe or a device, which takes what is written as it comes.
    Stream(File),
    /// A file under another name until [`Target::finish`].
    File {
        /// What is written; removed unless it is finished.
        draft: NamedTempFile,
        /// Its name in the end.
        path: PathBuf,
    },
}

impl Target {
    /// Starts the file, or takes the standard output where none is named.
    pub fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Standard) };
        let failed = || format!("cannot write {}", path.display());
        if is_standard_output(path) {
            return Ok(Self::Standard);
        }
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Ok(Self::Stream(File::create(path).with_context(failed)?));
        }
        let path = linked(path);
        let draft = draft_beside(&path).with_context(failed)?;
        // Whoever could read the old one can read the new one, and nobody else.
        if let Ok(there) = fs::metadata(&path) {
            give(draft.as_file(), &there).with_context(failed)?;
        }
        Ok(Self::File { draft, path })
    }

    /// Makes the file durable and gives it its name.
    pub fn finish(self) -> anyhow::Result<()> {
        let Self::File { draft, path } = self else { return Ok(()) };
        let named = draft.as_file().sync_all();
        let named = named.and_then(|()| draft.persist(&path).map_err(|error| error.error));
        named.map(drop).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// A file in the same folder under a name that no other has, with the permissions of a new file.
fn draft_beside(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    builder.tempfile_in(folder.unwrap_or(Path::new(".")))
}

/// Gives a file the owner, group and permissions of another, as far as one may give it away; a
/// group that is not the other's is not permitted what that one was.
#[cfg(unix)]
fn give(file: &File, like: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let mut mode = like.mode() & 0o777;
    if fchown(file, None, Some(like.gid())).is_err() {
        mode &= !0o070;
    }
    let _ = fchown(file, Some(like.uid()), None);
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn give(file: &File, like: &fs::Metadata) -> io::Result<()> {
    file.set_permissions(like.permissions())
}

/// Where a link leads, also if nothing is there yet: the link stays.
fn linked(path: &Path) -> PathBuf {
    if let Ok(there) = fs::canonicalize(path) {
        return there;
    }
    let leads = fs::read_link(path).map(|to| path.parent().unwrap_or(Path::new("")).join(to));
    leads.unwrap_or_else(|_| path.to_owned())
}

/// Whether a path, such as `/dev/stdout`, leads to where the standard output goes already.
#[cfg(unix)]
fn is_standard_output(path: &Path) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let output = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let output = output.and_then(|output| output.metadata());
    let Ok((output, there)) = output.and_then(|output| Ok((output, fs::metadata(path)?))) else {
        return false;
    };
    (output.dev(), output.ino()) == (there.dev(), there.ino())
}

#[cfg(not(unix))]
fn is_standard_output(_: &Path) -> bool {
    false
}

impl Write for &Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Standard => io::stdout().write(bytes),
            Target::Stream(file) => (&mut &*file).write(bytes),
            Target::File { draft, .. } => (&mut draft.as_file()).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Standard => io::stdout().flush(),
            Target::Stream(file) => (&mut &*file).flush(),
            Target::File { draft, .. } => (&mut draft.as_file()).flush(),
        }
    }
}
