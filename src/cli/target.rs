//! Where a command writes: the standard output, or a file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The standard output, or a file under another name until [`Target::finish`].
pub struct Target {
    file: Option<(File, PathBuf, PathBuf)>,
}

impl Target {
    /// Starts the file, or takes the standard output where none is named.
    pub fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self { file: None }) };
        // A pipe or a device takes what is written as it comes.
        let beside = if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            path.to_owned()
        } else {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(".partial");
            path.with_file_name(name)
        };
        let file =
            File::create(&beside).with_context(|| format!("cannot write {}", beside.display()))?;
        Ok(Self { file: Some((file, beside, path.to_owned())) })
    }

    /// Gives the file its name.
    pub fn finish(mut self) -> anyhow::Result<()> {
        if let Some((_, beside, path)) = self.file.take()
            && beside != path
        {
            fs::rename(&beside, &path)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

impl Write for &Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.file {
            Some((file, ..)) => (&mut &*file).write(bytes),
            None => io::stdout().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &self.file {
            Some((file, ..)) => (&mut &*file).flush(),
            None => io::stdout().flush(),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some((_, beside, path)) = &self.file
            && beside != path
        {
            // What was begun and failed is of no use to anybody.
            let _ = fs::remove_file(beside);
        }
    }
}
