//! The words of the field: who exports what to where and when, the rows of both tables, and the
//! choices in their definition. Integers only; no text, no file.

pub mod calendar;
pub mod choices;
pub mod dictionary;
pub mod geography;
pub mod record;
pub mod rows;
pub mod types;
