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
//! Input: a home and a vintage. Output: integer rows, and the columns of tables. Nothing is stored:
//! the runs of the files that count at a vintage are all that its figures depend on.

mod error;
mod exporters;
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
pub use keys::Keys;
pub use markets::MarketsOfSpans;
pub use plants::PlantsOfSpan;
pub use source::SpanSource;
pub use tables::SpanChoice;
pub use year::YearPlants;
