//! The stored state of an estimation for the next one: its solution, and the figures of its pieces.

pub(in crate::estimate) mod kept_pieces;
pub(in crate::estimate) mod start;
pub(in crate::estimate) mod tables;
