//! Spillover indicators of exporters, kept exact as monthly customs files arrive.

pub mod types;
