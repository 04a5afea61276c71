//! Randomly changed files: they are read or refused, and never end the process.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

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

#[test]
fn bytes_that_change_at_random_are_read_or_refused() {
    let files = files();
    let (n_read, n_refused) = (AtomicU32::new(0), AtomicU32::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 60,
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
