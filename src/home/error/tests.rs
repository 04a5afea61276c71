//! Messages and kinds of errors of the archive.

use super::*;

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

#[test]
fn a_full_disk_is_told_from_a_bad_one_however_deep_it_says_so() {
    let path = || PathBuf::from("home/segments/000001.parquet");
    let no_room = [
        ArchiveError::Write { path: path(), source: full() },
        ArchiveError::Sync { path: path(), source: full() },
        ArchiveError::encode(&path(), full()),
        ArchiveError::encode(&path(), ParquetError::External(Box::new(full()))),
        ArchiveError::Commit {
            path: path(),
            publication: Publication(1),
            source: rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(13), None),
        },
    ];
    for error in no_room {
        assert!(error.is_no_room() && !error.is_fatal(), "{error}");
    }
    let eio = || io::Error::from_raw_os_error(5);
    let synced = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
    let bad = [
        ArchiveError::Sync { path: path(), source: eio() },
        ArchiveError::encode(&path(), ParquetError::External(Box::new(eio()))),
        ArchiveError::Unconfirmed {
            path: path(),
            source: rusqlite::Error::SqliteFailure(synced, None),
        },
        ArchiveError::Keep {
            path: path(),
            what: "the commit",
            source: rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(11), None),
        },
        ArchiveError::ManifestDamaged { path: path(), what: "a page".to_owned() },
        ArchiveError::ManifestLost { path: path(), acknowledged: 2, found: 1 },
    ];
    for error in bad {
        assert!(error.is_fatal() && !error.is_no_room(), "{error}");
    }
}
