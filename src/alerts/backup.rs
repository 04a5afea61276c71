//! The files of alerts in a backup of a home, and back from it.
//!
//! They are read before the home, so their last judged publication is never newer than that of the
//! copy: a restored home judges again what the copy does not know, with the same identifiers.

use std::io::ErrorKind;
use std::path::Path;

use super::settings::{self, AlertsFileError, Settings};
use super::store::{self, Store, StoreError};
use crate::files;
use crate::home::backup::Beside;

/// The reason why the files cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The rules cannot be read.
    #[error(transparent)]
    Rules(#[from] AlertsFileError),
    /// The database is damaged or cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The files of alerts, checked.
#[derive(Debug, Default)]
pub struct AlertFiles {
    /// The rules and the database, as far as they exist.
    pub files: Vec<Beside>,
    /// The reason why the rules are invalid. They are copied as they are.
    pub invalid: Option<AlertsFileError>,
}

/// Reads the rules and the alerts of a home, and checks them. The database is read in one
/// transaction, also while a watcher writes it.
///
/// # Errors
/// [`BackupError`] if a file cannot be read or the database is damaged.
pub fn read(home: &Path) -> Result<AlertFiles, BackupError> {
    let mut found = AlertFiles::default();
    let path = home.join(settings::FILE);
    match files::read(&path) {
        Ok(bytes) => {
            found.files.push(Beside { name: settings::FILE, bytes });
            found.invalid = Settings::read(&path).err();
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(AlertsFileError::Read { path, source }.into()),
    }
    if let Some(store) = Store::read(home)? {
        store.verify()?;
        found.files.push(Beside { name: store::FILE, bytes: store.bytes()? });
    }
    Ok(found)
}
