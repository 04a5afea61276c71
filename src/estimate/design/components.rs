//! Connected components of levels, stored as a forest with one tree for each component.

use super::codes::Codes;

/// The number of connected components of a graph: its vertices are the levels of two effects, and
/// its edges are the rows.
///
/// # Panics
/// Never: levels are fewer than rows, which are fewer than 2^32.
#[must_use]
pub fn components(first: &Codes, second: &Codes) -> usize {
    let mut parents: Vec<u32> = (0..).take(first.n_levels + second.n_levels).collect();
    let mut count = parents.len();
    let offset = u32::try_from(first.n_levels).expect("levels are fewer than rows");
    for (&a, &b) in first.of_row.iter().zip(&second.of_row) {
        let (a, b) = (root(&mut parents, a), root(&mut parents, b + offset));
        if a != b {
            parents[a.max(b) as usize] = a.min(b);
            count -= 1;
        }
    }
    count
}

/// The smallest known member of a component; halves the path to it.
pub fn root(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[node as usize] != node {
        let above = parents[parents[node as usize] as usize];
        parents[node as usize] = above;
        node = above;
    }
    node
}

/// Joins levels with a common link, in a forest with one tree for each component.
pub fn connect(parents: &mut [u32], n_links: usize, pairs: impl Iterator<Item = (u32, u32)>) {
    const NONE: u32 = u32::MAX;
    let mut first_of_link = vec![NONE; n_links];
    for (link, level) in pairs {
        let first = &mut first_of_link[link as usize];
        if *first == NONE {
            *first = level;
        } else if *first != level {
            let (a, b) = (root(parents, *first), root(parents, level));
            parents[a.max(b) as usize] = a.min(b);
        }
    }
}
