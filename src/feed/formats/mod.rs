//! Tables that are no text.

pub mod kind;
