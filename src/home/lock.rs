//! One process at a time writes a home. It holds an exclusive lock on `DIR/lock` until it ends.
//!
//! The file holds the writer's process number for the message to a second writer. Readers do not
//! wait for a writer. They share a lock on `DIR/readers`, and files are not removed while they hold
//! it.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use super::durable::Held;
use super::error::{HomeError, Result};
use crate::files::{self, private};

/// The right to write a home, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    // Dropped before the lock is released, so that the mark of the next holder stays.
    _held: Held,
    _file: File,
}

impl Lock {
    /// Locks a home.
    ///
    /// # Errors
    /// - [`HomeError::Locked`] if another process, or another handle of this one, holds it.
    /// - [`HomeError::Lock`] if the file cannot be opened, locked or written.
    pub(super) fn acquire(home: &Path) -> Result<Self> {
        let path = home.join("lock");
        let failed = |source| HomeError::Lock { path: path.clone(), source };
        // The file is not truncated: before this process has the lock, the number is another
        // process's.
        let file = private::open_or_create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = files::read_text(&path).ok().and_then(|text| text.trim().parse().ok());
                return Err(HomeError::Locked { home: home.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        write_pid(&file).map_err(failed)?;
        Ok(Self { _held: Held::begin(home), _file: file })
    }
}

/// The mark of a reader, held until it is dropped.
#[derive(Debug)]
pub(super) struct Reading {
    _file: File,
}

impl Reading {
    /// Marks a reader. Returns `None` if the home has no such file yet, the reader may not open it,
    /// or the file system has no locks; the reader then works without a mark.
    ///
    /// # Errors
    /// [`HomeError::Read`] if the file cannot be opened for another reason.
    pub(super) fn begin(home: &Path) -> Result<Option<Self>> {
        let path = home.join(READERS);
        let file = match files::open(&path) {
            Err(error) if does_without(&error) => return Ok(None),
            opened => opened.map_err(|source| HomeError::Read { path, source })?,
        };
        // A writer is removing files, which takes a moment.
        for _ in 0..TRIES {
            match file.try_lock_shared() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::WouldBlock) => std::thread::sleep(WAIT),
                Err(TryLockError::Error(_)) => break,
            }
        }
        Ok(None)
    }
}

/// The lock held during the removal of files.
#[derive(Debug)]
pub(super) struct Unread {
    _file: Option<File>,
}

impl Unread {
    /// Locks out new readers; `None` if there are, or may be, readers. If a full disk has no room
    /// for the file, there is no mark of a reader either, and no lock is needed.
    ///
    /// # Errors
    /// [`HomeError::Lock`] if the file cannot be opened.
    pub(super) fn begin(home: &Path) -> Result<Option<Self>> {
        let path = home.join(READERS);
        match private::open_or_create(&path) {
            Ok(file) => Ok(file.try_lock().is_ok().then_some(Self { _file: Some(file) })),
            Err(error) if has_no_room(&error) => {
                Ok((!path.exists()).then_some(Self { _file: None }))
            }
            Err(source) => Err(HomeError::Lock { path, source }),
        }
    }
}

const READERS: &str = "readers";
/// The number of attempts of a reader to set its mark, and the wait between them.
const TRIES: u32 = 100;
const WAIT: Duration = Duration::from_millis(10);

/// True for errors after which a reader works without a mark.
fn does_without(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
    )
}

fn has_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn write_pid(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_removed_while_somebody_reads() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let reading = || Reading::begin(home.path()).expect("it can be opened");
        let unread = || Unread::begin(home.path()).expect("it can be opened");
        assert!(reading().is_none(), "a home that no writer has opened");
        drop(unread().expect("nobody reads"));
        let readers = [(), ()].map(|()| reading().expect("a reader"));
        assert!(unread().is_none());
        drop(readers);
        assert!(unread().is_some());
    }

    #[test]
    fn a_second_writer_is_told_who_the_first_one_is() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let first = Lock::acquire(home.path()).expect("the first lock");
        let second = Lock::acquire(home.path()).expect_err("a second lock");
        let expected = format!(
            "another spillover process is writing {} (pid {}); wait for it or stop it",
            home.path().display(),
            std::process::id()
        );
        assert_eq!(second.to_string(), expected);
        drop(first);
        Lock::acquire(home.path()).expect("the lock is free again");
    }
}
