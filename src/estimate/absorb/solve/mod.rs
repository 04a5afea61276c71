//! The solvers: elimination within blocks, conjugate gradients on the rest, refinement.

pub(in crate::estimate) mod back_substitution;
pub(in crate::estimate) mod block;
pub(in crate::estimate) mod effect_pairs;
pub(in crate::estimate) mod general;
pub(in crate::estimate) mod preconditioner;
pub(in crate::estimate) mod problem;
pub(in crate::estimate) mod refinement;
pub(in crate::estimate) mod structured;
