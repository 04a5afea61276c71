//! Singletons: a row alone in a level of a fixed effect carries no information. Dropping it may
//! leave another row alone.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::codes::Codes;

/// The treatment of rows alone in a level of a fixed effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Singletons {
    /// Singletons are dropped repeatedly until no row is alone.
    #[default]
    Dropped,
    /// Singletons stay. Each has a residual of zero and counts as an observation, and its level
    /// counts as a parameter (fixest's `fixef.rm = "none"`).
    Kept,
}

/// The rows of one level: their count, and the exclusive or of their numbers. For a level of one
/// row, the latter is that row's number.
#[derive(Clone, Copy, Default)]
struct Level {
    n_rows: u32,
    folded: u32,
}

/// True for each row that stays when singletons are dropped until no row is alone.
#[must_use]
pub fn kept(effects: &[&Codes], n_rows: usize) -> Vec<bool> {
    let mut levels: Vec<Vec<Level>> = effects.par_iter().map(|effect| tally(effect)).collect();
    let mut kept = vec![true; n_rows];
    let mut alone: Vec<u32> = levels
        .iter()
        .flatten()
        .filter(|level| level.n_rows == 1)
        .map(|level| level.folded)
        .collect();
    while let Some(row) = alone.pop() {
        if !std::mem::replace(&mut kept[row as usize], false) {
            continue;
        }
        for (effect, levels) in effects.iter().zip(&mut levels) {
            let level = &mut levels[effect.of_row[row as usize] as usize];
            level.n_rows -= 1;
            level.folded ^= row;
            if level.n_rows == 1 {
                alone.push(level.folded);
            }
        }
    }
    kept
}

fn tally(effect: &Codes) -> Vec<Level> {
    let mut levels = vec![Level::default(); effect.n_levels];
    for (row, &level) in (0..).zip(&effect.of_row) {
        let level = &mut levels[level as usize];
        level.n_rows += 1;
        level.folded ^= row;
    }
    levels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::estimate::panel::Column;

    fn codes(values: &[u32]) -> Codes {
        let rows: Vec<u32> = (0..).take(values.len()).collect();
        Codes::encode("f".into(), &[Column::Code(values)], &rows)
    }

    #[test]
    fn a_chain_of_singletons_goes_whole() {
        let (a, b) = (codes(&[0, 0, 1, 1]), codes(&[0, 1, 1, 2]));
        assert_eq!(kept(&[&a, &b], 4), [false; 4]);
    }

    proptest! {
        #[test]
        fn what_stays_is_what_repeated_sweeps_leave(
            rows in prop::collection::vec((0_u32..9, 0_u32..9), 0..40)
        ) {
            let (a, b): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            let mut stays = vec![true; a.len()];
            loop {
                let alone = |i: usize, f: &[u32]| {
                    (0..f.len()).filter(|&j| stays[j] && f[j] == f[i]).count() == 1
                };
                let next: Vec<bool> =
                    (0..a.len()).map(|i| stays[i] && !alone(i, &a) && !alone(i, &b)).collect();
                if next == stays { break; }
                stays = next;
            }
            prop_assert_eq!(kept(&[&codes(&a), &codes(&b)], a.len()), stays);
        }
    }
}
