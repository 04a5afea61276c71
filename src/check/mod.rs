//! Recomputes both tables in plain loops and compares them with the published ones.

pub mod oracle;
pub mod verify;
