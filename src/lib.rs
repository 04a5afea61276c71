//! Spillover indicators of exporters, kept exact as monthly customs files arrive.

pub mod archive;
pub mod calendar;
pub mod dataflow;
pub mod engine;
pub mod explain;
pub mod feed;
pub mod figures;
pub mod geography;
pub mod options;
pub mod oracle;
pub mod publish;
pub mod settings;
pub mod simulate;
pub mod theory;
pub mod types;
pub mod verify;
