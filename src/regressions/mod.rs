//! The paper's tables from a home: panels of closed years, samples, stored estimates.
//!
//! ```text
//! parts of `plant` ──▶ plant panel ───┐                    ┌▶ estimates (SQLite) ─▶ path
//! spans up to months ▶ plant to month ┤                    │
//! segments, mode 10 ─▶ ordinary panel ┼─▶ columns ─▶ run ──┤
//! segments ─▶ goods ─▶ product panel ─┘     ▲       │      └▶ models ─▶ publish
//!                                     specification └─▶ starts, kept for the next year
//! ```
//!
//! The content (`content`) identifies a model, not its names. Stored estimates, staleness, paths
//! and starts use this identity.
//!
//! A year of a panel is computed again only if its sources change. Columns with one sample and the
//! same effects are solved once, for all tables. A failed estimation is an outcome: it stops no
//! other column, and no intake.

mod beside;
mod closing;
mod codes;
mod columns;
pub mod content;
mod error;
mod estimation;
pub mod exported;
mod figure;
mod firms;
mod goods;
mod group;
mod keep;
mod market_sums;
mod memories;
mod networks;
mod ordinary;
mod panels;
mod path;
mod placebo;
mod plant;
mod plant_to;
mod plant_years;
mod product;
mod rauch;
mod reestimation;
mod reference;
mod run;
mod sample;
mod shift_share;
mod source;
mod standing;
mod stored;
mod summary;
mod table;

pub use beside::{ComparedFigure, Comparison, beside_paper, is_published};
pub use closing::{Choice, ClosingEstimates, Estimated, NoTable};
pub use error::RegressionError;
pub use estimation::{Asked, Estimation, Notice, Reuse, asks, stored_tables};
pub use figure::{Bin, Scatter, scatter};
pub use group::Fit;
pub use keep::{
    Cleared, KeptEstimate, Overview, changed_since, clear_failures, keep, kept, kept_of, overview,
    stale_years,
};
pub use memories::Memories;
pub use panels::{Kind, Panels};
pub use path::{Path, Point, path};
pub use placebo::{Draws, PLACEBO_TERMS, Placebo, PlaceboOf};
pub use reestimation::{EstimationFailure, EstimationObserver, Reestimating};
pub use run::{Ask, Origin, Outcome, Regressions, Wanted, check};
pub use shift_share::ShiftShare;
pub use standing::{Standing, as_they_stand, as_they_stood};
pub use summary::{Statistics, summarise};
pub use table::TableResult;
