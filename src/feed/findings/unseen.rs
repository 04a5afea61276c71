//! Shares of codes that never appeared before, and the test for unusual shares.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::finding::{Finding, FindingKind, percent};

/// The number of earlier files that a share is compared with.
const FILES_COMPARED: usize = 12;
/// The least number of earlier files.
const FILES_MIN: usize = 6;
/// The distance above the median that an unusual share exceeds, in basis points.
const ABOVE_MIN: u64 = 1000;
/// The distance above the median that an unusual share exceeds, in median absolute deviations.
const DEVIATIONS: u64 = 5;

/// The kinds of findings about unseen codes.
pub const UNSEEN: [FindingKind; 3] =
    [FindingKind::UnseenFirms, FindingKind::UnseenCountries, FindingKind::UnseenRegions];

/// The number of different codes of a kind in a file, and the number of new ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewCodes {
    /// The number of different codes.
    pub n_codes: u64,
    /// The number of codes that no earlier file has.
    pub n_new: u64,
}

impl NewCodes {
    /// The share of new codes in basis points; `None` for a file without codes.
    fn share(self) -> Option<u64> {
        (self.n_new * 10_000).checked_div(self.n_codes)
    }
}

/// The shares of new codes in earlier files, by part of the month.
#[derive(Debug, Default)]
pub struct History {
    shares: BTreeMap<String, [VecDeque<u64>; UNSEEN.len()]>,
}

impl History {
    /// Adds the shares of a file.
    pub fn add(&mut self, part: &str, codes: &[NewCodes; UNSEEN.len()]) {
        let shares = self.shares.entry(part.to_owned()).or_default();
        for (shares, codes) in shares.iter_mut().zip(codes) {
            shares.extend(codes.share());
            if shares.len() > FILES_COMPARED {
                shares.pop_front();
            }
        }
    }

    /// The finding of a kind, by its position in [`UNSEEN`], if its share is unusual.
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

/// The median of numbers; for an even count, the mean of the two in the middle.
fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    let Some(last) = numbers.len().checked_sub(1) else { return 0 };
    u64::midpoint(numbers[last / 2], numbers[last.div_ceil(2)])
}
