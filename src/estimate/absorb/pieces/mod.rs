//! Pieces of the sample, such as a city's year: what the rows of one add up to, without the effects
//! that live in it alone.

pub(in crate::estimate) mod cells;
pub(in crate::estimate) mod elimination;
pub(in crate::estimate) mod piece;
pub(in crate::estimate) mod row_products;
