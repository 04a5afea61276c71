//! Spillover indicators of exporters, kept exact as monthly customs files arrive.
//!
//! Customs records only ever get appended to: new months, late lines, amendments, months published
//! anew. This crate keeps two tables over them current, incrementally and to the last bit:
//! exporters of a city to a destination in a year, and plants of multi-plant firms with what
//! exporters around them and around their affiliates did.
//!
//! ```text
//! feed files ─▶ feed ─▶ records ─▶ archive ─▶ (roles by the calendar) ─▶ dataflow ─▶ publish
//!                 └▶ rejects                                                  ▲
//!                                      oracle: the same in plain loops ── verify, explain, tests
//! ```
//!
//! Where to start: [`types`] for the words, [`engine`] for what happens to a file, and
//! [`dataflow`] for how the figures come about. METHODOLOGY.md numbers the equations that the code
//! cites; ARCHITECTURE.md tells the decisions.

pub mod archive;
pub mod calendar;
pub mod clock;
pub mod dataflow;
pub mod engine;
pub mod estimate;
pub mod explain;
pub mod feed;
pub mod figures;
pub mod files;
pub mod geography;
pub mod indicators;
pub mod options;
pub mod oracle;
pub mod panel;
pub mod publish;
pub mod reader;
pub mod regressions;
pub mod render;
pub mod settings;
pub mod simulate;
pub mod specification;
pub mod theory;
pub mod toml_text;
pub mod types;
pub mod verify;
pub mod visible;
pub mod watch;
