//! Messages and kinds of errors of the home.

use super::*;

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

#[test]
fn a_full_disk_is_told_from_a_bad_one_however_deep_it_says_so() {
    let path = || PathBuf::from("home/segments/000001.parquet");
    let no_room = [
        HomeError::Write { path: path(), source: full() },
        HomeError::Sync { path: path(), source: full() },
        HomeError::encode(&path(), full()),
        HomeError::encode(&path(), ParquetError::External(Box::new(full()))),
        HomeError::Commit {
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
        HomeError::Sync { path: path(), source: eio() },
        HomeError::encode(&path(), ParquetError::External(Box::new(eio()))),
        HomeError::Unconfirmed {
            path: path(),
            source: rusqlite::Error::SqliteFailure(synced, None),
        },
        HomeError::Keep {
            path: path(),
            what: "the commit",
            source: rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(11), None),
        },
        HomeError::ManifestDamaged { path: path(), what: "a page".to_owned() },
        HomeError::ManifestLost { path: path(), acknowledged: 2, found: 1 },
    ];
    for error in bad {
        assert!(error.is_fatal() && !error.is_no_room(), "{error}");
    }
}
