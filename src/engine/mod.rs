//! Wires feed, archive, dataflow and publication.

pub mod amounts;
