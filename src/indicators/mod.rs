//! Facts to rows: the indicators of METHODOLOGY, computed from facts of plants and rows of `city`.
//!
//! ```text
//! rows of `city` ──▶ markets: S, n ─────────────┐
//! facts of a firm's plants ─▶ network, totals ──┼─▶ rows of `plant`
//! areas and provinces ──────────────────────────┘
//! ```
//! Input: the rows of `city` and the facts of `plant` of a year. Output: the rows of `plant`. A
//! late record changes the facts of one plant and the sums of one market, and through them the rows
//! of every firm that reads the market. The dataflow therefore emits facts, and tables store them.
//! Readers compute the rows: bit for bit, because everything is an integer.

mod affiliate;
mod markets;
mod rows;
mod spans;

pub use affiliate::Contribution;
pub use markets::YearMarkets;
pub use rows::{FirmPlants, PlantRows, Source};
pub use spans::{Bounds, Cumulative, MarketSums, Months, SpanMarkets};
