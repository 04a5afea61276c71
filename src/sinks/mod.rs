//! Copies of the newest publication for other programs.
//!
//! ```text
//! Reader (one publication) ─┬▶ mirror    a folder of Parquet files, switched as a whole
//!                           └▶ postgres  a schema of a database, one transaction
//! ```

pub mod mirror;
#[cfg(feature = "postgres")]
pub mod postgres;
