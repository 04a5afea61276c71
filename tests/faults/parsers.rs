//! Runs each fuzzed parser on its corpus and on random mutations of it, for a short time and
//! without libFuzzer.

#[path = "../fuzz/parsers.rs"]
mod targets;

use std::fs;
use std::path::Path;

use super::common::n_points;
use super::common::nasty_feed::Random;

/// The stored inputs of a target.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("an input")).collect()
}

fn position(random: &mut Random, n: usize) -> usize {
    usize::try_from(random.below(n as u64)).expect("a position")
}

/// An input with pieces of another input added, repeated, removed or with flipped bits.
fn mutated(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        let at = position(random, bytes.len() + 1);
        let end = at + position(random, bytes.len() - at + 1).min(20);
        let from = position(random, other.len() + 1);
        let piece = &other[from..(from + position(random, 12)).min(other.len())];
        match random.below(4) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.splice(at..end, piece.repeat(1 + position(random, 3))).for_each(drop),
            _ => bytes.splice(at..at, piece.iter().copied()).for_each(drop),
        }
    }
    bytes
}

#[test]
fn parsers_hold_on_their_corpus_and_on_garbage_made_from_it() {
    let mut random = Random::new(41);
    assert!(targets::ALL.len() >= 10, "parsers are missing");
    for (name, parse) in targets::ALL {
        let corpus = corpus(name);
        assert!(!corpus.is_empty(), "{name} has no input");
        for input in &corpus {
            parse(input);
        }
        // A table takes a hundred times as long as a text; `tests/formats` changes tables as well.
        let n_smoke = if targets::TABLES.contains(&name) { 30 } else { 400 };
        for _ in 0..n_points(n_smoke, 200_000) {
            let (of, other) =
                (position(&mut random, corpus.len()), position(&mut random, corpus.len()));
            let bytes = mutated(&corpus[of], &corpus[other], &mut random);
            let ended = std::panic::catch_unwind(|| parse(&bytes));
            assert!(ended.is_ok(), "{name} fails on {:?}", bytes.escape_ascii().to_string());
        }
    }
}
