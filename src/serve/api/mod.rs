//! The handlers of `/api/v1`: a request to a call of the reader, and its answer to rows.

pub mod alerts;
pub mod effects;
pub mod estimates;
pub mod home;
pub mod ledger;
pub mod names;
pub mod report;
pub mod row;
pub mod series;
pub mod tables;
