//! Where a command writes: the standard output, or a file that is there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The standard output, or a file under another name until [`Target::finish`].
pub struct Target {
    out: Option<Out>,
}

/// A file in the making.
struct Out {
    file: File,
    /// Its name until it is finished; none for a pipe or a device, which takes what is written as
    /// it comes.
    draft: Option<PathBuf>,
    path: PathBuf,
}

impl Target {
    /// Starts the file, or takes the standard output where none is named.
    pub fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self { out: None }) };
        let failed = || format!("cannot write {}", path.display());
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            let file = File::create(path).with_context(failed)?;
            return Ok(Self { out: Some(Out { file, draft: None, path: path.to_owned() }) });
        }
        // A link stays, and leads to the new file.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let draft = beside(&path);
        let file = File::create_new(&draft).with_context(failed)?;
        let out = Out { file, draft: Some(draft), path };
        // Whoever could read the old one can read the new one, and nobody else.
        let kept =
            fs::metadata(&out.path).map(|there| out.file.set_permissions(there.permissions()));
        kept.unwrap_or(Ok(())).with_context(failed)?;
        Ok(Self { out: Some(out) })
    }

    /// Makes the file durable and gives it its name.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let Some(out) = &mut self.out else { return Ok(()) };
        let Some(draft) = &out.draft else { return Ok(()) };
        let named = out.file.sync_all().and_then(|()| fs::rename(draft, &out.path));
        named.with_context(|| format!("cannot write {}", out.path.display()))?;
        out.draft = None;
        Ok(())
    }
}

/// A name in the same folder that no other file has, not even another run's.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}

impl Write for &Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.out {
            Some(out) => (&out.file).write(bytes),
            None => io::stdout().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &self.out {
            Some(out) => (&out.file).flush(),
            None => io::stdout().flush(),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(draft) = self.out.as_ref().and_then(|out| out.draft.as_ref()) {
            // What was begun and failed is of no use to anybody.
            let _ = fs::remove_file(draft);
        }
    }
}
