//! The live effect: stored coefficients applied to the rows of an open year (METHODOLOGY, "The live
//! effect").
//!
//! ```text
//! spans: rows of `plant` at a month and a vintage ─┐
//! model: terms of a component, variables, keep ────┼─▶ state: vectors z, compared with a baseline
//! coefficients: b, V of the year before ───────────┘     ├▶ effects: by level, with bands
//!                                                        ├▶ sources: parts by source city
//!                                                        ├▶ news: change between two vintages
//!                                                        └▶ backtest: effect of a month and a year
//! numerics, within: the formulas on plain numbers       sheets: tables   claim: the sentence
//! ```
//! Input: a home, its stored estimates and a request. Output: typed figures and tables. Nothing is
//! stored.

mod backtest;
mod claim;
mod coefficients;
mod component;
mod effects;
mod error;
mod live;
mod model;
mod news;
pub mod numerics;
mod request;
mod rows;
mod sheets;
mod sources;
mod state;
pub mod within;

pub use backtest::{Backtest, BacktestRow, Band, POOLED};
pub use coefficients::EstimateChoice;
pub use component::Component;
pub use effects::{EffectRow, Effects, SlopeSign};
pub use error::EffectError;
pub use live::{Claim, Live};
pub use model::Model;
pub use news::{News, PARTS, STEPS, UnitNews};
pub use request::{Baseline, EffectLevel, EffectRequest, Mode, NoChoice, Wanted};
pub use rows::DensitySpan;
pub use sheets::{Results, Table};
pub use sources::{SourceRow, Sources};
