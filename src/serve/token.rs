//! Access tokens, from a file that only its owner can read.

use std::io;
use std::path::{Path, PathBuf};

use crate::files;

/// The shortest token, in bytes.
const LENGTH_MIN: usize = 24;

/// The reason why tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("cannot read the token file {path}; check the path and its owner")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Other users can read the file.
    #[error("other users can read the token file {path}: run `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// A line is no token.
    #[error(
        "{path}, line {line}: a token has at least {LENGTH_MIN} letters, digits or -._~+/=; write \
         one with `openssl rand -hex 32`"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// The file has no token.
    #[error("the token file {path} has no token; write one with `openssl rand -hex 32`")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The accepted tokens, by hash.
#[derive(Clone)]
pub struct Tokens {
    hashes: Vec<blake3::Hash>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Tokens({})", self.hashes.len())
    }
}

impl Tokens {
    /// Reads a file with a token on each line. Empty lines and lines that begin with `#` do not
    /// count.
    ///
    /// # Errors
    /// [`TokenError`] if the file cannot be read, other users can read it, or it has another line.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let cannot_read = |source| TokenError::Read { path: path.to_owned(), source };
        if is_exposed(path).map_err(cannot_read)? {
            return Err(TokenError::Exposed { path: path.to_owned() });
        }
        let text = files::read_text(path).map_err(cannot_read)?;
        let mut hashes = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let token = line.trim();
            if token.is_empty() || token.starts_with('#') {
                continue;
            }
            let is_of_token =
                |letter: u8| letter.is_ascii_alphanumeric() || b"-._~+/=".contains(&letter);
            if token.len() < LENGTH_MIN || !token.bytes().all(is_of_token) {
                return Err(TokenError::Line { path: path.to_owned(), line: at + 1 });
            }
            hashes.push(blake3::hash(token.as_bytes()));
        }
        if hashes.is_empty() {
            return Err(TokenError::Empty { path: path.to_owned() });
        }
        Ok(Self { hashes })
    }

    /// True if a text is one of the tokens. The comparison of hashes takes the same time for every
    /// text.
    #[must_use]
    pub fn has(&self, text: &str) -> bool {
        let asked = blake3::hash(text.as_bytes());
        // `blake3::Hash` compares in constant time; no comparison is left out.
        self.hashes.iter().filter(|hash| **hash == asked).count() > 0
    }
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn tokens_come_from_a_private_file_with_a_long_token_on_each_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("token");
        let read = |text: &str, mode: u32| {
            std::fs::write(&path, text).expect("written");
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, mode).expect("set");
            Tokens::read(&path)
        };
        let tokens = read(&format!("# analysts\n\n{TOKEN}\n"), 0o600).expect("a token");
        assert!(tokens.has(TOKEN));
        for other in ["", "0123456789abcdef0123456789abcdee", &TOKEN[1..]] {
            assert!(!tokens.has(other), "{other}");
        }
        assert!(!format!("{tokens:?}").contains(TOKEN));
        let error = read(TOKEN, 0o640).expect_err("a group can read it");
        assert!(matches!(error, TokenError::Exposed { .. }), "{error}");
        let error = read("short\n", 0o600).expect_err("too short");
        assert!(matches!(error, TokenError::Line { line: 1, .. }), "{error}");
        let error = read("# none\n", 0o600).expect_err("none");
        assert!(matches!(error, TokenError::Empty { .. }), "{error}");
    }
}
