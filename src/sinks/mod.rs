//! Copies of the newest publication for other programs.
//!
//! ```text
//! Reader (one publication) ─▶ mirror ─▶ a folder of Parquet files, switched as a whole
//! ```

pub mod mirror;
