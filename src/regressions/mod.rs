//! The paper's tables from a home: panels of closed years, samples, estimates that are kept.
//!
//! ```text
//! parts of `plant` ──▶ plant panel ───┐                    ┌▶ estimates (SQLite) ─▶ path by year
//! segments, mode 10 ─▶ ordinary panel ┼─▶ columns ─▶ run ──┤
//! segments ─▶ goods ─▶ product panel ─┘     ▲       │      └▶ models ─▶ publish
//!                                     specification └─▶ starts, kept for the next year
//! ```
//!
//! A year of a panel is made again when what it is made from has changed, and only then. Columns
//! that share sample and effects are solved once, whichever tables they are of. An estimation that
//! fails is an outcome: it stops no other column, and no intake.

mod columns;
mod error;
pub mod exported;
mod figure;
mod firms;
mod goods;
mod group;
mod incomes;
mod keep;
mod memories;
mod networks;
mod ordinary;
mod panels;
mod plant;
mod plant_years;
mod product;
mod rauch;
mod run;
mod sample;
mod standing;
mod summary;
mod year_close;

pub use error::RegressionError;
pub use figure::{Bin, Scatter, scatter};
pub use keep::{KeptEstimate, Path, Point, keep, kept, path, stale_years};
pub use memories::Memories;
pub use panels::{Kind, Panels};
pub use run::{Ask, Fit, Outcome, Regressions, Wanted};
pub use standing::as_they_stood;
pub use summary::{Statistics, summarise};
pub use year_close::{Choice, Estimated, NoTable, YearClose};
