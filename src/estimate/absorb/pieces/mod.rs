//! Pieces of the sample, such as a city's year: the sums of its rows, without the effects inside
//! the piece.

pub(in crate::estimate) mod cells;
pub(in crate::estimate) mod elimination;
pub(in crate::estimate) mod piece;
pub(in crate::estimate) mod row_products;
