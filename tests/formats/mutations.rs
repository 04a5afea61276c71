//! Randomly changed files: they are read or refused, and never end the process.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::common::n_points;
use super::fixtures::{FILES, unpacked};
use super::{columnar, profile, read_file};

/// The position of a change, from 0 to 1, and the new byte.
type Change = (f64, u8);

/// A file of each format, with the keys of its profile.
fn files() -> Vec<(Vec<u8>, &'static str)> {
    let mut files: Vec<_> = FILES.iter().map(|(name, keys)| (unpacked(name), *keys)).collect();
    let [batch, ..] = columnar::batches();
    files.push((columnar::parquet(&batch), ""));
    files.extend(columnar::arrow(&batch).map(|bytes| (bytes, "")));
    files
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a file"
)]
fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for (at, byte) in changes {
        let n_bytes = bytes.len();
        bytes[((at * n_bytes as f64) as usize).min(n_bytes - 1)] = *byte;
    }
    bytes
}

/// Numbers that a file may claim as a size: of 32 and 64 bits in either order, and of Thrift.
const CLAIMS: [&[u8]; 5] = [
    &[0xFF, 0xFF, 0xFF, 0x7F],
    &[0x7F, 0xFF, 0xFF, 0xFF],
    &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F],
    &[0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
    &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
];

#[test]
fn a_size_past_the_file_at_any_place_is_no_size_that_is_reserved() {
    let mut n_refused = 0;
    for (bytes, keys) in files() {
        let step = bytes.len().div_ceil(n_points(80, bytes.len()));
        for at in (0..bytes.len()).step_by(step) {
            for claim in CLAIMS.into_iter().filter(|claim| at + claim.len() <= bytes.len()) {
                let mut claimed = bytes.clone();
                claimed[at..at + claim.len()].copy_from_slice(claim);
                n_refused += u32::from(read_file(&claimed, &profile(keys)).is_err());
            }
        }
    }
    assert!(n_refused > 100, "{n_refused} refused");
}

#[test]
fn bytes_that_change_at_random_are_read_or_refused() {
    let files = files();
    let (n_read, n_refused) = (AtomicU32::new(0), AtomicU32::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: u32::try_from(n_points(60, 1_000_000)).expect("a number of cases"),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let changes = proptest::collection::vec((0.0..1.0, any::<u8>()), 1..12);
    let run = runner.run(&changes, |changes| {
        for (bytes, keys) in &files {
            let read = read_file(&changed(bytes.clone(), &changes), &profile(keys));
            let counter = if read.is_ok() { &n_read } else { &n_refused };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    run.expect("no change is more than a refusal");
    let counts = [n_read, n_refused].map(AtomicU32::into_inner);
    assert!(counts.iter().all(|n| *n > 50), "read and refused: {counts:?}");
}
