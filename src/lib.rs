//! Spillover indicators of exporters, kept exact as monthly customs files arrive.
//!
//! Customs records only grow: new months, late lines, amendments, republished months. This crate
//! keeps two tables over them current, incrementally and to the last bit. One has the exporters of
//! a city to a destination in a year. The other has plants of multi-plant firms, with the growth
//! and density of exporters around them and around their affiliates.
//!
//! ```text
//! feed files ─▶ feed ─▶ records ─▶ home ─▶ engine, dataflow ─▶ tables ─▶ reader ─▶ render
//!                 └▶ rejects                                     ▲
//!                       check: plain loops ── verify ─────┘
//! ```
//!
//! # Quick start
//!
//! ```
//! use std::ops::ControlFlow;
//! use spillover::engine::{Request, Unwatched};
//! use spillover::feed::source::discover;
//! use spillover::home::{options::Config, parts::Table};
//! use spillover::{Engine, Reader};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (feed, home) = (folder.path().join("feed"), folder.path().join("home"));
//! # std::fs::create_dir(&feed)?;
//! // Two firms of one city, the same months of two years.
//! for month in (200001..=200012).chain(200101..=200112) {
//!     let lines = ["4403000001", "4403000002"].map(|firm| {
//!         format!("{month},E,{firm},,44039,304,84713000,10,{}\n", month % 1000)
//!     });
//!     let header = "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd\n";
//!     std::fs::write(feed.join(format!("{month}.csv")), header.to_owned() + &lines.concat())?;
//! }
//! let request = Request::for_feed(&[feed.clone()], None, Config::default(), 1)?;
//! let files = discover(&[feed], &request.layout(&home)?)?.files;
//! let mut engine = Engine::open(&home, request, |_| ControlFlow::Continue(()))?;
//! engine.ingest(&files, &mut Unwatched)?;
//!
//! let reader = Reader::open(&home)?;
//! let now = reader.standing(None)?;
//! let (year, rows) = reader.table(&now, Table::City)?.rows(None).next().expect("a year")?;
//! assert_eq!((year.0, rows.num_rows()), (2001, 1));
//! # Ok(())
//! # }
//! ```
//!
//! Start with [`domain`] for the terms, [`engine`] for the path of a file, and [`dataflow`] for the
//! computation of figures. METHODOLOGY.md numbers the equations that the code cites;
//! ARCHITECTURE.md gives the decisions.

pub mod alerts;
pub mod check;
pub mod clock;
pub mod dataflow;
pub mod domain;
pub mod effect;
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
#[cfg(feature = "serve")]
pub mod serve;
pub mod simulate;
pub mod sinks;
pub mod spans;
pub mod specification;
pub mod tables;
pub mod theory;
pub mod toml_text;
pub mod visible;
pub mod watch;

pub use engine::Engine;
pub use reader::Reader;
