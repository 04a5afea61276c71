//! What one estimation leaves for the next: its solution, and the figures of its pieces.

pub(in crate::estimate) mod kept_pieces;
pub(in crate::estimate) mod start;
pub(in crate::estimate) mod tables;
