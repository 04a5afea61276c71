//! Locality, found in the data: which effect lives inside blocks of another's levels.
//!
//! Two levels of an effect belong together when a level of the swept effect has rows in both. With
//! plant-year
//! swept, the connected levels of city-destination are the cities and those of destination-year are
//! the years: nothing
//! is told by a name. An effect whose connected blocks are small is eliminated block by block; the
//! other one is
//! what remains to be iterated.

use crate::estimate::degrees::root;
use crate::estimate::design::Design;
use crate::estimate::design::codes::Codes;

/// Operations of all blocks' factorisations allowed for each row.
const FACTOR_WORK_PER_ROW: f64 = 300.0;
/// Operations allowed in any case.
const FACTOR_WORK_FREE: f64 = 1e8;
/// Share of the rows that one block may hold: blocks are the tasks of the threads.
const BLOCK_SHARE_MAX: usize = 3;
/// Pieces (block, component of the iterated effect) that are kept track of.
const PIECES_MAX: usize = 1 << 22;

/// Blocks of rows: pieces numbered block after block.
#[derive(Debug)]
pub struct Blocks {
    /// The effect to eliminate within blocks.
    pub eliminated: usize,
    /// The effect to iterate.
    pub iterated: usize,
    /// The piece of each row: its block and its component of the iterated effect.
    pub pieces: Codes,
    /// Pieces of one block.
    pub pieces_per_block: usize,
}

impl Blocks {
    /// The elimination that leaves least to iterate, if one of the effects falls into small blocks.
    #[must_use]
    pub fn find(design: &Design<'_>, swept: usize) -> Option<Self> {
        let others: Vec<usize> = (0..design.effects.len()).filter(|&i| i != swept).collect();
        let [a, b] = others[..] else { return None };
        let smaller_first = |i: &(usize, usize)| design.effects[i.1].n_levels;
        let mut choices = [(a, b), (b, a)];
        choices.sort_by_key(smaller_first);
        let swept = &design.effects[swept];
        let of_level = [a, b].map(|i| (i, components(swept, &design.effects[i])));
        let component = |i: usize| &of_level[usize::from(i == b)].1;
        let fits = |&(eliminated, _): &(usize, usize)| {
            is_small(&design.effects[eliminated], component(eliminated))
        };
        let (eliminated, iterated) = choices.into_iter().find(fits)?;
        let (blocks, components) = (component(eliminated), component(iterated));
        let pieces_per_block = components.n_levels;
        let n_pieces = blocks.n_levels.checked_mul(pieces_per_block)?;
        if n_pieces > PIECES_MAX {
            return None;
        }
        let stride = u32::try_from(pieces_per_block).ok()?;
        let rows = design.effects[eliminated].of_row.iter().zip(&design.effects[iterated].of_row);
        let of_row =
            rows.map(|(&r, &g)| blocks.of_row[r as usize] * stride + components.of_row[g as usize]);
        let pieces = Codes { name: "pieces".into(), of_row: of_row.collect(), n_levels: n_pieces };
        Some(Self { eliminated, iterated, pieces, pieces_per_block })
    }
}

/// The component of each level of an effect, connected through the levels of the swept one.
fn components(swept: &Codes, effect: &Codes) -> Codes {
    const NONE: u32 = u32::MAX;
    let mut parents: Vec<u32> = (0..).take(effect.n_levels).collect();
    let mut first_of_group = vec![NONE; swept.n_levels];
    for (&group, &level) in swept.of_row.iter().zip(&effect.of_row) {
        let first = &mut first_of_group[group as usize];
        if *first == NONE {
            *first = level;
        } else if *first != level {
            let (a, b) = (root(&mut parents, *first), root(&mut parents, level));
            parents[a.max(b) as usize] = a.min(b);
        }
    }
    let levels: Vec<u32> = (0..).take(effect.n_levels).collect();
    let roots: Vec<u32> = levels.iter().map(|&level| root(&mut parents, level)).collect();
    let n_levels = roots.len();
    Codes { name: effect.name.clone(), of_row: roots, n_levels }.select(&levels)
}

/// Whether factorising each block costs little beside the rows, and no block is most of the sample.
#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn is_small(effect: &Codes, blocks: &Codes) -> bool {
    let mut levels = vec![0_usize; blocks.n_levels];
    let mut rows = vec![0_usize; blocks.n_levels];
    for &block in &blocks.of_row {
        levels[block as usize] += 1;
    }
    for &level in &effect.of_row {
        rows[blocks.of_row[level as usize] as usize] += 1;
    }
    let n_rows = effect.of_row.len();
    let work: f64 = levels.iter().map(|&n| (n as f64).powi(3) / 3.0).sum();
    work <= FACTOR_WORK_PER_ROW * n_rows as f64 + FACTOR_WORK_FREE
        && rows.iter().all(|&rows| rows <= n_rows / BLOCK_SHARE_MAX)
}
