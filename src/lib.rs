//! Spillover indicators of exporters, kept exact as monthly customs files arrive.

pub mod archive;
pub mod feed;
pub mod figures;
pub mod types;
