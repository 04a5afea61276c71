//! Records that are equal to records of another file, in every field that is read.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::domain::dictionary::Dictionary;
use crate::domain::finding::{Finding, FindingKind, SHOWN};
use crate::domain::record::{Record, Texts};

/// Hashes of records with their lines, in order.
pub type Lines = Vec<(u64, u32)>;

/// The hashes of a file's records; they do not depend on other files.
#[must_use]
pub fn lines(texts: &Texts, records: &[Record]) -> Lines {
    let of_texts = |dictionary: &Dictionary| -> Vec<u64> {
        let n = u32::try_from(dictionary.len()).unwrap_or(u32::MAX);
        let hash = |at| {
            let mut hasher = FxHasher::default();
            hasher.write(dictionary.text(at).as_bytes());
            hasher.finish()
        };
        (0..n).map(hash).collect()
    };
    let Texts { firms, names, regions, countries, products, trade_modes } = texts;
    let [firms, names, regions, countries, products, trade_modes] =
        [firms, names, regions, countries, products, trade_modes].map(of_texts);
    let of_record = |record: &Record| {
        let mut hasher = FxHasher::default();
        for (hashes, at) in [
            (&firms, record.firm),
            (&names, record.name),
            (&regions, record.region),
            (&countries, record.country),
            (&products, record.product),
            (&trade_modes, record.trade_mode),
        ] {
            hasher.write_u64(hashes[at as usize]);
        }
        hasher.write_u32(record.period.as_yyyymm());
        hasher.write_u8(record.flow as u8);
        hasher.write_i64(record.value_cents);
        hasher.finish()
    };
    let mut lines: Lines = records.iter().map(|record| (of_record(record), record.line)).collect();
    lines.sort_unstable();
    lines
}

/// Finds records that another file also has, each as often as both files have it.
#[must_use]
pub fn find(new: &Lines, earlier: &Lines, name: &str) -> Option<Finding> {
    let mut earlier = earlier.iter().map(|(hash, _)| *hash).peekable();
    let mut same = Vec::new();
    for (hash, line) in new {
        while earlier.next_if(|other| other < hash).is_some() {}
        if earlier.next_if_eq(hash).is_some() {
            same.push(*line);
        }
    }
    same.sort_unstable();
    let first = same.iter().take(SHOWN).map(|line| format!("line {line}")).collect();
    (!same.is_empty()).then(|| Finding {
        kind: FindingKind::SameLines,
        n: same.len() as u64,
        of: new.len() as u64,
        first,
        beside: name.to_owned(),
    })
}
