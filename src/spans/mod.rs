//! Markets and plants in spans of months, computed from runs when they are read (METHODOLOGY,
//! "Spans").
//!
//! ```text
//! files that count at a vintage ─▶ source: a run for each, remade from its segment if lost
//!        ─▶ scan: all runs together, one market after another; the months of each relation
//!              ├▶ markets: the markets of each span ─▶ `months`, `city`
//!              ├▶ plants: facts of a span ─▶ rows of `plant`
//!              └▶ relations of a year ─┬▶ series: markets and plants by level
//!                                      └▶ year: rows of `plant` in several spans
//! ```
//! Input: a home and a vintage. Output: integer rows, and the columns of tables. The runs of the
//! files that count at a vintage are all that its figures depend on. `filled` stores rows of
//! `series` with a stamp of these files, and reads them while the stamp is that of the state.

mod error;
mod exporters;
mod filled;
mod keys;
mod markets;
mod plants;
mod relations;
mod scan;
mod series;
mod source;
mod tables;
mod year;

pub use error::SpanError;
pub use exporters::UnitFirms;
pub use filled::{fill_series, series_to_fill};
pub use keys::Keys;
pub use markets::MarketsOfSpans;
pub use plants::PlantsOfSpan;
pub use source::SpanSource;
pub use tables::SpanChoice;
pub use year::YearPlants;
