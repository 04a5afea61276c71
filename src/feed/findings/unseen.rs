//! Shares of codes that were never seen before, and when one is unusual.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::finding::{Finding, FindingKind, percent};

/// How many earlier files a share is compared with.
const FILES_COMPARED: usize = 12;
/// How many earlier files there must be.
const FILES_MIN: usize = 6;
/// How far above the median a share must be, in basis points.
const ABOVE_MIN: u64 = 1000;
/// And how many median absolute deviations.
const DEVIATIONS: u64 = 5;

/// What codes can be unseen.
pub const UNSEEN: [FindingKind; 3] =
    [FindingKind::UnseenFirms, FindingKind::UnseenCountries, FindingKind::UnseenRegions];

/// How many different codes a file has of a kind, and how many of them are new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewCodes {
    /// All of them.
    pub n_codes: u64,
    /// Those that no earlier file has.
    pub n_new: u64,
}

impl NewCodes {
    /// Basis points; none of a file without codes.
    fn share(self) -> Option<u64> {
        (self.n_new * 10_000).checked_div(self.n_codes)
    }
}

/// The shares of earlier files, by the part of the months that they are.
#[derive(Debug, Default)]
pub struct History {
    shares: BTreeMap<String, [VecDeque<u64>; UNSEEN.len()]>,
}

impl History {
    /// Adds those of a file.
    pub fn add(&mut self, part: &str, codes: &[NewCodes; UNSEEN.len()]) {
        let shares = self.shares.entry(part.to_owned()).or_default();
        for (shares, codes) in shares.iter_mut().zip(codes) {
            shares.extend(codes.share());
            if shares.len() > FILES_COMPARED {
                shares.pop_front();
            }
        }
    }

    /// Whether the share of a kind, by its position in [`UNSEEN`], is unusual.
    #[must_use]
    pub fn find(
        &self,
        part: &str,
        at: usize,
        codes: NewCodes,
        first: impl FnOnce() -> Vec<String>,
    ) -> Option<Finding> {
        let share = codes.share()?;
        let shares = &self.shares.get(part)?[at];
        if shares.len() < FILES_MIN {
            return None;
        }
        let usual = median(shares.iter().copied().collect());
        let deviation = median(shares.iter().map(|share| share.abs_diff(usual)).collect());
        let above = share.checked_sub(usual)?;
        (above > ABOVE_MIN && above > DEVIATIONS * deviation).then(|| Finding {
            kind: UNSEEN[at],
            n: codes.n_new,
            of: codes.n_codes,
            first: first(),
            beside: percent(usual, 10_000),
        })
    }
}

/// The middle of numbers, of an even number the mean of the two in the middle.
fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    let Some(last) = numbers.len().checked_sub(1) else { return 0 };
    u64::midpoint(numbers[last / 2], numbers[last.div_ceil(2)])
}
