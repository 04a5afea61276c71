//! Linear algebra without reference to a sample: vector registers, factors, packed matrices,
//! iterations.

pub(in crate::estimate) mod cholesky;
pub(in crate::estimate) mod conjugate_gradients;
pub(in crate::estimate) mod lanes;
pub(in crate::estimate) mod laplacian;
pub(in crate::estimate) mod packed_numbers;
pub(in crate::estimate) mod packed_symmetric;
pub(in crate::estimate) mod ritz_values;
pub(in crate::estimate) mod weighted_products;
