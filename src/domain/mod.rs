//! The terms of the field as types: shipments, the rows of both tables, and the choices in their
//! definition. The types are integers; this module handles no texts and no files.

pub mod calendar;
pub mod choices;
pub mod dictionary;
pub mod finding;
pub mod geography;
pub mod record;
pub mod rows;
pub mod sample_end;
pub mod series;
pub mod span;
pub mod types;
