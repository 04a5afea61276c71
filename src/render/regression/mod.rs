//! Regressions in the form of economics: models side by side, standard errors in brackets under the
//! coefficients.
//!
//! ```text
//! [Model] ─┬─▶ arrange ─▶ Grid ─▶ write: text │ markdown │ latex │ html
//!          ├─▶ tidy rows ─▶ csv, and the table `estimates`
//!          └─▶ {"models": […]} ─▶ json
//! ```
//! A missing number is blank, empty or null; never NaN.

mod arrange;
pub mod beside;
pub mod entries;
mod grid;
mod html;
pub mod influence;
mod json;
mod latex;
mod markdown;
mod model;
mod text;
pub mod tidy;
mod wrap;
mod write;

pub use arrange::arranged;
pub use grid::{Cell, Grid, Line};
pub use json::{model_json, models_json};
pub use model::{Model, RegressionTable};
pub use wrap::wrapped;
pub use write::{Layout, document};

#[cfg(test)]
mod tests;
