//! Locality in the data: effects whose levels lie inside blocks of another effect's levels.
//!
//! Two levels of an effect belong together if a level of the swept effect has rows in both. With
//! plant-year swept, the connected levels of city-destination are the cities, and those of
//! destination-year are the years. No name decides this. An effect with small connected blocks is
//! eliminated block by block; another effect is iterated. Any further effect, such as
//! city-product-year, joins the groups of its rows. Its levels are then inside one piece each: a
//! block's share of a component of the iterated effect.

use crate::estimate::design::Design;
use crate::estimate::design::codes::Codes;
use crate::estimate::design::components::{connect, root};

/// The number of operations, for each row, allowed for the factorisation of all blocks.
const FACTOR_WORK_PER_ROW: f64 = 300.0;
/// The number of operations, for each row, allowed inside the pieces: fewer than an iteration over
/// all effects takes.
const LOCAL_WORK_PER_ROW: f64 = 200_000.0;
/// The number of operations that is always allowed.
const FACTOR_WORK_FREE: f64 = 1e8;
/// The largest number of levels eliminated in one piece, whose matrix is dense.
const LOCAL_LEVELS_MAX: usize = 6000;
/// The inverse of the largest share of the rows in one block: blocks are the tasks of the threads.
const BLOCK_SHARE_MAX: usize = 3;
/// The largest number of tracked pieces (a block and a component of the iterated effect).
const PIECES_MAX: usize = 1 << 22;
/// The number of pieces allowed for any number of rows.
const PIECES_FREE: usize = 1024;
/// The smallest number of rows for each further piece, because the piece's sums are stored.
const ROWS_PER_PIECE_MIN: usize = 32;
/// The largest number of effects, without the swept one, for which each pair is tried.
const EFFECTS_MAX: usize = 4;

/// The blocks of rows: pieces numbered block after block.
#[derive(Debug)]
pub struct Blocks {
    /// The effect to eliminate within blocks.
    pub eliminated: usize,
    /// The effect to iterate.
    pub iterated: usize,
    /// The effects to eliminate within pieces.
    pub local: Vec<usize>,
    /// The piece of each row: its block and its component of the iterated effect. Empty after the
    /// rows are in that order.
    pub pieces: Codes,
    /// The number of rows of each piece.
    pub n_rows: Vec<u32>,
    /// The number of pieces of one block.
    pub pieces_per_block: usize,
}

impl Blocks {
    /// The elimination that leaves the fewest levels to iterate, if the effects have small blocks.
    #[must_use]
    pub fn find(design: &Design<'_>, swept: usize, others: &[usize]) -> Option<Self> {
        if !(2..=EFFECTS_MAX).contains(&others.len()) {
            return None;
        }
        let levels = |i: usize| design.effects[i].n_levels;
        let pairs = others.iter().flat_map(|&g| others.iter().map(move |&r| (r, g)));
        let mut choices: Vec<(usize, usize)> = pairs.filter(|(r, g)| r != g).collect();
        choices.sort_by_key(|&(r, g)| (levels(g), levels(r)));
        choices.into_iter().find_map(|(eliminated, iterated)| {
            let is_local = |i: &usize| ![eliminated, iterated].contains(i);
            let local = others.iter().copied().filter(is_local).collect();
            Self::of_choice(design, swept, eliminated, iterated, local)
        })
    }

    fn of_choice(
        design: &Design<'_>,
        swept: usize,
        eliminated: usize,
        iterated: usize,
        local: Vec<usize>,
    ) -> Option<Self> {
        let effect = |i: usize| design.effects[i].as_ref();
        let locals: Vec<&Codes> = local.iter().map(|&i| effect(i)).collect();
        let joined = (!local.is_empty()).then(|| components(&locals, effect(swept)));
        let links = joined.map(|joined| over_rows(&joined, effect(swept)));
        let link = links.as_ref().unwrap_or(effect(swept));
        let (blocks, components) = rayon::join(
            || {
                let blocks = components(&[link], effect(eliminated));
                is_small(effect(eliminated), &blocks).then_some(blocks)
            },
            || components(&[link], effect(iterated)),
        );
        let blocks = blocks?;
        let pieces_per_block = components.n_levels;
        let n_pieces = blocks.n_levels.checked_mul(pieces_per_block)?;
        if n_pieces > PIECES_MAX {
            return None;
        }
        let stride = u32::try_from(pieces_per_block).ok()?;
        let rows = effect(eliminated).of_row.iter().zip(&effect(iterated).of_row);
        let of_row =
            rows.map(|(&r, &g)| blocks.of_row[r as usize] * stride + components.of_row[g as usize]);
        let pieces = Codes { name: "pieces".into(), of_row: of_row.collect(), n_levels: n_pieces };
        let n_rows = pieces.counts();
        if !are_few(&n_rows, pieces.of_row.len()) || !locals_are_small(&locals, &pieces) {
            return None;
        }
        Some(Self { eliminated, iterated, local, pieces, n_rows, pieces_per_block })
    }
}

/// The component of each level of an effect, connected through the levels of others.
fn components(links: &[&Codes], effect: &Codes) -> Codes {
    let mut parents: Vec<u32> = (0..).take(effect.n_levels).collect();
    for link in links {
        let pairs = link.of_row.iter().copied().zip(effect.of_row.iter().copied());
        connect(&mut parents, link.n_levels, pairs);
    }
    let levels: Vec<u32> = (0..).take(effect.n_levels).collect();
    let roots: Vec<u32> = levels.iter().map(|&level| root(&mut parents, level)).collect();
    let n_levels = roots.len();
    Codes { name: effect.name.clone(), of_row: roots, n_levels }.select(&levels)
}

/// The component of each row, from those of the levels of an effect.
fn over_rows(components: &Codes, effect: &Codes) -> Codes {
    let of_row = effect.of_row.iter().map(|&level| components.of_row[level as usize]).collect();
    Codes { name: components.name.clone(), of_row, n_levels: components.n_levels }
}

fn are_few(rows_of_pieces: &[u32], n_rows: usize) -> bool {
    let n_pieces = rows_of_pieces.iter().filter(|&&rows| rows > 0).count();
    n_pieces <= PIECES_FREE.max(n_rows / ROWS_PER_PIECE_MIN)
}

/// True if factorising the blocks costs little against the rows, and no block is most of the
/// sample.
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
    factor_work(&levels) <= FACTOR_WORK_PER_ROW * real(n_rows) + FACTOR_WORK_FREE
        && rows.iter().all(|&rows| rows <= n_rows / BLOCK_SHARE_MAX)
}

/// True if eliminating the effects inside each piece costs less than iterating them.
fn locals_are_small(locals: &[&Codes], pieces: &Codes) -> bool {
    if locals.is_empty() {
        return true;
    }
    let mut levels = vec![0_usize; pieces.n_levels];
    for local in locals {
        let mut seen = vec![false; local.n_levels];
        for (&level, &piece) in local.of_row.iter().zip(&pieces.of_row) {
            if !std::mem::replace(&mut seen[level as usize], true) {
                levels[piece as usize] += 1;
            }
        }
    }
    let allowed = LOCAL_WORK_PER_ROW * real(pieces.of_row.len()) + FACTOR_WORK_FREE;
    levels.iter().all(|&n| n <= LOCAL_LEVELS_MAX) && factor_work(&levels) <= allowed
}

/// The number of operations to factorise matrices with these numbers of levels.
fn factor_work(levels: &[usize]) -> f64 {
    levels.iter().map(|&n| real(n).powi(3) / 3.0).sum()
}

#[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
fn real(count: usize) -> f64 {
    count as f64
}
