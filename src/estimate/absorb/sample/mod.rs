//! The sample in working order: its blocks, its rows, and the sums over them.

pub(in crate::estimate) mod blocks;
pub mod layout;
pub mod level_sums;
pub(in crate::estimate) mod moments;
pub(in crate::estimate) mod sizes;
pub mod stream;
pub(in crate::estimate) mod tally;
