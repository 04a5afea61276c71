//! Facts to rows: the indicators of METHODOLOGY, taken from what a plant's cells say of themselves.
//!
//! ```text
//! rows of `city` ──▶ markets: S, n ─────────────┐
//! facts of a firm's plants ─▶ network, totals ──┼─▶ rows of `plant`
//! areas and provinces ──────────────────────────┘
//! ```
//! Comes in: the rows of `city` and the facts of `plant` of a year. Goes out: the rows of `plant`.
//! A late record changes the facts of one plant and the sums of one market, and by these the rows
//! of every firm that reads the market. So the dataflow hands on facts, and facts are stored. Rows
//! follow from them wherever a table is read: bit for bit, since everything is integers.

mod affiliate;
mod markets;
mod rows;

pub use markets::YearMarkets;
pub use rows::PlantRows;
