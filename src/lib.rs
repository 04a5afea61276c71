//! Spillover indicators of exporters, kept exact as monthly customs files arrive.
//!
//! Customs records only ever get appended to: new months, late lines, amendments, months published
//! anew. This crate keeps two tables over them current, incrementally and to the last bit:
//! exporters of a city to a destination in a year, and plants of multi-plant firms with what
//! exporters around them and around their affiliates did.
//!
//! ```text
//! feed files ─▶ feed ─▶ records ─▶ home ─▶ engine, dataflow ─▶ tables ─▶ reader ─▶ render
//!                 └▶ rejects                                     ▲
//!                       check: the same in plain loops ── verify ┘
//! ```
//!
//! Where to start: [`domain`] for the words, [`engine`] for what happens to a file, and
//! [`dataflow`] for how the figures come about. METHODOLOGY.md numbers the equations that the code
//! cites; ARCHITECTURE.md gives the decisions.

pub mod check;
pub mod clock;
pub mod dataflow;
pub mod domain;
pub mod engine;
pub mod estimate;
pub mod feed;
pub mod files;
pub mod home;
pub mod indicators;
pub mod panel;
pub mod reader;
pub mod regressions;
pub mod render;
pub mod simulate;
pub mod specification;
pub mod tables;
pub mod theory;
pub mod toml_text;
pub mod visible;
pub mod watch;
