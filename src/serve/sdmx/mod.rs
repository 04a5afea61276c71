//! SDMX 3.0 REST under `/sdmx/v2`: data, structures and availability of the tables without firms.
//!
//! ```text
//! flow       a table as a dataflow: dimensions, time, measures
//! selection  key, c[…] and numbers of observations ─▶ observations
//! data       observations ─▶ SDMX-CSV 2.0, SDMX-JSON 2.0
//! structure  flows, names ─▶ SDMX-JSON 2.0, SDMX-ML 3.0
//! ```

mod data;
mod flow;
mod selection;
mod structure;

pub use data::{AVAILABILITY, DATA, DATA_ALL, all, availability, keyed};
pub use structure::{STRUCTURE, STRUCTURE_NEWEST, structure};
