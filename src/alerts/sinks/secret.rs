//! Secrets: from private files or the environment, never in a message, an error or a log.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::files;

/// The place of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file that only its owner can read.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
}

/// A secret text; it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

/// The reason why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the secret in {}; check the path and its owner", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Other users can read the file.
    #[error(
        "other users can read the secret in {}; run `chmod 600 {}`",
        path.display(),
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The variable does not exist.
    #[error("the environment has no variable {0}; set it before the start")]
    NoVariable(String),
    /// The secret is empty or has several lines.
    #[error("the secret in {0} is empty or has several lines; write one line")]
    NotALine(String),
}

impl Place {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`SecretError`] if there is none, or other users can read it.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(path) => read(path)?,
            Self::Environment(name) => {
                std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone()))?
            }
        };
        let line = text.trim();
        if line.is_empty() || line.contains(['\n', '\r']) {
            let place = match self {
                Self::File(path) => path.display().to_string(),
                Self::Environment(name) => name.clone(),
            };
            return Err(SecretError::NotALine(place));
        }
        Ok(Secret(line.to_owned()))
    }
}

fn read(path: &Path) -> Result<String, SecretError> {
    let cannot_read = |source| SecretError::Read { path: path.to_owned(), source };
    if is_exposed(path).map_err(cannot_read)? {
        return Err(SecretError::Exposed { path: path.to_owned() });
    }
    files::read_text(path).map_err(cannot_read)
}

fn is_exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

impl Secret {
    /// A text that is treated as a secret.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, for a request.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_one_line_of_a_private_file_and_is_never_printed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("secret");
        let read = |text: &str, mode: u32| {
            std::fs::write(&path, text).expect("written");
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, mode).expect("set");
            Place::File(path.clone()).read()
        };
        let secret = read(" SEC0123\n", 0o600).expect("a secret");
        assert_eq!(secret.expose(), "SEC0123");
        assert_eq!(format!("{secret:?}"), "Secret");
        let exposed = read("SEC0123", 0o640).expect_err("a group can read it").to_string();
        assert!(exposed.contains("chmod 600") && !exposed.contains("SEC0123"), "{exposed}");
        for text in ["", "a\nb"] {
            assert!(matches!(read(text, 0o600), Err(SecretError::NotALine(_))), "{text:?}");
        }
        let none = Place::Environment("SPILLOVER_NO_SUCH_SECRET".to_owned()).read();
        assert!(matches!(none, Err(SecretError::NoVariable(_))));
    }
}
