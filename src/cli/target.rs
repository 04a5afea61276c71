//! The destination of an output: the standard output, or a file that is written completely or not
//! at all. The file is outside of every home and is not an input of the command.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use spillover::files::resolve;
use spillover::files::scratch::{Leaving, clear_stale_drafts, held, remove_on_signals};
use spillover::files::trouble::remark;
use spillover::home::home_around;

/// The files that a command must not overwrite.
pub struct Spared<'a> {
    /// The home folder, which may not exist.
    pub data: &'a Path,
    /// The input files of the command.
    pub inputs: Vec<&'a Path>,
}

impl Spared<'_> {
    /// Refuses an invalid path before the work.
    pub fn check(&self, path: Option<&Path>) -> anyhow::Result<()> {
        match path {
            Some(path) if !is_stream(path) => self.checked(path).map(drop),
            _ => Ok(()),
        }
    }

    /// The resolved path, if it is outside of all homes and not an input.
    pub fn checked(&self, path: &Path) -> anyhow::Result<PathBuf> {
        let failed = |error| not_written(path, error);
        let target = resolve(path).map_err(failed)?;
        let given = resolve(self.data).ok().filter(|data| target.starts_with(data));
        if let Some(home) = home_around(&target).or(given) {
            let (path, home) = (path.display(), home.display());
            bail!("{path} is inside the home {home}; write to a file outside of it");
        }
        let Ok(there) = fs::metadata(&target) else { return Ok(target) };
        let is_there = |other: &Path| {
            let other = fs::metadata(other);
            other.is_ok_and(|other| (other.dev(), other.ino()) == (there.dev(), there.ino()))
        };
        if let Some(input) = self.inputs.iter().find(|input| is_there(input)) {
            let (path, input) = (path.display(), input.display());
            bail!("{path} is the file {input} that this command reads; write to another file");
        }
        // A file of the home can have another name outside of it.
        if there.is_file() && there.nlink() > 1 && has_file(self.data, (there.dev(), there.ino()))?
        {
            let (path, home) = (path.display(), self.data.display());
            bail!("{path} is a file of the home {home} under another name; write to another file");
        }
        Ok(target)
    }
}

/// True if a folder contains a file, by device and inode numbers.
fn has_file(folder: &Path, file: (u64, u64)) -> anyhow::Result<bool> {
    let failed = || format!("cannot list the files of the home {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries.with_context(failed)?,
    };
    for entry in entries {
        let entry = entry.with_context(failed)?;
        let there = entry.metadata().with_context(failed)?;
        if (there.dev(), there.ino()) == file || (there.is_dir() && has_file(&entry.path(), file)?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn not_written(path: &Path, error: io::Error) -> anyhow::Error {
    let remark = remark(path, &error);
    anyhow!(error).context(format!("cannot write {}{remark}", path.display()))
}

/// The destination of an output.
pub enum Target {
    /// The standard output.
    Standard,
    /// A pipe or a device, which receives the output directly.
    Stream(File),
    /// A file under another name until [`Target::finish`].
    File {
        /// The draft with the content.
        draft: File,
        /// The draft's name; the draft is removed unless it is finished.
        leaving: Leaving,
        /// The final name.
        path: PathBuf,
    },
}

impl Target {
    /// Starts the file, or uses the standard output if no file is named.
    pub fn create(path: Option<&Path>, spared: &Spared<'_>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Standard) };
        let failed = |error| not_written(path, error);
        if is_standard_output(path) {
            return Ok(Self::Standard);
        }
        if is_stream(path) {
            return Ok(Self::Stream(File::create(path).map_err(failed)?));
        }
        let target = spared.checked(path)?;
        let (draft, leaving) = draft_beside(&target).map_err(failed)?;
        // The new file has the readers of the old one, and no others.
        if let Ok(there) = fs::metadata(&target) {
            give(&draft, &there).map_err(failed)?;
        }
        Ok(Self::File { draft, leaving, path: target })
    }

    /// Writes the file to disk and gives it its final name.
    pub fn finish(self) -> anyhow::Result<()> {
        let Self::File { draft, leaving, path } = self else { return Ok(()) };
        let named = draft.sync_all().and_then(|()| leaving.stay_as(&path));
        named.map_err(|error| not_written(&path, error))
    }
}

/// True if a path is a pipe or a device, or is the standard output: no file is replaced then.
fn is_stream(path: &Path) -> bool {
    let is_special = |there: fs::Metadata| !there.is_file() && !there.is_dir();
    is_standard_output(path) || fs::metadata(path).is_ok_and(is_special)
}

/// A new file in the same folder under a unique name, with default permissions. Removes the
/// leftovers of killed processes.
fn draft_beside(path: &Path) -> io::Result<(File, Leaving)> {
    use std::os::unix::fs::PermissionsExt;
    remove_on_signals()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    let folder = path.parent().unwrap_or(Path::new("."));
    clear_stale_drafts(folder, &prefix, SUFFIX);
    loop {
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX).permissions(fs::Permissions::from_mode(0o666));
        if let Some((draft, path)) = held(builder.tempfile_in(folder)?)? {
            return Ok((draft, Leaving::begin(path)));
        }
    }
}

const SUFFIX: &str = ".partial";

/// Gives a file the owner, group and permissions of another, as far as permitted. If the group
/// differs, the file gets no group permissions.
fn give(file: &File, like: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, fchown};
    let mut mode = like.mode() & 0o777;
    if fchown(file, None, Some(like.gid())).is_err() {
        mode &= !0o070;
    }
    let _ = fchown(file, Some(like.uid()), None);
    file.set_permissions(fs::Permissions::from_mode(mode))
}

/// True if a path, such as `/dev/stdout`, is the standard output.
fn is_standard_output(path: &Path) -> bool {
    use std::os::fd::AsFd;
    let output = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let output = output.and_then(|output| output.metadata());
    let Ok((output, there)) = output.and_then(|output| Ok((output, fs::metadata(path)?))) else {
        return false;
    };
    (output.dev(), output.ino()) == (there.dev(), there.ino())
}

impl Write for &Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Standard => io::stdout().write(bytes),
            Target::Stream(file) => (&mut &*file).write(bytes),
            Target::File { draft, .. } => (&mut &*draft).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Standard => io::stdout().flush(),
            Target::Stream(file) => (&mut &*file).flush(),
            Target::File { draft, .. } => (&mut &*draft).flush(),
        }
    }
}
